"""Colours to what a terminal of a given depth can show: ``codes``, one number a dot.

Dithering is by position, so that a part that is painted again comes out as the whole would have.

A code is 0xRRGGBB for the true colours, an index into the xterm palette for 256, 16 and grey, and 0 or 1 for mono.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from npe_core.colour import LUMA
from npe_tui.picture.depth import Depth

_DARK = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)]
_BRIGHT = [(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255)]
ANSI_PALETTE = np.array([*_DARK, *_BRIGHT, (255, 255, 255)], np.uint8)
"""(16, 3): xterm's own; a theme may show others."""
_LEVELS = np.array([0, 95, 135, 175, 215, 255])
_CUBE = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), axis=-1).reshape(-1, 3)
_GREYS = np.repeat(np.arange(8, 239, 10)[:, None], 3, axis=1)
XTERM_PALETTE = np.concatenate([ANSI_PALETTE, _CUBE, _GREYS]).astype(np.uint8)
"""(256, 3)"""
_GREY_CODES = np.array([16, *range(232, 256), 231], np.uint32)
"""From black to white."""
_CODES: dict[Depth, np.ndarray] = {Depth.ANSI: np.arange(16), Depth.XTERM: np.arange(16, 256), Depth.GREY: _GREY_CODES}
"""What each palette chooses from; a theme may change the first 16 colours, so 256 leaves them out."""
_MIXED = 8
"""Dots of which one colour of the picture is made, of two colours of the palette at most."""
_NEAREST = 12
"""Colours of the palette, those nearest to it, from which the two are chosen."""
_HUE = 2.0
"""What a difference in hue counts beside one in light: dots of half a cell are seen one by one, and a chequer of light
and dark passes for a face, one of green and purple does not."""
_GRAIN = 0.15
"""Share of what the two differ from the colour that counts, beside what their mean does: 0 is truest, 1 is smooth."""
_AT_ONCE = 2048
"""Colours whose mixtures are found together, so that a processor's cache holds what that takes."""
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
_FIVE = (((np.arange(256) * 31 + 127) // 255 * 255 + 15) // 31).astype(np.uint8)
"""Each of 256 values at the nearest of 32 steps."""


def quantise(colours: np.ndarray, depth: Depth, at: tuple[int, int] = (0, 0)) -> np.ndarray:
    """The codes (h, w) uint32 of colours (h, w, 3) float in [0, 255]; ``at`` is the view's dot of the first one."""
    if depth in (Depth.TRUE, Depth.FIVE):
        exact = np.rint(colours).astype(np.uint8)
        return pack(_FIVE[exact] if depth is Depth.FIVE else exact)
    threshold = _thresholds(colours.shape[:2], at)
    if depth in (Depth.XTERM, Depth.ANSI):
        rounding = _thresholds(colours.shape[:2], (at[0] + 1, at[1] + 3))
        steps = np.clip(colours, 0, 255) * (31 / 255) + rounding[..., None]
        red, green, blue = np.moveaxis(np.minimum(steps, 31).astype(np.intp), -1, 0)
        return _mixtures(depth).codes(red << 10 | green << 5 | blue, (threshold * _MIXED).astype(np.intp))
    grey = colours @ LUMA
    if depth is Depth.MONO:
        return (_contrast(grey) > threshold * 255).astype(np.uint32)
    step = np.interp(grey, XTERM_PALETTE[_GREY_CODES, 0], np.arange(len(_GREY_CODES)))
    return _GREY_CODES[np.floor(step + threshold).astype(np.intp).clip(0, len(_GREY_CODES) - 1)]


def plain(colour: tuple[int, int, int], depth: Depth) -> int:
    """The code of one colour on its own, undithered: for what stands around the picture."""
    if depth in (Depth.TRUE, Depth.FIVE):
        return int(pack(np.array(colour)))
    if depth is Depth.MONO:
        return 0
    codes = _CODES[depth]
    return int(codes[((XTERM_PALETTE[codes].astype(int) - colour) ** 2).sum(axis=1).argmin()])


def black_and_white(depth: Depth) -> tuple[int, int]:
    """The codes of black and white."""
    return {Depth.ANSI: (0, 15), Depth.MONO: (0, 1), Depth.XTERM: (16, 231), Depth.GREY: (16, 231)}.get(
        depth, (0x000000, 0xFFFFFF)
    )


def pack(colours: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 as 0xRRGGBB."""
    wide = colours.astype(np.uint32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _thresholds(size: tuple[int, int], at: tuple[int, int]) -> np.ndarray:
    """(h, w) in (0, 1): the 4 x 4 Bayer matrix over the view's dots."""
    rows, columns = np.arange(size[0]) + at[1], np.arange(size[1]) + at[0]
    return (_BAYER[rows[:, None] % 4, columns % 4] + 0.5) / 16


class _Mixtures:
    """Of which two colours of a palette, dot by dot, each colour of 5 bits a channel is made; found when it is shown.

    The two and their shares minimise |m - c|^2 + _GRAIN (v - |m - c|^2), with c the colour, m the mean of the dots and
    v their mean square distance from c: Joel Yliluoma's mixing by pairs, with a penalty for those that are far apart.
    """

    def __init__(self, codes: np.ndarray) -> None:
        """``codes``: (colours,) what the palette chooses from."""
        palette = XTERM_PALETTE[codes].astype(np.float32)
        self._codes, self._light = codes.astype(np.uint32), palette @ LUMA
        self._seen = _light_and_hue(palette)
        self._apart = _apart(self._seen, self._seen)
        self._known = np.zeros(1 << 15, bool)
        self._made = np.zeros((1 << 15, _MIXED), np.uint32)

    def codes(self, colours: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
        """(h, w) uint32 for colours (h, w), 5 bits a channel, at thresholds (h, w) of _MIXED."""
        fresh = np.unique(colours[~self._known[colours]])
        for start in range(0, len(fresh), _AT_ONCE):
            some = fresh[start : start + _AT_ONCE]
            self._made[some] = self._made_of(some)
        self._known[fresh] = True
        return self._made[colours, thresholds]

    def _made_of(self, colours: np.ndarray) -> np.ndarray:
        """(n, _MIXED) uint32 codes, by their light, for colours (n,)."""
        wanted = np.stack([colours >> 10, colours >> 5 & 31, colours & 31], axis=-1).astype(np.float32) * (255 / 31)
        off = _apart(_light_and_hue(wanted), self._seen)  # (n, colours of the palette)
        nearest = np.argpartition(off, _NEAREST)[:, :_NEAREST]
        one, other = (nearest[:, each] for each in np.triu_indices(_NEAREST, 1))  # (n, pairs)
        off_one, off_other = np.take_along_axis(off, one, axis=1), np.take_along_axis(off, other, axis=1)
        apart = (1 - _GRAIN) * self._apart[one, other]
        dots = np.rint(np.clip(0.5 + (off_one - off_other) / (2 * apart), 0, 1) * _MIXED)  # of the other
        share = dots / _MIXED
        best = (off_one + share * (off_other - off_one) - share * (1 - share) * apart).argmin(axis=1)[:, None]
        first, last, lasting = (np.take_along_axis(each, best, axis=1) for each in (one, other, dots))
        is_lighter = self._light[first] > self._light[last]
        first, last = np.where(is_lighter, last, first), np.where(is_lighter, first, last)
        lasting = np.where(is_lighter, _MIXED - lasting, lasting)
        return self._codes[np.where(np.arange(_MIXED) < _MIXED - lasting, first, last)]


@cache
def _mixtures(depth: Depth) -> _Mixtures:
    return _Mixtures(_CODES[depth])


def _light_and_hue(colours: np.ndarray) -> np.ndarray:
    """(..., 3) float32: light and the two differences of colour of ITU-R BT.601, by what they count."""
    light = colours @ LUMA
    blue, red = (colours[..., 2] - light) * 0.564, (colours[..., 0] - light) * 0.713
    return np.stack([light, _HUE * blue, _HUE * red], axis=-1)


def _apart(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, m) square distances of (n, 3) from (m, 3)."""
    return (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T


def _contrast(grey: np.ndarray) -> np.ndarray:
    """Grey spread a little, because a picture of two tones has little else to show itself by."""
    return np.clip((grey - 128) * 1.15 + 128, 0, 255)
