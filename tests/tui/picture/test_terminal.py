"""The whole way, on a real pseudo-terminal: mouse and key bytes in, and what an emulator shows against the picture."""

import time
from pathlib import Path

import numpy as np
import pytest
from easel_program import RED, picture
from emulated import Emulated

from npe_tui.picture.pacing import PATIENCE
from npe_tui.picture.quantise import ANSI_PALETTE, XTERM_PALETTE

PROGRAM = Path(__file__).with_name("easel_program.py")
COLUMNS, ROWS = 70, 25  # one dot for 2 x 2 pixels of the picture


def halved(image):
    return np.rint(image.reshape(50, 2, 70, 2, 3).mean(axis=(1, 3))).astype(np.uint8)


def five_bits(image):
    return np.rint(np.rint(image / 255 * 31) * 255 / 31).astype(np.uint8)


def start(*depths, **options):
    """The program, in the first of the depths; D goes on to the next."""
    return Emulated(PROGRAM, *depths, columns=COLUMNS, rows=ROWS, **options)


def dots(terminal, columns=COLUMNS, rows=ROWS):
    try:
        return terminal.dots(0, 0, columns, rows, ANSI_PALETTE)
    except KeyError:  # not a picture yet
        return None


def shows(terminal, expected):
    return terminal.until(lambda: np.array_equal(dots(terminal), expected))


@pytest.mark.parametrize(("depth", "reduced"), [("true", np.asarray), ("5bit", five_bits)])
def test_the_screen_is_the_picture(depth, reduced):
    """Painted on, zoomed, panned and resized: dot by dot what numpy makes of the picture."""
    image = picture()
    with start(depth) as terminal:
        assert shows(terminal, reduced(halved(image)))
        terminal.settle(quiet=0.5)
        before = len(terminal.seen)
        for x in np.arange(10, 30, 0.5):  # two pixels a dot, two dots a cell
            y = 5 + (x - 10) / 4
            terminal.mouse(0 if x == 10 else 32, x, y)
            image[int(4 * y), int(2 * x)] = RED
        terminal.mouse(0, x, y, up=True)
        assert shows(terminal, reduced(halved(image)))
        assert len(terminal.seen) - before < 40 * 400, "a pixel costs some hundred bytes, not a screen"
        terminal.write("\x1b[F")  # End: one dot a pixel
        assert shows(terminal, reduced(image[25:75, 35:105]))
        for upper in (True, False):  # the halves of one cell
            terminal.mouse(0, 20.5, 10.25 if upper else 10.75)
            terminal.mouse(0, 20.5, 10.25 if upper else 10.75, up=True)
            image[25 + 20 + (not upper), 35 + 20] = RED
        assert shows(terminal, reduced(image[25:75, 35:105]))
        terminal.write("\x1b[1;5C")  # Ctrl and right: 8 cells
        assert shows(terminal, reduced(image[25:75, 43:113]))
        terminal.resize(50, 20)
        smaller = image[30:70, 53:103]
        assert terminal.until(lambda: np.array_equal(dots(terminal, 50, 20), reduced(smaller)))


def test_few_colours_look_like_the_picture_from_afar():
    """In each depth that has few, one after the other."""
    image = halved(picture()).astype(float)
    colours, greys = XTERM_PALETTE[16:], [colour for colour in XTERM_PALETTE[16:] if np.ptp(colour) == 0]
    palettes = {"16": ANSI_PALETTE, "256": colours, "grey": greys, "mono": [(0, 0, 0), (255, 255, 255)]}
    with start("true", *palettes) as terminal:
        assert shows(terminal, halved(picture()))
        for depth, palette in palettes.items():
            allowed = {tuple(int(c) for c in one) for one in palette}

            def reduced(allowed=allowed):
                shown = dots(terminal)
                return shown is not None and {tuple(dot) for dot in shown.reshape(-1, 3).tolist()} <= allowed

            terminal.settle()
            terminal.write("d")
            assert terminal.until(reduced), depth
            assert differ_afar(dots(terminal), image) < 16, depth


def differ_afar(shown, image):
    """How much the brightness of what is shown differs from the picture's, for an eye that sees no single dots."""
    light = np.array([0.299, 0.587, 0.114])
    afar = [(one @ light).reshape(5, 10, 7, 10).mean(axis=(1, 3)) for one in (shown, image)]
    return np.abs(afar[0] - afar[1]).mean()


@pytest.mark.parametrize(
    ("environment", "codes"),
    [
        ({"COLORTERM": "truecolor"}, b"8;2;"),
        ({"COLORTERM": "", "TERM": "xterm-256color"}, b"8;5;"),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, b"8;5;"),
    ],
)
def test_the_depth_follows_the_terminal(environment, codes):
    with start("auto", environment=environment) as terminal:
        assert terminal.until(lambda: dots(terminal) is not None and dots(terminal).std() > 20)
        terminal.settle()
        last = terminal.seen[terminal.seen.rindex("▀".encode()) - 1000 :]
        assert codes in last and (b"8;2;" in last) == (codes == b"8;2;")


def test_a_terminal_without_pixels_without_answers():
    """No in-band sizes, no pixel mouse, no synchronised output, no cursor reports: it works, by cells."""
    image = picture()
    with start("true", pixels=False, answers=False) as terminal:
        assert shows(terminal, halved(image))
        assert not terminal.finely
        terminal.write("\x1b[F")
        assert shows(terminal, image[25:75, 35:105])
        terminal.mouse(0, 20, 10)
        image[25 + 21, 35 + 20] = RED  # the middle of the cell
        assert shows(terminal, image[25:75, 35:105])
        terminal.resize(50, 20)
        assert terminal.until(lambda: np.array_equal(dots(terminal, 50, 20), image[30:70, 45:95]))


def test_repaints_wait_for_a_terminal_that_is_behind():
    """While the terminal has not answered, zooming paints nothing more; its answer brings the last state at once."""
    with start("true") as terminal:
        assert shows(terminal, halved(picture()))
        terminal.write("\x1b[F\x1b[H")
        assert shows(terminal, halved(picture()))
        terminal.settle()
        terminal.answers = False
        before, since = len(terminal.seen), time.monotonic()
        for _ in range(20):
            terminal.write("\x1b[F")
            terminal.settle(quiet=0.05)
            terminal.write("\x1b[H")
            terminal.settle(quiet=0.05)
        terminal.write("\x1b[F")
        terminal.settle()
        frames = (len(terminal.seen) - before) / 60_000  # bytes of one
        unheard = (time.monotonic() - since) / PATIENCE  # a slow machine comes to where the pacer tries again
        assert frames < 3 + unheard, "40 repaints were asked for"
        terminal.answers = True
        terminal.write("\x1b[1;1R")
        assert shows(terminal, picture()[25:75, 35:105])
