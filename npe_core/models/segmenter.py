"""The segmenter: a U-Net from a face crop to the logits of the 11 regions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.models.shapes import check_above_0, check_groups, check_levels
from npe_core.regions import REGIONS

GROUPS = 16
"""Most groups of a normalisation."""


@dataclass(frozen=True)
class SegmenterConfig:
    """Shape of the U-Net; stored beside its weights."""

    image_size: int = 256
    patch: int = 4
    """Pixel-unshuffle factor of the stem, pixel-shuffle factor of the head."""
    base: int = 64
    mults: tuple[int, ...] = (1, 2, 4, 4)
    """Channels of the levels over base; the first level works at image_size / patch."""
    fine: int = 0
    """Channels of one more level at twice the resolution, which places the borders of thin regions; 0: none."""

    def __post_init__(self) -> None:
        """Raises ValueError for a shape that cannot be built."""
        check_above_0(image_size=self.image_size, patch=self.patch, base=self.base)
        check_levels(self.image_size, self.patch, self.mults)
        check_groups([self.base * mult for mult in self.mults], GROUPS)
        if self.fine:
            check_groups([self.fine], GROUPS)
            if self.patch % 2:
                raise ValueError(f"patch is {self.patch}; the fine level needs an even one")


def conv_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with group normalisation and SiLU."""
    layers: list[nn.Module] = []
    for current in (channels_in, channels_out):
        layers += [
            nn.Conv2d(current, channels_out, 3, padding=1, bias=False),
            nn.GroupNorm(min(GROUPS, channels_out // 4), channels_out),
            nn.SiLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class Segmenter(nn.Module):
    """(B, 3, 256, 256) RGB in [-1, 1] -> (B, 11, 256, 256) logits.

    Ronneberger et al. 2015, with a pixel-unshuffle stem and a pixel-shuffle head. The fine level looks at the picture
    itself and at what the others found; it corrects their logits, by nothing before any training.
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
        if self.config.fine:
            self.fine = FineLevel(self.config.fine, channels[0], self.config.patch // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.stem.weight.dtype)
        h = self.stem(F.pixel_unshuffle(x, self.config.patch))
        skips = []
        for depth, block in enumerate(self.down):
            h = block(h if depth == 0 else F.max_pool2d(h, 2))
            skips.append(h)
        skips.pop()
        for block in self.up:
            h = F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
            h = block(torch.cat([h, skips.pop()], dim=1))
        logits = F.pixel_shuffle(self.head(h), self.config.patch)
        return logits + self.fine(x, h) if self.config.fine else logits


class FineLevel(nn.Module):
    """The picture and the features of the first level -> a correction of the logits, at twice its resolution."""

    def __init__(self, width: int, found: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.look = nn.Sequential(nn.Conv2d(3 * patch**2, width, 3, padding=1), nn.SiLU(inplace=True))
        self.found = nn.Conv2d(found, width, 1)
        self.block = conv_block(2 * width, width)
        self.head = nn.Conv2d(width, patch**2 * len(REGIONS), 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        seen = self.look(F.pixel_unshuffle(x, self.patch))
        found = F.interpolate(self.found(h), scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.pixel_shuffle(self.head(self.block(torch.cat([seen, found], dim=1))), self.patch)
