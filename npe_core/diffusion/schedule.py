"""The forward process of DDPM (Ho et al. 2020): T = 500 timesteps, linear beta from 1e-4 to 2e-2, in float64."""

from __future__ import annotations

from enum import IntEnum, unique
from functools import cache

import numpy as np
import torch
from torch import Tensor

TIMESTEPS = 500
BETA_FIRST, BETA_LAST = 1e-4, 2e-2


@cache
def betas() -> np.ndarray:
    """(501,) float64: beta[t] for t = 1..500; beta[0] = 0 stands for the clean image."""
    values = np.concatenate([[0.0], np.linspace(BETA_FIRST, BETA_LAST, TIMESTEPS, dtype=np.float64)])
    values.flags.writeable = False
    return values


@cache
def alpha_bars() -> np.ndarray:
    """(501,) float64: alpha_bar[t] = prod_{s<=t} (1 - beta[s]); alpha_bar[0] = 1."""
    values = np.cumprod(1.0 - betas())
    values.flags.writeable = False
    return values


@cache
def sigmas() -> np.ndarray:
    """(501,) float64: sigma[t] = sqrt((1 - alpha_bar) / alpha_bar), the noise level of x_t / sqrt(alpha_bar)."""
    values = np.sqrt((1.0 - alpha_bars()) / alpha_bars())
    values.flags.writeable = False
    return values


def q_sample(x0: Tensor, t: int, eps: Tensor) -> Tensor:
    """x_t of q(x_t | x_0) = N(sqrt(alpha_bar) x_0, (1 - alpha_bar) I), equation 4 of Ho et al. 2020.

    x0 and eps have the same shape; t is 0..500 (0 returns x0 itself).
    """
    if t == 0:
        return x0
    alpha_bar = float(alpha_bars()[t])
    return alpha_bar**0.5 * x0 + (1 - alpha_bar) ** 0.5 * eps


def q_posterior_mean_variance(x0: Tensor, xt: Tensor, t: int, s: int | None = None) -> tuple[Tensor, float]:
    """Mean and variance of q(x_s | x_t, x_0) for s < t (default t - 1), equations 6 and 7 of Ho et al. 2020.

    For s < t - 1 it is the posterior of the process that visits only the timesteps s and t (Nichol & Dhariwal 2021).
    """
    s = t - 1 if s is None else s
    alpha_bar_t, alpha_bar_s = float(alpha_bars()[t]), float(alpha_bars()[s])
    alpha = alpha_bar_t / alpha_bar_s
    beta = 1 - alpha
    mean = alpha_bar_s**0.5 * beta / (1 - alpha_bar_t) * x0 + alpha**0.5 * (1 - alpha_bar_s) / (1 - alpha_bar_t) * xt
    return mean, beta * (1 - alpha_bar_s) / (1 - alpha_bar_t)


def draw_noise(shape: tuple[int, ...], seeds: list[int]) -> Tensor:
    """Standard normal noise (len(seeds), *shape), float32 on the CPU, one generator an image.

    Neither the device nor the other images of the batch change the noise of an image.
    """
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


@unique
class Stream(IntEnum):
    """What else is drawn from the seed of a picture, each in a stream of its own: ``draw_noise`` takes the seed itself,
    and the same numbers twice would be seen. They stay what they are, as the pictures of a seed do."""

    ADDED = 0x5DEECE66D
    """The noise that a sampler adds on the way."""
    COARSE = 0x3C6EF372FE94
    """The coarse face that a sample begins with: the noise on it."""
    KIND = 0x2545F4914F6C
    """What lies under that noise, drawn from a seed that may be one of ``COARSE``."""

    def of(self, seeds: list[int]) -> list[int]:
        """The seeds of this stream that belong to those of pictures."""
        return [seed ^ self for seed in seeds]


def timestep_grid(t: int, steps: int) -> list[int]:
    """steps + 1 descending timesteps from t to 0, evenly spaced (rounded); at most t steps are possible."""
    if not 1 <= t <= TIMESTEPS:
        raise ValueError(f"t must lie in 1..{TIMESTEPS}, got {t}")
    steps = max(1, min(steps, t))
    return [round(t * (steps - i) / steps) for i in range(steps + 1)]
