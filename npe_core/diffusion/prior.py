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
    flats = [coarse.double().flatten(1).cpu() for coarse in sets]
    means, squares = [flat.mean(dim=0) for flat in flats], [flat.T @ flat / len(flat) for flat in flats]
    mean, root = _of_moments(means, squares, shares)
    return mean.reshape(sets[0].shape[1:]), root


def mixed_prior(priors: list[tuple[Tensor, Tensor]], shares: list[float]) -> tuple[Tensor, Tensor]:
    """The prior of pictures of which each share has a prior (mean, root) of its own."""
    means, roots = ([prior[k].double().cpu() for prior in priors] for k in range(2))
    flats = [mean.flatten() for mean in means]
    squares = [root @ root.T + torch.outer(flat, flat) for root, flat in zip(roots, flats, strict=True)]
    mean, root = _of_moments(flats, squares, shares)
    return mean.reshape(means[0].shape), root


def _of_moments(means: list[Tensor], squares: list[Tensor], shares: list[float]) -> tuple[Tensor, Tensor]:
    """Mean (n,) and root (n, n), float32, of a mixture with E[x] (n,) and E[x x^T] (n, n) of its parts."""
    mean, square = (
        torch.stack([share * moment for share, moment in zip(shares, moments, strict=True)]).sum(dim=0)
        for moments in (means, squares)
    )
    covariance = square - torch.outer(mean, mean)
    root = torch.linalg.cholesky(covariance + RIDGE * torch.eye(len(mean), dtype=torch.float64))
    return mean.float(), root.float()


def draw_coarse(mean: Tensor, root: Tensor, seeds: list[int], side: int) -> Tensor:
    """(len(seeds), 3, side, side) on the CPU: pictures of that prior, one generator each, brought to full size."""
    # A stream of its own: the first draw of a seed is the noise that lies on the picture.
    generators = [torch.Generator().manual_seed(seed ^ 0x2545F4914F6C) for seed in seeds]
    mean, root = mean.cpu(), root.cpu()
    own = [root @ torch.randn(len(root), generator=generator) for generator in generators]
    coarse = mean + torch.stack(own).reshape(-1, *mean.shape)
    return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
