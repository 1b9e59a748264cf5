"""Stills: what is written, decoded back to pixels the way the protocols say."""

import fcntl
import io
import os
import pty
import re
import struct
import termios
import time
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from easel_program import picture
from emulated import Emulated
from PIL import Image

from npe_tui.picture.graphics import CELL, CHUNK, Protocol, cell_of, choose_protocol, still
from npe_tui.picture.pacing import LINGER

PROGRAM = Path(__file__).with_name("easel_program.py")
KITTY = re.compile(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\")
ITERM = re.compile(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07")


def kitty(text):
    """(keys of the first piece, pixels), checking every piece."""
    pieces = KITTY.findall(text)
    assert KITTY.sub("", text) == "", "nothing but the picture"
    keys = [dict(pair.split("=") for pair in head.split(",")) for head, _ in pieces]
    assert [one["m"] for one in keys] == ["1"] * (len(pieces) - 1) + ["0"]
    assert all(len(data) <= CHUNK for _, data in pieces)
    assert all(len(data) % 4 == 0 for _, data in pieces[:-1]), "each piece but the last decodes on its own"
    assert all(set(one) == {"m"} for one in keys[1:])
    assert (keys[0]["a"], keys[0]["f"], keys[0]["q"]) == ("T", "100", "2")
    return keys[0], pixels("".join(data for _, data in pieces))


def iterm(text):
    ((head, data),) = ITERM.findall(text)
    assert ITERM.sub("", text) == ""
    keys = dict(pair.split("=") for pair in head.split(";"))
    assert int(keys["size"]) == len(b64decode(data)) and keys["inline"] == "1"
    return keys, pixels(data)


def pixels(encoded):
    return np.asarray(Image.open(io.BytesIO(b64decode(encoded))).convert("RGB"))


def test_every_pixel_arrives():
    image = picture()
    keys, shown = kitty(still(image, Protocol.KITTY, 80, 24))
    assert np.array_equal(shown, image)
    assert (keys["c"], keys["r"]) == ("67", "24"), "140 x 100 pixels in 48 rows of dots"
    smooth = np.linspace(0, 255, 100 * 140 * 3).reshape(100, 140, 3).astype(np.uint8)
    text = still(smooth, Protocol.ITERM, 40, 24)
    keys, shown = iterm(text)
    assert shown.shape == image.shape and np.abs(shown.astype(int) - smooth).mean() < 2
    assert (keys["width"], keys["height"]) == ("40", "14")
    assert b64decode(ITERM.findall(text)[0][1]).startswith(b"\xff\xd8"), "JPEG, a fraction of a PNG"


@pytest.mark.parametrize(("cell", "shape"), [(CELL, (267, 800)), ((8.0, 16.0), (213, 640)), ((12.0, 18.0), (320, 960))])
def test_no_more_pixels_are_sent_than_the_window_shows(cell, shape):
    large = np.zeros((1000, 3000, 3), np.uint8)
    keys, shown = kitty(still(large, Protocol.KITTY, 80, 24, cell))
    assert shown.shape == (*shape, 3)
    assert (int(keys["c"]), int(keys["r"])) == (80, round(shape[0] / cell[1]))
    tall = np.zeros((3000, 1000, 3), np.uint8)
    assert kitty(still(tall, Protocol.KITTY, 80, 24, cell))[1].shape[0] == round(24 * cell[1])


def test_a_terminal_tells_how_large_its_cells_are_or_does_not():
    far, near = pty.openpty()
    try:
        for size, cell in (((24, 80, 80 * 9, 24 * 21), (9, 21)), ((24, 80, 0, 0), CELL), ((0, 0, 0, 0), CELL)):
            fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
            assert cell_of(near) == cell
    finally:
        os.close(far)
        os.close(near)
    assert cell_of(near) == CELL


def test_the_smallest_picture_in_the_smallest_terminal():
    image = np.full((1, 1, 3), 9, np.uint8)
    keys, shown = kitty(still(image, Protocol.KITTY, 1, 1))
    assert shown.tolist() == [[[9, 9, 9]]] and keys["c"] == keys["r"] == "1"


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, Protocol.KITTY),
        ({"TERM": "xterm-ghostty"}, Protocol.KITTY),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, Protocol.KITTY),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Protocol.ITERM),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Protocol.ITERM),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2", "SSH_TTY": "/dev/pts/0"}, Protocol.ITERM),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "iTerm.app"}, Protocol.ITERM),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"}, None),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2", "TERM_PROGRAM": "vscode"}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "linux"}, None),
        ({}, None),
    ],
)
def test_which_terminal_has_what(environment, protocol):
    chosen = choose_protocol("auto", environment)
    assert chosen is protocol or (protocol is None and "NPE_TUI_GRAPHICS=kitty" in chosen)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, "tmux"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}, "tmux"),
        ({"TERM": "screen.xterm-256color", "STY": "1.pts-0"}, "screen"),
        ({"TERM": "screen"}, "screen"),
        ({"TERM": "xterm-kitty", "ZELLIJ": "0"}, "zellij"),
    ],
)
def test_a_multiplexer_is_named(environment, name):
    assert choose_protocol("auto", environment).startswith(f"{name} keeps a terminal's graphics back")
    assert choose_protocol("kitty", environment) is Protocol.KITTY, "as the settings say"


def test_the_settings_go_before_what_is_known_of_the_terminal():
    assert choose_protocol("iterm2", {"TERM": "xterm-kitty"}) is Protocol.ITERM
    assert "none" in choose_protocol("none", {"TERM": "xterm-kitty"})


def test_a_still_and_back_to_the_app():
    """F7 leaves the app's screen for the picture; a key comes back to all that was there, Ctrl+C as any."""
    with Emulated(PROGRAM, "true", columns=70, rows=25, environment={"TERM": "xterm-kitty"}) as terminal:
        assert terminal.until(lambda: "▀".encode() in terminal.seen)
        terminal.settle()
        start, terminal.answers = len(terminal.seen), False
        terminal.write("\x1b[F")
        assert terminal.until(lambda: b"\x1b[6n" in terminal.seen[start:])
        since = time.monotonic()
        terminal.write("\x1b[18~")
        terminal.settle(quiet=0.3)
        assert b"Any key" not in terminal.seen or time.monotonic() - since > LINGER, "the answer would be a key"
        terminal.answers = True
        terminal.write("\x1b[1;1R")
        assert terminal.until(lambda: b"m=0;" in terminal.seen[start:] and b"Any key" in terminal.seen[start:])
        text = terminal.seen[start:].decode()
        screens = text[: text.index("\x1b_G")].split("\x1b[?1049l", 1)[1]
        assert "Any key" in screens, "said before megabytes are on their way"
        assert "\x1b[?1049h" in screens.partition("\x1b[2J")[0], "what a shell has written stays as it is"
        assert np.array_equal(kitty("".join(one.group() for one in KITTY.finditer(text)))[1], picture())
        start = len(terminal.seen)
        terminal.write("\x1b[<35;10;5M\x1b[1;1R")  # late: the pointer, the cursor
        terminal.settle()
        assert terminal.seen[start:] == b"", "nothing is echoed, nothing comes back"
        terminal.write("\x03")
        assert terminal.until(lambda: b"\x1b[?1049h" in terminal.seen[start:] and "▀".encode() in terminal.seen[start:])
        assert b"\x1b_Ga=d,d=A,q=2\x1b\\\x1b[?1049l" in terminal.seen[start : start + 30], "the picture is gone"


def test_a_terminal_without_graphics_is_sent_none():
    with Emulated(PROGRAM, "true", columns=70, rows=25) as terminal:
        assert terminal.until(lambda: "▀".encode() in terminal.seen)
        terminal.settle()
        start = len(terminal.seen)
        terminal.write("\x1b[18~")
        assert terminal.until(lambda: any("no graphics" in line for line in terminal.screen.display))
        assert b"\x1b_G" not in terminal.seen and b"\x1b]1337" not in terminal.seen
        assert b"\x1b[?1049l" not in terminal.seen[start:]
