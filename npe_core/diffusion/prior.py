"""Where samples begin: not with noise alone.

At the last timestep of this schedule a picture is not all noise: sqrt(alpha_bar) = 0.08 of it is left, which in 128 x
128 pixels tells how bright it is as a whole, and where. A walk that begins with noise alone is told of a middling grey
everywhere, and makes faces before grey walls (Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are
Flawed"). So x_T is drawn from the normal distribution with the mean and the covariance that pictures have when they are
made coarse; what is finer is lost in the noise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RIDGE = 1e-6
"""Added to the variances, in units of [-1, 1] squared: as many pictures as numbers are not needed."""


def prior_of(sets: list[Tensor], shares: list[float]) -> tuple[Tensor, Tensor]:
    """Mean (3, s, s) and root (3 s^2, 3 s^2) of coarse pictures: their covariance is root root^T.

    sets: (N, 3, s, s) in [-1, 1] each, drawn from with these shares, which add up to 1.
    """
    mean, square = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for coarse, share in zip(sets, shares, strict=True):
        flat = coarse.double().flatten(1).cpu()
        mean = mean + share * flat.mean(dim=0)
        square = square + share / len(flat) * flat.T @ flat
    covariance = square - torch.outer(mean, mean)
    root = torch.linalg.cholesky(covariance + RIDGE * torch.eye(len(mean), dtype=torch.float64))
    return mean.reshape(sets[0].shape[1:]).float(), root.float()


def draw_coarse(mean: Tensor, root: Tensor, seeds: list[int], side: int) -> Tensor:
    """(len(seeds), 3, side, side) on the CPU: pictures of that prior, one generator each, brought to full size."""
    # A stream of its own: the first draw of a seed is the noise that lies on the picture.
    generators = [torch.Generator().manual_seed(seed ^ 0x2545F4914F6C) for seed in seeds]
    own = [root.cpu() @ torch.randn(len(root), generator=generator) for generator in generators]
    coarse = mean.cpu() + torch.stack(own).reshape(-1, *mean.shape)
    return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
