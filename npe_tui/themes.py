"""Themes of our own: quiet greys, so that the only colours on the screen are the photo's and one accent."""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="npe-dark",
    primary="#e0a458",
    secondary="#8fb3c9",
    accent="#e0a458",
    foreground="#d8d6d2",
    background="#161617",
    surface="#1d1d1f",
    panel="#262629",
    boost="#303034",
    success="#7fb069",
    warning="#e4784f",
    error="#d9534f",
    dark=True,
    variables={"footer-key-foreground": "#e0a458", "input-selection-background": "#e0a458 35%"},
)
LIGHT = Theme(
    name="npe-light",
    primary="#9a5b12",
    secondary="#35647f",
    accent="#9a5b12",
    foreground="#2a2926",
    background="#f3f1ec",
    surface="#eae7e0",
    panel="#dfdbd2",
    boost="#d3cec3",
    success="#40762c",
    warning="#b4451c",
    error="#a92a26",
    dark=False,
    variables={"footer-key-foreground": "#9a5b12", "input-selection-background": "#9a5b12 30%"},
)
ANSI_DARK = replace(BUILTIN_THEMES["ansi-dark"], primary="ansi_bright_blue")
"""Textual's own, whose plain blue can hardly be read on black."""
THEMES = (DARK, LIGHT, ANSI_DARK)
NAMES = (DARK.name, LIGHT.name, *BUILTIN_THEMES)
"""Of all themes that there are: our own and Textual's."""

_ROUND = (DARK.name, LIGHT.name, "ansi-dark", "ansi-light")


def next_theme(theme: str) -> str:
    """The one after it: dark, light, and those that use the terminal's own colours."""
    return _ROUND[(_ROUND.index(theme) + 1) % len(_ROUND)] if theme in _ROUND else _ROUND[0]
