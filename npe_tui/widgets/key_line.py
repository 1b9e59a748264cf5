"""The line of keys at the bottom of the editor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer

_FIRST = ("enhance", "save", "help", "leave")
"""Actions that are shown at any width; the others as far as there is room."""


class KeyLine(Footer):
    """A footer whose indispensable keys come first: where it is narrow, the last ones are cut off."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    def compose(self) -> ComposeResult:
        ranks = {action: rank for rank, action in enumerate(_FIRST)}
        yield from sorted(super().compose(), key=lambda key: ranks.get(getattr(key, "action", ""), len(ranks)))
