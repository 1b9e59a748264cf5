"""The way back into the photo: only under the mask, everything else stays as it is, bit for bit."""

from __future__ import annotations

import numpy as np

from npe_core.faces.resample import Box, inside_square, inverse, transform, warp

_STRIP = 64
"""Rows at a time, so that a face of thousands of pixels takes little memory and stays in the cache."""


def paste_into(
    matrix: np.ndarray,
    size: int,
    image: np.ndarray,
    mask: np.ndarray,
    crop_image: np.ndarray,
    crop_mask: np.ndarray,
    within: np.ndarray | None,
) -> None:
    """Blend a crop into ``image`` and its mask into ``mask``; shapes and ranges as in ``FaceCrop.paste``."""
    _check(size, image, mask, crop_image, crop_mask, within)
    to_crop = inverse(matrix)
    left, top, right, bottom = _marked_box(matrix, crop_mask, image.shape)
    if left == right:
        return
    for start in range(top, bottom, _STRIP):
        x0, x1, stop = left, right, min(start + _STRIP, bottom)
        alpha = _warp_mask(crop_mask, _from(to_crop, x0, start), x1 - x0, stop - start)
        if within is not None:
            np.minimum(alpha, np.clip(within[start:stop, x0:x1], 0, 1), out=alpha)
        marked = np.flatnonzero(alpha.any(axis=0))
        if not len(marked):
            continue
        alpha = alpha[:, marked[0] : marked[-1] + 1]
        x0, x1 = x0 + int(marked[0]), x0 + int(marked[-1]) + 1
        above = warp(crop_image, _from(to_crop, x0, start), x1 - x0, stop - start)
        part = np.s_[start:stop, x0:x1]
        image[part] = _blend(image[part], above, alpha)
        np.maximum(mask[part], alpha, out=mask[part])


def _from(matrix: np.ndarray, x: int, y: int) -> np.ndarray:
    """``matrix`` for coordinates that are counted from the photo's pixel (x, y)."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ [x, y]])


def _warp_mask(crop_mask: np.ndarray, to_crop: np.ndarray, width: int, height: int) -> np.ndarray:
    alpha = np.clip(warp(crop_mask, to_crop, width, height), 0, 1)
    alpha[~inside_square(to_crop, len(crop_mask), width, height)] = 0
    return alpha


def _blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """round(below + alpha * (above - below)): where alpha is 0 that is below, exactly."""
    blended = above.astype(np.float32)
    blended -= below
    blended *= alpha[..., None]
    blended += below
    return np.rint(blended, out=blended).astype(np.uint8)


def _marked_box(matrix: np.ndarray, crop_mask: np.ndarray, photo_shape: tuple[int, ...]) -> Box:
    """The photo pixels that the marked part of the crop can reach, clipped to the photo."""
    rows, columns = np.flatnonzero(crop_mask.any(axis=1)), np.flatnonzero(crop_mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    # Interpolation carries a marked pixel's value one pixel further; a reduced crop spreads it over a photo pixel.
    x0, y0, x1, y1 = columns[0] - 1, rows[0] - 1, columns[-1] + 2, rows[-1] + 2
    corners = transform(matrix, np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float64))
    limits = np.array(photo_shape[1::-1])
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, limits)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, low, limits)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _check(
    size: int,
    image: np.ndarray,
    mask: np.ndarray,
    crop_image: np.ndarray,
    crop_mask: np.ndarray,
    within: np.ndarray | None,
) -> None:
    photo = image.shape[:2]
    expected = [
        ("the photo", image, (*photo, 3), np.uint8),
        ("the photo's mask", mask, photo, np.float32),
        ("the crop", crop_image, (size, size, 3), np.uint8),
        ("the crop's mask", crop_mask, (size, size), np.float32),
    ]
    if within is not None:
        expected.append(("within", within, photo, np.float32))
    for name, array, shape, dtype in expected:
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"{name} must be {shape} {np.dtype(dtype)}, got {array.shape} {array.dtype}")
