"""What JPEG does to a picture, as tensor operations: no file, any device, whole batches."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Quantisation tables of ITU-T T.81, annex K; libjpeg and Pillow scale the same two.
_LIGHT = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
PITCH = 16
"""Sides of a picture are multiples of this: a block of colour is 8x8 pixels at half the size."""
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def compress(x: Tensor, quality: int) -> Tensor:
    """(B, 3, H, W) in [-1, 1], sides multiples of PITCH, through JPEG with 4:2:0 colour and back; quality 1..100."""
    to_ycbcr = torch.tensor(_TO_YCBCR, device=x.device, dtype=torch.float64)
    planes = torch.einsum("oc,bchw->bohw", to_ycbcr.to(x), x * 127.5)
    light = _quantise(planes[:, :1], _LIGHT, quality)
    colour = _quantise(F.avg_pool2d(planes[:, 1:], 2), _COLOUR, quality)
    colour = F.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
    restored = torch.einsum("oc,bchw->bohw", torch.linalg.inv(to_ycbcr).to(x), torch.cat([light, colour], dim=1))
    return (restored / 127.5).clamp(-1, 1)


def _quantise(planes: Tensor, table: tuple[tuple[int, ...], ...], quality: int) -> Tensor:
    """(B, C, H, W) around 0: the 8x8 cosine transform rounded to multiples of the scaled table, and back."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    steps = ((torch.tensor(table, dtype=torch.float64) * scale + 50) / 100).floor().clamp(1, 255).to(planes)
    basis = _cosines().to(planes)
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8)
    waves = torch.einsum("ui,bcyixj,vj->bcyxuv", basis, blocks, basis)
    waves = (waves / steps).round() * steps
    return torch.einsum("ui,bcyxuv,vj->bcyixj", basis, waves, basis).reshape(planes.shape)


def _cosines() -> Tensor:
    """(8, 8) the orthonormal cosine transform: row u is the wave of frequency u."""
    place, frequency = torch.arange(8, dtype=torch.float64), torch.arange(8, dtype=torch.float64)[:, None]
    waves = torch.cos((2 * place + 1) * frequency * math.pi / 16) / 2
    waves[0] /= math.sqrt(2)
    return waves
