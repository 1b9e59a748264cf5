"""Settings: a TOML file, and environment variables over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from npe_core import spelling
from npe_core.colour import format_colour, parse_colour
from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import UsageError
from npe_tui import keys, themes
from npe_tui.files import places
from npe_tui.picture.depth import Depth
from npe_tui.picture.graphics import Protocol

PREFIX = "NPE_TUI_"
_FILE = PREFIX + "CONFIG"


@dataclass(frozen=True)
class Config:
    """What a person may set once and for all. Each simple value is also read from ``NPE_TUI_<NAME>``."""

    theme: str = "npe-dark"
    """npe-dark, npe-light, ansi-dark, ansi-light, or any other theme of Textual."""
    depth: str = "auto"
    """How many colours the picture uses: auto, true, 5bit, 256, 16, grey or mono."""
    graphics: str = "auto"
    """How F7 shows all pixels: auto, kitty, iterm2, or none."""
    device: str = "auto"
    """Where the models run: auto, cpu, openvino, cuda, cuda:N or mps."""
    timestep: int | None = None
    """Strength to start with, 1..499; the engine's default where it is not set, as for the next two."""
    steps: int | None = None
    sampler: str | None = None
    sharpness: float = 1.0
    """How much detail super-resolution may invent to start with, 0..1."""
    radius: float | None = None
    """Brush radius in photo pixels; a fiftieth of the photo's shorter side where it is not set."""
    hardness: float = 0.8
    """Share of the brush that is fully covered, 0..1."""
    opacity: float = 1.0
    """Of the brush's paint, 0.1..1."""
    tint: bool = False
    """Whether the brush's paint takes the photo's light and texture."""
    colour: str = "#8b2500"
    """The colour to start with; ``#rrggbb``, however it was written."""
    autosave: float = 2.0
    """Seconds between a change and its autosave; 0 turns it off."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Larger photos are refused."""
    folder: str = "."
    """Where the file browser starts."""
    keys: dict[str, str] = field(default_factory=dict)
    """Command -> keys, separated by commas, instead of the built-in ones."""
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> timestep, steps, sampler, sharpness: further buttons beside subtle and dramatic."""

    def __post_init__(self) -> None:
        spelling.check("theme", self.theme, themes.NAMES)
        spelling.check("depth", self.depth, ("auto", *Depth))
        spelling.check("graphics protocol", self.graphics, ("auto", *Protocol, "none"))
        spelling.check("device", self.device.partition(":")[0], ("auto", "cpu", "openvino", "cuda", "mps"))
        object.__setattr__(self, "colour", format_colour(parse_colour(self.colour)))
        keys.check(self.keys)
        _within("hardness", self.hardness, 0, 1)
        _within("opacity", self.opacity, 0.1, 1)
        _within("sharpness", self.sharpness, 0, 1)
        _within("autosave", self.autosave, 0, 3600)
        _within("max_megapixels", self.max_megapixels, 0.01, 1_000_000)
        if self.radius is not None:
            _within("radius", self.radius, 0.5, 10_000)


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings of the file (default: ``$NPE_TUI_CONFIG``, else the user's own; it need not exist).

    Raises UsageError that names the file or the variable, and the nearest name for one that is not known.
    """
    source, named = source_of(path, environment)
    values: dict[str, Any] = {}
    try:
        values = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise UsageError(f"There is no config file {source}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The config file {source} cannot be read: {error}") from None
    try:
        checked = {name: _typed(name, value) for name, value in values.items()}
        for variable in _variables(environment):
            name = variable.removeprefix(PREFIX).lower()
            spelling.check("setting", name, _SIMPLE)
            checked[name] = _typed(name, _read(environment[variable], name), variable)
        return Config(**checked)
    except UsageError as error:
        raise where(error, source, environment) from None


def source_of(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> tuple[Path, bool]:
    """The file of the settings, and whether somebody named it: then it has to exist."""
    named = path or (Path(environment[_FILE]) if _FILE in environment else None)
    return named or places.config_file(), named is not None


def where(error: UsageError, source: Path, environment: Mapping[str, str] = os.environ) -> UsageError:
    """What is wrong with a setting, with where it may be set: the file that there is, the variables that there are."""
    file = [str(source)] if source.exists() else []
    return UsageError(f"{error} See {', '.join([*file, *_variables(environment)])}.")


def _variables(environment: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environment if name.startswith(PREFIX) and name != _FILE)


_NUMBERS: dict[str, tuple[type, ...]] = {
    "timestep": (int,),
    "steps": (int,),
    "radius": (int, float),
    "hardness": (int, float),
    "opacity": (int, float),
    "sharpness": (int, float),
    "autosave": (int, float),
    "max_megapixels": (int, float),
}
_FLAGS = ("tint",)
_TABLES = ("keys", "presets")
_NAMES = tuple(one.name for one in fields(Config))
_SIMPLE = tuple(name for name in _NAMES if name not in _TABLES)


def _typed(name: str, value: Any, variable: str = "") -> Any:
    """The value, if there is a setting of that name and it is of its type. Raises UsageError."""
    spelling.check("setting", name, _NAMES)
    kinds: tuple[type, ...] = _NUMBERS.get(name, (dict if name in _TABLES else bool if name in _FLAGS else str,))
    if type(value) not in kinds:
        wanted = {dict: "a table", str: "text", int: "a number", bool: "true or false"}[kinds[0]]
        raise UsageError(f"The setting {variable or name!r} is {wanted}, not {value!r}.")
    return value


def _read(text: str, name: str) -> Any:
    """The value of a variable: a number or true or false where the setting is one."""
    if name in _FLAGS:
        return {"true": True, "false": False}.get(text.lower(), text)
    for kind in _NUMBERS.get(name, ()):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(f"The setting {name!r} is between {low:g} and {high:g}, not {value:g}.")
