"""The guided filter: smooths a mask along the edges of the picture, so that a hair mask gets hairs.

K. He, J. Sun, X. Tang, "Guided Image Filtering", ECCV 2010, section 3.4 (colour guide). For ``halvings``: K. He and
J. Sun, "Fast Guided Filter", 2015: the linear coefficients are smooth, so they can be found in a smaller picture.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import Box, cut
from npe_core.opencv import opencv

_TOGETHER = 32_000
"""Pixels that are filtered together, so that they stay in the cache; as many as OpenCV takes in a row."""


def box_sum(stack: np.ndarray, radius: int) -> np.ndarray:
    """(n, H, W) float -> the same: sums over windows of 2 radius + 1 pixels square, cut off at the border. O(N)."""
    cv2, side = opencv(), 2 * radius + 1
    sums = np.empty(stack.shape, stack.dtype)
    for plane, total in zip(stack, sums, strict=True):
        cv2.boxFilter(plane, -1, (side, side), total, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums


def guided_filter(
    guide_image: np.ndarray,
    probability: np.ndarray,
    radius: int,
    eps: float,
    halvings: int = 0,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """Filters ``probability`` with the colours of the picture as guide.

    guide_image is (H, W, 3) uint8; probability (H, W) float in [0, 1]; radius in pixels; eps, the variance of the
    guide (in [0, 1] squared) below which a neighbourhood counts as flat. Each of the ``halvings`` makes it about four
    times as fast and a little less exact. Returns (H, W) float32 in [0, 1]; 0 where ``where`` (H, W) bool is False,
    which takes no time.
    """
    block = 2**halvings
    # Centred, so that float32 holds the differences of running sums.
    i = np.moveaxis(reduced(guide_image, block), -1, 0).astype(np.float32) / 255 - np.float32(0.5)  # (3, h, w)
    p = reduced(probability.astype(np.float32, copy=False), block)
    ab = _coefficients(i, p, max(1, radius >> halvings), eps)  # (4, h, w)
    ab[3] -= ab[:3].sum(axis=0) / 2  # for a guide that is not centred
    ab[:3] /= 255
    return linear_in_colour(guide_image, ab, block, where)


def linear_in_colour(
    image: np.ndarray, coefficients: np.ndarray, block: int, where: np.ndarray | None = None
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: slope . colour + offset at each pixel of an image (H, W, 3) uint8.

    coefficients: (4, h, w), of which the first three are the slope, for blocks of ``block`` pixels square, linear
    between their middles. ``where`` as in ``guided_filter``.
    """
    marked = np.arange(image.shape[0] * image.shape[1]) if where is None else np.flatnonzero(where)
    result = np.zeros(image.shape[:2], np.float32)
    result.ravel()[marked] = linear_at(marked, image, coefficients, block)
    return result


def linear_at(marked: np.ndarray, image: np.ndarray, coefficients: np.ndarray, block: int) -> np.ndarray:
    """(n,) float32: ``linear_in_colour`` at the marked pixels (n,), by row * width + column."""
    cv2, width = opencv(), image.shape[1]
    smooth = np.ascontiguousarray(np.moveaxis(coefficients, 0, -1))
    colours = np.ascontiguousarray(image).view("V3").ravel()  # picked four times as fast as three channels
    result = np.empty(marked.size, np.float32)
    for start in range(0, marked.size, _TOGETHER):
        at = marked[start : start + _TOGETHER]
        y, x = ((n.astype(np.float32)[None] + 0.5) / block - 0.5 for n in np.divmod(at, width))
        *slopes, total = cv2.split(cv2.remap(smooth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        for slope, colour in zip(slopes, cv2.split(colours[at].view(np.uint8).reshape(1, -1, 3)), strict=True):
            slope *= colour
            total += slope
        result[start : start + _TOGETHER] = np.clip(total[0], 0, 1)
    return result


def reduced(image: np.ndarray, block: int) -> np.ndarray:
    """(H, W[, 3]) -> (ceil(H/block), ceil(W/block)[, 3]): means of blocks, the last ones filled up by their edge."""
    if block == 1:
        return image
    height, width = (-(-side // block) for side in image.shape[:2])
    # The blocks that are whole as they lie, for a copy of all would take longer; but not of float32, whose last bit
    # depends on where in its row a block is.
    rows, columns = (side // block if image.dtype == np.uint8 else 0 for side in image.shape[:2])
    means = np.empty((height, width, *image.shape[2:]), image.dtype)
    for box in ((0, 0, columns, rows), (columns, 0, width, height), (0, rows, columns, height)):
        if box[0] < box[2] and box[1] < box[3]:
            means[cut(box)] = _filled_up(image, box, block)
    return means


def _filled_up(image: np.ndarray, blocks: Box, block: int) -> np.ndarray:
    """``reduced`` inside a box, which is counted in blocks."""
    cv2, (x0, y0, x1, y1) = opencv(), blocks
    part = image[y0 * block : y1 * block, x0 * block : x1 * block]
    down, right = (y1 - y0) * block - part.shape[0], (x1 - x0) * block - part.shape[1]
    whole = cv2.copyMakeBorder(part, 0, down, 0, right, cv2.BORDER_REPLICATE) if down or right else part
    means: np.ndarray = cv2.resize(whole, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return means


def _coefficients(i: np.ndarray, p: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """(4, h, w): a (3) and b, averaged over the window, of p ~ a . I + b."""
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    stack = np.concatenate([i, p[None], i * p, np.stack([i[a] * i[b] for a, b in pairs])])
    count = box_sum(np.ones((1, *p.shape), np.float32), radius)
    mean = box_sum(stack, radius) / count  # (13, h, w)
    mean_i, mean_p = mean[:3], mean[3]
    cr, cg, cb = mean[4:7] - mean_i * mean_p
    rr, rg, rb, gg, gb, bb = (mean[7 + k] - mean_i[a] * mean_i[b] for k, (a, b) in enumerate(pairs))
    for variance in (rr, gg, bb):
        variance += np.float32(eps)
    # a = (Sigma + eps U)^-1 cov(I, p), by the adjugate of the symmetric 3x3 matrix.
    adj_rr, adj_rg, adj_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    adj_gg, adj_gb, adj_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    det = np.maximum(rr * adj_rr + rg * adj_rg + rb * adj_rb, np.float32(eps) ** 3)
    a = np.stack(
        [
            adj_rr * cr + adj_rg * cg + adj_rb * cb,
            adj_rg * cr + adj_gg * cg + adj_gb * cb,
            adj_rb * cr + adj_gb * cg + adj_bb * cb,
        ]
    )
    a /= det
    b = mean_p - (a * mean_i).sum(axis=0)
    return box_sum(np.concatenate([a, b[None]]), radius) / count
