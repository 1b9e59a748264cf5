"""The forward process against Bayes' rule and against its own moments."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from npe_core.diffusion.schedule import (
    TIMESTEPS,
    Stream,
    alpha_bars,
    betas,
    draw_noise,
    q_posterior_mean_variance,
    q_sample,
    sigmas,
    timestep_grid,
)


def test_schedule_is_the_contract():
    assert TIMESTEPS == 500
    assert betas()[1] == pytest.approx(1e-4) and betas()[500] == pytest.approx(2e-2)
    assert np.allclose(np.diff(betas()[1:]), np.diff(betas()[1:])[0])
    assert alpha_bars()[0] == 1 and np.all(np.diff(alpha_bars()) < 0)
    # sigma = sqrt((1 - a) / a) as the design's table gives it for t = 141, 212, 283, 353, 499
    assert sigmas()[[141, 212, 283, 353, 499]] == pytest.approx([0.72, 1.23, 2.03, 3.42, 12.5], rel=0.02)


@pytest.mark.parametrize("t", [1, 120, 350, 500])
def test_q_sample_has_the_moments_of_its_gaussian(t):
    x0 = torch.full((200_000,), 0.7, dtype=torch.float64)
    eps = torch.randn(200_000, dtype=torch.float64, generator=torch.Generator().manual_seed(t))
    xt = q_sample(x0, t, eps)
    a = float(np.prod(1 - np.linspace(1e-4, 2e-2, 500)[:t]))
    assert float(xt.mean()) == pytest.approx(0.7 * a**0.5, abs=4 * (1 - a) ** 0.5 / 200_000**0.5)
    assert float(xt.var()) == pytest.approx(1 - a, rel=0.02)


def test_q_sample_at_zero_is_the_image_itself():
    x0, eps = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.equal(q_sample(x0, 0, eps), x0)


@pytest.mark.parametrize(("t", "s"), [(2, 1), (300, 299), (500, 499), (300, 120), (499, 10)])
def test_posterior_is_bayes_rule(t, s):
    """N(x_t; sqrt(r) x_s, 1 - r) times N(x_s; sqrt(a_s) x0, 1 - a_s), normalised, with r = a_t / a_s."""
    x0, xt = 0.37, -0.81
    a_t, a_s = alpha_bars()[t], alpha_bars()[s]
    r = a_t / a_s
    precision = r / (1 - r) + 1 / (1 - a_s)
    mean = (np.sqrt(r) * xt / (1 - r) + np.sqrt(a_s) * x0 / (1 - a_s)) / precision
    got, variance = q_posterior_mean_variance(torch.tensor(x0, dtype=torch.float64), torch.tensor(xt).double(), t, s)
    assert float(got) == pytest.approx(mean, abs=1e-6)
    assert variance == pytest.approx(1 / precision, rel=1e-9)


def test_posterior_of_the_first_step_is_certain():
    mean, variance = q_posterior_mean_variance(torch.tensor(0.5), torch.tensor(0.9), 1)
    assert float(mean) == pytest.approx(0.5) and variance == 0


def test_noise_depends_on_the_seed_alone():
    together = draw_noise((3, 8, 8), [5, 6, 7])
    assert torch.equal(together[1], draw_noise((3, 8, 8), [6])[0])
    assert not torch.equal(together[0], together[1])


def test_the_streams_of_a_seed_are_apart_and_stay_what_they_are():
    """With others all pictures of all seeds would be others. KIND is drawn from seeds of COARSE too."""
    assert [stream.of([5])[0] for stream in Stream] == [0x5DEECE668, 0x3C6EF372FE91, 0x2545F4914F69]
    seeds = [[5], *(stream.of([5]) for stream in Stream), Stream.KIND.of(Stream.COARSE.of([5]))]
    assert len({float(draw_noise((8,), one).sum()) for one in seeds}) == 5


@pytest.mark.parametrize(("t", "steps"), [(300, 10), (499, 20), (7, 7), (5, 50), (1, 1)])
def test_grid_descends_from_t_to_zero(t, steps):
    grid = timestep_grid(t, steps)
    assert grid[0] == t and grid[-1] == 0 and len(grid) == min(steps, t) + 1
    assert all(a > b for a, b in pairwise(grid))


def test_grid_refuses_timesteps_that_do_not_exist():
    for t in (0, 501):
        with pytest.raises(ValueError, match=r"1\.\.500"):
            timestep_grid(t, 10)
