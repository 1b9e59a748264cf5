"""The way back from a crop's result to the photo's own pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from npe_core.canvas.boxes import box_of, cut, moved_by
from npe_core.canvas.morphology import feather_levels
from npe_core.editor.share import Share
from npe_core.faces import FaceCrop
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box, Source

SEAM = 2.5 / 512
"""Share of the crop's side over which an edit fades in at the edge of its mask, inwards."""
_TILE = 192
"""Side of the squares that are worked on, so that they stay in the cache, a face of thousands of pixels takes little
memory, and the parts of it where nothing is marked take no time."""


def seam_width(crop: FaceCrop) -> int:
    """Width of the seam in photo pixels, at least 1."""
    return max(1, round(SEAM * crop.size * crop.scale))


def seam(mask: Source, crop: FaceCrop, box: Box) -> np.ndarray:
    """(h, w) uint8 in a box of the photo: 255 under the mask (H, W), falling to 0 at its edge, inwards.

    The edge of the photo is no edge of the mask.
    """
    margin = seam_width(crop) + 1
    x0, y0 = max(0, box[0] - margin), max(0, box[1] - margin)
    around = mask[y0 : box[3] + margin, x0 : box[2] + margin]
    level = feather_levels((around > 0) * np.uint8(255), seam_width(crop), rough=True)
    return level[box[1] - y0 :, box[0] - x0 :][: box[3] - box[1], : box[2] - box[0]]


def paste(
    photo: np.ndarray,
    guide: Source,
    mask: Source,
    crop: FaceCrop,
    base: np.ndarray,
    weight: np.ndarray,
    fade: np.ndarray,
    texture: np.ndarray,
    steps: int,
) -> None:
    """Write the edited pixels of one crop into ``photo`` (H, W, 3) uint8, only where ``mask`` (H, W) uint8 is above 0.

    ``guide`` (H, W, 3) uint8 is the painted photo. base (size, size, 3), weight, fade and texture (size, size), all
    float32, are the crop's. The edited picture is base + weight * guide, in 0..255. At the edge of the mask it fades,
    within the seam, into the guide where ``texture`` is 1: a fill is soft by itself, there and in every strand, and
    the photo's own colour would be a rim around it. Where ``texture`` is 0, at flat paint, it fades into the photo.
    ``fade`` is how much the crop counts against what is in ``photo`` already.

    The walk took ``steps`` calls of the denoiser. A pixel whose mask is below 1 / steps was held at each of them, and
    shows of what the last one made of it the less the fainter its mask is, and of the guide the rest.
    """
    result = np.dstack([base, weight]).astype(np.float32, copy=False)
    free = np.minimum(np.arange(256, dtype=np.float32) * np.float32(steps / 255), 1)
    counts, own = Share(crop, fade), Share(crop, texture)

    def write(band: Box) -> None:
        edge, painted = seam(mask, crop, band), guide[cut(band)]
        for part in _tiles(band):
            inner = cut((part[0] - band[0], part[1] - band[1], part[2] - band[0], part[3] - band[1]))
            if edge[inner].any():
                maps = crop.to_box(result, part), counts.in_part(part), own.in_part(part)
                joined = free[mask[cut(part)]]
                photo[cut(part)] = _mixed(photo[cut(part)], painted[inner], edge[inner], joined, *maps)

    _in_bands(write, mask, crop)


def paste_guide(photo: np.ndarray, guide: Source, mask: Source, crop: FaceCrop, fade: np.ndarray) -> None:
    """Write the ``guide`` as it is into ``photo`` (H, W, 3) uint8, as far as the crop counts by ``fade``.

    Arguments as in ``paste``. Where the mask is 0 the guide is the photo, and no pixel changes.
    """
    counts = Share(crop, fade)

    def write(band: Box) -> None:
        for part in _tiles(band):
            painted, before, share = guide[cut(part)], photo[cut(part)], counts.in_part(part)
            if share is not None:
                mixed = before + share[..., None] * (painted - before.astype(np.float32))
                painted = np.rint(mixed).astype(np.uint8)
            photo[cut(part)] = painted

    _in_bands(write, mask, crop)


def _in_bands(work: Callable[[Box], None], mask: Source, crop: FaceCrop) -> None:
    """Calls ``work`` with boxes of ``_TILE`` rows and less around all that is marked in the crop, several at once."""
    x0, y0, x1, y1 = crop.box((mask.shape[1], mask.shape[0]))

    def look(top: int) -> None:
        marked = box_of(mask[top : min(top + _TILE, y1), x0:x1])
        if marked is not None:
            work(moved_by((x0, top, x1, y1), marked))

    each(look, range(y0, y1, _TILE))


def _tiles(band: Box) -> Iterator[Box]:
    for x in range(band[0], band[2], _TILE):
        yield x, band[1], min(x + _TILE, band[2]), band[3]


def _mixed(
    photo: np.ndarray,
    guide: np.ndarray,
    edge: np.ndarray,
    joined: np.ndarray,
    result: np.ndarray,
    fade: np.ndarray | None,
    texture: np.ndarray | None,
) -> np.ndarray:
    """(h, w, 3) uint8; ``result`` (h, w, 4) is base and weight, fade and texture (h, w) are 1 where they are None.

    ``joined`` (h, w) in [0, 1] is how much of it there is to see in place of the guide.
    """
    cv2 = opencv()
    *base, weight = cv2.split(result)
    whole = fade is None and edge.min() == 255
    held = None if joined.min() == 1 else 1 - joined
    if not whole:
        share = edge / np.float32(255)
        under = (1 - share) * (edge > 0)
        if texture is not None:
            under *= texture
    mixed = []
    for edited, painted, before in zip(base, cv2.split(guide), cv2.split(photo), strict=True):
        edited += weight * painted
        if held is not None:
            edited += held * (painted - edited)
        if not whole:
            edited -= before
            edited *= share
            edited += under * (painted - before.astype(np.float32))
            if fade is not None:
                edited *= fade
            edited += before
        mixed.append(np.clip(np.rint(edited, out=edited), 0, 255, out=edited).astype(np.uint8))
    merged: np.ndarray = cv2.merge(mixed)
    return merged
