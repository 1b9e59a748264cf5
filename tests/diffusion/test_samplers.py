"""The samplers on data whose score is known: one Gaussian N(mu, s^2) per pixel.

Its optimal denoiser is linear, and the probability flow keeps z of x_t = sqrt(a) mu + sqrt(a s^2 + 1 - a) z constant:
an exact solution to compare with.
"""

from itertools import pairwise

import pytest
import torch

from npe_core.diffusion.samplers import AGAIN, AGAIN_FROM, ddim, ddpm, dpmpp, lcm, restart
from npe_core.diffusion.schedule import alpha_bars
from npe_core.errors import Cancelled

MU, S = 0.1, 0.3
"""Next to nothing of it lies outside [-1, 1], where predictions are clipped."""


def denoise(xt, t):
    a = float(alpha_bars()[t])
    return MU + a**0.5 * S**2 / (a * S**2 + 1 - a) * (xt - a**0.5 * MU)


def on_the_flow(z, t):
    a = float(alpha_bars()[t])
    return a**0.5 * MU + (a * S**2 + 1 - a) ** 0.5 * z


def even_grid(start, stop, steps):
    return [round(start + (stop - start) * i / steps) for i in range(steps + 1)]


Z = torch.linspace(-2, 2, 60, dtype=torch.float64).reshape(1, 3, 4, 5)


def error(sampler, steps, start=240, stop=120):
    end = sampler(denoise, on_the_flow(Z, start), even_grid(start, stop, steps))
    return float((end - on_the_flow(Z, stop)).abs().max())


def test_ddim_reaches_the_exact_solution():
    end = ddim(denoise, on_the_flow(Z, 500), list(range(500, -1, -1)))
    assert torch.allclose(end, MU + S * Z, atol=0.012)


def test_ddim_converges_at_first_order():
    ratios = [error(ddim, n) / error(ddim, 2 * n) for n in (15, 30, 60)]
    assert all(1.9 < ratio < 2.1 for ratio in ratios), ratios


def test_dpmpp_converges_at_second_order():
    ratios = [error(dpmpp, n) / error(dpmpp, 2 * n) for n in (15, 30, 60)]
    assert all(3.7 < ratio < 4.3 for ratio in ratios), ratios


def test_dpmpp_beats_ddim_at_equal_cost():
    assert error(dpmpp, 10, 480, 60) < error(ddim, 10, 480, 60) / 5


def test_dpmpp_of_one_step_is_ddim_of_one_step():
    start = on_the_flow(Z, 350)
    assert torch.allclose(dpmpp(denoise, start, [350, 100]), ddim(denoise, start, [350, 100]))


def test_ddpm_draws_from_the_data():
    generators = [torch.Generator().manual_seed(k) for k in range(2)]
    start = torch.randn(2, 3, 60, 60, generator=torch.Generator().manual_seed(9))
    end = ddpm(denoise, start, list(range(500, -1, -1)), generators=generators)
    assert float(end.mean()) == pytest.approx(MU, abs=0.015)
    assert float(end.std()) == pytest.approx(S, abs=0.015)


def test_lcm_keeps_nothing_of_the_noise_before():
    """Its spread is that of single predictions: s_0 = k_t s_t, s_s^2 = a_s s_0^2 + 1 - a_s."""
    start = torch.randn(2, 3, 60, 60, generator=torch.Generator().manual_seed(9))
    grid = [400, 300, 200, 100, 0]
    end = lcm(denoise, start, grid, generators=[torch.Generator().manual_seed(k) for k in range(2)])
    variance = 1.0
    for t, s in pairwise(grid):
        a, after = float(alpha_bars()[t]), float(alpha_bars()[s])
        variance = after * a * (S**2 / (a * S**2 + 1 - a)) ** 2 * variance + 1 - after
    assert float(end.std()) == pytest.approx(variance**0.5, rel=0.02)
    assert float(end.mean()) == pytest.approx(MU, abs=0.01)


def test_lcm_of_one_step_is_the_prediction():
    start = on_the_flow(Z, 350)
    generators = [torch.Generator().manual_seed(0)]
    assert torch.equal(lcm(denoise, start, [350, 0], generators=generators), denoise(start, 350))


def test_restart_ends_as_lcm_from_noised_data_does():
    """After the first walk the picture is drawn from the data; from there on the variance is that of lcm's steps."""
    start = torch.randn(2, 3, 60, 60, generator=torch.Generator().manual_seed(9))
    generators = [torch.Generator().manual_seed(k) for k in range(2)]
    end = restart(denoise, start, list(range(500, -1, -1)), generators=generators)
    visited = even_grid(round(AGAIN_FROM * 500), 0, AGAIN)
    variance = float(alpha_bars()[visited[0]]) * (S**2 - 1) + 1
    for t, s in pairwise(visited):
        a, after = float(alpha_bars()[t]), float(alpha_bars()[s])
        variance = after * a * (S**2 / (a * S**2 + 1 - a)) ** 2 * variance + 1 - after
    assert float(end.std()) == pytest.approx(variance**0.5, rel=0.03)
    assert float(end.mean()) == pytest.approx(MU, abs=0.015)


@pytest.mark.parametrize(("steps", "again"), [(1, []), (2, []), (3, [60]), (20, [60])])
def test_restart_goes_up_once_and_counts_its_steps_through(steps, again):
    visited = even_grid(300, 0, steps - len(again))[:-1] + again
    seen = []
    generators = [torch.Generator().manual_seed(0)]
    restart(denoise, on_the_flow(Z, 300), even_grid(300, 0, steps), generators=generators, callback=seen.append)
    assert [step.t for step in seen] == visited
    assert [(step.index, step.total) for step in seen] == [(i, steps) for i in range(steps)]


@pytest.mark.parametrize("sampler", [ddpm, lcm, restart])
def test_the_noise_of_an_image_does_not_depend_on_the_batch(sampler):
    start = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    generators = [torch.Generator().manual_seed(k) for k in (3, 4, 4)]
    together = sampler(denoise, start, [300, 200, 100, 0], generators=generators[:2])
    alone = sampler(denoise, start[1:], [300, 200, 100, 0], generators=generators[2:])
    assert torch.equal(together[1], alone[0])


def lcm_by_seed(*arguments, **options):
    return lcm(*arguments, **options, generators=[torch.Generator().manual_seed(0)])


@pytest.mark.parametrize("sampler", [ddim, dpmpp, lcm_by_seed])
def test_callback_sees_every_step_and_can_cancel(sampler):
    seen = []
    sampler(denoise, on_the_flow(Z, 300), [300, 200, 100, 0], callback=seen.append)
    assert [(step.index, step.total, step.t) for step in seen] == [(0, 3, 300), (1, 3, 200), (2, 3, 100)]

    def cancel(step):
        seen.append(step)
        raise Cancelled("stop")

    seen.clear()
    with pytest.raises(Cancelled):
        sampler(denoise, on_the_flow(Z, 300), [300, 200, 100, 0], callback=cancel)
    assert len(seen) == 1


@pytest.mark.parametrize("sampler", [ddim, dpmpp, lcm_by_seed])
def test_predictions_are_clipped_to_pictures(sampler):
    end = sampler(lambda xt, t: 3 * torch.ones_like(xt), on_the_flow(Z, 300), [300, 150, 0])
    assert float(end.abs().max()) <= 1
