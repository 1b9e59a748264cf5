"""The timestep study: the whole sheet, and one timestep of it large."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Label

from npe_core.sheets import STUDY, STUDY_GAP, tile_of
from npe_tui.picture import PictureView
from npe_tui.picture.scene import Frame
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets import Chip, Chips
from npe_tui.widgets.along import Along
from npe_tui.widgets.key_line import KeyLine

_HEADINGS = ("photo", "paint", "noise", "no mask", "mask")
"""What stands above the columns of ``STUDY``: short, for tiles are small."""


class StudyScreen(QuietFocus, Screen[int | None]):
    """Answers with the timestep that a person took, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "step(-1)", "Weaker", priority=True),
        Binding("right,down", "step(1)", "Stronger", priority=True),
        Binding("enter", "take", "Take this timestep", priority=True),
        Binding("c", "compare", "Before/after"),
        Binding("escape", "dismiss(None)", "Back"),
    ]

    def __init__(self, sheet: np.ndarray, timesteps: tuple[int, ...], start: int, depth: str) -> None:
        """``sheet`` (H, W, 3) uint8 as ``npe_core.editor.sweep`` makes it; ``start``: the timestep in force."""
        super().__init__()
        self._sheet, self._timesteps, self._depth = sheet, timesteps, depth
        self._row = min(range(len(timesteps)), key=lambda row: abs(timesteps[row] - start))
        self._before = False

    def compose(self) -> ComposeResult:
        yield Label(" The timestep study  [$text-muted]how strength changes this edit[/]", id="title")
        yield Chips(tuple(Chip(str(t), f"t {t}") for t in self._timesteps), id="timesteps")
        high, wide = self._steps
        rows, columns = range(len(self._timesteps)), range(len(STUDY))
        with Horizontal(id="sheet-and-tile"):
            labels = tuple(f" t {timestep} " for timestep in self._timesteps)
            yield Along(labels, tuple((row + 0.5) * high for row in rows), True, id="study-rows")
            with Vertical(id="study-sheet"):
                yield Along(_HEADINGS, tuple((column + 0.5) * wide for column in columns), False, id="study-columns")
                yield PictureView(depth=self._depth, id="sheet")
            with Vertical(id="study-large"):
                yield PictureView(depth=self._depth, id="large")
                yield Label("", id="study-told")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#sheet", PictureView).show(self._sheet)
        self.query_one("#large").focus()
        self.query_one("#timesteps").can_focus = False  # the arrows choose wherever the focus is
        self._show()

    @property
    def _steps(self) -> tuple[float, float]:
        """Pixels from row to row, and from column to column of the sheet."""
        height, width = self._sheet.shape[:2]
        return (height + STUDY_GAP) / len(self._timesteps), (width + STUDY_GAP) / len(STUDY)

    def _tile(self, column: int) -> np.ndarray:
        """A tile of the sheet in the row of the timestep."""
        return tile_of(self._sheet, self._row, column, len(self._timesteps), len(STUDY), STUDY_GAP)

    def _show(self) -> None:
        timestep = self._timesteps[self._row]
        self.query_one("#timesteps", Chips).chosen = str(timestep)
        self.query_one("#study-rows", Along).chosen = self._row
        (high, _), width = self._steps, self._sheet.shape[1]
        around = Frame((0, self._row * high, width, (self._row + 1) * high - STUDY_GAP), None, False)
        self.query_one("#sheet", PictureView).frame((around,))
        column = "original" if self._before else "restored with mask"
        self.query_one("#large", PictureView).show(self._tile(STUDY.index(column)))
        told = "the original" if self._before else f"timestep {timestep}"
        self.query_one("#study-told", Label).update(f" {told}, 128 pixels; Enter takes timestep {timestep}")

    def action_step(self, by: int) -> None:
        self._choose(self._row + by)

    def _choose(self, row: int) -> None:
        self._row = min(max(row, 0), len(self._timesteps) - 1)
        self._show()

    def action_compare(self) -> None:
        self._before = not self._before
        self._show()

    def action_take(self) -> None:
        self.dismiss(self._timesteps[self._row])

    @on(Chips.Pressed, "#timesteps")
    def _pressed(self, event: Chips.Pressed) -> None:
        self._choose(self._timesteps.index(int(event.name)))

    @on(Along.Pressed, "#study-rows")
    def _pressed_label(self, event: Along.Pressed) -> None:
        self._choose(event.number)

    @on(PictureView.PointerDown, "#sheet")
    def _pressed_tile(self, event: PictureView.PointerDown) -> None:
        if event.inside:
            self._choose(int(event.y / self._steps[0]))

    def on_click(self, event: events.Click) -> None:
        """A double click takes the row that its first click chose."""
        where = event.widget.ancestors_with_self if event.widget is not None else []
        if event.chain == 2 and any(widget.id in ("sheet", "study-rows") for widget in where):
            self.action_take()

    @on(PictureView.ViewportChanged, "#sheet")
    def _keep_beside(self, event: PictureView.ViewportChanged) -> None:
        for along in self.query(Along):
            along.viewport = event.viewport
