"""Themes of our own: quiet greys, so that the only colours on the screen are the photo's and one accent."""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme


def _focus(fill: str, text: str, style: str = "bold") -> dict[str, str]:
    """The variables of what has the focus: Textual's own for lists, and ours for everything else."""
    return {"block-cursor-background": fill, "block-cursor-foreground": text, "block-cursor-text-style": style}


DARK = Theme(
    name="npe-dark",
    primary="#e0a458",
    secondary="#8fb3c9",
    accent="#e0a458",
    foreground="#d8d6d2",
    background="#161617",
    surface="#1d1d1f",
    panel="#262629",
    success="#7fb069",
    warning="#ea8560",
    error="#e5706b",
    dark=True,
    variables={
        "boost": "#303034",  # here: Textual leaves out that of a theme with a panel
        "footer-key-foreground": "#e0a458",
        "input-selection-background": "#e0a458 35%",
        **_focus("#e0a458", "#161617"),
    },
)
LIGHT = Theme(
    name="npe-light",
    primary="#7f4a0c",
    secondary="#35647f",
    accent="#7f4a0c",
    foreground="#2a2926",
    background="#f3f1ec",
    surface="#eae7e0",
    panel="#dfdbd2",
    success="#40762c",
    warning="#983512",
    error="#a92a26",
    dark=False,
    variables={
        "boost": "#d3cec3",
        "footer-key-foreground": "#7f4a0c",
        "input-selection-background": "#7f4a0c 30%",
        **_focus("#7f4a0c", "#f3f1ec"),
    },
)


def _ansi(name: str, primary: str) -> Theme:
    """Textual's theme of that name with another accent, and a focus in it that is seen without colours, too."""
    theme = BUILTIN_THEMES[name]
    variables = theme.variables | _focus("ansi_default", primary, "bold reverse")
    return replace(theme, primary=primary, variables=variables)


ANSI_DARK = _ansi("ansi-dark", "ansi_bright_blue")
"""Textual's plain blue can hardly be read on black."""
ANSI_LIGHT = _ansi("ansi-light", "ansi_blue")
THEMES = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
NAMES = (DARK.name, LIGHT.name, *BUILTIN_THEMES)
"""Of all themes that there are: our own and Textual's."""

_ROUND = (DARK.name, LIGHT.name, "ansi-dark", "ansi-light")


def own_colours(theme: str) -> str:
    """What is to be said of a theme that has the terminal's own colours, which can be light or dark; else nothing."""
    ground = {ANSI_DARK.name: "dark", ANSI_LIGHT.name: "light"}.get(theme)
    return f": the colours of a {ground} terminal" if ground else ""


def next_theme(theme: str) -> str:
    """The one after it: dark, light, and those that use the terminal's own colours."""
    return _ROUND[(_ROUND.index(theme) + 1) % len(_ROUND)] if theme in _ROUND else _ROUND[0]
