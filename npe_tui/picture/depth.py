"""How many colours the picture is shown in, and how that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from npe_core.errors import UsageError


class Depth(StrEnum):
    """The colours of a terminal."""

    TRUE = "true"
    """24 bits."""
    FIVE = "5bit"
    """True colour in 32 steps a channel: nearly as good, and a third fewer bytes on a slow link."""
    XTERM = "256"
    """The fixed part of the xterm palette: a cube of 6 x 6 x 6 and 24 greys."""
    ANSI = "16"
    GREY = "grey"
    """Black, white and the 24 greys of the xterm palette."""
    MONO = "mono"
    """No colour at all: lit dots in the terminal's own foreground."""


def choose_depth(
    asked: str = "auto",
    *,
    colour_system: str | None = "truecolor",
    no_colour: bool = False,
    environment: Mapping[str, str],
) -> Depth:
    """The depth that was asked for, by its name; for ``auto`` what the terminal can do.

    ``colour_system`` is what Rich and Textual found ("truecolor", "256", "standard"; None for none at all),
    ``no_colour`` whether NO_COLOR is set: then the picture is grey, as Textual makes everything else. Over SSH true
    colour is sent in 5 bits a channel. Raises UsageError for a name that is none.
    """
    if asked != "auto":
        try:
            return Depth(asked)
        except ValueError:
            names = ", ".join(("auto", *Depth))
            raise UsageError(f"There is no colour depth {asked!r}: the depths are {names}.") from None
    if colour_system is None or (not environment.get("COLORTERM") and _is_monochrome(environment.get("TERM", ""))):
        return Depth.MONO
    if no_colour:
        return Depth.GREY if colour_system in ("truecolor", "256") else Depth.MONO
    if colour_system == "truecolor":
        return Depth.FIVE if {"SSH_CONNECTION", "SSH_TTY"} & environment.keys() else Depth.TRUE
    return Depth.XTERM if colour_system == "256" else Depth.ANSI


def _is_monochrome(term: str) -> bool:
    """Whether the terminal's name is one of those without colours: the DEC terminals and the ``-m`` variants."""
    return term in ("dumb", "unknown") or term.endswith(("-m", "-mono")) or term.startswith(("vt1", "vt2", "vt3"))
