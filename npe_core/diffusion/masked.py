"""The masked edit: rough paint becomes a photograph where the mask says so, and nowhere else.

SDEdit (Meng et al. 2022) started from the painted guide, with the known pixels put back at every timestep from ONE
fixed noise, and a soft mask as strength per pixel (differential diffusion, Levin & Fried 2023): a pixel of mask 0.5
joins at half the timestep.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from npe_core.device import upload
from npe_core.diffusion.samplers import Callback, Constrain, Denoise, ddim, ddpm, dpmpp, keep_nothing, lcm, restart
from npe_core.diffusion.schedule import Stream, draw_noise, q_sample, timestep_grid
from npe_core.strength import Strength

_ADDING = {"lcm": lcm, "ddpm": ddpm, "restart": restart}
"""The samplers that add noise on the way, by name."""
_EXACT = {"ddim": ddim, "dpmpp": dpmpp}
"""Those that add none."""


def sample(
    denoise: Denoise,
    xt: Tensor,
    strength: Strength,
    seeds: list[int],
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """Walk x_t (B, 3, H, W) at ``strength.timestep`` down to x0; seeds (B) drive only the noise added on the way."""
    grid = timestep_grid(strength.timestep, strength.steps)
    if strength.sampler in _ADDING:
        generators = [torch.Generator().manual_seed(seed) for seed in Stream.ADDED.of(seeds)]
        adding = _ADDING[strength.sampler]
        return adding(denoise, xt, grid, generators=generators, callback=callback, constrain=constrain)
    return _EXACT[strength.sampler](denoise, xt, grid, callback=callback, constrain=constrain)


@dataclass(frozen=True)
class ConstrainToMask:
    """x_t := M x_t + (1 - M) q(guide, t), with one fixed eps; M is 1 where the pixel has joined.

    The guide equals the original wherever the mask is 0, so kept pixels are the original's, and at t = 0 bit for bit.
    """

    guide: Tensor
    """(B, 3, H, W) in [-1, 1]"""
    mask: Tensor
    """(B, 1, H, W) in [0, 1]"""
    eps: Tensor
    """(B, 3, H, W), the noise that holds what is kept, at every timestep"""
    start: int
    """The timestep at which mask 1 joins."""

    def __call__(self, xt: Tensor, t: int) -> Tensor:
        joined = (self.mask > 0) & (self.mask * self.start >= t)
        return torch.where(joined, xt, q_sample(self.guide, t, self.eps))


def masked_edit(
    denoise: Denoise,
    original: Tensor,
    painted: Tensor,
    mask: Tensor,
    strength: Strength,
    seeds: list[int],
    callback: Callback | None = None,
) -> Tensor:
    """Edit B pictures at once.

    original, painted: (B, 3, H, W) in [-1, 1], the picture before and after the rough paint. mask: (B, 1, H, W) in
    [0, 1], 1 = edit at full strength. seeds: B seeds; the noise is drawn on the CPU, so neither device nor batch
    matter. Returns x0 (B, 3, H, W); where mask is 0 it is ``original`` bit for bit.
    """
    guide = torch.where(mask > 0, painted, original)
    eps = upload(draw_noise(tuple(original.shape[1:]), seeds), original.device)
    hold = ConstrainToMask(guide, mask, eps, strength.timestep)
    return sample(denoise, q_sample(guide, strength.timestep, eps), strength, seeds, callback, hold)
