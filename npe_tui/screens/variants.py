"""Four variants of an edit, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Label

from npe_core.canvas.boxes import Box, box_of, cut, pad
from npe_tui.document import EditDocument
from npe_tui.picture import PictureView

if TYPE_CHECKING:
    from npe_core.editor import EditResult


class Tile(Vertical):
    """One variant, around what was marked."""

    def __init__(self, number: int, image: np.ndarray, before: np.ndarray, title: str, depth: str) -> None:
        super().__init__(classes="tile")
        self.number, self._image, self._before = number, image, before
        self._title, self._depth = title, depth

    def compose(self) -> ComposeResult:
        yield PictureView(depth=self._depth)
        yield Label(self._title, classes="tile-title")

    def on_mount(self) -> None:
        self.query_one(PictureView).show(self._image)

    def compare(self, before: bool) -> None:
        """Show the photo as it was, and back."""
        self.query_one(PictureView).compare(self._before if before else None)


class VariantsScreen(Screen[int | None]):
    """Answers with the number of the variant, from 0; None to keep what was there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"take({n - 1})", f"Take {n}", show=False) for n in range(1, 10)),
        Binding("enter", "take_focused", "Take this one"),
        Binding("left", "app.focus_previous", "Previous", show=False, priority=True),
        Binding("right", "app.focus_next", "Next", show=False, priority=True),
        Binding("c", "compare", "Before/after"),
        Binding("escape", "dismiss(None)", "None of them"),
    ]

    def __init__(self, document: EditDocument, results: list[EditResult], depth: str) -> None:
        super().__init__()
        self._document, self._results, self._depth = document, results, depth
        self._before = False

    def compose(self) -> ComposeResult:
        yield Label(" Which one?  [dim]1 to 4, or Enter[/]", id="title")
        where = cut(around(self._document.canvas.mask))
        with Grid(id="tiles"):
            for number, result in enumerate(self._results):
                title = f" {number + 1}  seed {result.parameters['seed']}"
                before = self._document.photo.image[where]
                yield Tile(number, result.image[where], before, title, self._depth)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query(PictureView).first().focus()

    def action_take(self, number: int) -> None:
        if number < len(self._results):
            self.dismiss(number)

    def action_take_focused(self) -> None:
        for tile in self.query(Tile):
            if tile.query_one(PictureView).has_focus:
                self.dismiss(tile.number)
                return

    def action_compare(self) -> None:
        self._before = not self._before
        for tile in self.query(Tile):
            tile.compare(self._before)

    @on(events.DescendantFocus)
    def _mark(self) -> None:
        for tile in self.query(Tile):
            tile.set_class(tile.query_one(PictureView).has_focus, "-chosen")

    @on(PictureView.PointerUp)
    def _clicked(self, event: PictureView.PointerUp) -> None:
        tile = event.view.parent
        if isinstance(tile, Tile):
            self.dismiss(tile.number)


def around(mask: np.ndarray, margin: float = 0.35) -> Box:
    """The box around what is marked, with ``margin`` of its longer side on each side."""
    height, width = mask.shape
    box = box_of(mask) or (0, 0, width, height)
    longer = max(box[2] - box[0], box[3] - box[1])
    return pad(box, round(margin * longer), (height, width))
