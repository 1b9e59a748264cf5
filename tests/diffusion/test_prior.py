"""Samples begin with what the last timestep leaves of a picture, not with noise alone: closed forms of normal data."""

import numpy as np
import pytest
import torch

from npe_core.diffusion.prior import RIDGE, draw_coarse, mixed_prior, prior_of
from npe_core.diffusion.samplers import ddim
from npe_core.diffusion.schedule import alpha_bars, draw_noise, q_sample
from npe_core.models.denoiser import Denoiser, DenoiserConfig


def flat(values):
    """(N,) -> (N, 3, 1, 1): grey pictures of one pixel."""
    return torch.as_tensor(values).reshape(-1, 1, 1, 1).expand(-1, 3, 1, 1)


def test_the_prior_has_mean_and_covariance_of_the_pictures():
    rng = torch.Generator().manual_seed(0)
    mixing = torch.randn(12, 12, generator=rng).double()
    pictures = (torch.randn(500, 12, generator=rng).double() @ mixing + 3).reshape(500, 3, 2, 2)
    mean, root = prior_of([pictures], [1.0])
    rows = pictures.flatten(1).numpy()
    assert mean.shape == (3, 2, 2) and root.shape == (12, 12)
    np.testing.assert_allclose(mean.flatten(), rows.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(root @ root.T, np.cov(rows.T, bias=True), atol=1e-4)


def test_sources_count_by_their_shares_not_by_their_size():
    """Half of it at 1, half at -1: mean 0, variance 1, and a source more often there weighs more."""
    dark, bright = flat([-1.0] * 10), flat([1.0] * 90)
    mean, root = prior_of([dark, bright], [0.5, 0.5])
    assert float(mean.abs().max()) < 1e-6
    np.testing.assert_allclose(root @ root.T, np.ones((3, 3)) + RIDGE * np.eye(3), atol=1e-5)
    assert float(prior_of([dark, bright], [0.1, 0.9])[0][0]) == pytest.approx(0.8)


def test_the_prior_of_a_mixture_is_that_of_its_pictures():
    """A mean of roots would be too narrow: the pictures of two runs lie apart."""
    rng = torch.Generator().manual_seed(2)
    one, other = torch.rand(40, 3, 2, 2, generator=rng), torch.randn(50, 3, 2, 2, generator=rng) - 1
    together = prior_of([one, other], [0.3, 0.7])
    mixed = mixed_prior([prior_of([one], [1.0]), prior_of([other], [1.0])], [0.3, 0.7])
    torch.testing.assert_close(mixed[0], together[0])
    torch.testing.assert_close(mixed[1] @ mixed[1].T, together[1] @ together[1].T, atol=1e-5, rtol=1e-4)


def test_drawn_pictures_have_its_moments_and_each_seed_its_own():
    rng = torch.Generator().manual_seed(1)
    mean, root = torch.randn(3, 2, 2, generator=rng), torch.randn(12, 12, generator=rng).tril() / 4
    drawn = draw_coarse(mean, root, list(range(4000)), 2)
    rows = drawn.flatten(1).numpy()
    np.testing.assert_allclose(rows.mean(axis=0), mean.flatten(), atol=0.05)
    np.testing.assert_allclose(np.cov(rows.T), root @ root.T, atol=0.08)
    assert torch.equal(draw_coarse(mean, root, [7, 3], 2), drawn[[7, 3]])
    assert draw_coarse(mean, root, [7], 16).shape == (1, 3, 16, 16)


def test_weights_without_a_prior_begin_with_noise():
    model = Denoiser(DenoiserConfig(image_size=16, base=8, mults=(1,), attention=()))
    assert torch.equal(model.begin(499, [3, 4]), draw_noise((3, 16, 16), [3, 4]))


S, SIDE = 0.5, 32


def test_flat_pictures_come_out_as_bright_and_dark_as_they_are():
    """All pixels of a picture equal, N(0, S^2): the best denoiser looks at the mean, the probability flow scales it.

    From noise alone the mean, whose variance is 1 / pixels, becomes
    S / sqrt(pixels) / sqrt(alpha_bar S^2 + (1 - alpha_bar) / pixels): three fifths of S here.
    """

    def denoise(xt, t):
        alpha_bar = float(alpha_bars()[t])
        share = alpha_bar**0.5 * S**2 / (alpha_bar * S**2 + (1 - alpha_bar) / SIDE**2)
        return share * xt.mean(dim=(2, 3), keepdim=True).expand_as(xt)

    def ends(xt):
        return float(ddim(denoise, xt, list(range(500, -1, -1)), clip=False).mean(dim=(2, 3)).std())

    model = Denoiser(DenoiserConfig(image_size=SIDE, base=8, mults=(1,), attention=(), prior=1))
    model.prior_root = S * torch.eye(3)
    seeds = list(range(400))
    alpha_bar = float(alpha_bars()[500])
    alone = S / SIDE / (alpha_bar * S**2 + (1 - alpha_bar) / SIDE**2) ** 0.5
    assert alone < 0.65 * S
    assert ends(draw_noise((3, SIDE, SIDE), seeds)) == pytest.approx(alone, rel=0.06)
    assert ends(model.begin(500, seeds)) == pytest.approx(S, rel=0.06)
    noise = draw_noise((3, SIDE, SIDE), [0])
    model.prior_root, model.prior_mean = torch.zeros(3, 3), torch.full((3, 1, 1), 0.25)
    torch.testing.assert_close(model.begin(300, [0]), q_sample(torch.full_like(noise, 0.25), 300, noise))
