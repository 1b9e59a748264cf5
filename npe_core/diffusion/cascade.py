"""Where samples begin: with a coarse face that a smaller denoiser made, as in cascades (Ho et al. 2022).

How a face is laid out is what a network of this size, which sees all its pixels, knows least about. A denoiser of 32 x
32 pixels sees a hundred times as many faces in the time. What it makes is enlarged and noised up to a timestep at which
the noise hides what of such a picture is not that of a face, as an edit begins with rough paint.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from npe_core.diffusion.samplers import Denoise, dpmpp
from npe_core.diffusion.schedule import draw_noise, q_sample, timestep_grid

BEGIN = 350
"""The timestep at which samples go on from coarse faces."""
CALLS = 20
"""Calls of the coarse denoiser."""


def lay_out(denoise: Denoise, xt: Tensor, t: int) -> Tensor:
    """x_t (B, 3, s, s) of coarse faces -> coarse faces in [-1, 1].

    Without fresh noise on the way: ancestral steps of this number lose half of the variance of the finer shapes.
    """
    return dpmpp(denoise, xt, timestep_grid(t, CALLS))


def begin_from(coarse: Tensor, side: int, seeds: list[int]) -> tuple[Tensor, int]:
    """Coarse faces (B, 3, s, s) in [-1, 1] -> x_t (B, 3, side, side) on the CPU, and t."""
    enlarged = F.interpolate(coarse.cpu().float(), size=(side, side), mode="bicubic", align_corners=False)
    return q_sample(enlarged, BEGIN, draw_noise((3, side, side), seeds)), BEGIN
