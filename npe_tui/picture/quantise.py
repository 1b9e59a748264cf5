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
_WEIGHTS = np.sqrt(LUMA + 0.1)
"""What a difference in each channel counts when a colour is chosen."""
_MIXED = 8
"""Colours of the palette that stand for one colour of the picture."""
_MAKING_UP = 0.7
"""Share of the error that the next colour makes up for: less is smoother, more is truer."""
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
        steps = np.clip(colours, 0, 255) * (15 / 255) + rounding[..., None]
        red, green, blue = np.moveaxis(np.minimum(steps, 15).astype(np.intp), -1, 0)
        return _mixtures(depth)[red << 8 | green << 4 | blue, (threshold * _MIXED).astype(np.intp)]
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


@cache
def _mixtures(depth: Depth) -> np.ndarray:
    """(4096, 8) uint32: which code stands at each of 8 thresholds for each colour of 4 bits a channel.

    Thomas Knoll's pattern dithering: colours of the palette whose mean comes near, found one after the other, each
    making up for what the ones before it lack, then sorted by their light.
    """
    codes = _CODES[depth]
    palette = XTERM_PALETTE[codes].astype(np.float32)
    seen = palette * _WEIGHTS
    axis = np.linspace(0, 255, 16, dtype=np.float32)
    wanted = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)  # (4096, 3)
    missing, mixed = np.zeros_like(wanted), []
    for _ in range(_MIXED):
        distance = (seen**2).sum(axis=1) - 2 * ((wanted + missing) * _WEIGHTS) @ seen.T  # (4096, colours)
        mixed.append(distance.argmin(axis=1))
        missing += (wanted - palette[mixed[-1]]) * _MAKING_UP
    chosen = np.stack(mixed, axis=1)
    by_light = np.argsort((palette @ LUMA)[chosen], axis=1, kind="stable")
    return codes[np.take_along_axis(chosen, by_light, axis=1)].astype(np.uint32)


def _contrast(grey: np.ndarray) -> np.ndarray:
    """Grey spread a little, because a picture of two tones has little else to show itself by."""
    return np.clip((grey - 128) * 1.15 + 128, 0, 255)
