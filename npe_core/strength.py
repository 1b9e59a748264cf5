"""How far an edit goes, and which values its numbers may have. Without torch: it is asked before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from npe_core.defaults import SAMPLER, SAMPLERS, STEPS, TIMESTEP
from npe_core.errors import UsageError

WEAKEST, STRONGEST = 1, 499
"""Timesteps at which a walk may start, of the schedule's 500."""


@dataclass(frozen=True)
class Strength:
    """How far an edit goes."""

    timestep: int = TIMESTEP
    """Where the walk starts, 1..499: 200-300 subtle, 350-475 dramatic."""
    steps: int = STEPS
    """Calls of the denoiser; at most ``timestep``."""
    sampler: str = SAMPLER

    def limited(self) -> Strength:
        """The same with no more steps than the timestep has room for."""
        return replace(self, steps=min(self.steps, self.timestep))


def check_strength(timestep: int, steps: int | None, sampler: str, samplers: tuple[str, ...] = SAMPLERS) -> Strength:
    """The strength; where no ``steps`` are named the usual ones, or as many as the timestep has room for.

    ``samplers`` are those to choose from.

    Raises UsageError for invalid arguments.
    """
    if not WEAKEST <= timestep <= STRONGEST:
        raise UsageError(
            f"The timestep must be between {WEAKEST} and {STRONGEST}, not {timestep} "
            "(200-300 subtle, 350-475 dramatic)."
        )
    strength = Strength(timestep, STEPS, sampler).limited() if steps is None else Strength(timestep, steps, sampler)
    if not 1 <= strength.steps <= timestep:
        raise UsageError(f"The steps must be between 1 and {timestep}, the timestep, not {steps}.")
    if sampler not in samplers:
        raise UsageError(f"{sampler!r} is not a sampler. Choose one of: {', '.join(samplers)}.")
    return strength


def check_seed(seed: int | None) -> None:
    """Raises UsageError for a seed that the random generators do not take; None means one will be drawn."""
    if seed is not None and not 0 <= seed < 2**63:
        raise UsageError(f"The seed must be between 0 and 2^63 - 1, not {seed}.")


def check_sharpness(sharpness: float) -> None:
    """Raises UsageError for what is no share."""
    if not 0 <= sharpness <= 1:
        raise UsageError(f"The sharpness must be between 0 and 1, not {sharpness} (0 smooth, 1 invented detail).")


def strengths(timesteps: tuple[int, ...], steps: int, sampler: str) -> list[Strength]:
    """Of a timestep study: one for each timestep, of ``steps`` or of as many as it has room for.

    Raises UsageError for invalid arguments.
    """
    limited = [Strength(timestep, steps, sampler).limited() for timestep in timesteps]
    return [check_strength(one.timestep, one.steps, one.sampler) for one in limited]
