"""Whether a network can be built of these numbers: what its configuration checks, before any layer is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, TypeVar

Config = TypeVar("Config")


def from_stored(kind: type[Config], stored: dict[str, Any]) -> Config:
    """A configuration from what JSON kept of it (lists for tuples); what is not told is as by default.

    Raises ValueError for a field that is unknown or of another type, and for values that do not go together.
    """
    usual = {field.name: field.default for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    for name, value in values.items():
        if name not in usual:
            raise ValueError(f"{name} is none of {', '.join(usual)}")
        if not _is_like(value, usual[name]):
            raise ValueError(f"{name} is {stored[name]!r}; expected a value like {usual[name]!r}")
    return kind(**values)


def _is_like(value: Any, usual: Any) -> bool:
    if isinstance(usual, tuple):
        return isinstance(value, tuple) and all(_is_like(part, usual[0]) for part in value)
    if isinstance(usual, float):
        return type(value) in (float, int)
    return type(value) is type(usual)  # True is an int too


def check_above_0(**numbers: float) -> None:
    """Raises ValueError for a number that is not above 0, by its name."""
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; expected a number above 0")


def check_levels(image_size: int, patch: int, mults: tuple[int, ...]) -> None:
    """Raises ValueError unless ``image_size`` halves evenly to the last level, of which there must be one."""
    if not mults or min(mults) < 1:
        raise ValueError(f"mults is {','.join(map(str, mults)) or 'empty'}; expected a number above 0 for each level")
    step = patch * 2 ** (len(mults) - 1)
    if image_size % step:
        raise ValueError(
            f"image_size {image_size} is no multiple of {step}, which patch {patch} and {len(mults)} levels need"
        )


def check_groups(channels: Iterable[int], most: int) -> None:
    """Raises ValueError when group normalisation of c channels cannot have min(most, c // 4) groups of one size."""
    for count in channels:
        groups = min(most, count // 4)
        if not groups or count % groups:
            raise ValueError(
                f"{count} channels have no even groups to normalise; choose a base that is divisible by 32"
            )
