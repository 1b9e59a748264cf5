"""Four variants of an edit, to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.screen import Screen
from textual.widgets import Label

from npe_core.canvas.boxes import Box, box_of, cut, pad
from npe_tui.document.document import EditDocument
from npe_tui.keys import COMMANDS
from npe_tui.picture import PictureView
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from npe_core.editor import EditResult


_ACROSS = 2
"""Tiles in a row."""
_MARGIN = 0.35
"""Of the longer side of what is marked: what is shown around it."""
_LOOK = ("zoom_in", "zoom_out", "fit")
"""Names of the commands that the footer tells of."""


class VariantView(PictureView):
    """The picture of a tile. The left button pans it, too, once it moved by more than a cell; else it is a click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(replace(command.binding, show=True) for command in COMMANDS if command.name in _LOOK),
        Binding("ctrl+left", "pan(-8,0)", "Pan", key_display="^arrows"),
    ]

    _pressed = 0.0, 0.0
    """Where the button went down, in cells."""

    # Textual calls these before those of ``PictureView``.

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if not self._held:
            self._pressed = self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._follow(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._follow(event)  # no move may have been told

    def _follow(self, event: events.MouseEvent) -> None:
        (x, y), (pressed_x, pressed_y) = self._point(event), self._pressed
        if self._held and self._drag is None and max(abs(x - pressed_x), abs(y - pressed_y)) > 1:
            self._drag = self._panning(self._pressed)


class Tile(Vertical):
    """One variant, around what was marked."""

    def __init__(self, number: int, image: np.ndarray, before: np.ndarray, title: str, depth: str) -> None:
        super().__init__(classes="tile")
        self.number, self._image, self._before = number, image, before
        self._title, self._depth = title, depth

    def compose(self) -> ComposeResult:
        yield VariantView(depth=self._depth)
        yield Label(self._title, classes="tile-title")

    def on_mount(self) -> None:
        self.query_one(PictureView).show(self._image)

    def compare(self, before: bool) -> None:
        """Show the photo as it was, and back."""
        self.query_one(PictureView).compare(self._before if before else None)


class VariantsScreen(QuietFocus, Screen[int | None]):
    """Answers with the number of the variant, from 0; None to keep what was there. All tiles show the same part."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"take({n - 1})", f"Take {n}", show=False) for n in range(1, 10)),
        Binding("enter", "take_focused", "Take"),
        *(
            Binding(key, f"step({by})", show=False, priority=True)
            for key, by in (("left", -1), ("right", 1), ("up", -_ACROSS), ("down", _ACROSS))
        ),
        Binding("c", "compare", "Before/after"),
        Binding("escape", "dismiss(None)", "None"),
    ]

    def __init__(self, document: EditDocument, results: list[EditResult], depth: str, note: str = "") -> None:
        """``note``: what there is to say of all of them."""
        super().__init__()
        self._note = note
        self._document, self._results, self._depth = document, results, depth
        self._before = False

    def compose(self) -> ComposeResult:
        yield Label(f" Which one?  [$text-muted]1 to {len(self._results)}, or Enter[/]", id="title")
        where = cut(around(self._document.canvas.levels))
        with Grid(id="tiles"):
            for number, result in enumerate(self._results):
                title = f" {number + 1}  seed {result.parameters['seed']}"
                before = self._document.photo.image[where]
                yield Tile(number, result.image[where], before, title, self._depth)
        if self._note:
            yield Label(f" {self._note[0].upper()}{self._note[1:]}", id="variants-note", markup=False)
        yield KeyLine("take_focused", "dismiss(None)", "zoom(1.25)", "zoom(0.8)")

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

    def action_step(self, by: int) -> None:
        """Choose the tile so many further, and after the last the first."""
        views = list(self.query(PictureView))
        at = next((number for number, view in enumerate(views) if view.has_focus), 0)
        self.set_focus(views[(at + by) % len(views)])

    def action_compare(self) -> None:
        self._before = not self._before
        for tile in self.query(Tile):
            tile.compare(self._before)

    @on(PictureView.ViewportChanged)
    def _keep_together(self, event: PictureView.ViewportChanged) -> None:
        for view in self.query(PictureView):
            if view is not event.view:
                view.viewport = event.viewport

    @on(events.DescendantFocus)
    def _mark(self) -> None:
        for tile in self.query(Tile):
            tile.set_class(tile.query_one(PictureView).has_focus, "-chosen")

    @on(PictureView.PointerUp)
    def _clicked(self, event: PictureView.PointerUp) -> None:
        tile = event.view.parent
        if isinstance(tile, Tile):
            self.dismiss(tile.number)


def around(mask: np.ndarray) -> Box:
    """The box around what is marked, with a margin on each side."""
    height, width = mask.shape
    box = box_of(mask) or (0, 0, width, height)
    longer = max(box[2] - box[0], box[3] - box[1])
    return pad(box, round(_MARGIN * longer), (height, width))
