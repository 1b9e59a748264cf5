"""The timestep study: the whole sheet, and one timestep of it large."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Label

from npe_core.sheets import STUDY, STUDY_GAP, tile_of
from npe_tui.picture import PictureView
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets import Chip, Chips


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
        with Horizontal(id="sheet-and-tile"):
            with Vertical(id="study-sheet"):
                yield PictureView(depth=self._depth, id="sheet")
                yield Label(" " + " · ".join(column.removeprefix("restored ") for column in STUDY), id="study-columns")
            with Vertical(id="study-large"):
                yield PictureView(depth=self._depth, id="large")
                yield Label("", id="study-told")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#sheet", PictureView).show(self._sheet)
        self.query_one("#large").focus()
        self._show()

    def _tile(self, column: int) -> np.ndarray:
        """A tile of the sheet in the row of the timestep."""
        return tile_of(self._sheet, self._row, column, len(self._timesteps), len(STUDY), STUDY_GAP)

    def _show(self) -> None:
        timestep = self._timesteps[self._row]
        self.query_one("#timesteps", Chips).chosen = str(timestep)
        column = "original" if self._before else "restored with mask"
        self.query_one("#large", PictureView).show(self._tile(STUDY.index(column)))
        told = "the original" if self._before else f"timestep {timestep}"
        self.query_one("#study-told", Label).update(f" {told}, 128 pixels; Enter takes timestep {timestep}")

    def action_step(self, by: int) -> None:
        self._row = min(max(self._row + by, 0), len(self._timesteps) - 1)
        self._show()

    def action_compare(self) -> None:
        self._before = not self._before
        self._show()

    def action_take(self) -> None:
        self.dismiss(self._timesteps[self._row])

    @on(Chips.Pressed, "#timesteps")
    def _pressed(self, event: Chips.Pressed) -> None:
        self._row = self._timesteps.index(int(event.name))
        self._show()
