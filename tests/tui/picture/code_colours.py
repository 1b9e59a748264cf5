"""What codes of colours look like on a terminal: the way back from ``quantise``."""

import numpy as np

from npe_tui.picture.depth import Depth
from npe_tui.picture.quantise import XTERM_PALETTE


def colours_of(codes: np.ndarray, depth: Depth) -> np.ndarray:
    """What codes (...) look like: (..., 3) uint8; lit dots of a monochrome terminal are taken to be white."""
    if depth in (Depth.TRUE, Depth.FIVE):
        return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)
    if depth is Depth.MONO:
        return np.repeat((codes * 255).astype(np.uint8)[..., None], 3, axis=-1)
    return XTERM_PALETTE[codes]
