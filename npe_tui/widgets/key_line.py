"""The line of keys at the bottom of a screen."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_GAP = 1
"""Columns between two keys."""


class KeyLine(Footer):
    """A footer whose indispensable keys come first: where it is narrow, the last ones are left out."""

    def __init__(self, *first: str) -> None:
        """``first``: actions that are shown at any width; the others as far as there is room."""
        super().__init__(compact=True, show_command_palette=False)
        self._first = first
        self._offered: tuple[int, list[tuple[Binding, bool, str]]] | None = None
        """The width, and the keys that were offered last, whether they can be used, and their hints."""

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Made anew where it can be used: under a dialog it would have all of the dimmed picture painted again.

        When the dialog goes the bindings are told of once more.
        """
        if screen is self.app.screen:
            super().bindings_changed(screen)

    async def recompose(self) -> None:
        """Only where other keys are offered, or there is other room: most moves of the focus change neither."""
        active = self.screen.active_bindings.values()
        offered = (
            self.app.size.width,
            [(binding, enabled, hint) for _, binding, enabled, hint in active if binding.show],
        )
        if offered != self._offered:
            self._offered = offered
            await super().recompose()

    def compose(self) -> ComposeResult:
        ranks = {action: rank for rank, action in enumerate(self._first)}
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        room = self.app.size.width + _GAP
        for key in sorted(keys, key=lambda key: ranks.get(key.action, len(ranks))):
            room -= cell_len(f"{key.key_display} {key.description}") + _GAP
            if room < 0:
                break
            yield key

    def on_resize(self) -> None:
        if self._offered is not None:  # else it is made as soon as the keys are known
            self.call_next(self.recompose)
