"""What colours tell of a soft edge: how much of a pixel is the region, and how much is what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.guided import box_sum, linear_at, linear_in_colour, reduced
from npe_core.canvas.morphology import smoothstep
from npe_core.opencv import opencv

_NONE, _ALL = 0.15, 0.7
"""A pixel this far from the colour beside the region to the region's own shows nothing of it, or nothing else."""

_SHOWN = 0.55
"""This far from the colour beside the region on a pixel counts as the region alone, where it would else be left as a
rim: the outermost of the region varies in colour, and half of a bright rim is still bright."""
_CALM = (0.08, 0.2)
"""The standard deviation of a pixel's share, by that of the colours beside the region, up to which what a colour tells
is sure, and from which on it may as well be another colour of what lies beside: of a blurred garden."""

_CONTRAST = 30.0 / 255
"""Difference of the two colours, in [0, 1], at which half is believed of what they tell, if one colour lies beside."""

_BESIDE, _ENOUGH = 0.75, 1.5
"""Bands within which a colour is right beside a pixel, and how many blocks of it weigh as much as what lies farther
away: an ear of skin has hollows, hair has lights."""
_SURELY, _SURE = (0.05, 0.95), 0.85
"""Between which shares by the mean of the deep a block may be the material, and from which of them on it is."""
_NOISE, _VARIED = np.float32(6 / 255), np.float32(20 / 255)
"""How far from all mixtures of the two colours the noise of a pixel takes it, and how far beyond that it is another
colour of the material: what is left of it without the background would else be of no colour that it has."""
_OWN = 0.9
"""From this far to the region's own colour on a pixel shows nothing else: a region varies."""


@dataclass(frozen=True, eq=False)
class Sides:
    """The colours on both sides of a soft edge, and an image between them.

    A pixel at the edge shows C = a F + (1 - a) B; with F and B the means of what is surely inside and outside nearby, a
    is where C lies between them. The nearer the two colours are to each other, or the more of them lie beside, the less
    that tells.
    """

    calm: np.ndarray
    """(H, W, 3) uint8: the image without its grain, which is no hair."""
    own: tuple[np.ndarray, np.ndarray]
    """Of blocks F, (3, h, w) float32 in [0, 1], and whether there is any."""
    around: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Likewise B, its variance, and whether there is any."""
    block: int

    @classmethod
    def of(cls, image: np.ndarray, inside: np.ndarray, outside: np.ndarray, band: int, halvings: int) -> Sides:
        """image is (H, W, 3) uint8. ``inside`` and ``outside`` (H, W) bool are surely the region and surely not.

        ``band`` is the width of the edge in pixels; ``halvings`` as in ``guided_filter``.
        """
        block = 2**halvings
        colours = np.moveaxis(reduced(image, block), -1, 0).astype(np.float32) / 255
        own, _, there = _colour_where(colours, inside, 3 * band, block)
        around = _colour_where(colours, outside, 5 * band, block)
        side = 2 * (band // 6) + 1
        return cls(opencv().blur(image, (side, side)), (own, there), around, block)

    def most(self, where: np.ndarray, between: tuple[float, float] = (_NONE, _ALL)) -> np.ndarray:
        """(H, W) float32 in [0, 1]: the most that each pixel can show of the region; 1 where colours tell nothing.

        ``where`` as in ``guided_filter``; ``between`` are the a that show nothing and all of the region.
        """
        return linear_in_colour(self.calm, _between(self.own, self.around, between), self.block, where)

    def least(self, at: np.ndarray) -> np.ndarray:
        """(n,) float32 in [0, 1]: what pixels (n,), by row * width + column, show of the region at least; 0 where
        colours tell nothing."""
        return linear_at(at, self.calm, _surely(self.own, self.around), self.block)


def share_by_colour(
    image: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    band: int,
    where: np.ndarray,
    halvings: int,
    between: tuple[float, float] = (_NONE, _ALL),
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: the most that each pixel can show of a region, by its colour, see ``Sides``."""
    return Sides.of(image, inside, outside, band, halvings).most(where, between)


@dataclass(frozen=True, eq=False)
class Material:
    """One of those that a region before the outside consists of; (H, W) bool each."""

    deep: np.ndarray
    """Surely that material."""
    near: np.ndarray
    """All of it that is near the outside."""
    edge: np.ndarray
    """What may show the outside."""


def shares_beside(
    image: np.ndarray, materials: list[Material], outside: np.ndarray, beside: np.ndarray, band: int, halvings: int
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: how much the pixels at the edges, and ``beside`` them, show of the materials.

    As ``share_by_colour``, but F is the material as it is right beside each pixel, so that a new colour may take the
    rest of it: the outermost hair is darker or lighter than what is deep inside. What is that material alone is found
    by the mean of the deep. ``beside`` (H, W) bool is outside of all of them. 0 elsewhere.
    """
    block, image = 2**halvings, np.ascontiguousarray(image)
    colours = np.moveaxis(reduced(image, block), -1, 0).astype(np.float32) / 255
    around = _colour_where(colours, outside, 5 * band, block)
    share, every = np.zeros(image.shape[:2], np.float32), np.zeros((4, *colours.shape[1:]), np.float32)

    def add(alone: np.ndarray, where: np.ndarray, doubted: bool = True) -> None:
        near, wide = (box_sum(alone, max(1, round(reach * band / block))) for reach in (_BESIDE, 3))
        own = (near[:3] + _ENOUGH * wide[:3] / np.maximum(wide[3], 1)) / (near[3] + _ENOUGH)
        linear = _between((own, wide[3] > 0.5), around, (0, _OWN))
        at = np.flatnonzero(where)
        found = linear_at(at, image, linear, block)
        if doubted:
            aside = np.maximum(_aside(at, image, own, around[0], block) - _NOISE, 0)
            found = np.maximum(found, np.minimum(aside / _VARIED, 1))
        share.ravel()[at] = found

    for material in materials:
        mean, _, there = _colour_where(colours, material.deep, 3 * band, block)
        slope = _between((mean, there), around, _SURELY)
        likely = 255 * (slope[:3] * colours).sum(axis=0) + slope[3]
        sure = _whole(material.near, block) * (likely > _SURE)
        alone = np.concatenate([colours * sure, sure[None]])
        every += alone
        add(alone, material.edge)
    add(every, beside, doubted=False)
    return share


def _between(
    inside: tuple[np.ndarray, np.ndarray],
    outside: tuple[np.ndarray, np.ndarray, np.ndarray],
    between: tuple[float, float],
) -> np.ndarray:
    """(4, h, w): of blocks the share between two colours as ``linear_in_colour`` takes it; ``outside`` is what
    ``_colour_where`` returns, and ``inside`` that without the variance."""
    slope, offset, squared = _along(inside[0], outside[0])
    belief = squared / (squared + np.float32(_CONTRAST**2) + outside[1]) * (inside[1] & outside[2])
    steepness = belief / np.float32(between[1] - between[0])
    constant = 1 - belief + steepness * (offset - np.float32(between[0]))
    return np.concatenate([slope * steepness / 255, constant[None]])


def _surely(inside: tuple[np.ndarray, np.ndarray], outside: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """(4, h, w): as ``_between``, but 0 where the colours tell nothing, and that as soon as they vary beside it."""
    slope, offset, squared = _along(inside[0], outside[0])
    varies = np.sqrt(outside[1] / np.maximum(squared, np.float32(1e-6)))
    belief = squared / (squared + np.float32(_CONTRAST**2)) * (inside[1] & outside[2])
    belief *= 1 - smoothstep((varies - np.float32(_CALM[0])) / np.float32(_CALM[1] - _CALM[0]))
    steepness = belief / np.float32(_SHOWN)
    return np.concatenate([slope * steepness / 255, (steepness * offset)[None]])


def _along(own: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far a colour C lies from ``beside`` to ``own`` (3, h, w), which is slope (3, h, w) . C + offset (h, w); and
    the squared distance (h, w) of the two."""
    towards = own - beside
    squared = (towards * towards).sum(axis=0)
    slope = towards / np.maximum(squared, np.float32(1e-6))
    return slope, -(slope * beside).sum(axis=0), squared


def _aside(at: np.ndarray, image: np.ndarray, own: np.ndarray, beside: np.ndarray, block: int) -> np.ndarray:
    """(n,) float32: how far the colour of pixels (n,) is from any mixture of the two of their blocks (3, h, w), 0.5 at
    most; the largest of its channels."""
    towards = own - beside
    slope = towards / np.maximum((towards * towards).sum(axis=0), np.float32(1e-6))
    from_beside = (slope * beside).sum(axis=0)
    aside = np.zeros(at.size, np.float32)
    for channel in range(3):
        linear = np.concatenate([-towards[channel] * slope, (towards[channel] * from_beside - beside[channel])[None]])
        linear[channel] += 1
        linear[:3] /= 255
        linear[3] += 0.5
        np.maximum(aside, np.abs(linear_at(at, image, linear, block) - np.float32(0.5)), out=aside)
    return aside


def _colour_where(
    colours: np.ndarray, where: np.ndarray, radius: int, block: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the blocks within ``radius`` pixels that are wholly True: the mean colour (3, h, w), the variance around it,
    summed over the channels, and whether there are any."""
    whole = _whole(where, block)
    squares = (colours * colours).sum(axis=0) * whole
    sums = box_sum(np.concatenate([colours * whole, squares[None], whole[None]]), max(1, radius // block))
    count = np.maximum(sums[4], 1)
    mean = sums[:3] / count
    return mean, np.maximum(sums[3] / count - (mean * mean).sum(axis=0), 0), sums[4] > 0.5


def _whole(where: np.ndarray, block: int) -> np.ndarray:
    """(h, w) float32: 1 for the blocks that are wholly True, 0 for the others."""
    return (reduced(where.view(np.uint8) * np.uint8(255), block) == 255).astype(np.float32)
