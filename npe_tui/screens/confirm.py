"""A question with two or three answers."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label, Static

from npe_core.filenames import printable_lines
from npe_tui.screens.dialog import Dialog


class ConfirmScreen(Dialog[str | None]):
    """Answers with the name of the button, None when the question was dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("enter", "first", show=False),
    ]

    def __init__(self, title: str, question: str, answers: dict[str, str]) -> None:
        """``answers``: name -> label, the harmless one first."""
        super().__init__()
        self._title, self._question, self._answers = title, printable_lines(question), answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title")
            yield Static(self._question, markup=False)
            with Horizontal(classes="dialog-buttons"):
                for number, (name, label) in enumerate(self._answers.items()):
                    yield Button(label, id=name, variant="primary" if number == 0 else "default", compact=True)

    def action_first(self) -> None:
        """Enter without a focused button: the harmless one, which is then the one that is filled."""
        self.dismiss(next(iter(self._answers)))

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)
