"""A row of words to press: one of them may be the chosen one. Wraps where there is no room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from npe_tui.widgets.contrast import on_colour


@dataclass(frozen=True)
class Chip:
    """One of the words."""

    name: str
    label: str
    colour: str | None = None
    """``#rrggbb``: drawn on this colour, a swatch."""
    help: str = ""


class Chips(Widget, can_focus=True):
    """Words in a row. Left and right move, Enter or Space or a click presses.

    The chosen one is underlined; the cursor has the strong fill, and only while the row has the focus.
    """

    ALLOW_SELECT = False
    FOCUS_ON_CLICK = False
    DEFAULT_CSS = """
    Chips { height: auto; width: 1fr; }
    Chips > .chips--chip { color: $text-muted; }
    Chips > .chips--chosen { background: $boost; color: $primary; text-style: bold underline; }
    Chips > .chips--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chips--{part}" for part in ("chip", "chosen", "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous", show=False),
        Binding("right", "step(1)", "Next", show=False),
        Binding("enter,space", "press", "Press", show=False),
    ]

    chosen: reactive[str | None] = reactive(None)
    cursor: reactive[int] = reactive(0)

    class Pressed(Message):
        """A person pressed one of the words."""

        def __init__(self, chips: Chips, name: str) -> None:
            super().__init__()
            self.chips, self.name = chips, name

        @property
        def control(self) -> Chips:
            return self.chips

    def __init__(self, chips: tuple[Chip, ...], chosen: str | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chips = chips
        self.set_reactive(Chips.chosen, chosen)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The words; may be replaced."""
        return self._chips

    @chips.setter
    def chips(self, chips: tuple[Chip, ...]) -> None:
        self._chips = chips
        self.cursor = min(self.cursor, max(len(chips) - 1, 0))
        self.refresh(layout=True)

    def validate_cursor(self, cursor: int) -> int:
        return cursor % max(len(self._chips), 1)

    # --- drawing ------------------------------------------------------------------------------------------------

    def _rows(self, width: int) -> list[list[tuple[int, int]]]:
        """Rows of (chip, first column). Words share the cell between them where that saves a row."""
        loose = self._wrapped(width, 0)
        if len(loose) == 1 or any(chip.colour is not None for chip in self._chips):
            return loose
        close = self._wrapped(width, 1)
        return close if len(close) < len(loose) else loose

    def _wrapped(self, width: int, shared: int) -> list[list[tuple[int, int]]]:
        """The same; two neighbours have ``shared`` cells in common."""
        rows: list[list[tuple[int, int]]] = [[]]
        column = 0
        for number, chip in enumerate(self._chips):
            wide = cell_len(_words(chip))
            if column and column + wide > width:
                rows.append([])
                column = 0
            rows[-1].append((number, column))
            column += wide - shared
        return rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        rows = self._rows(self.size.width)
        segments: list[Segment] = []
        end = 0
        for number, first in rows[y] if y < len(rows) else []:
            chip = self._chips[number]
            chosen, cursor = chip.name == self.chosen, number == self.cursor and self.has_focus
            part = "cursor" if cursor else "chosen" if chosen else "chip"
            style = self.get_component_rich_style(f"chips--{part}")
            if chip.colour is not None:
                style = on_colour(chip.colour) + Style(bold=chosen or cursor)
            words = _words(chip, chosen, cursor)
            shared, end = end - first, first + cell_len(words)
            if shared > 0 and cursor:  # its bracket stands there
                segments[-1] = Segment(segments[-1].text[:-shared], segments[-1].style)
            elif shared > 0:
                words = words[shared:]
            segments.append(Segment(words, style + Style(underline=chosen)))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    # --- pressing -----------------------------------------------------------------------------------------------

    def action_step(self, by: int) -> None:
        """Move the cursor along the row."""
        self.cursor += by

    def action_press(self) -> None:
        """Press the word under the cursor."""
        if self._chips:
            self.post_message(self.Pressed(self, self._chips[self.cursor].name))

    def _at(self, x: int, y: int) -> int | None:
        rows = self._rows(self.size.width)
        for number, first in rows[y] if 0 <= y < len(rows) else []:
            if first <= x < first + cell_len(_words(self._chips[number])):
                return number
        return None

    def on_click(self, event: events.Click) -> None:
        number = self._at(event.x, event.y)
        if number is not None:
            self.cursor = number
            self.action_press()
        event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        number = self._at(event.x, event.y)
        self.tooltip = self._chips[number].help or None if number is not None else None


def _words(chip: Chip, chosen: bool = False, cursor: bool = False) -> str:
    """Brackets under the cursor, which are seen where there are no colours, too."""
    left, right = "[]" if cursor else "▐▌" if chosen and chip.colour is not None else "  "
    return f"{left}{'' if chip.colour is not None else chip.label}{right}"
