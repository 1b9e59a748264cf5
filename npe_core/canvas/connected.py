"""Connected pieces of a mask, 8-connected, from runs of pixels instead of pixels."""

from __future__ import annotations

import numpy as np


def _runs(where: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Starts and ends (half open) of the runs of True along rows, as indices into rows of ``pitch`` pixels."""
    height, width = where.shape
    pitch = width + 2  # two empty pixels between rows, so that no run touches one of another row sideways
    flat = np.zeros((height, pitch), np.int8)
    flat[:, 1:-1] = where
    edges = np.diff(flat.ravel())
    return np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1, pitch


def _touching(starts: np.ndarray, ends: np.ndarray, pitch: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (upper, lower) of runs that touch, also by a corner."""
    first = np.searchsorted(ends, starts - pitch, side="left")
    last = np.searchsorted(starts, ends - pitch, side="right")
    count = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(len(starts)), count)
    upper = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return upper, lower


def label_pieces(where: np.ndarray) -> tuple[np.ndarray, int]:
    """(H, W) bool -> (H, W) int32 with 0 outside and 1..n for the n pieces, in reading order, and n."""
    starts, ends, pitch = _runs(where)
    upper, lower = _touching(starts, ends, pitch)
    parent = np.arange(len(starts))
    while True:
        # Hook the higher root onto the lower one, then shorten all paths: O(log n) rounds, each vectorised.
        a, b = parent[upper], parent[lower]
        if np.array_equal(a, b):
            break
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(shorter := parent[parent], parent):
            parent = shorter
    roots, number = np.unique(parent, return_inverse=True)
    labels = np.zeros(where.shape, np.int32)
    labels[where] = np.repeat(number + 1, ends - starts)
    return labels, len(roots)


def piece_at(where: np.ndarray, x: int, y: int) -> np.ndarray:
    """(H, W) bool: the piece of ``where`` that holds pixel (x, y); empty if that pixel is not in ``where``."""
    labels, _ = label_pieces(where)
    return (labels == labels[y, x]) & where if where[y, x] else np.zeros_like(where)
