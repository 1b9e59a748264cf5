"""The line of keys at the bottom of a screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

_GAP = 1
"""Columns between two keys."""


@dataclass(frozen=True)
class OfferedKey:
    """A key as a person reads it, and what it does."""

    key: str
    display: str
    description: str
    action: str
    enabled: bool
    hint: str

    @property
    def wide(self) -> int:
        """Columns that it takes."""
        return cell_len(f"{self.display} {self.description}")


class KeyLine(Widget):
    """The keys that can be used now, to read or to press. The indispensable come first: where the line is narrow, the
    last ones are left out.

    Textual's ``Footer`` has a widget for each key, and makes and lays out all of them anew for each that changes.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; width: 1fr; color: $footer-foreground; background: $background; }
    KeyLine > .keys--key {
        color: $footer-key-foreground; background: $footer-key-background; text-style: bold;
    }
    KeyLine > .keys--description {
        color: $footer-description-foreground; background: $footer-description-background;
    }
    KeyLine > .keys--pointed { background: $block-hover-background; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"keys--{part}" for part in ("key", "description", "pointed")}

    offered: reactive[tuple[OfferedKey, ...]] = reactive(())
    """All keys that there are to tell of, the indispensable first."""
    pointed: reactive[OfferedKey | None] = reactive(None)
    """The one under the mouse."""

    def __init__(self, *first: str) -> None:
        """``first``: actions in the order in which they are shown, before all others."""
        super().__init__()
        self._first = first

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        """Told where it can be used: under a dialog it would change in what is dimmed.

        When the dialog goes the bindings are told of once more.
        """
        if screen is self.app.screen and self.app.app_focus:
            self._tell()

    def _tell(self) -> None:
        offered: dict[str, OfferedKey] = {}
        for _, binding, enabled, hint in self.screen.active_bindings.values():
            if binding.show and binding.action not in offered:
                display = self.app.get_key_display(binding)
                offered[binding.action] = OfferedKey(
                    binding.key, display, binding.description, binding.action, enabled, hint
                )
        ranks = {action: rank for rank, action in enumerate(self._first)}
        self.offered = tuple(sorted(offered.values(), key=lambda key: ranks.get(key.action, len(ranks))))

    @property
    def shown(self) -> list[tuple[int, OfferedKey]]:
        """First column, and key, of those for which there is room."""
        column, shown = 0, []
        for key in self.offered:
            if column + key.wide > self.size.width:
                break
            shown.append((column, key))
            column += key.wide + _GAP
        return shown

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render_line(self, y: int) -> Strip:
        key_style, description_style, pointed_style = (
            self.get_component_rich_style(f"keys--{part}") for part in ("key", "description", "pointed")
        )
        segments = []
        for _, key in self.shown:
            style = Style(dim=not key.enabled or None)
            if key == self.pointed:
                style += Style(bgcolor=pointed_style.bgcolor)
            segments.append(Segment(key.display, key_style + style))
            segments.append(Segment(f" {key.description}", description_style + style))
            segments.append(Segment(" " * _GAP, self.rich_style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    # --- pressing -----------------------------------------------------------------------------------------------

    def _at(self, x: int) -> OfferedKey | None:
        return next((key for column, key in self.shown if column <= x < column + key.wide), None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if (key := self._at(event.x)) is not None:
            if key.enabled:
                self.app.simulate_key(key.key)
            else:
                self.app.bell()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.pointed = self._at(event.x)
        self.tooltip = (self.pointed.hint or None) if self.pointed is not None else None

    def on_leave(self) -> None:
        self.pointed = None
