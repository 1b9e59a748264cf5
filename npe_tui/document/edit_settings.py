"""What a person sets of an edit: how strong it is, how sharp, with which seed; presets of that."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from npe_core.defaults import SAMPLER, STEPS, TIMESTEP
from npe_core.errors import UsageError
from npe_core.parameter_kinds import check_kind
from npe_core.strength import Strength, check_seed, check_sharpness, check_strength
from npe_tui.config import Config

SUBTLE, DRAMATIC = (200, 300), (350, 475)
"""The useful stretches of timesteps."""
_OF_A_PRESET = ("timestep", "steps", "sampler", "sharpness")


@dataclass(frozen=True)
class EditSettings:
    """The arguments of ``Editor.edit`` that a person sets."""

    timestep: int
    steps: int
    sampler: str
    sharpness: float = 1.0
    """How much detail super-resolution may invent, 0..1."""
    seed: int | None = None
    """None: as ``in_turn`` says, or a new one."""

    @property
    def strength(self) -> Strength:
        """How far the edit goes; ``steps`` that were set may be more than the timestep has room for."""
        return Strength(self.timestep, self.steps, self.sampler).limited()

    def with_seed(self) -> EditSettings:
        """The same with a seed that is known, so that variants can count up from it."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(2**31 - 4))


def in_turn(settings: EditSettings, made: Mapping[str, Any], repainted: bool, several: bool) -> EditSettings:
    """The settings of the next pictures after one that was ``made`` with these parameters; none: there is no such one.

    Where a new seed would be drawn, that picture's is kept if something was painted since, or if the settings are
    others: one thing changes and nothing else. If neither is, a new one is what is asked for, and ``several`` others
    have seeds of their own even where it is fixed.
    """
    if not made:
        return settings
    now: dict[str, Any] = vars(settings.strength) | {"sharpness": settings.sharpness}
    is_another_try = not repainted and all(made.get(name, value) == value for name, value in now.items())
    if is_another_try:
        return replace(settings, seed=None) if several and settings.seed == made["seed"] else settings
    return settings if settings.seed is not None else replace(settings, seed=made["seed"])


_OF_AN_EDIT = ("timestep", "steps", "sampler", "sharpness", "seed")
"""What of an edit's parameters a person sets."""


def initial(config: Config) -> EditSettings:
    """What the settings say, else the engine's defaults. Raises UsageError for invalid values."""
    values: dict[str, Any] = {"timestep": TIMESTEP, "steps": STEPS, "sampler": SAMPLER}
    values |= {name: getattr(config, name) for name in values if getattr(config, name) is not None}
    return checked(EditSettings(**values, sharpness=config.sharpness))


def presets(config: Config) -> dict[str, EditSettings]:
    """Name -> settings: two of our own, then those of the settings. Raises UsageError as ``initial``."""
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
        try:
            for key, value in values.items():
                check_kind(key, value)
            found[name] = checked(replace(start, **values))
        except UsageError as error:
            raise UsageError(f"The preset {name!r}: {error}") from None
    return found


def kept(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What ``of_parameters`` needs of the parameters of an edit."""
    return {name: parameters[name] for name in _OF_AN_EDIT if name in parameters}


def differ_in_seed(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two pictures were made with other seeds and otherwise the same settings."""
    differing = [name for name in _OF_AN_EDIT if one.get(name) != other.get(name)]
    return differing == ["seed"]


def of_parameters(parameters: Mapping[str, Any]) -> EditSettings | None:
    """The settings that a picture was made with; None where they do not tell it."""
    try:
        return checked(EditSettings(**{name: parameters[name] for name in _OF_AN_EDIT}))
    except (KeyError, TypeError, ValueError, UsageError):
        return None


def checked(settings: EditSettings) -> EditSettings:
    """The settings, their numbers of the kinds that a saved file holds. Raises UsageError."""
    strength = settings.strength
    check_strength(strength.timestep, strength.steps, strength.sampler)
    check_sharpness(settings.sharpness)
    check_seed(settings.seed)
    return replace(settings, sharpness=float(settings.sharpness))
