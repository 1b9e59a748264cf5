"""NAME.json: how a photo is to be edited. It comes from strangers; every key and every value is checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from npe_core.colour import format_colour, parse_colour
from npe_core.defaults import SAMPLER, TIMESTEP
from npe_core.errors import InputError, UsageError
from npe_core.parameter_kinds import check_kind, in_words
from npe_core.spelling import hint

LARGEST = 64 << 10
"""Bytes."""


@dataclass(frozen=True)
class Parameters:
    """One job's, every one with the default of ``npe edit``."""

    regions: dict[str, str] = field(default_factory=dict)
    """Region, or several as ``skin+nose`` -> ``#rrggbb``, in the order of filling."""
    color: str | None = None
    """What the mask is painted with; None re-imagines what is there."""
    tint: bool = False
    """Whether the paint takes the photo's light and texture."""
    timestep: int = TIMESTEP
    steps: int | None = None
    """None: as many as usual, or as the timestep has room for."""
    sampler: str = SAMPLER
    seed: int | None = None
    """None: drawn from the bytes of the job."""
    face: int | str | None = None
    """A number from 1 (left to right), ``all`` or ``largest``; None: the largest, or those under a mask alone."""
    aligned: bool = False
    """The photo is a face crop already."""
    upscale: bool = True
    sharpness: float = 1.0
    """0 smooth, 1 with invented detail."""

    @property
    def which(self) -> int | str:
        """The faces that are meant where no mask chooses them."""
        return "largest" if self.face is None else self.face


_NAMES = tuple(one.name for one in fields(Parameters))
_LONGEST = 40
"""Characters of a stranger's text that a message quotes."""
_TOO_MUCH = "too long a number, or too deep"
_MOST_FACES = 9999
_LONGEST_MESSAGE = 200
"""Characters of a message that may quote what a stranger wrote."""


def read_parameters(content: bytes, name: str) -> Parameters:
    """The parameters in a file ``name``. Raises InputError that tells what is wrong with it, and what was meant."""
    from npe_core.regions import check_fill
    from npe_core.strength import check_seed, check_sharpness, check_strength

    try:
        said = json.loads(content, object_pairs_hook=_said_once)
    except UnicodeDecodeError:
        raise InputError(f"{name} is not text in UTF-8. Save it so.") from None
    except UsageError as error:
        raise InputError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0] if isinstance(error, json.JSONDecodeError) else _TOO_MUCH
        raise InputError(f'{name} is not JSON ({reason}). Expected {{"regions": {{"hair": "#993300"}}}}.') from None
    if not isinstance(said, dict):
        raise InputError(f'{name} holds {in_words(said)}, not an object such as {{"regions": {{"hair": "#993300"}}}}.')
    try:
        for key, value in said.items():
            _check(key, value)
        parameters = Parameters(**said)
        check_strength(parameters.timestep, parameters.steps, parameters.sampler)
        check_seed(parameters.seed)
        check_sharpness(parameters.sharpness)
        colour = None if parameters.color is None else format_colour(parse_colour(parameters.color))
        fills = [check_fill(region, fill) for region, fill in parameters.regions.items()]
        names = [name for region, _ in fills for name in region.split("+")]
        if len(set(names)) < len(names):
            raise UsageError("a region is there twice, in other letters or among others. Leave one.")
        return Parameters(**{**said, "regions": dict(fills), "color": colour, "face": _face(parameters.face)})
    except UsageError as error:
        raise InputError(f"{name}: {str(error)[:_LONGEST_MESSAGE]}") from None


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises UsageError where it says something twice: one of the two was not meant."""
    said = {}
    for key, value in pairs:
        if key in said:
            raise UsageError(f"{key[:_LONGEST]!r} is there twice. Leave one.")
        said[key] = value
    return said


def _check(key: str, value: Any) -> None:
    if key not in _NAMES:
        said = hint(key, [*_NAMES, "colour"], f"Known are {', '.join(_NAMES)}.").replace("colour", "color")
        raise UsageError(f"there is no parameter {key[:_LONGEST]!r}. {said}")
    check_kind(key, value)


def _face(face: int | str | None) -> int | str | None:
    if face in (None, "all", "largest") or (isinstance(face, int) and 1 <= face <= _MOST_FACES):
        return face
    raise UsageError(f'\'face\' is a number from 1 to {_MOST_FACES}, "all" or "largest", not {str(face)[:_LONGEST]!r}.')
