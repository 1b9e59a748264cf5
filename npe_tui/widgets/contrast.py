"""What can be read on any colour."""

from __future__ import annotations

from rich.style import Style

from npe_core.colour import LUMA, parse_colour


def on_colour(colour: str) -> Style:
    """White on a dark ``#rrggbb``, black on a light one."""
    return Style(bgcolor=colour, color="white" if parse_colour(colour) @ LUMA < 128 else "black")
