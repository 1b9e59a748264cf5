"""How new paint meets the planes that are there. Pure functions on (5, h, w) uint8 planes.

All start from the paint that *shows* (alpha limited by the mask): paint that an earlier feather, shrink or invert
has hidden does not come back under a brush. Pixels of coverage 0 are returned as they were.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.layers import ALPHA, MASK, Planes, visible
from npe_core.opencv import opencv

_ROWS = 256
"""So many rows of a large plane are painted at a time, in float32."""


def _round(levels: np.ndarray) -> np.ndarray:
    return (levels + np.float32(0.5)).astype(np.uint8)


def _mix(rgb: np.ndarray, new: np.ndarray, old: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(3, n) uint8: ``rgb`` weighted by ``new`` and the colours ``old`` weighted by ``kept``, levels 0..255."""
    total = np.maximum(new + kept, 1e-6)
    return _round((rgb * new + old * kept) / total)


def over(planes: Planes, coverage: np.ndarray, rgb: np.ndarray | None, opacity: float = 1.0) -> Planes:
    """Paints over what is there, as a brush does (Porter and Duff's *over*); strokes add up.

    coverage is (h, w) uint8; rgb is (3,) or (h, w, 3), or None to mark the mask only. ``opacity`` in [0, 1] thins the
    paint, not the mask: a thin blush is still re-imagined as a whole.
    """
    result = planes.copy()
    after, width = result.reshape(len(result), -1), coverage.shape[1]
    for top in range(0, len(coverage), _ROWS):
        rows = slice(top, top + _ROWS)
        colours = rgb[rows] if rgb is not None and rgb.ndim == 3 else rgb
        _over(after[:, top * width : (top + _ROWS) * width], coverage[rows], colours, opacity)
    return result


def _over(after: np.ndarray, coverage: np.ndarray, rgb: np.ndarray | None, opacity: float) -> None:
    """``over`` in place, for some rows: ``after`` (5, n) holds what coverage (h, w) has the pixels of."""
    touched = np.flatnonzero(coverage)
    before = after[:, touched]
    c = coverage.ravel()[touched].astype(np.float32)
    mask = before[MASK].astype(np.float32)
    alpha = visible(before).astype(np.float32)
    after[MASK, touched] = _round(mask + (255 - mask) * c / 255)
    if rgb is None:
        after[ALPHA, touched] = alpha
        return
    new = c * np.float32(opacity)
    kept = alpha * (1 - new / 255)
    after[:3, touched] = _mix(_at(rgb, touched), new, before[:3], kept)
    after[ALPHA, touched] = _round(new + kept)


def replace(planes: Planes, coverage: np.ndarray, rgb: np.ndarray | None) -> Planes:
    """Lays a mask over what is there: its soft edge takes the place of older paint instead of adding to it.

    A mask may be laid again and again while a person tries colours; the last colour alone remains, and the edge stays
    as soft as it was. Arguments as in ``over``.
    """
    if rgb is None:
        result, before, after, touched = _flat(planes, coverage > 0)
        after[MASK, touched] = np.maximum(before[MASK], coverage.ravel()[touched])
        after[ALPHA, touched] = visible(before)
        return result
    result, before, after, touched = _all_but_soft(planes, coverage, rgb)
    c = coverage.ravel()[touched]
    after[MASK, touched] = np.maximum(before[MASK], c)
    alpha = np.maximum(visible(before), c)
    new, kept = c.astype(np.float32), (alpha - c).astype(np.float32)
    after[:3, touched] = _mix(_at(rgb, touched), new, before[:3], kept)
    after[ALPHA, touched] = alpha
    return result


def fill(planes: Planes, coverage: np.ndarray, rgb: np.ndarray) -> Planes:
    """Fills a region beside others: of the pixels at a common border each has its share, and together they cover them.

    Arguments as in ``over``. An older fill of the region must be taken back before (``edges.take_back``).
    """
    result, before, after, touched = _all_but_soft(planes, coverage, rgb)
    after[:, touched] = beside(before, coverage.ravel()[touched], _at(rgb, touched))
    return result


def beside(planes: Planes, coverage: np.ndarray, colours: np.ndarray) -> Planes:
    """(5, n): a fill on the pixels of its soft edge, planes (5, n), coverage (n,) uint8 and its colours (3, n)."""
    alpha = visible(planes)
    others = np.minimum(alpha, 255 - coverage)
    # Where the others have the larger share their colour lies under this one, elsewhere this one alone is seen.
    new, kept = coverage.astype(np.float32), (np.maximum(others, coverage) - coverage).astype(np.float32)
    mixed = _mix(colours.astype(np.float32), new, planes[:3], kept)
    mask = planes[MASK] + np.minimum(coverage, 255 - planes[MASK])
    return np.concatenate([mixed, (others + coverage)[None], mask[None]])


def less(planes: Planes, coverage: np.ndarray) -> Planes:
    """(5, n) planes without the share of a region in what shows, coverage (n,) uint8: the rest is the others'."""
    result = planes.copy()
    result[MASK] = np.maximum(planes[MASK], coverage) - coverage
    result[ALPHA] = np.maximum(visible(planes), coverage) - coverage
    return result


def _all_but_soft(
    planes: Planes, coverage: np.ndarray, rgb: np.ndarray
) -> tuple[Planes, np.ndarray, np.ndarray, np.ndarray]:
    """``_flat`` of the pixels that are covered in part; in the copy those covered wholly have the new colour."""
    wholly = coverage == 255
    flat = _flat(planes, (coverage > 0) & ~wholly)
    for plane, colour in zip(flat[0][:3], opencv().split(rgb) if rgb.ndim == 3 else rgb, strict=True):
        np.copyto(plane, colour, where=wholly)
    np.copyto(flat[0][ALPHA:], np.uint8(255), where=wholly)
    return flat


def _flat(planes: Planes, where: np.ndarray) -> tuple[Planes, np.ndarray, np.ndarray, np.ndarray]:
    """A copy to change; the planes (5, n) of the pixels that are True, as they were; the copy as (5, h * w); and where
    in it those pixels are."""
    result = planes.copy()
    after = result.reshape(len(planes), -1)
    touched = np.flatnonzero(where)
    return result, after[:, touched], after, touched


def erase(planes: Planes, coverage: np.ndarray) -> Planes:
    """Takes paint and mask away in proportion to the coverage, (h, w) uint8."""
    result = planes.copy()
    touched = coverage > 0
    keep = 1 - coverage[touched].astype(np.float32) / 255
    result[ALPHA:, touched] = _round(planes[ALPHA:, touched] * keep)
    return result


def _at(rgb: np.ndarray, touched: np.ndarray) -> np.ndarray:
    """(3, 1) or (3, n) float32: the new colour of the touched pixels."""
    return (rgb.reshape(-1, 3)[touched].T if rgb.ndim == 3 else rgb[:, None]).astype(np.float32)
