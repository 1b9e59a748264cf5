"""The legend of the regions: key, colour, name, and the colour that fills it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from npe_core.regions import REGIONS

_CELL = 14
"""Columns of an entry."""


class Legend(Widget, can_focus=True):
    """The 11 regions, in as many columns as fit. Up and down move, Enter or a click picks."""

    ALLOW_SELECT = False
    FOCUS_ON_CLICK = False
    DEFAULT_CSS = """
    Legend { height: auto; width: 1fr; min-width: 14; }
    Legend > .legend--entry { color: $text; }
    Legend > .legend--absent { color: $text-muted; }
    Legend > .legend--key { color: $text-muted; }
    Legend > .legend--cursor { text-style: underline; }
    Legend:focus > .legend--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"legend--{part}" for part in ("entry", "absent", "key", "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left", "step(-1)", "Previous", show=False),
        Binding("down,right", "step(1)", "Next", show=False),
        Binding("enter,space", "pick", "Fill", show=False),
    ]

    cursor: reactive[int] = reactive(7)
    """Id of the region that the cursor is on."""
    fills: reactive[dict[int, str]] = reactive(dict)
    """Region id -> the colour that fills it."""
    present: reactive[frozenset[int] | None] = reactive(None)
    """Ids of the regions that the photo has; None until they are known."""

    class Picked(Message):
        """A person picked a region."""

        def __init__(self, region: int) -> None:
            super().__init__()
            self.region = region

    def validate_cursor(self, cursor: int) -> int:
        return cursor % len(REGIONS)

    def know(self, ids: np.ndarray) -> None:
        """Takes in the region map (H, W)."""
        self.present = frozenset(np.flatnonzero(np.bincount(ids.ravel(), minlength=len(REGIONS))).tolist())

    def __init__(self, keys: Sequence[str], *, id: str | None = None) -> None:
        """``keys``: of each region, a character; a space where its key is none."""
        super().__init__(id=id)
        self._keys = keys

    @property
    def _columns(self) -> int:
        return max(self.size.width // _CELL, 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return -(-len(REGIONS) // max(width // _CELL, 1))

    def _at(self, x: int, y: int) -> int | None:
        rows = -(-len(REGIONS) // self._columns)
        number = min(x // _CELL, self._columns - 1) * rows + y
        return number if 0 <= y < rows and number < len(REGIONS) else None

    def render_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        for column in range(self._columns):
            number = self._at(column * _CELL, y)
            if number is not None:
                segments += self._entry(number)
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _entry(self, number: int) -> list[Segment]:
        region, style = REGIONS[number], self.get_component_rich_style
        known = self.present is None or number in self.present
        text = style("legend--entry" if known else "legend--absent")
        if number == self.cursor:
            text += style("legend--cursor")
        fill = self.fills.get(number)
        return [
            Segment(self._keys[number], style("legend--key")),
            Segment("▌", Style(color="rgb({},{},{})".format(*region.legend)) + Style(bgcolor=self.rich_style.bgcolor)),
            Segment(region.name, text),
            Segment(" " * (10 - len(region.name)), self.rich_style),
            Segment("  ", Style(bgcolor=fill) if fill else self.rich_style),
        ]

    def action_step(self, by: int) -> None:
        """Move the cursor."""
        self.cursor += by

    def action_pick(self) -> None:
        """Pick the region under the cursor."""
        self.post_message(self.Picked(self.cursor))

    def on_click(self, event: events.Click) -> None:
        number = self._at(event.x, event.y)
        if number is not None:
            self.cursor = number
            self.action_pick()
        event.stop()
