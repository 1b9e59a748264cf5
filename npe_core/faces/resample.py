"""Pictures under a similarity transform: sharp when enlarged, without aliasing when reduced.

Coordinates are continuous: pixel (row i, column j) covers [j, j+1] x [i, i+1], its centre is (j + 0.5, i + 0.5).
Beyond its border a picture goes on mirrored about the border line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from npe_core.opencv import opencv
from npe_core.parts import Source

_KERNEL = 3
"""Source pixels that cubic interpolation reads beyond the outermost sample, one to spare."""

_TOGETHER = 32_000
"""Pixels that are looked up together: as many as OpenCV takes in a row."""

_SHARPEN = 0.75
"""Of the blur, in squared pixels. Half would make the second moment 0; this is flat furthest, up to 0.3 cycles."""


def scale_of(matrix: np.ndarray) -> float:
    """By how much a (2, 3) similarity stretches lengths."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def inverse(matrix: np.ndarray) -> np.ndarray:
    """The (2, 3) float64 similarity that undoes a (2, 3) similarity."""
    linear = matrix[:, :2].T / scale_of(matrix) ** 2
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) points under a (2, 3) matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def inside_square(matrix: np.ndarray, side: int, width: int, height: int) -> np.ndarray:
    """(height, width) bool: which pixel centres land in the square (0, 0, side, side) under ``matrix``."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    low, high = np.full(height, -np.inf), np.full(height, np.inf)  # of x, row by row: the square is convex
    for a, b, c in matrix:
        start = b * y + c
        if abs(a) * width < 1e-9:
            high[(start < 0) | (start > side)] = -np.inf
            continue
        ends = -start / a, (side - start) / a
        low, high = np.maximum(low, np.minimum(*ends)), np.minimum(high, np.maximum(*ends))
    return (x >= low[:, None]) & (x <= high[:, None])


def warp(image: Source, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """``image`` seen through ``matrix``, a (2, 3) similarity from coordinates of the result to those of ``image``.

    uint8 (H, W) or (H, W, C) is taken for a picture: cubic, and as sharp as can be without aliasing where it is
    reduced. float32 is taken for a map: linear and area means, so that values stay within their range. Returns
    (height, width[, C]), same type.
    """
    cv2 = opencv()
    is_picture = image.dtype == np.uint8
    scale = scale_of(matrix)
    if scale > 1 + 1e-9:
        return (_reduced_picture if is_picture else _reduced_map)(image, matrix, width, height)
    window, corner = _window(image, matrix, width, height, _KERNEL)
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] - corner])
    return _sample(window, matrix, width, height, cv2.INTER_CUBIC if is_picture else cv2.INTER_LINEAR)


def _reduced_map(image: Source, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """Exact means of blocks come first; what is left, 1 to 2, is sampled as densely and averaged."""
    cv2 = opencv()
    block = int(scale_of(matrix))
    window, corner = _whole_blocks(image, matrix, width, height, block)
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] - corner]) / block
    if block > 1:
        window = cv2.resize(window, (window.shape[1] // block, window.shape[0] // block), interpolation=cv2.INTER_AREA)
    dense = _sample(window, matrix / [2, 2, 1], 2 * width, 2 * height, cv2.INTER_LINEAR)
    means = np.empty((height, width, *image.shape[2:]), dense.dtype)
    return cv2.resize(dense, (width, height), means, interpolation=cv2.INTER_AREA).reshape(means.shape)


def _reduced_picture(image: Source, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """As if by Lanczos, in a fifth of the time: halved to 1.4 to 2.8 times the final size, sampled at twice the final
    size, halved again. All of that blurs. The second moments of its kernels add up, and are taken away at the end."""
    cv2 = opencv()
    left = scale_of(matrix)
    halvings = max(0, round(math.log2(left / 2)))
    # Two pixels more on each side, for the filters at the end.
    matrix, width, height = _grown(matrix, 2), width + 4, height + 4
    window, corner = _window(image, matrix, width, height, _KERNEL * 2**halvings)
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] - corner])
    blur = 0.25
    for remaining in range(halvings, 0, -1):
        if remaining > 1:  # far from the final size, plain means do
            rows, columns = (side // 2 for side in window.shape[:2])
            pairs = window[: 2 * rows, : 2 * columns]
            window = cv2.resize(pairs, (columns, rows), interpolation=cv2.INTER_AREA)
            matrix, blur = matrix / 2, blur + 0.25 / left**2
        else:
            window = cv2.pyrDown(window, borderType=cv2.BORDER_REFLECT)
            matrix, blur = matrix / 2 + [0, 0, 0.25], blur + 1 / left**2
        left /= 2
    if left > 2:  # the samples will lie farther apart than the pixels
        window, blur = cv2.GaussianBlur(window, (3, 3), 0), blur + 0.5 / left**2
    interpolation = cv2.INTER_CUBIC
    if left > math.sqrt(2):  # cubic interpolation takes four times as long, for what will not be seen
        interpolation, blur = cv2.INTER_LINEAR, blur + 1 / 6 / left**2
    # Every other sample is the middle of a pixel.
    twice = np.column_stack([matrix[:, :2] / 2, matrix[:, 2] + matrix[:, :2] @ [0.25, 0.25]])
    dense = _sample(window, twice, 2 * width, 2 * height, interpolation).astype(np.float32)
    sharper = np.array([-1, 2, -1]) * _SHARPEN * blur + [0, 1, 0]
    result = cv2.sepFilter2D(cv2.pyrDown(dense), -1, sharper, sharper)[2:-2, 2:-2]
    rounded: np.ndarray = np.clip(np.rint(result), 0, 255).astype(np.uint8)
    return rounded.reshape(height - 4, width - 4, *image.shape[2:])


def _grown(matrix: np.ndarray, margin: int) -> np.ndarray:
    """The similarity for a result with ``margin`` more pixels on each side."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] - matrix[:, :2] @ [margin, margin]])


def warp_fast(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """As ``warp`` for a picture, but linear and without a filter: for a look at it, where ``matrix`` hardly reduces."""
    window, corner = _window(image, matrix, width, height, _KERNEL)  # OpenCV takes sides below 32,767 pixels only
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] - corner])
    return _sample(window, matrix, width, height, opencv().INTER_LINEAR)


def warp_levels(levels: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """As ``warp`` for a map (H, W) uint8 of amounts in 1/255."""
    if scale_of(matrix) > 1 + 1e-9:
        return _reduced_map(levels, matrix, width, height)
    return _sample(levels, matrix, width, height, opencv().INTER_LINEAR)


def levels_at(
    levels: Sequence[np.ndarray] | np.ndarray, matrix: np.ndarray, columns: np.ndarray, rows: np.ndarray
) -> list[np.ndarray]:
    """As ``warp_levels``, but only at N pixels of the result: (N,) of each map. Beyond its border that is repeated."""
    cv2 = opencv()
    (a, b, c), (d, e, f) = matrix
    groups = [cv2.merge(levels[first : first + 4]) for first in range(0, len(levels), 4)]
    found = [np.empty((len(columns), group[0, 0].size), np.uint8) for group in groups]
    for start in range(0, len(columns), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        x, y = columns[part] + 0.5, rows[part] + 0.5
        at = ((line - 0.5).astype(np.float32)[None] for line in (a * x + b * y + c, d * x + e * y + f))
        where = cv2.convertMaps(*at, cv2.CV_16SC2)
        for group, seen in zip(groups, found, strict=True):
            values = cv2.remap(group, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen[part] = values.reshape(-1, seen.shape[1])
    return [plane for seen in found for plane in seen.T]


def warp_ids(region_map: np.ndarray, matrix: np.ndarray, width: int, height: int, fill: float = 0) -> np.ndarray:
    """As ``warp``, but each pixel takes the value of the nearest one, ``fill`` beyond the border: for (H, W) uint8."""
    cv2 = opencv()
    return _sample(region_map, matrix, width, height, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT, fill)


def _window(image: Source, matrix: np.ndarray, width: int, height: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of ``image`` that the result looks at, and where its corner lies in ``image``.

    A view, so that a small face in a large photo costs little; it holds what is seen mirrored beyond a border as well.
    """
    low, high, limits = *bounds(matrix, width, height, margin), np.array(image.shape[1::-1])
    first = np.clip(np.minimum(low, 2 * limits - high), 0, limits)
    last = np.clip(np.maximum(high, -low), 0, limits)
    return image[first[1] : last[1], first[0] : last[0]], first


def bounds(matrix: np.ndarray, width: int, height: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest (x, y), in whole pixels, that a result looks at with ``margin`` around it."""
    corners = transform(matrix, np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64))
    return np.floor(corners.min(axis=0)).astype(int) - margin, np.ceil(corners.max(axis=0)).astype(int) + margin


def _whole_blocks(
    image: Source, matrix: np.ndarray, width: int, height: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """As ``_window``, but whole blocks of pixels, with what is seen beyond the border made."""
    low, high = bounds(matrix, width, height, _KERNEL * block)
    high = low + -(-(high - low) // block) * block
    limits = np.array(image.shape[1::-1])
    inner_low, inner_high = np.clip(low, 0, limits), np.clip(high, 0, limits)
    inner = image[inner_low[1] : inner_high[1], inner_low[0] : inner_high[0]]
    before, after = inner_low - low, high - inner_high
    if not before.any() and not after.any():
        return inner, low
    if (np.maximum(before, after) > inner.shape[1::-1]).any():  # the mirror image is wider than what it mirrors
        across, down = (_mirrored(low[axis], high[axis], limits[axis]) for axis in (0, 1))
        looked_at = np.s_[down.min() : down.max() + 1, across.min() : across.max() + 1]
        return image[looked_at][down[:, None] - down.min(), across - across.min()], low
    cv2 = opencv()
    margins = int(before[1]), int(after[1]), int(before[0]), int(after[0])
    return cv2.copyMakeBorder(inner, *margins, cv2.BORDER_REFLECT), low


def _mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """Indices start..stop-1 folded into 0..length-1, the border pixel repeated: -1 is 0, -2 is 1."""
    folded = np.arange(start, stop) % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)


def _sample(
    image: np.ndarray,
    matrix: np.ndarray,
    width: int,
    height: int,
    interpolation: int,
    border: int | None = None,
    fill: float = 0,
) -> np.ndarray:
    cv2 = opencv()
    border = cv2.BORDER_REFLECT if border is None else border
    # OpenCV counts from pixel centres, where this house counts from the corner of the first pixel.
    shift = matrix[:, :2] @ [0.5, 0.5] - 0.5
    by_centres = np.column_stack([matrix[:, :2], matrix[:, 2] + shift])
    flags = interpolation | cv2.WARP_INVERSE_MAP

    def one(part: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(part, by_centres, (width, height), flags=flags, borderMode=border, borderValue=fill)

    if image.ndim == 2 or image.shape[2] <= 4:
        return one(image).reshape(height, width, *image.shape[2:])
    groups = [one(np.ascontiguousarray(image[..., c : c + 4])) for c in range(0, image.shape[2], 4)]
    return np.concatenate([group.reshape(height, width, -1) for group in groups], axis=2)
