"""The line of keys at the bottom of a screen."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer


class KeyLine(Footer):
    """A footer whose indispensable keys come first: where it is narrow, the last ones are cut off."""

    def __init__(self, *first: str) -> None:
        """``first``: actions that are shown at any width; the others as far as there is room."""
        super().__init__(compact=True, show_command_palette=False)
        self._first = first
        self._offered: list[tuple[Binding, bool, str]] | None = None
        """The keys that were shown last, whether they can be used, and their hints."""

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Made anew where it can be used: under a dialog it would have all of the dimmed picture painted again.

        When the dialog goes the bindings are told of once more.
        """
        if screen is self.app.screen:
            super().bindings_changed(screen)

    async def recompose(self) -> None:
        """Only where other keys are offered than before: most moves of the focus change none."""
        active = self.screen.active_bindings.values()
        offered = [(binding, enabled, hint) for _, binding, enabled, hint in active if binding.show]
        if offered != self._offered:
            self._offered = offered
            await super().recompose()

    def compose(self) -> ComposeResult:
        ranks = {action: rank for rank, action in enumerate(self._first)}
        yield from sorted(super().compose(), key=lambda key: ranks.get(getattr(key, "action", ""), len(ranks)))
