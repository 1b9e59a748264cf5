"""What a model may know of the photo around what it makes."""

from __future__ import annotations

import torch
from torch import Tensor

CHANNELS = 4
"""Of ``surroundings_of``: the picture, and where it is known."""


def surroundings_of(picture: Tensor, mask: Tensor) -> Tensor:
    """What is known, and where: (B, 4, H, W) of a picture (B, 3, H, W) in [-1, 1].

    mask (B, 1, H, W) is above 0 where the picture will change. Nothing known is 0 everywhere.
    """
    known = (mask <= 0).to(picture.dtype)
    return torch.cat([picture * known, known], dim=1)
