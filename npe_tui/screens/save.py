"""Ask where to save, and before overwriting."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label, Static

from npe_core.errors import EnvironmentFault, NpeError
from npe_core.filenames import printable, printable_lines
from npe_core.photo import OUTPUT_FORMATS, check_output
from npe_tui.screens.dialog import Dialog
from npe_tui.widgets.path_field import PathField


@dataclass(frozen=True)
class Target:
    """Where to write."""

    path: Path
    overwrite: bool
    """Whether a person agreed to lose the file that is there."""


class SaveScreen(Dialog[Target | None]):
    """Answers with a path that can be written to, None when a person thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(
        self, proposed: Path, source: Path | None, paint: bool, stale: Callable[[], bool], problem: str = ""
    ) -> None:
        """``source``: the photo, which is never written to. ``problem``: why ``proposed`` could not be written to.

        ``stale``: whether the canvas is another than that of the edited picture; an Enhance may end meanwhile.
        """
        super().__init__()
        self._proposed, self._source, self._paint, self._stale = proposed, source, paint, stale
        self._problem = problem
        self._told_of: str | None = str(proposed)
        """What was written when the problem in sight came up; None: no problem is in sight."""
        self._agreed: Path | None = None
        """The path whose file may be overwritten, or whose folder may be created."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide-dialog"):
            yield Label("Save paint and mask" if self._paint else "Save the edited photo", classes="dialog-title")
            folder = (self._source or self._proposed).parent
            yield PathField(str(self._proposed), folder, photos=False, entered=self._enter, id="target")
            if self._paint:
                told = "An RGBA PNG: the alpha is the soft mask. npe edit --paint takes it."
            else:
                told = f"The suffix says the format: {' '.join(OUTPUT_FORMATS)}. The parameters go inside."
            with Vertical(id="hints"):
                yield Static(told, classes="hint")
                told = "The picture that is saved is the last enhanced one, not what is shown now."
                yield Static(told, id="stale", classes="hint -warning")
            yield Static(id="problem", markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button("Save", id="write", variant="primary", compact=True)
                yield Button("Back", id="back", compact=True)

    def on_mount(self) -> None:
        self._tell(self._problem)
        self._tell_stale()
        self.set_interval(0.25, self._tell_stale)
        field = self.query_one(PathField)
        self.set_focus(field)  # now: focus() would do it after the keys that are on their way already
        field.cursor_position = len(field.value)
        if not self._problem:  # what a person wrote is mended, what was proposed is written over
            field.action_select_all()

    @on(PathField.Changed)
    def _typed(self, event: PathField.Changed) -> None:
        if self._told_of in (None, event.value):
            return  # the field posts this when it appears, too
        self._told_of, self._agreed = None, None
        self._tell("")
        self._call_button("Save")

    def _tell_stale(self) -> None:
        self.query_one("#stale").display = not self._paint and self._stale()

    def _call_button(self, label: str) -> None:
        button = self.query_one("#write", Button)
        button.label = label
        button.refresh(layout=True)

    async def _enter(self) -> None:
        self._write()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "back":
            self.dismiss(None)
        else:
            self._write()

    def _write(self) -> None:
        field = self.query_one(PathField)
        self._told_of = field.value
        if not field.value.strip():
            self._tell(f"Write a name, for example {printable(self._proposed.name)}.")
            return
        path = self._proposed if field.value == str(self._proposed) else field.path
        agreed = self._agreed == path
        try:
            if agreed:
                path.parent.mkdir(parents=True, exist_ok=True)
            check_output(path, force=True, inputs=[self._source])
            taken = path.exists()
        except NpeError as error:
            if isinstance(error, EnvironmentFault) and not os.path.lexists(path.parent):
                folder = printable(str(path.parent))
                self._ask(path, f"There is no folder {folder}. Enter once more creates it.", "Create folder")
            else:
                self._tell(str(error))
            return
        except OSError as error:
            self._tell(f"{printable(str(path))} cannot be written: {error.strerror}.")
            return
        if taken and not agreed:
            self._ask(path, f"{printable(path.name)} exists already. Enter once more overwrites it.", "Overwrite")
        else:
            self.dismiss(Target(path, overwrite=taken))

    def _ask(self, path: Path, question: str, answer: str) -> None:
        self._agreed = path
        self._tell(question)
        self._call_button(answer)

    def _tell(self, problem: str) -> None:
        """Where there is little room the hints give way to it."""
        self.query_one(".dialog").set_class(bool(problem), "-problem")
        self.query_one("#problem", Static).update(printable_lines(problem))
