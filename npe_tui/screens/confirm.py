"""A question with two or three answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label, Static

from npe_core.filenames import printable_lines
from npe_tui.screens.dialog import Dialog

_LOOKS = 0.2
"""Seconds between two looks at whether the question is still the same."""


class ConfirmScreen(Dialog[str | None]):
    """Answers with the name of the button, None when the question was dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("enter", "first", show=False),
    ]

    def __init__(
        self,
        title: str,
        question: str,
        answers: dict[str, str],
        by_now: Callable[[], tuple[str, dict[str, str]]] | None = None,
    ) -> None:
        """``answers``: name -> label, the harmless one first. ``by_now``: question and answers, where they change."""
        super().__init__()
        self._title, self._by_now = title, by_now
        self.asked = question, answers
        """What a person reads."""

    def on_mount(self) -> None:
        if self._by_now is not None:
            self.set_interval(_LOOKS, self._ask_what_is_true)

    async def _ask_what_is_true(self) -> None:
        assert self._by_now is not None, "looked for before"
        if (asked := self._by_now()) != self.asked:
            self.asked = asked
            await self.recompose()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title")
            question, answers = self.asked
            yield Static(printable_lines(question), markup=False)
            with Horizontal(classes="dialog-buttons"):
                for number, (name, label) in enumerate(answers.items()):
                    yield Button(label, id=name, variant="primary" if number == 0 else "default", compact=True)

    def action_first(self) -> None:
        """Enter without a focused button: the harmless one, which is then the one that is filled."""
        self.dismiss(next(iter(self.asked[1])))

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)
