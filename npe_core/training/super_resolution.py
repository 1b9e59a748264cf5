"""The super-resolution task: 32 -> 128 patches of sharp faces, L1 first, then LPIPS and an adversary."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.training.augment import blur
from npe_core.training.data import Mixture, to_float, to_uint8
from npe_core.training.report import grid

PATCH = 128
SCALE = 4

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""(x, y) in [-1, 1], each (B, 3, H, W) -> distances (B,)."""


def degrade(high: Tensor, rng: torch.Generator) -> Tensor:
    """(B, 3, 4h, 4w) -> (B, 3, h, w): antialiased bicubic, and now and then softness or a little noise."""
    softness, noise, amount = (float(v) for v in torch.rand(3, generator=rng))
    source = blur(high, 0.5 + 2.0 * amount) if softness < 0.4 else high
    low = F.interpolate(source, scale_factor=1 / SCALE, mode="bicubic", antialias=True, align_corners=False)
    if noise < 0.25:
        low = low + 0.03 * amount * torch.randn(low.shape, generator=rng).to(low.device)
    return (low.clamp(-1, 1).add(1).mul(127.5).round() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class Discriminator(nn.Module):
    """Patch discriminator with spectral normalisation: (B, 3, H, W) -> (B, 1, H/8, W/8)."""

    def __init__(self, base: int = 48) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        current = 3
        for wide in (base, 2 * base, 4 * base):
            layers += [spectral_norm(nn.Conv2d(current, wide, 4, stride=2, padding=1)), nn.LeakyReLU(0.2, inplace=True)]
            current = wide
        layers.append(spectral_norm(nn.Conv2d(current, 1, 3, padding=1)))
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class SuperResolutionTask:
    """Stage 1 (no ``perceptual``): L1. Stage 2: L1 + LPIPS + a hinge adversary, started from the weights of stage 1."""

    name = "super-resolution"

    def __init__(
        self,
        data: Mixture,
        device: torch.device,
        config: UpscalerConfig | None = None,
        perceptual: Perceptual | None = None,
        perceptual_weight: float = 0.5,
        adversary_weight: float = 0.005,
    ) -> None:
        self.config_ = config or UpscalerConfig()
        self.model: nn.Module = GeneratorResNet(self.config_)
        self.data, self.device = data, device
        self.perceptual, self.perceptual_weight, self.adversary_weight = perceptual, perceptual_weight, adversary_weight
        self.adversary: nn.Module | None = Discriminator().to(device) if perceptual is not None else None
        self._pair: tuple[Tensor, Tensor] | None = None

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """(low (B, 3, 32, 32), high (B, 3, 128, 128)) in [-1, 1]: random places, mirrored half of the time."""
        (images,) = self.data.draw(count, rng)
        side = images.shape[-1]
        patches = []
        for image in images:
            y, x = (int(v) for v in torch.randint(side - PATCH + 1, (2,), generator=rng))
            patch = image[:, y : y + PATCH, x : x + PATCH]
            patches.append(patch.flip(2) if float(torch.rand((), generator=rng)) < 0.5 else patch)
        high = to_float(torch.stack(patches)).contiguous(memory_format=torch.channels_last)
        return degrade(high, rng), high

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        low, high = batch
        restored = self.model(low)
        loss = F.l1_loss(restored, high)
        numbers = {"l1": float(loss.detach())}
        if self.perceptual is not None and self.adversary is not None:
            distance = self.perceptual(restored, high).float().mean()
            fooled = -self.adversary(restored).float().mean()
            loss = loss + self.perceptual_weight * distance + self.adversary_weight * fooled
            numbers |= {"lpips": float(distance.detach()), "fooled": float(fooled.detach())}
            self._pair = (restored.detach(), high)
        return loss, numbers

    def adversary_loss(self) -> Tensor:
        """Hinge loss (Lim & Ye 2017) on the pair of the last call of ``loss``."""
        if self._pair is None or self.adversary is None:
            raise RuntimeError("loss() comes before adversary_loss()")
        fake, real = self._pair
        return F.relu(1 - self.adversary(real).float()).mean() + F.relu(1 + self.adversary(fake).float()).mean()

    @torch.no_grad()
    def sheet(self, model: nn.Module) -> np.ndarray:
        """Four faces: bicubic, restored, original, three columns."""
        high = to_float(self.data.sets[0][0][:4])
        low = F.interpolate(high, scale_factor=1 / SCALE, mode="bicubic", antialias=True, align_corners=False).clamp(-1, 1)
        bicubic = F.interpolate(low, scale_factor=float(SCALE), mode="bicubic", align_corners=False)
        with torch.autocast(self.device.type, torch.bfloat16):
            restored = torch.cat([model(one.contiguous(memory_format=torch.channels_last)) for one in low.split(1)])
        tiles = torch.stack([bicubic, restored, high], dim=1).flatten(0, 1)
        return grid(to_uint8(tiles).permute(0, 2, 3, 1).cpu().numpy(), 3)

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config_)
