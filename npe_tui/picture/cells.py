"""Rows of terminal cells from codes of colours: two dots a cell, one above the other, written as few bytes as possible.

A Rich style for each cell costs some 30 µs; the bytes themselves, written from numbers, well below 1 µs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from npe_tui.picture.depth import Depth

UPPER = "▀"
_MONO = " ▄▀█"
"""By two bits: the upper dot, the lower dot."""
_RESET = "\x1b[0m"


class CellStrip(Strip):
    """A row of cells. Cutting it slices arrays; segments are made only for who asks for them, such as a screenshot."""

    __slots__ = ("_depth", "_lower", "_made", "_upper")

    def __init__(self, upper: np.ndarray, lower: np.ndarray, depth: Depth) -> None:
        """``upper`` and ``lower``: (cells,) uint32 codes of ``depth``."""
        self._upper, self._lower, self._depth = upper, lower, depth
        self._made: list[Segment] | None = None
        super().__init__((), len(upper))

    @property
    def _segments(self) -> list[Segment]:
        if self._made is None:
            self._made = list(self._runs())
        return self._made

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        """What Strip's own constructor is given is not kept: the segments follow from the codes."""

    def __iter__(self) -> Iterator[Segment]:
        return self._runs()

    def _runs(self) -> Iterator[Segment]:
        """One segment for each run of equal cells, made as it is asked for."""
        change = np.ones(len(self._upper), bool)
        change[1:] = (self._upper[1:] != self._upper[:-1]) | (self._lower[1:] != self._lower[:-1])
        starts = np.flatnonzero(change)
        ends = np.append(starts, len(self._upper))[1:]
        uppers, lowers = self._upper[starts].tolist(), self._lower[starts].tolist()
        for start, end, upper, lower in zip(starts.tolist(), ends.tolist(), uppers, lowers, strict=True):
            yield _segment(upper, lower, end - start, self._depth)

    def __bool__(self) -> bool:
        return len(self._upper) > 0

    def __len__(self) -> int:
        return len(self._segments)

    @property
    def cell_count(self) -> int:
        return len(self._upper)

    def crop(self, start: int, end: int | None = None) -> Strip:
        cells = len(self._upper)
        start, end = max(start, 0), cells if end is None else min(end, cells)
        if (start, end) == (0, cells):
            return self
        return CellStrip(self._upper[start:end], self._lower[start:end], self._depth)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        cells = len(self._upper)
        bounds = [0, *(cut for cut in cuts if cut <= cells)]
        return [self.crop(start, end) for start, end in pairwise(bounds)]

    def render(self, console: Console) -> str:
        if self._render_cache is None:
            self._render_cache = encode(self._upper, self._lower, self._depth)
        return self._render_cache


def encode(upper: np.ndarray, lower: np.ndarray, depth: Depth) -> str:
    """A row as text with control sequences; colours are named only where they change, and put back at the end."""
    if depth is Depth.MONO:
        return "".join(_MONO[2 * high + low] for high, low in zip(upper.tolist(), lower.tolist(), strict=True))
    front, back = _WRITERS[depth]
    out: list[str] = []
    write = out.append
    shown_front = shown_back = -1
    for high, low in zip(upper.tolist(), lower.tolist(), strict=True):
        if high == low:
            if low == shown_back:
                write(" ")
            else:
                write(f"\x1b[{back(low)}m ")
                shown_back = low
        elif high == shown_front:
            if low == shown_back:
                write(UPPER)
            else:
                write(f"\x1b[{back(low)}m{UPPER}")
                shown_back = low
        elif low == shown_back:
            write(f"\x1b[{front(high)}m{UPPER}")
            shown_front = high
        else:
            write(f"\x1b[{front(high)};{back(low)}m{UPPER}")
            shown_front, shown_back = high, low
    write(_RESET)
    return "".join(out)


_NUMBERS = [str(value) for value in range(256)]
_FRONT_16 = [str(30 + code) if code < 8 else str(82 + code) for code in range(16)]
_BACK_16 = [str(40 + code) if code < 8 else str(92 + code) for code in range(16)]
_FRONT_256 = [f"38;5;{code}" for code in range(256)]
_BACK_256 = [f"48;5;{code}" for code in range(256)]


def _front_true(code: int) -> str:
    return f"38;2;{_NUMBERS[code >> 16]};{_NUMBERS[code >> 8 & 255]};{_NUMBERS[code & 255]}"


def _back_true(code: int) -> str:
    return f"48;2;{_NUMBERS[code >> 16]};{_NUMBERS[code >> 8 & 255]};{_NUMBERS[code & 255]}"


_WRITERS: dict[Depth, tuple[Callable[[int], str], Callable[[int], str]]] = {
    Depth.TRUE: (_front_true, _back_true),
    Depth.FIVE: (_front_true, _back_true),
    Depth.XTERM: (_FRONT_256.__getitem__, _BACK_256.__getitem__),
    Depth.GREY: (_FRONT_256.__getitem__, _BACK_256.__getitem__),
    Depth.ANSI: (_FRONT_16.__getitem__, _BACK_16.__getitem__),
}


def _segment(upper: int, lower: int, cells: int, depth: Depth) -> Segment:
    if depth is Depth.MONO:
        return Segment(_MONO[2 * upper + lower] * cells)
    return Segment((" " if upper == lower else UPPER) * cells, _style(upper, lower, depth))


@lru_cache(maxsize=1 << 16)
def _style(upper: int, lower: int, depth: Depth) -> Style:
    if depth in (Depth.TRUE, Depth.FIVE):
        front, back = (Color.from_rgb(code >> 16, code >> 8 & 255, code & 255) for code in (upper, lower))
    else:
        front, back = Color.from_ansi(upper), Color.from_ansi(lower)
    return Style(color=front, bgcolor=back)
