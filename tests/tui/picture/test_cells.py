"""The bytes of a row, read back by a terminal emulator, and the row as Rich segments."""

import io

import numpy as np
import pyte
import pytest
from code_colours import colours_of
from emulated import Emulated
from rich.console import Console
from textual.strip import Strip

from npe_tui.picture.cells import CellStrip, encode
from npe_tui.picture.depth import Depth
from npe_tui.picture.quantise import ANSI_PALETTE, quantise

SYSTEMS = {Depth.ANSI: "standard", Depth.XTERM: "256", Depth.GREY: "256"}


def console(depth):
    return Console(color_system=SYSTEMS.get(depth, "truecolor"), force_terminal=True, file=io.StringIO())


def row(depth, cells=40, seed=0):
    """Codes (2, cells) with runs: flat cells, repeated ones, single ones."""
    random = np.random.default_rng(seed)
    few = random.uniform(0, 255, (3, 3))
    colours = few[random.integers(0, 3, (2, cells))]
    return quantise(colours.astype(np.float32), depth)


def shown(text, cells, depth):
    """(2, cells, 3): what an emulator shows of a row."""
    screen = pyte.Screen(cells, 1)
    pyte.Stream(screen).feed(text)
    emulated = Emulated.__new__(Emulated)
    emulated.screen = screen
    return emulated.dots(0, 0, cells, 1, ANSI_PALETTE)


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("seed", range(5))
def test_the_emulator_shows_the_codes(depth, seed):
    codes = row(depth, seed=seed)
    expected = colours_of(codes, depth)
    assert np.array_equal(shown(encode(*codes, depth), 40, depth), expected)
    as_segments = Strip(list(CellStrip(*codes, depth))).render(console(depth))
    assert np.array_equal(shown(as_segments, 40, depth), expected)


@pytest.mark.parametrize("depth", list(Depth))
def test_parts_show_what_the_whole_shows(depth):
    codes = row(depth)
    strip = CellStrip(*codes, depth)
    expected = colours_of(codes, depth)
    parts = strip.divide([7, 21, 40])
    assert [part.cell_length for part in parts] == [7, 14, 19]
    assert np.array_equal(shown("".join(part.render(console(depth)) for part in parts), 40, depth), expected)
    middle = strip.crop(5, 9)
    assert (middle.cell_length, middle.cell_count) == (4, 4)
    assert np.array_equal(shown(middle.render(console(depth)), 4, depth), expected[:, 5:9])
    assert strip.crop(0, 40) is strip
    joined = Strip.join([strip.crop(0, 10), strip.crop(10)])
    assert joined.text == strip.text and joined.cell_length == 40


def test_colours_are_named_only_where_they_change():
    codes = np.full((2, 30), 0x102030, np.uint32)
    assert encode(*codes, Depth.TRUE) == "\x1b[48;2;16;32;48m" + " " * 30 + "\x1b[0m"
    codes[0, 10:] = 0xFFFFFF
    text = encode(*codes, Depth.TRUE)
    assert text == "\x1b[48;2;16;32;48m" + " " * 10 + "\x1b[38;2;255;255;255m" + "▀" * 20 + "\x1b[0m"
    assert len(list(CellStrip(*codes, Depth.TRUE))) == 2


def test_one_of_sixteen_colours_has_its_short_name():
    codes = np.array([[1, 9, 15], [8, 0, 15]], np.uint32)
    assert encode(*codes, Depth.ANSI) == "\x1b[31;100m▀\x1b[91;40m▀\x1b[107m \x1b[0m"


def test_a_row_of_no_cells():
    empty = CellStrip(*np.zeros((2, 0), np.uint32), Depth.TRUE)
    assert not empty and empty.cell_length == 0 and list(empty) == [] and empty.text == ""
