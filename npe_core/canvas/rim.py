"""The rim of a fill, where a pixel shows the region and through it what lies beside it: how it is painted there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npe_core.opencv import opencv

_SIDE = 256
"""Pixels along the longer side of the maps, at most: they are smooth."""
_NEAR, _WIDE = 1 / 40, 1 / 10
"""The radii, as shares of the longer side, within which the inside counts; the wide one where the near one has none."""
_ENOUGH = (0.02, 0.002)
"""The shares of the near and of the wide neighbourhood that weigh as much as what lies farther away."""
_SHADED = 4
"""The power of a share by which the paint is the shaded one, where the mask is exact."""
_VARIATION = 24
"""Levels by which the rim is darker than the inside beside it at most; what differs more shows something else."""
_DOUBTED = 4
"""The power of the depth by which lights in the rim count less than shadows, which count by the depth itself."""


@dataclass(frozen=True, eq=False)
class Inside:
    """What the inside of a region looks like near each of its pixels, before and after the fill, in 0..255.

    A rim beside a hollow gets the colour of hollows, and one beside a light that of lights: with one colour for all the
    new hair would glow at its outline.
    """

    before: np.ndarray
    """(h, w, 3) float32, of every ``step``-th pixel."""
    after: np.ndarray
    """(h, w, 3) float32"""
    step: int

    @classmethod
    def of(
        cls,
        pixels: np.ndarray,
        inside: np.ndarray,
        filled: Callable[[np.ndarray], np.ndarray],
        usual: tuple[np.ndarray, np.ndarray],
    ) -> Inside:
        """pixels (H, W, 3) uint8 and where they show the region alone (H, W) bool; ``filled``: (N, 3) -> (N, 3) uint8.

        ``usual`` (3,) each: before and after, for places with no inside in their neighbourhood.
        """
        step = max(1, -(-max(inside.shape) // _SIDE))
        pixels, inside = pixels[::step, ::step], inside[::step, ::step]
        weight = inside.astype(np.float32)
        near, wide = (max(2, round(share * max(inside.shape))) for share in (_NEAR, _WIDE))

        def spread(colours: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
            own = np.zeros(pixels.shape, np.float32)
            own[inside] = colours
            for radius, enough in ((wide, _ENOUGH[1]), (near, _ENOUGH[0])):
                shown, amount = (_mean(plane, radius) for plane in (own, weight))
                elsewhere = (shown + enough * elsewhere) / (amount[..., None] + enough)
            return elsewhere

        colours = pixels[inside]
        after = filled(colours) if len(colours) else colours
        return cls(spread(colours, usual[0]), spread(after, usual[1]), step)

    def at(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) float32 each: before and after, near the pixels in rows y (N,) and columns x (N,)."""
        y, x = y // self.step, x // self.step
        return self.before[y, x], self.after[y, x]


def _mean(plane: np.ndarray, radius: int) -> np.ndarray:
    """The mean over squares; beyond the plane there is nothing."""
    cv2 = opencv()
    size = 2 * radius + 1
    mean: np.ndarray = cv2.blur(plane, (size, size), borderType=cv2.BORDER_CONSTANT)
    return mean


def through_the_rim(
    shaded: np.ndarray, pixels: np.ndarray, soft: np.ndarray, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
    """(N, 3) uint8: what is painted where the mask is soft, a = soft / 255; shaded (N, 3) float in 0..255.

    There a pixel shows the region and what lies beside it, C = a F + (1 - a) B, and so it should afterwards:
    a F' + (1 - a) B, which is the paint C + F' - F under the mask; F is ``before`` and F' ``after``, (3,) or (N, 3).
    Without it a rim in the old colour stays around the new one. The mask is no exact a, so that the more there is of
    the region the more the paint is the shaded one.
    """
    moved = np.clip(pixels + (after - before), 0, 255)
    moved += soft[:, None] / np.float32(255) * (shaded - moved)
    return np.rint(moved).astype(np.uint8)


def by_its_share(
    shaded: np.ndarray, pixels: np.ndarray, soft: np.ndarray, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) uint8 and (N,) uint8: the paint where the mask is the share a itself, and how much it covers there.

    Arguments as in ``through_the_rim``. C + a (F' - F) is what is to be seen. Under a mask of a that takes paint darker
    than black where a bright wall becomes dark behind dark hair, so that the paint covers more there, and shows what it
    covers. A soft pixel stays soft: later fills can take its paint back.
    """
    share = soft[:, None] / np.float32(255)
    step = after - before
    step = step + share**_SHADED * (shaded - pixels - step)
    room = np.where(step < 0, pixels, 255 - pixels.astype(np.float32))
    beyond = (np.abs(step) / np.maximum(room, 1)).max(axis=1)
    most = np.where(soft < 255, np.float32(254), np.float32(255))
    cover = np.rint(np.clip(soft * np.maximum(beyond, 1), 1, most))
    paint = np.clip(pixels + (soft / cover)[:, None] * step, 0, 255)
    return np.rint(paint).astype(np.uint8), cover.astype(np.uint8)


def like_the_inside(shallow: np.ndarray, deep: np.ndarray, depth: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(N, 3) shaded colours of the rim, from those at its edge to those deep inside (N, 3) by the depth (N,).

    They are darker than the inside beside it, ``after`` (N, 3), by no more than strands are, and no lighter: a bright
    wall or skin that is seen through dark hair is no gloss. Lights count the more the deeper they lie.
    """
    depth = depth[:, None]
    shallow = np.clip(shallow, after - _VARIATION, after)
    deep = deep - (1 - depth**_DOUBTED) * np.maximum(deep - after, 0)
    return shallow + depth * (deep - shallow)
