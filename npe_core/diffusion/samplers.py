"""Samplers: pure functions that walk x_t down a grid of timesteps with a denoiser ``denoise(xt, t) -> x0``.

All of them clip the predicted x0 to [-1, 1], report every step to ``callback``, and keep the
state in float32. ``grid`` is descending and ends in 0, as ``schedule.timestep_grid`` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from npe_core.device import upload
from npe_core.diffusion.schedule import alpha_bars, q_posterior_mean_variance, q_sample, timestep_grid

Denoise = Callable[[Tensor, int], Tensor]
"""(xt (B, 3, H, W), t) -> x0 (B, 3, H, W)."""


@dataclass(frozen=True)
class Step:
    """What a sampler tells after each call of the denoiser."""

    index: int
    """0 .. total - 1"""
    total: int
    t: int
    """The timestep that was denoised."""
    x0: Tensor
    """(B, 3, H, W): the prediction of the finished picture."""


Callback = Callable[[Step], None]
"""Called after each step; it may raise ``Cancelled`` to stop."""

Constrain = Callable[[Tensor, int], Tensor]
"""(xt, t) -> xt with the kept pixels put back; applied before each call of the denoiser and at the end (t = 0)."""


def keep_nothing(xt: Tensor, t: int) -> Tensor:
    """The ``Constrain`` of a picture that is free everywhere."""
    return xt


Move = Callable[[Tensor, Tensor, int, int], Tensor]
"""(xt, x0, t, s) -> xs: one step of a sampler, from t to s."""


def _walk(
    move: Move,
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    callback: Callback | None,
    constrain: Constrain,
) -> Tensor:
    """What all samplers do: predict x0, then move on."""
    steps = len(grid) - 1
    for i, (t, s) in enumerate(pairwise(grid)):
        xt = constrain(xt, t)
        x0 = denoise(xt, t).clamp(-1, 1)
        xt = move(xt, x0, t, s)
        if callback is not None:
            callback(Step(i, steps, t, x0))
    return constrain(xt, grid[-1])


def ddim(
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    *,
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """DDIM with eta = 0 (Song et al. 2021, equation 12): the exact step of the probability flow for a constant eps."""

    def move(xt: Tensor, x0: Tensor, t: int, s: int) -> Tensor:
        alpha_bar_t, alpha_bar_s = float(alpha_bars()[t]), float(alpha_bars()[s])
        eps = (xt - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5
        return alpha_bar_s**0.5 * x0 + (1 - alpha_bar_s) ** 0.5 * eps

    return _walk(move, denoise, xt, grid, callback, constrain)


def ddpm(
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    *,
    generators: list[torch.Generator],
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """Ancestral sampling (Ho et al. 2020, algorithm 2): x_s drawn from q(x_s | x_t, x0). One CPU generator an image."""

    def move(xt: Tensor, x0: Tensor, t: int, s: int) -> Tensor:
        mean, variance = q_posterior_mean_variance(x0, xt, t, s)
        return mean + variance**0.5 * _fresh_noise(xt, generators)

    return _walk(move, denoise, xt, grid, callback, constrain)


def lcm(
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    *,
    generators: list[torch.Generator],
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """Multistep consistency sampling (Song et al. 2023, algorithm 1), as latent consistency models (LCM) made it known.

    x_s is drawn from q(x_s | x0): of x_t nothing is kept but what was predicted from it, so no step inherits the errors
    of the noise before. It suits a denoiser whose single predictions are sharp, and wants few steps. One CPU generator
    an image.
    """

    def move(xt: Tensor, x0: Tensor, t: int, s: int) -> Tensor:
        return q_sample(x0, s, _fresh_noise(xt, generators))

    return _walk(move, denoise, xt, grid, callback, constrain)


AGAIN, AGAIN_FROM = 1, 0.2
"""``restart`` goes through one step again, from such a share of the first timestep."""


def restart(
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    *,
    generators: list[torch.Generator],
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """``ddpm`` down to x0, then noise once more and a step of ``lcm`` (Xu et al. 2023, "Restart Sampling").

    What a long walk got wrong on its way lies on x0 as noise does, and goes with it. For pictures out of nothing but
    noise. Of ``grid`` its first timestep and its number of steps count: one is taken from the first walk, none of less
    than three. One CPU generator an image.
    """
    total = len(grid) - 1
    first = total - AGAIN if total > 2 * AGAIN else total
    how: dict[str, Any] = {"generators": generators, "constrain": constrain}
    x0 = ddpm(denoise, xt, timestep_grid(grid[0], first), callback=_part(callback, 0, total), **how)
    if first == total:
        return x0
    start = max(AGAIN, round(AGAIN_FROM * grid[0]))
    noised = q_sample(x0, start, _fresh_noise(x0, generators))
    return lcm(denoise, noised, timestep_grid(start, AGAIN), callback=_part(callback, first, total), **how)


def _part(callback: Callback | None, first: int, total: int) -> Callback | None:
    """The callback of a walk that is the part from step ``first`` on of one of ``total`` steps."""
    if callback is None:
        return None
    return lambda step: callback(replace(step, index=first + step.index, total=total))


def _fresh_noise(xt: Tensor, generators: list[torch.Generator]) -> Tensor:
    """Standard normal noise of the shape of xt (B, ...) on its device, drawn on the CPU, one generator an image."""
    return upload(torch.stack([torch.randn(xt.shape[1:], generator=g) for g in generators]), xt.device)


def dpmpp(
    denoise: Denoise,
    xt: Tensor,
    grid: list[int],
    *,
    callback: Callback | None = None,
    constrain: Constrain = keep_nothing,
) -> Tensor:
    """DPM-Solver++ 2M (Lu et al. 2022, algorithm 2): second order from the predictions of two timesteps.

    lambda = ln(alpha / sigma) is half the log signal-to-noise ratio. The first step, and the last one (to t = 0,
    where lambda is infinite), are of first order.
    """
    previous: tuple[Tensor, float] | None = None  # x0 and lambda of the step before

    def move(xt: Tensor, x0: Tensor, t: int, s: int) -> Tensor:
        nonlocal previous
        before = previous
        alpha_t, sigma_t = _alpha_sigma(t)
        lambda_t = math.log(alpha_t / sigma_t)
        previous = x0, lambda_t
        if s == 0:
            return x0
        alpha_s, sigma_s = _alpha_sigma(s)
        h = math.log(alpha_s / sigma_s) - lambda_t
        guess = x0
        if before is not None:
            r = (lambda_t - before[1]) / h
            guess = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * before[0]
        return sigma_s / sigma_t * xt - alpha_s * math.expm1(-h) * guess

    return _walk(move, denoise, xt, grid, callback, constrain)


def _alpha_sigma(t: int) -> tuple[float, float]:
    alpha_bar = float(alpha_bars()[t])
    return alpha_bar**0.5, (1 - alpha_bar) ** 0.5
