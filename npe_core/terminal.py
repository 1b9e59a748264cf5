"""What the environment tells of the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

_OF_TRUE_COLOUR = re.compile(
    r"(.+-direct\d*|(xterm-)?(kitty|ghostty)|(alacritty|contour|foot|wezterm)(-(direct|extra|latest))?)"
)
"""Names of terminals, as in TERM, that show 24 bits. Over SSH there is no more than the name: COLORTERM is passed on
only where somebody has set that up."""
_OF_MANY = re.compile(r"(xterm|screen|tmux|rxvt|putty|konsole|gnome|vte|mlterm|st)([-.].+)?")
"""Names under which nearly every terminal of today goes: those with 256 colours too, and those with 24 bits."""
_OF_256 = ("Apple_Terminal",)
"""By TERM_PROGRAM: has more only where it says so."""


def has_true_colour(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show 24 bits, by what it says or by its name."""
    said = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    return said or _OF_TRUE_COLOUR.fullmatch(environment.get("TERM", "").strip().lower()) is not None


def may_have_true_colour(environment: Mapping[str, str]) -> bool:
    """Whether the terminal may show 24 bits without a word of it, as over SSH: its name says too little."""
    if environment.get("COLORTERM") or environment.get("TERM_PROGRAM") in _OF_256 or has_true_colour(environment):
        return False
    return _OF_MANY.fullmatch(environment.get("TERM", "").strip().lower()) is not None
