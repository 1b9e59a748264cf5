"""What all dialogs share: the dimmed picture that they lie over."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, cast

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Static

from npe_tui.screens.focus import QuietFocus

if TYPE_CHECKING:
    from npe_tui.app import NpeApp


class Unnoted:
    """What a screen is besides a ``Screen`` if no note may lie on what it asks: they are told when it is gone."""

    app: App[None]

    def on_mount(self) -> None:
        self._npe.hold_notes()

    def on_unmount(self) -> None:
        self._npe.tell_held_notes()

    @property
    def _npe(self) -> NpeApp:
        return cast("NpeApp", self.app)


class Dialog(Unnoted, QuietFocus, ModalScreen[ScreenResultType], Generic[ScreenResultType]):
    """A screen over the picture, which Textual paints three times before all of the dialog is there."""

    def action_copy_text(self) -> None:
        """Ctrl+C where nothing is selected: how to quit. In the dialog itself, for notes wait until it is gone."""
        if self.get_selected_text() is not None:
            super().action_copy_text()
        elif not self.query("#how-to-quit"):
            told = f"Esc leaves this; {self._npe.key_to('quit')} quits then."
            self.query_one(".dialog").mount(Static(told, id="how-to-quit", classes="hint", markup=False))

    def watch_focused(self) -> None:
        """Where no button has the focus, Enter is for the first answer."""
        self.query(".dialog-buttons").set_class(isinstance(self.focused, Button), "-focused")

    def render(self) -> RenderableType:
        below = super().render()
        return _Dimmed(below.screen, below.color) if isinstance(below, BackgroundScreen) else below


class _Dimmed(BackgroundScreen):
    """Textual's, but that it dims a colour once, not in every painting of every cell."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        for segment in segments:
            text, style, control = segment
            yield segment if control else Segment(text, _dimmed(style or Style.null(), color))


@lru_cache(1 << 14)
def _dimmed(style: Style, color: Color) -> Style:
    (segment,) = BackgroundScreen.process_segments([Segment("", style)], color)
    return segment.style or Style.null()
