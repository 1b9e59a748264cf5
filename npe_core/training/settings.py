"""``KEY=VALUE`` texts as fields of a frozen dataclass."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from npe_core.errors import UsageError

Settings = TypeVar("Settings")


def with_settings(defaults: Settings, texts: list[str]) -> Settings:
    """A copy of a dataclass with fields set as ``base=32`` or, for tuples, ``mults=1,2,4``.

    Values take the type of the default. Raises UsageError for an unknown field, a value of another type, or values that
    do not go together.
    """
    known = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or name not in known:
            raise UsageError(f"--config {text}: expected KEY=VALUE with one of the keys {', '.join(known)}.")
        try:
            changed[name] = _like(known[name], value)
        except (ValueError, KeyError):
            raise UsageError(f"--config {text}: {name} takes a value like {_shown(known[name])}. Give one.") from None
    try:
        return dataclasses.replace(defaults, **changed)  # type: ignore[type-var]
    except ValueError as error:
        raise UsageError(f"--config {' '.join(texts)}: {error}. Choose other values.") from None


def _like(default: Any, text: str) -> Any:
    if isinstance(default, tuple):
        kind = type(default[0]) if default else int  # as all of them have
        return tuple(kind(part) for part in text.split(",") if part)
    if isinstance(default, bool):
        return {"true": True, "false": False}[text.lower()]
    return type(default)(text)


def as_setting(name: str, value: Any) -> str:
    """``KEY=VALUE`` as ``with_settings`` takes it."""
    return f"{name}={_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
