"""Where coarse faces begin: with a mixture of normal distributions, not with noise alone.

At the last timestep of this schedule a picture is not all noise: sqrt(alpha_bar) = 0.08 of it is left, which over all
pixels tells how bright it is as a whole, and where. A walk that begins with noise alone is told of a middling grey
everywhere, and makes faces before grey walls (Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are
Flawed"). So what noise does not hide is drawn from a mixture of normal distributions with few directions each (Tipping
& Bishop 1999, "Mixtures of Probabilistic Principal Component Analysers"): faces fall into kinds by where they look, how
their hair falls, and what is behind them. Of the kinds only the large shapes matter: the rest is under the noise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.diffusion.schedule import Stream

KINDS, BASIS, DIRECTIONS = 32, 256, 100
"""Most kinds of faces; components of all coarse faces that are told apart; and in how many directions of these the
faces of one kind differ."""
SORTED_BY, ROUNDS = 64, 40
"""The kinds are found in so many of the components, by as many rounds of k-means."""


class CoarseFaces(nn.Module):
    """What the weights know of s x s pictures of faces, in buffers.

    A coarse face of kind k is mean + (centre_k + root_k n) basis, with n standard normal; of kind k is share_k of them.
    """

    mean: Tensor
    """(3 s^2,) in [-1, 1], the mean of all."""
    basis: Tensor
    """(c, 3 s^2), orthonormal rows: the principal components of all."""
    share: Tensor
    """(k,), adds up to 1; 0 for kinds that the data do not have."""
    centre: Tensor
    """(k, c)"""
    root: Tensor
    """(k, c, r), with the covariance root root^T."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        numbers = 3 * side**2
        basis = min(BASIS, numbers)
        directions = min(DIRECTIONS, basis)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("basis", torch.zeros(basis, numbers).fill_diagonal_(1))
        self.register_buffer("share", torch.zeros(KINDS))
        self.share[0] = 1
        self.register_buffer("centre", torch.zeros(KINDS, basis))
        self.register_buffer("root", torch.zeros(KINDS, basis, directions))

    def learn(self, sets: list[Tensor], shares: list[float]) -> None:
        """Fit the mixture to (N, 3, s, s) in [-1, 1] each, drawn from with these shares, which add up to 1."""
        flats = torch.cat([coarse.flatten(1).cpu() for coarse in sets]).double()
        weight = torch.cat(
            [torch.full((len(coarse),), share / len(coarse)) for coarse, share in zip(sets, shares, strict=True)]
        ).double()
        mean = weight @ flats
        away = flats - mean
        basis = _principal(away, weight, len(self.basis))[1]
        placed = away @ basis.T
        kind = _kinds(placed[:, :SORTED_BY], weight, len(self.share))
        share = torch.zeros(len(self.share)).double().index_add(0, kind, weight)
        centre, root = torch.zeros_like(self.centre).double(), torch.zeros_like(self.root).double()
        for k in kind.unique().tolist():
            members, counts = placed[kind == k], weight[kind == k] / share[k]
            centre[k] = counts @ members
            spread, directions = _principal(members - centre[k], counts, root.shape[-1])
            root[k] = directions.T * spread
        for name, learnt in dict(mean=mean, basis=basis, share=share, centre=centre, root=root).items():
            getattr(self, name).copy_(learnt)

    def draw(self, seeds: list[int], side: int) -> Tensor:
        """(len(seeds), 3, side, side) on the CPU: coarse faces brought to that size, one generator each."""
        mean, basis, share, centre, root = (x.cpu().float() for x in self.buffers())
        flats = []
        for seed in Stream.KIND.of(seeds):
            generator = torch.Generator().manual_seed(seed)
            k = int(torch.multinomial(share, 1, generator=generator))
            placed = centre[k] + root[k] @ torch.randn(root.shape[-1], generator=generator)
            flats.append(mean + placed @ basis)
        coarse = torch.stack(flats).reshape(-1, 3, self.side, self.side)
        return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)


def _principal(away: Tensor, weight: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Standard deviations (count,) and directions (count, n) of rows (N, n) about 0 that count by weight (N,)."""
    variances, directions = torch.linalg.eigh((away * weight[:, None]).T @ away)
    return variances.flip(0)[:count].clamp_min(0).sqrt(), directions.T.flip(0)[:count]


def _kinds(points: Tensor, weight: Tensor, most: int) -> Tensor:
    """(N,) kinds 0 .. most - 1 of the points (N, n), by k-means (Lloyd 1982) from points drawn by their weight (N,)."""
    generator = torch.Generator().manual_seed(0)
    count = min(most, int(weight.count_nonzero()))
    centre = points[torch.multinomial(weight, count, generator=generator)]
    for _ in range(ROUNDS):
        kind = torch.cdist(points, centre).argmin(dim=1)
        share = weight.new_zeros(count).index_add(0, kind, weight)
        moment = torch.zeros_like(centre).index_add(0, kind, points * weight[:, None])
        centre = torch.where(share[:, None] > 0, moment / share[:, None], centre)
    return torch.cdist(points, centre).argmin(dim=1)
