"""How new paint meets the planes that are there. Pure functions on (5, h, w) uint8 planes.

All start from the paint that *shows* (alpha limited by the mask): paint that an earlier feather, shrink or invert
has hidden does not come back under a brush. Pixels of coverage 0 are returned as they were.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.layers import ALPHA, MASK, Planes, visible


def _round(levels: np.ndarray) -> np.ndarray:
    return (levels + np.float32(0.5)).astype(np.uint8)


def _mix(planes: Planes, touched: np.ndarray, rgb: np.ndarray, new: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(3, n) uint8: ``rgb`` weighted by ``new`` and the colour that was there weighted by ``kept``, levels 0..255."""
    total = np.maximum(new + kept, 1e-6)
    return _round((rgb * new + planes[:3, touched] * kept) / total)


def over(planes: Planes, coverage: np.ndarray, rgb: np.ndarray | None, opacity: float = 1.0) -> Planes:
    """Paints over what is there, as a brush does (Porter and Duff's *over*); strokes add up.

    coverage is (h, w) uint8; rgb is (3,) or (3, h, w), or None to mark the mask only. ``opacity`` in [0, 1] thins the
    paint, not the mask: a thin blush is still re-imagined as a whole.
    """
    result = planes.copy()
    touched = coverage > 0
    c = coverage[touched].astype(np.float32)
    mask = planes[MASK, touched].astype(np.float32)
    alpha = visible(planes)[touched].astype(np.float32)
    result[MASK, touched] = _round(mask + (255 - mask) * c / 255)
    if rgb is None:
        result[ALPHA, touched] = alpha
        return result
    new = c * np.float32(opacity)
    kept = alpha * (1 - new / 255)
    result[:3, touched] = _mix(planes, touched, _at(rgb, touched), new, kept)
    result[ALPHA, touched] = _round(new + kept)
    return result


def replace(planes: Planes, coverage: np.ndarray, rgb: np.ndarray | None) -> Planes:
    """Lays a region over what is there: its soft edge takes the place of older paint instead of adding to it.

    A region may be filled again and again while a person tries colours; the last colour alone remains, and the edge
    stays as soft as it was. Arguments as in ``over``.
    """
    result = planes.copy()
    if rgb is not None:
        wholly = coverage == 255
        np.copyto(result[:3], rgb if rgb.ndim == 3 else rgb[:, None, None], where=wholly)
        np.copyto(result[ALPHA:], np.uint8(255), where=wholly)
        touched = (coverage > 0) & ~wholly
    else:
        touched = coverage > 0
    c = coverage[touched]
    result[MASK, touched] = np.maximum(planes[MASK, touched], c)
    alpha = visible(planes[:, touched])
    if rgb is None:
        result[ALPHA, touched] = alpha
        return result
    new, kept = c.astype(np.float32), np.maximum(alpha, c).astype(np.float32) - c
    result[:3, touched] = _mix(planes, touched, _at(rgb, touched), new, kept)
    result[ALPHA, touched] = np.maximum(alpha, c)
    return result


def erase(planes: Planes, coverage: np.ndarray) -> Planes:
    """Takes paint and mask away in proportion to the coverage, (h, w) uint8."""
    result = planes.copy()
    touched = coverage > 0
    keep = 1 - coverage[touched].astype(np.float32) / 255
    result[ALPHA:, touched] = _round(planes[ALPHA:, touched] * keep)
    return result


def _at(rgb: np.ndarray, touched: np.ndarray) -> np.ndarray:
    """(3, 1) or (3, n) float32: the new colour of the touched pixels."""
    return (rgb[:, touched] if rgb.ndim == 3 else rgb[:, None]).astype(np.float32)
