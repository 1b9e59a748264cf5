"""Coarse faces begin with the kinds that there are, not with noise alone: closed forms of normal data."""

import numpy as np
import pytest
import torch

from npe_core.diffusion.prior import KINDS, CoarseFaces
from npe_core.diffusion.samplers import ddim
from npe_core.diffusion.schedule import alpha_bars, draw_noise, q_sample, timestep_grid
from npe_core.models.denoiser import Denoiser, DenoiserConfig


def flat(values):
    """(N,) -> (N, 3, 1, 1): grey pictures of one pixel."""
    return torch.as_tensor(values).reshape(-1, 1, 1, 1).expand(-1, 3, 1, 1)


def learnt(sets, shares):
    prior = CoarseFaces(sets[0].shape[-1])
    prior.learn(sets, shares)
    return prior


def moments(prior):
    """Mean (n,) and covariance (n, n) of the mixture, by the law of total variance."""
    mean = prior.mean + prior.share @ prior.centre @ prior.basis
    within = torch.einsum("k,kcr,kdr->cd", prior.share, prior.root, prior.root)
    away = prior.centre - prior.share @ prior.centre
    between = torch.einsum("k,kc,kd->cd", prior.share, away, away)
    return mean, prior.basis.T @ (within + between) @ prior.basis


def test_the_mixture_has_mean_and_covariance_of_the_pictures():
    rng = torch.Generator().manual_seed(0)
    mixing = torch.randn(12, 12, generator=rng).double()
    pictures = (torch.randn(500, 12, generator=rng).double() @ mixing + 3).reshape(500, 3, 2, 2)
    prior = learnt([pictures], [1.0])
    mean, covariance = moments(prior)
    rows = pictures.flatten(1).numpy()
    assert float(prior.share.sum()) == pytest.approx(1) and int((prior.share > 0).sum()) == KINDS
    np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(covariance, np.cov(rows.T, bias=True), atol=2e-3)


def test_kinds_that_lie_apart_are_told_apart():
    """Three clouds of the sizes 1 : 2 : 7, far narrower than they are apart: every kind lies in one of them."""
    rng = torch.Generator().manual_seed(3)
    places = torch.tensor([-1.0, 0.0, 1.0])
    clouds = [
        place + 0.01 * torch.randn(count, 3, 2, 2, generator=rng)
        for place, count in zip(places, (50, 100, 350), strict=True)
    ]
    prior = learnt([torch.cat(clouds)], [1.0])
    drawn = prior.draw(list(range(2000)), 2).flatten(1).mean(dim=1)
    distance, nearest = (drawn[:, None] - places).abs().min(dim=1)
    assert float(distance.max()) < 0.03
    np.testing.assert_allclose(nearest.bincount() / 2000, (0.1, 0.2, 0.7), atol=0.03)


def test_sources_count_by_their_shares_not_by_their_size():
    """Half of it at 1, half at -1: mean 0, variance 1, and a source more often there weighs more."""
    dark, bright = flat([-1.0] * 10), flat([1.0] * 90)
    mean, covariance = moments(learnt([dark, bright], [0.5, 0.5]))
    assert float(mean.abs().max()) < 1e-6
    np.testing.assert_allclose(covariance, np.ones((3, 3)), atol=1e-5)
    assert float(moments(learnt([dark, bright], [0.1, 0.9]))[0][0]) == pytest.approx(0.8)


def test_drawn_pictures_have_its_moments_and_each_seed_its_own():
    rng = torch.Generator().manual_seed(1)
    prior = learnt([torch.randn(300, 3, 2, 2, generator=rng) / 4], [1.0])
    drawn = prior.draw(list(range(4000)), 2)
    rows = drawn.flatten(1).numpy()
    mean, covariance = moments(prior)
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(rows.T), covariance, atol=0.01)
    assert torch.equal(prior.draw([7, 3], 2), drawn[[7, 3]])
    assert prior.draw([7], 16).shape == (1, 3, 16, 16)


def test_weights_without_a_prior_begin_with_noise():
    model = Denoiser(DenoiserConfig(image_size=16, base=8, mults=(1,), attention=()))
    xt, t = model.begin([3, 4])
    assert t == 499 and torch.equal(xt, draw_noise((3, 16, 16), [3, 4]))


S, SIDE = 1 / 3, 48
"""S SIDE is large enough for what is shown here, S so small that hardly a prediction is clipped."""


def test_flat_pictures_come_out_as_bright_and_dark_as_they_are():
    """All pixels of a picture equal, N(0, S^2): the best denoiser looks at the mean, the probability flow scales it.

    From noise alone the mean, whose variance is 1 / pixels, becomes
    S / sqrt(pixels) / sqrt(alpha_bar S^2 + (1 - alpha_bar) / pixels): two thirds of S here.
    """

    def denoise(xt, t):
        alpha_bar = float(alpha_bars()[t])
        share = alpha_bar**0.5 * S**2 / (alpha_bar * S**2 + (1 - alpha_bar) / SIDE**2)
        return share * xt.mean(dim=(2, 3), keepdim=True).expand_as(xt)

    def ends(xt, t):
        return float(ddim(denoise, xt, timestep_grid(t, 50)).mean(dim=(2, 3)).std())

    knowing = Denoiser(DenoiserConfig(image_size=SIDE, base=8, mults=(1,), attention=(), prior=1))
    ignorant = Denoiser(DenoiserConfig(image_size=SIDE, base=8, mults=(1,), attention=()))
    levels = S * torch.randn(2000, generator=torch.Generator().manual_seed(2))
    knowing.prior.learn([flat(levels)], [1.0])
    seeds = list(range(400))
    alpha_bar = float(alpha_bars()[499])
    alone = S / SIDE / (alpha_bar * S**2 + (1 - alpha_bar) / SIDE**2) ** 0.5
    assert alone < 0.7 * S
    assert ends(*ignorant.begin(seeds)) == pytest.approx(alone, rel=0.06)
    assert ends(*knowing.begin(seeds)) == pytest.approx(S, rel=0.06)
    knowing.prior.learn([flat([0.25] * 5)], [1.0])
    noise = draw_noise((3, SIDE, SIDE), [0])
    xt, t = knowing.begin([0])
    assert t == 499
    torch.testing.assert_close(xt, q_sample(torch.full_like(noise, 0.25), 499, noise))
