"""The adversaries, and their loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """Patch discriminator with spectral normalisation: (B, 3, H, W) -> (B, 1, H/8, W/8)."""

    BASE = 48
    """Channels of the first layer."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        current = 3
        for wide in (self.BASE, 2 * self.BASE, 4 * self.BASE):
            layers += [spectral_norm(nn.Conv2d(current, wide, 4, stride=2, padding=1)), nn.LeakyReLU(0.2, inplace=True)]
            current = wide
        layers.append(spectral_norm(nn.Conv2d(current, 1, 3, padding=1)))
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        verdict: Tensor = self.net(x)
        return verdict


class FeatureDiscriminator(nn.Module):
    """Small judges of frozen features, one a map (Sauer et al. 2021, "Projected GANs Converge Faster").

    Each knows how much noise the picture was predicted from.
    """

    PLACES = 4
    """Each judges so many places a side."""

    def __init__(self, channels: tuple[int, ...], width: int = 64) -> None:
        """``channels`` of the maps; the first is left out: it is nearly the picture itself."""
        super().__init__()
        self.heads = nn.ModuleList(FeatureJudge(count, width) for count in channels[1:])

    def forward(self, features: list[Tensor], log_sigma: Tensor) -> Tensor:
        """Maps (B, C, h, w) of features, log_sigma (B,) -> (B, maps, 4, 4): above 0 for a photograph."""
        verdicts = [head(x, log_sigma) for head, x in zip(self.heads, features[1:], strict=True)]
        return torch.cat([F.adaptive_avg_pool2d(verdict, self.PLACES) for verdict in verdicts], dim=1)


class FeatureJudge(nn.Module):
    """(B, C, h, w) -> (B, 1, h, w)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.project = spectral_norm(nn.Conv2d(channels, width, 1))
        self.noise = nn.Linear(3, width)
        self.mix = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.judge = spectral_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x: Tensor, log_sigma: Tensor) -> Tensor:
        x = x * torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-6)
        bumps = torch.stack([log_sigma / 2, torch.sin(2 * log_sigma), torch.cos(2 * log_sigma)], dim=1)
        x = F.leaky_relu(self.project(x) + self.noise(bumps)[:, :, None, None], 0.2)
        verdict: Tensor = self.judge(F.leaky_relu(self.mix(x), 0.2))
        return verdict


def places_made(mask: Tensor, verdict: Tensor) -> Tensor:
    """(B, 1, h, w), 1 where a verdict (B, C, h, w) is on what was made: mask (B, 1, H, W) is 1 there.

    Elsewhere the picture is the photograph itself, which must not be called made (Suvorov et al. 2022, "LaMa").
    """
    return F.adaptive_max_pool2d(mask, (verdict.shape[-2], verdict.shape[-1]))


def weighted_mean(verdict: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, C, h, w) weighted by (B, 1, h, w) in [0, 1]; next to 0 where nearly all of that is 0."""
    return (weight * verdict).sum() / (verdict.shape[1] * weight.sum()).clamp(min=1)


def hinge_loss(
    discriminator: Callable[[Any], Tensor], fake: Any, real: Any, made: Tensor, share: Tensor | None = None
) -> Tensor:
    """Mean of max(0, 1 - D(real)), and of max(0, 1 + D(fake)) where ``made`` is 1 (Lim & Ye 2017).

    fake must be detached from its maker; for ``made`` (B, 1, h, w) see ``places_made``. share (B,) in [0, 1], by
    default 1: how much each of the B pairs counts.
    """
    doubted, believed = F.relu(1 - discriminator(real).float()), F.relu(1 + discriminator(fake).float())
    weight = torch.ones_like(made) if share is None else share[:, None, None, None].expand_as(made)
    return weighted_mean(doubted, weight) + weighted_mean(believed, weight * made)
