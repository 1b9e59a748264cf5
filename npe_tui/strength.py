"""How strongly to edit: the values of one run, and what the engine offers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from npe_core.defaults import SAMPLER, SAMPLERS, STEPS, TIMESTEP
from npe_core.errors import UsageError
from npe_tui.config import Config

WEAKEST, STRONGEST = 1, 499
SUBTLE, DRAMATIC = (200, 300), (350, 475)
"""The useful stretches of timesteps."""
_OF_A_PRESET: dict[str, tuple[type, ...]] = {
    "timestep": (int,),
    "steps": (int,),
    "sampler": (str,),
    "sharpness": (float, int),
}


@dataclass(frozen=True)
class Strength:
    """The arguments of ``Editor.edit`` that a person sets."""

    timestep: int
    steps: int
    sampler: str
    sharpness: float = 1.0
    """How much detail super-resolution may invent, 0..1."""
    seed: int | None = None
    """None: a new one each time."""

    def with_seed(self) -> Strength:
        """The same with a seed that is known, so that variants can count up from it."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(2**31 - 4))


def in_turn(strength: Strength, made: Mapping[str, Any] | None, repainted: bool, several: bool) -> Strength:
    """The strength of the next pictures after one that was ``made`` with these parameters; None: there is none.

    Where a new seed would be drawn, that picture's is kept if something was painted since, or if the strength is
    another: one thing changes and nothing else. If neither is, a new one is what is asked for, and ``several`` others
    have seeds of their own even where it is fixed.
    """
    if made is None:
        return strength
    now: dict[str, Any] = {"timestep": strength.timestep, "steps": min(strength.steps, strength.timestep)}
    now |= {"sampler": strength.sampler, "sharpness": strength.sharpness}
    is_another_try = not repainted and all(made.get(name, value) == value for name, value in now.items())
    if is_another_try:
        return replace(strength, seed=None) if several and strength.seed == made["seed"] else strength
    return strength if strength.seed is not None else replace(strength, seed=made["seed"])


_OF_AN_EDIT = ("timestep", "steps", "sampler", "sharpness", "seed")
"""What of an edit's parameters is its strength."""


def initial(config: Config) -> Strength:
    """What the settings say, else the engine's defaults. Raises UsageError for invalid values."""
    values: dict[str, Any] = {"timestep": TIMESTEP, "steps": STEPS, "sampler": SAMPLER}
    values |= {name: getattr(config, name) for name in values if getattr(config, name) is not None}
    return checked(Strength(**values, sharpness=config.sharpness))


def presets(config: Config) -> dict[str, Strength]:
    """Name -> strength: two of our own, then those of the settings. Raises UsageError as ``initial``."""
    start = initial(config)
    found = {
        "subtle": replace(start, timestep=sum(SUBTLE) // 2),
        "dramatic": replace(start, timestep=sum(DRAMATIC) // 2),
    }
    for name, values in config.presets.items():
        if not isinstance(values, dict):
            raise UsageError(f"The preset {name!r} is a table, [presets.{name}], not {values!r}.")
        unknown = sorted(set(values) - set(_OF_A_PRESET))
        if unknown:
            raise UsageError(f"The preset {name!r} has {unknown[0]!r}; it can have {', '.join(_OF_A_PRESET)}.")
        for key, value in values.items():
            if type(value) not in _OF_A_PRESET[key]:
                wanted = "text" if _OF_A_PRESET[key] == (str,) else "a number"
                raise UsageError(f"The preset {name!r} has {key} = {value!r}; it should be {wanted}.")
        try:
            found[name] = checked(replace(start, **values))
        except UsageError as error:
            raise UsageError(f"The preset {name!r}: {error}") from None
    return found


def kept(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What ``of_parameters`` needs of the parameters of an edit."""
    return {name: parameters[name] for name in _OF_AN_EDIT if name in parameters}


def of_parameters(parameters: Mapping[str, Any]) -> Strength | None:
    """The strength that a picture was made with; None where they do not tell it."""
    try:
        return checked(Strength(**{name: parameters[name] for name in _OF_AN_EDIT}))
    except (KeyError, TypeError, ValueError, UsageError):
        return None


def checked(strength: Strength) -> Strength:
    """The strength, its numbers of the kinds that a saved file holds. Raises UsageError."""
    if not WEAKEST <= strength.timestep <= STRONGEST:
        raise UsageError(f"A timestep is between {WEAKEST} and {STRONGEST}, not {strength.timestep}.")
    if not 1 <= strength.steps <= STRONGEST:
        raise UsageError(f"Steps are between 1 and {STRONGEST}, not {strength.steps}.")
    if strength.sampler not in SAMPLERS:
        raise UsageError(f"There is no sampler {strength.sampler!r}; choose {', '.join(SAMPLERS)}.")
    if not 0 <= strength.sharpness <= 1:
        raise UsageError(f"Sharpness is between 0 and 1, not {strength.sharpness:g}.")
    return replace(strength, sharpness=float(strength.sharpness))
