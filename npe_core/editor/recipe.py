"""What it takes to repeat an edit: checked on the way in, stored in the edited file, read back from it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields, replace
from typing import Any

from npe_core.defaults import SAMPLER, STEPS, TIMESTEP
from npe_core.errors import InputError, UsageError
from npe_core.parameter_kinds import check_kind
from npe_core.regions import check_fill
from npe_core.strength import Strength, check_seed, check_sharpness, check_strength

_TOLD = ("version", "models")
"""Stored beside the recipe, for people: which version and which weights made the picture."""

_LONGEST = 200
"""Characters of a message that may quote what a stranger wrote into a file."""


@dataclass(frozen=True)
class Recipe:
    """An edit apart from its photo."""

    regions: dict[str, str] = field(default_factory=dict)
    """Region, or several as ``skin+nose`` -> ``#rrggbb``, in the order of filling."""
    timestep: int = TIMESTEP
    steps: int = STEPS
    sampler: str = SAMPLER
    seed: int | None = None
    """None: one is drawn."""
    upscale: bool = True
    sharpness: float = 1.0
    """Of the super-resolution: 0 smooth, 1 with invented detail."""
    feather: float = 0.0
    """Pixels of the photo by which the whole mask was softened inwards, after all else."""
    painted: bool = False
    """Whether there was paint or a mask besides the regions, which no file holds."""

    @property
    def strength(self) -> Strength:
        """How far it goes."""
        return Strength(self.timestep, self.steps, self.sampler)

    def parameters(self) -> dict[str, Any]:
        """As stored in a file; ``read_recipe`` is the way back."""
        return dict(vars(self))


_NAMES = tuple(one.name for one in fields(Recipe))


def read_recipe(parameters: dict[str, Any] | None, name: str) -> Recipe:
    """The recipe in the parameters of the file ``name``. They are untrusted: every value is checked.

    Raises InputError that tells what is wrong with the file.
    """
    if parameters is None:
        raise InputError(f"{name} holds no edit parameters: it was not written by npe, or they were stripped.")
    try:
        found = {key: value for key, value in parameters.items() if key not in _TOLD}
        for key, value in found.items():
            if key not in _NAMES:
                raise UsageError(f"{key!r} is not known to this version.")
            check_kind(key, value)
        found["regions"] = dict(check_fill(*fill) for fill in found.get("regions", {}).items())
        recipe = Recipe(**found)
        strength = check_strength(recipe.timestep, found.get("steps"), recipe.sampler)
        check_seed(recipe.seed)
        check_sharpness(recipe.sharpness)
        check_feather(recipe.feather)
    except UsageError as error:
        raise InputError(f"The edit parameters in {name} cannot be used: {str(error)[:_LONGEST]}") from None
    return replace(recipe, steps=strength.steps)


def other_weights(parameters: dict[str, Any], models: dict[str, str]) -> bool:
    """Whether the parameters of a file tell of other weights (kind -> start of its sha256) than ``models``."""
    told = parameters.get("models")
    return isinstance(told, dict) and any(told.get(kind, known) != known for kind, known in models.items())


def with_fill(fills: dict[str, str], regions: str, colour: str) -> dict[str, str]:
    """The fills of a recipe with another one on top; those of which it leaves nothing are gone."""
    again = set(regions.split("+"))
    kept = {other: filled for other, filled in fills.items() if not again.issuperset(other.split("+"))}
    return kept | {regions: colour}


def check_feather(feather: float) -> None:
    """Raises UsageError for what is no distance."""
    if not 0 <= feather <= sys.float_info.max:
        raise UsageError(f"The feather is a number of the photo's pixels, 0 or more, not {feather}.")
