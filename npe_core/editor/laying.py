"""What is asked for, put onto a canvas: the same for the command line and the watch folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from npe_core.canvas import Canvas


@dataclass(frozen=True, eq=False)
class ByHand:
    """What somebody has made for one photo."""

    paint: tuple[np.ndarray, np.ndarray] | None = None
    """(rgb (H, W, 3) uint8, alpha (H, W) float32), as ``read_paint`` gives them."""
    mask: np.ndarray | None = None
    """(H, W) float32, as ``read_mask`` gives it."""
    colour: str | None = None
    """Of the mask; None: what is there is re-imagined."""
    tint: bool = False
    """Whether paint and colour take the photo's light and texture."""


def lay(canvas: Canvas, fills: Mapping[str, str], by_hand: ByHand) -> None:
    """Fills regions (``skin`` or ``skin+nose`` -> colour), and lays over them what was made by hand: paint, then
    the mask.

    Raises UsageError and InputError as the canvas does, which has to know its regions if there are fills.
    """
    for region, colour in fills.items():
        canvas.fill(region, colour)
    if by_hand.paint is not None:
        canvas.paint_image(*by_hand.paint, tint=by_hand.tint)
    if by_hand.mask is not None:
        canvas.select(by_hand.mask, by_hand.colour, tint=by_hand.tint and by_hand.colour is not None)
