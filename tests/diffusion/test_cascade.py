"""Samples begin with the coarse faces of a smaller denoiser: closed forms of normal data."""

import numpy as np
import torch

from npe_core.diffusion.cascade import BEGIN, begin_from, lay_out
from npe_core.diffusion.samplers import ddpm
from npe_core.diffusion.schedule import Stream, alpha_bars, draw_noise, timestep_grid

SCALES = torch.tensor([0.45, 0.35, 0.25])[:, None, None]
"""Standard deviations of the three channels; finer ones lie deep in the noise from which samples go on."""


def test_what_is_laid_out_has_the_spread_of_the_data_down_to_fine_shapes():
    """Independent pixels N(0, scale^2): E[x0 | x_t] is known, and a perfect walk ends with its spread."""

    def denoise(xt, t):
        alpha_bar = float(alpha_bars()[t])
        return alpha_bar**0.5 * SCALES**2 / (alpha_bar * SCALES**2 + 1 - alpha_bar) * xt

    eps = draw_noise((3, 32, 32), list(range(8)))
    alpha_bar = float(alpha_bars()[499])
    begun = (alpha_bar * SCALES**2 + 1 - alpha_bar) ** 0.5 * eps
    spread = lay_out(denoise, begun, 499).std(dim=(0, 2, 3)) / SCALES.flatten()
    generators = [torch.Generator().manual_seed(k) for k in range(8)]
    ancestral = ddpm(denoise, begun, timestep_grid(499, 20), generators=generators).std(dim=(0, 2, 3))
    assert float(spread.min()) > 0.88 and float(spread.max()) < 1.05
    assert float((ancestral / SCALES.flatten()).max()) < 0.85


def test_samples_go_on_from_the_enlarged_coarse_face():
    coarse = torch.stack([torch.full((3, 8, 8), 0.25), torch.full((3, 8, 8), -0.5)])
    xt, t = begin_from(coarse, 32, [3, 4])
    alpha_bar = float(alpha_bars()[BEGIN])
    left = (xt - (1 - alpha_bar) ** 0.5 * draw_noise((3, 32, 32), [3, 4])) / alpha_bar**0.5
    assert t == BEGIN
    torch.testing.assert_close(left, coarse[:, :, :1, :1].expand(-1, -1, 32, 32), atol=1e-4, rtol=0)


def test_the_noise_of_coarse_faces_is_not_that_of_the_finer_ones():
    """The first numbers of a seed are the same in any shape: they would lie on the picture twice."""
    seeds = list(range(64))
    coarse, fine = draw_noise((3, 8, 8), Stream.COARSE.of(seeds)), draw_noise((3, 16, 16), seeds)
    assert abs(float(np.corrcoef(coarse.flatten(), fine.flatten(1)[:, :192].flatten())[0, 1])) < 0.05
