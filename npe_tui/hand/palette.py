"""Named colours as people have them, and the ways to write a colour."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from npe_core.colour import format_colour, parse_colour
from npe_core.errors import UsageError


@dataclass(frozen=True)
class Swatch:
    """A colour with a name."""

    name: str
    colour: str
    """``#rrggbb``"""


PALETTE: dict[str, tuple[Swatch, ...]] = {
    "hair": (
        Swatch("black", "#17120f"),
        Swatch("espresso", "#2c1d16"),
        Swatch("dark brown", "#3d2719"),
        Swatch("chestnut", "#5a3220"),
        Swatch("brown", "#6b4423"),
        Swatch("light brown", "#8a6140"),
        Swatch("auburn", "#8b2500"),
        Swatch("copper", "#a5501e"),
        Swatch("ginger", "#b8642f"),
        Swatch("dark blond", "#a17f4f"),
        Swatch("honey blond", "#c49a5a"),
        Swatch("ash blond", "#bda886"),
        Swatch("platinum", "#dccfb4"),
        Swatch("grey", "#85807b"),
        Swatch("silver", "#b9b7b5"),
        Swatch("white", "#e6e3df"),
    ),
    "lips": (
        Swatch("nude", "#b9776a"),
        Swatch("rose", "#c0606b"),
        Swatch("coral", "#d9604f"),
        Swatch("red", "#b00020"),
        Swatch("cherry", "#8c0f26"),
        Swatch("berry", "#7b1e4a"),
        Swatch("mauve", "#97627a"),
        Swatch("brick", "#8f3b2c"),
        Swatch("plum", "#541f3b"),
        Swatch("pink", "#d6708f"),
    ),
    "eyes": (
        Swatch("dark brown", "#2f1b10"),
        Swatch("brown", "#5c3a1e"),
        Swatch("amber", "#9a6426"),
        Swatch("hazel", "#7a6a35"),
        Swatch("olive", "#5f6b3c"),
        Swatch("green", "#4c7a4f"),
        Swatch("grey", "#7c8891"),
        Swatch("blue grey", "#5d7f99"),
        Swatch("blue", "#2e6f9e"),
        Swatch("deep blue", "#234b82"),
    ),
    "skin": (
        Swatch("porcelain", "#f0d5c4"),
        Swatch("fair", "#e5bfa5"),
        Swatch("light", "#d9a98a"),
        Swatch("medium", "#c68f6d"),
        Swatch("olive", "#b08560"),
        Swatch("tan", "#a2714d"),
        Swatch("brown", "#7f5236"),
        Swatch("deep", "#593624"),
        Swatch("ebony", "#3a241a"),
        Swatch("blush", "#d98f86"),
    ),
}
"""Group -> its swatches, from common to rare."""

_GROUP_OF = {"hair": "hair", "brows": "hair", "lips": "lips", "eyes": "eyes"}


def group_for(region: str) -> str:
    """The group of swatches that fits a face region."""
    return _GROUP_OF.get(region, "skin")


def name_of(colour: str) -> str | None:
    """What a colour of the palette is called, for example ``auburn hair``."""
    for group, swatches in PALETTE.items():
        for swatch in swatches:
            if swatch.colour == colour:
                return f"{swatch.name} {group}"
    return None


def short_name_of(colour: str) -> str:
    """The same without its group, ``auburn``; nothing for another colour."""
    return next((s.name for swatches in PALETTE.values() for s in swatches if s.colour == colour), "")


def parse(text: str, group: str = "") -> str:
    """``#8b2500``, ``8b2500``, ``#abc``, or a name of the palette, with or without its group -> ``#rrggbb``.

    Of two colours of one name that of ``group`` is meant. A part of a name, from the beginning of a word on, does where
    only one colour of the group has it, or else of all groups. Raises UsageError for anything else.
    """
    name = " ".join(text.lower().split())
    groups = sorted(PALETTE, key=lambda known: known != group)
    for known in groups:
        for swatch in PALETTE[known]:
            if name in (swatch.name, f"{swatch.name} {known}"):
                return swatch.colour
    try:
        return format_colour(parse_colour(text))
    except UsageError:
        of_group = [known for known in groups if known == group]
        found = _partly(name, of_group) or _partly(name, groups) if name else []
    if not found:
        raise UsageError(f"{text!r} is no colour: write #RRGGBB, or a name such as auburn.")
    if len(found) > 1:
        names = [swatch.name for swatch in found]
        if len(set(names)) < len(names):
            names = [name_of(swatch.colour) or swatch.name for swatch in found]
        raise UsageError(f"{text!r} could be {', '.join(names[:-1])} or {names[-1]}.")
    return found[0].colour


def _partly(name: str, groups: list[str]) -> list[Swatch]:
    """The colours in whose names, with or without the group, a word begins with ``name``; more than the group does."""
    return [
        swatch
        for group in groups
        for swatch in PALETTE[group]
        if 0 <= f" {swatch.name} {group}".find(f" {name}") < len(swatch.name)
    ]


def to_hsv(colour: str) -> tuple[float, float, float]:
    """``#rrggbb`` -> hue 0..360, saturation 0..100, value 0..100."""
    r, g, b = (channel / 255 for channel in parse_colour(colour))
    h, s, v = colorsys.rgb_to_hsv(r, g, b)
    return 360 * h, 100 * s, 100 * v


def from_hsv(hue: float, saturation: float, value: float) -> str:
    """Hue 0..360, saturation 0..100, value 0..100 -> ``#rrggbb``."""
    r, g, b = colorsys.hsv_to_rgb(hue / 360 % 1, saturation / 100, value / 100)
    return format_colour((round(255 * r), round(255 * g), round(255 * b)))
