"""Of which kind the parameters of an edit are, wherever somebody wrote them: NAME.json, a picture's own, settings."""

from __future__ import annotations

import json
from typing import Any

from npe_core.errors import UsageError

_KINDS: dict[str, tuple[type, ...]] = {
    "regions": (dict,),
    "color": (str,),
    "tint": (bool,),
    "timestep": (int,),
    "steps": (int,),
    "sampler": (str,),
    "seed": (int,),
    "face": (int, str),
    "aligned": (bool,),
    "upscale": (bool,),
    "sharpness": (float, int),
    "feather": (float, int),
    "painted": (bool,),
}
"""Many programs write 1.0 as 1."""
_WORDS = {dict: "an object", str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def check_kind(name: str, value: Any) -> None:
    """Raises UsageError for a value of another kind than the parameter of that name has."""
    kinds = _KINDS[name]
    if type(value) not in kinds:  # not isinstance: true is no timestep
        wanted = " or ".join(_WORDS[kind] for kind in (kinds[:1] if float in kinds else kinds))
        raise UsageError(f"{name!r} is {in_words(value)}, expected {wanted}.")


def in_words(value: Any) -> str:
    """What a value of JSON or TOML is, in words."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, float):
        return f"the number {json.dumps(value)}"
    return _WORDS.get(type(value), f"a {type(value).__name__}")
