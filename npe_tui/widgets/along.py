"""Words along an edge of a picture, each beside what it names."""

from __future__ import annotations

from math import floor
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from npe_tui.picture import Viewport


class Along(Widget):
    """Follows the picture where it is zoomed and panned; a click on a word presses it. One may be the chosen one."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Along { color: $text-muted; }
    Along > .along--chosen {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"along--chosen"}

    viewport: reactive[Viewport | None] = reactive(None)
    """That of the picture."""
    chosen: reactive[int | None] = reactive(None)

    class Pressed(Message):
        """A person pressed a word, the ``number``-th."""

        def __init__(self, along: Along, number: int) -> None:
            super().__init__()
            self.along, self.number = along, number

        @property
        def control(self) -> Along:
            return self.along

    def __init__(self, words: tuple[str, ...], places: tuple[float, ...], down: bool, *, id: str | None = None) -> None:
        """``places``: photo coordinates of the middles. ``down``: along the left edge, else along the upper one."""
        super().__init__(id=id)
        self._words, self._places, self._down = words, places, down

    def _in_line(self, y: int) -> list[tuple[int, int]]:
        """(word, first column) of those in a line of which all is seen; the first of two that would overlap."""
        if self.viewport is None:
            return []
        width, end, found = self.size.width, 0, []
        for number, (word, place) in enumerate(zip(self._words, self._places, strict=True)):
            column, row = self.viewport.photo_to_cell(place, place)
            first = 0 if self._down else round(column - cell_len(word) / 2)
            if (not self._down or floor(row) == y) and end <= first <= width - cell_len(word):
                found.append((number, first))
                end = first + cell_len(word) + 1
        return found

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        segments, column = [], 0
        for number, first in self._in_line(y):
            part = style + self.get_component_rich_style("along--chosen") if number == self.chosen else style
            segments += [Segment(" " * (first - column), style), Segment(self._words[number], part)]
            column = first + cell_len(self._words[number])
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def on_click(self, event: events.Click) -> None:
        for number, first in self._in_line(event.y):
            if first <= event.x < first + cell_len(self._words[number]):
                self.post_message(self.Pressed(self, number))
