"""The adversary of super-resolution, and its loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


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
        verdict: Tensor = self.net(x)
        return verdict


def hinge_loss(discriminator: nn.Module, fake: Tensor, real: Tensor) -> Tensor:
    """Mean of max(0, 1 - D(real)) + max(0, 1 + D(fake)) (Lim & Ye 2017); fake must be detached from its maker."""
    return F.relu(1 - discriminator(real).float()).mean() + F.relu(1 + discriminator(fake).float()).mean()
