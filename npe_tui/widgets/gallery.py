"""The gallery: files as tiles with thumbnails, or as plain lines where there is little room."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.cells import set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from npe_tui.aside import aside
from npe_tui.files.thumbnails import Entry, thumbnail
from npe_tui.picture.cells import CellStrip
from npe_tui.picture.depth import choose_depth
from npe_tui.picture.quantise import plain, quantise

_GAP = 2


class Gallery(ScrollView, can_focus=True):
    """Arrows move, Enter or a click on the chosen tile opens."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Gallery { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    Gallery > .gallery--name { color: $text-muted; }
    Gallery > .gallery--folder { color: $secondary; }
    Gallery > .gallery--chosen { background: $boost; color: $text; }
    Gallery:focus > .gallery--chosen {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"gallery--{part}" for part in ("name", "folder", "chosen")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1,0)", "Left", show=False),
        Binding("right", "move(1,0)", "Right", show=False),
        Binding("up", "move(0,-1)", "Up", show=False),
        Binding("down", "move(0,1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("enter,space", "choose", "Open", show=True),
    ]

    chosen: reactive[int] = reactive(0, init=False)

    class Highlighted(Message):
        """Another entry is chosen now."""

        def __init__(self, entry: Entry, size: tuple[int, int] | None) -> None:
            super().__init__()
            self.entry, self.size = entry, size

    class Opened(Message):
        """A person wants this one."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, depth: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._asked_depth = depth
        self._entries: Sequence[Entry] = ()
        self._thumbnails: dict[tuple[Path, int], tuple[np.ndarray, tuple[int, int]] | None] = {}
        self._loading = False

    def show_entries(self, entries: Sequence[Entry], chosen: int = 0) -> None:
        """Other files."""
        self._entries = entries
        self.set_reactive(Gallery.chosen, min(chosen, max(len(entries) - 1, 0)))
        self.scroll_to(0, 0, animate=False)
        self._arrange()
        self.watch_chosen()

    @property
    def entry(self) -> Entry | None:
        """The chosen one."""
        return self._entries[self.chosen] if self._entries else None

    # --- geometry -----------------------------------------------------------------------------------------------

    @property
    def _tile(self) -> tuple[int, int]:
        """Columns and rows of a picture; (0, 0) for plain lines."""
        width, height = self.size
        if width < 40 or height < 12:
            return 0, 0
        wide = 28 if height >= 30 and width >= 90 else 22
        return wide, wide // 2

    @property
    def _step(self) -> tuple[int, int]:
        """From tile to tile."""
        wide, high = self._tile
        return (wide + _GAP, high + 2) if wide else (self.size.width, 1)

    @property
    def _across(self) -> int:
        return max((self.size.width - 1) // self._step[0], 1) if self._tile[0] else 1

    def _arrange(self) -> None:
        rows = -(-len(self._entries) // self._across)
        self.virtual_size = Size(self.size.width, rows * self._step[1])
        self.refresh()
        self._load()

    def on_resize(self) -> None:
        self._arrange()
        self._keep_in_sight()

    def validate_chosen(self, chosen: int) -> int:
        return min(max(chosen, 0), max(len(self._entries) - 1, 0))

    def watch_chosen(self) -> None:
        self._keep_in_sight()
        self.refresh()
        if self.entry is not None:
            known = self._thumbnails.get((self.entry.path, self._tile[0]))
            self.post_message(self.Highlighted(self.entry, None if known is None else known[1]))

    def _keep_in_sight(self) -> None:
        wide, high = self._step
        row, column = divmod(self.chosen, self._across)
        self.scroll_to_region(Region(column * wide, row * high, wide, high), animate=False)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        self._load()

    # --- thumbnails ---------------------------------------------------------------------------------------------

    def _visible(self) -> list[Entry]:
        high = self._step[1]
        first = int(self.scroll_offset.y) // high * self._across
        last = (int(self.scroll_offset.y) + self.size.height) // high * self._across + self._across
        return list(self._entries[first:last])

    def _missing(self) -> Path | None:
        """The next photo in sight without a thumbnail."""
        wanted = (entry.path for entry in self._visible() if not entry.folder)
        return next((path for path in wanted if (path, self._tile[0]) not in self._thumbnails), None)

    def _load(self) -> None:
        if not self._loading and self._tile[0]:
            self._loading = True
            self.run_worker(self._load_visible(), group="thumbnails")

    async def _load_visible(self) -> None:
        """One after the other, what is in sight first, until nothing in sight is missing."""
        try:
            while (path := self._missing()) is not None:
                wide, high = self._tile
                self._thumbnails[path, wide] = await aside(partial(thumbnail, path, wide, 2 * high))
                self._draw_again(path)
                if self.entry is not None and self.entry.path == path:
                    self.watch_chosen()
        finally:
            self._loading = False

    def _draw_again(self, path: Path) -> None:
        """The row of its tile: drawing all of them after each would keep the app from the keys."""
        number = next((i for i, entry in enumerate(self._entries) if entry.path == path), None)
        if number is not None:
            high = self._step[1]
            self.refresh_lines(number // self._across * high, high)

    # --- drawing ------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        high = self._step[1]
        row, line = divmod(y + int(self.scroll_offset.y), high)
        blank = Segment(" " * _GAP, self.rich_style)
        strips: list[Strip] = []
        for number in range(row * self._across, min((row + 1) * self._across, len(self._entries))):
            entry = self._entries[number]
            if self._tile[0] and line < self._tile[1]:
                strips.append(self._picture_line(entry, line))
            elif line == self._tile[1]:
                strips.append(self._caption(entry, number == self.chosen))
            else:
                strips.append(Strip([Segment(" " * self._tile[0], self.rich_style)], self._tile[0]))
            if self._tile[0]:
                strips.append(Strip([blank], _GAP))
        return Strip.join(strips).adjust_cell_length(self.size.width, self.rich_style)

    def _caption(self, entry: Entry, chosen: bool) -> Strip:
        width = self._tile[0] or self.size.width
        part = "chosen" if chosen else "folder" if entry.folder else "name"
        text = set_cell_size(f" {entry.title}", width)
        return Strip([Segment(text, self.get_component_rich_style(f"gallery--{part}"))], width)

    def _picture_line(self, entry: Entry, line: int) -> Strip:
        wide, high = self._tile
        known = self._thumbnails.get((entry.path, wide))
        if known is None:
            mark = "▸ folder" if entry.folder else "no preview" if (entry.path, wide) in self._thumbnails else "…"
            text = mark if line == high // 2 else ""
            part = "folder" if entry.folder else "name"
            return Strip([Segment(text.center(wide), self.get_component_rich_style(f"gallery--{part}"))], wide)
        image = known[0]
        top, left = (2 * high - image.shape[0]) // 2 & ~1, (wide - image.shape[1]) // 2
        depth = choose_depth(
            self._asked_depth,
            colour_system=self.app.console.color_system,
            no_colour=self.app.no_color,
            environment=os.environ,
        )
        codes = np.full((2, wide), plain(self.background_colors[1].rgb, depth), np.uint32)
        for half in range(2):
            at = 2 * line + half - top
            if 0 <= at < image.shape[0]:
                row = image[at : at + 1].astype(np.float32)
                codes[half, left : left + image.shape[1]] = quantise(row, depth, (left, 2 * line + half))[0]
        return CellStrip(codes[0], codes[1], depth)

    # --- choosing -----------------------------------------------------------------------------------------------

    def action_move(self, across: int, down: int) -> None:
        """To a neighbour."""
        wanted = self.chosen + across + down * self._across
        if 0 <= wanted < len(self._entries) or across:
            self.chosen = wanted

    def action_page(self, pages: int) -> None:
        """A screenful on."""
        self.chosen += pages * max(self.size.height // self._step[1], 1) * self._across

    def action_first(self) -> None:
        """To the first."""
        self.chosen = 0

    def action_last(self) -> None:
        """To the last."""
        self.chosen = len(self._entries) - 1

    def action_choose(self) -> None:
        """Open the chosen one."""
        if self.entry is not None:
            self.post_message(self.Opened(self.entry))

    def on_click(self, event: events.Click) -> None:
        wide, high = self._step
        row, column = (event.y + int(self.scroll_offset.y)) // high, event.x // wide
        number = row * self._across + column
        if column < self._across and number < len(self._entries):
            again = number == self.chosen
            self.chosen = number
            if again or event.chain > 1:
                self.action_choose()
        event.stop()
