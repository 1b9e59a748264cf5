"""What is seen beside and around the picture: the panels, the status line, and what has the focus."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Button, Input, Label

from npe_tui.hand.easel import Easel
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.run import RunPanel
from npe_tui.panels.side import Side
from npe_tui.panels.status import StatusLine
from npe_tui.panels.strength import StrengthPanel


class Window:
    """The editor's screen, as its other parts know it: a picture, panels, a status line.

    All of it raises NoMatches while the screen is being taken down, the panels before they are there, too.
    """

    def __init__(self, screen: Screen[None], easel: Easel) -> None:
        self._screen, self._easel = screen, easel

    @property
    def is_there(self) -> bool:
        """Whether the photo was not left meanwhile."""
        return self._screen.is_attached

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs a coroutine beside the event loop, as long as the screen is there."""
        self._screen.run_worker(self._while_here(work))

    async def _while_here(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except NoMatches:
            if self._screen.app.is_running and self.is_there:  # else all is being taken down, and nobody looks any more
                raise

    # --- what there is on it ------------------------------------------------------------------------------------

    async def furnish(self, side: Side) -> None:
        """The panels come."""
        await self._screen.query_one("#side").mount(side)

    @property
    def status(self) -> StatusLine:
        return self._screen.query_one(StatusLine)

    @property
    def regions(self) -> RegionsPanel:
        return self._screen.query_one(RegionsPanel)

    @property
    def colour(self) -> ColourPanel:
        return self._screen.query_one(ColourPanel)

    @property
    def brush(self) -> BrushPanel:
        return self._screen.query_one(BrushPanel)

    @property
    def strength(self) -> StrengthPanel:
        return self._screen.query_one(StrengthPanel)

    @property
    def run(self) -> RunPanel:
        return self._screen.query_one(RunPanel)

    @property
    def shows_panels(self) -> bool:
        """Whether the panels are seen, so that the status line need not repeat them."""
        return self._screen.query_one("#side").display

    def entitle(self, title: str | Content) -> None:
        """One line above the photo."""
        self._screen.query_one("#title", Label).update(title, layout=False)  # one line, whatever it tells

    def refresh_keys(self) -> None:
        """Other commands than before can be given now."""
        self._screen.refresh_bindings()

    async def uncovered(self) -> None:
        """Waits until no question lies over the photo: keys that are meant for it would go to another one."""
        while self._screen.app.screen is not self._screen:
            await asyncio.sleep(0.05)

    # --- the panels in a small window, and the focus ------------------------------------------------------------

    def go_to_panel(self, name: str) -> None:
        """To its first control; what is in a field may be typed over."""
        self._screen.query_one(Side).choose(name)
        self._cover_picture(True)
        panel = self._screen.query_one(f"#{name}")
        first = next((widget for widget in panel.query("*") if widget.focusable), None)
        if first is not None:
            self._screen.set_focus(first)  # now: focus() would do it after the keys that are on their way already
        if isinstance(first, Input):
            first.action_select_all()

    def go_to_picture(self) -> None:
        """Close a panel that covers it, and give it the keys."""
        self._cover_picture(False)
        self._screen.set_focus(self._easel.view)  # now, as above

    def _cover_picture(self, is_open: bool) -> None:
        """In a small window: the panels in place of the picture, or back."""
        if self._screen.has_class("-panel-open") != is_open:
            self._screen.set_class(is_open, "-panel-open", update=False)
            # all else looks the same, and is much
            self._screen.app.stylesheet.update_nodes(self._screen.query("#side, #easel"))

    def leave_buttons(self) -> None:
        """The button that was pressed gives way to others: Enter must not press those."""
        if isinstance(self._screen.focused, Button):
            self.go_to_picture()

    def keep_focus_in_sight(self) -> None:
        """A panel may have gone in which a control had it: digits would be typed into that, and nobody saw it."""
        focused = self._screen.focused
        if focused is None or not all(node.display for node in focused.ancestors_with_self):
            self.go_to_picture()
