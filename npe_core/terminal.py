"""What the environment tells of the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

_OF_TRUE_COLOUR = re.compile(
    r"(.+-direct\d*|(xterm-)?(kitty|ghostty)|(alacritty|contour|foot|wezterm)(-(direct|extra|latest))?)"
)
"""Names of terminals, as in TERM, that show 24 bits. Over SSH there is no more than the name: COLORTERM is passed on
only where somebody has set that up."""


def has_true_colour(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show 24 bits, by what it says or by its name."""
    said = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    return said or _OF_TRUE_COLOUR.fullmatch(environment.get("TERM", "").strip().lower()) is not None
