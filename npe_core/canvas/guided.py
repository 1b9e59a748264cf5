"""The guided filter: smooths a mask along the edges of the picture, so that a hair mask gets hairs.

K. He, J. Sun, X. Tang, "Guided Image Filtering", ECCV 2010, section 3.4 (colour guide). For ``halvings``: K. He and
J. Sun, "Fast Guided Filter", 2015: the linear coefficients are smooth, so they can be found in a smaller picture.
"""

from __future__ import annotations

import numpy as np


def box_sum(stack: np.ndarray, radius: int) -> np.ndarray:
    """(..., H, W) -> the same shape: sums over windows of 2 radius + 1 pixels square, cut off at the border. O(N)."""
    window = 2 * radius + 1
    for axis in (-1, -2):
        shape = list(stack.shape)
        length = shape[axis]
        shape[axis] += window
        total = np.zeros(shape, stack.dtype)
        np.cumsum(stack, axis=axis, out=_along(total, axis, radius + 1, radius + 1 + length))
        _along(total, axis, radius + 1 + length, None)[...] = _along(total, axis, radius + length, radius + length + 1)
        stack = _along(total, axis, window, None) - _along(total, axis, 0, length)
    return stack


def _along(array: np.ndarray, axis: int, start: int, stop: int | None) -> np.ndarray:
    return array[..., start:stop] if axis == -1 else array[..., start:stop, :]


def guided_filter(
    guide_image: np.ndarray, probability: np.ndarray, radius: int, eps: float, halvings: int = 0
) -> np.ndarray:
    """Filters ``probability`` with the colours of the picture as guide.

    guide_image is (H, W, 3) uint8; probability (H, W) float in [0, 1]; radius in pixels; eps, the variance of the
    guide (in [0, 1] squared) below which a neighbourhood counts as flat. Each of the ``halvings`` makes it about four
    times as fast and a little less exact. Returns (H, W) float32 in [0, 1].
    """
    # Centred, so that float32 holds the differences of running sums.
    i = np.moveaxis(guide_image, -1, 0).astype(np.float32) / 255 - np.float32(0.5)  # (3, H, W)
    small = np.concatenate([i, probability.astype(np.float32)[None]])
    for _ in range(halvings):
        small = _halve(small)
    ab = _coefficients(small[:3], small[3], max(1, radius >> halvings), eps)  # (4, h, w)
    for _ in range(halvings):
        ab = _double(ab)
    ab = ab[:, : i.shape[1], : i.shape[2]]
    return np.clip((ab[:3] * i).sum(axis=0) + ab[3], 0, 1)


def _coefficients(i: np.ndarray, p: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """(4, h, w): a (3) and b, averaged over the window, of p ~ a . I + b."""
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    stack = np.concatenate([i, p[None], i * p, np.stack([i[a] * i[b] for a, b in pairs])])
    count = box_sum(np.ones(p.shape, np.float32), radius)
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


def _halve(stack: np.ndarray) -> np.ndarray:
    """(n, H, W) -> (n, ceil(H/2), ceil(W/2)): means of 2x2 pixels."""
    height, width = stack.shape[1:]
    even = np.pad(stack, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4


def _double(stack: np.ndarray) -> np.ndarray:
    """(n, h, w) -> (n, 2h, 2w), bilinear, the inverse placement of ``_halve``."""
    for axis in (1, 2):
        ends = [(0, 0)] * 3
        ends[axis] = (1, 1)
        padded = np.moveaxis(np.pad(stack, ends, mode="edge"), axis, 0)
        centre, before, after = padded[1:-1] * np.float32(0.75), padded[:-2] / 4, padded[2:] / 4
        both = np.stack([centre + before, centre + after], axis=1)
        stack = np.moveaxis(both.reshape(-1, *both.shape[2:]), 0, axis)
    return stack
