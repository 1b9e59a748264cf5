"""Connected pieces of a mask, 8-connected."""

from __future__ import annotations

import numpy as np

from npe_core.opencv import opencv


def label_pieces(where: np.ndarray) -> tuple[np.ndarray, int]:
    """(H, W) bool -> (H, W) int32 with 0 outside and 1..n for the n pieces, in any order, and n."""
    count, labels = opencv().connectedComponents(where.view(np.uint8), connectivity=8)
    return labels, count - 1


def piece_at(where: np.ndarray, x: int, y: int) -> np.ndarray:
    """(H, W) bool: the piece of ``where`` that holds pixel (x, y); empty if that pixel is not in ``where``."""
    labels, _ = label_pieces(where)
    return (labels == labels[y, x]) & where if where[y, x] else np.zeros_like(where)
