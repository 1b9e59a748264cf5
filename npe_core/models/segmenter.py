"""The segmenter: a U-Net from a face crop to the logits of the 11 regions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.regions import REGIONS


@dataclass(frozen=True)
class SegmenterConfig:
    """Shape of the U-Net; stored beside its weights."""

    image_size: int = 256
    patch: int = 4
    """Pixel-unshuffle factor of the stem, pixel-shuffle factor of the head."""
    base: int = 64
    mults: tuple[int, ...] = (1, 2, 4, 4)
    """Channels of the levels over base; the first level works at image_size / patch."""


def conv_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with group normalisation and SiLU."""
    layers: list[nn.Module] = []
    for current in (channels_in, channels_out):
        layers += [
            nn.Conv2d(current, channels_out, 3, padding=1, bias=False),
            nn.GroupNorm(min(16, channels_out // 4), channels_out),
            nn.SiLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class Segmenter(nn.Module):
    """(B, 3, 256, 256) RGB in [-1, 1] -> (B, 11, 256, 256) logits.

    Ronneberger et al. 2015, with a pixel-unshuffle stem and a pixel-shuffle head.
    """

    def __init__(self, config: SegmenterConfig | None = None) -> None:
        super().__init__()
        self.config = config or SegmenterConfig()
        channels = [self.config.base * mult for mult in self.config.mults]
        self.stem = nn.Conv2d(3 * self.config.patch**2, channels[0], 3, padding=1)
        self.down = nn.ModuleList(
            conv_block(before, after) for before, after in zip([channels[0], *channels], channels, strict=False)
        )
        self.up = nn.ModuleList(
            conv_block(deep + shallow, shallow) for deep, shallow in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(channels[0], self.config.patch**2 * len(REGIONS), 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(F.pixel_unshuffle(x.to(self.stem.weight.dtype), self.config.patch))
        skips = []
        for depth, block in enumerate(self.down):
            h = block(h if depth == 0 else F.max_pool2d(h, 2))
            skips.append(h)
        skips.pop()
        for block in self.up:
            h = F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
            h = block(torch.cat([h, skips.pop()], dim=1))
        return F.pixel_shuffle(self.head(h), self.config.patch)
