"""Enhance, variants and the study; while they run, how far they are; where they cannot, why."""

from __future__ import annotations

from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widgets import Button, Label, ProgressBar, Static

_LINES = 2
"""For the reason: more would lie over the strength. The status line, or a note, tells all of it."""


class RunButton(Button):
    """Pressed by the mouse it leaves the focus where it is: what is being typed into a slider counts."""

    FOCUS_ON_CLICK = False


class RunPanel(Vertical):
    """The buttons, or a progress bar, or a reason."""

    engine: reactive[str] = reactive("loading")
    """``loading``, ``ready`` or ``failed``"""
    reason: reactive[str] = reactive("")
    """What the engine says of itself while it is not ready."""
    doing: reactive[str] = reactive("")
    """What runs now; empty when nothing does."""

    def __init__(self) -> None:
        super().__init__(id="run")

    def compose(self) -> ComposeResult:
        with Horizontal(id="run-buttons") as buttons:
            buttons.display = False
            yield RunButton("Enhance", id="enhance", action="screen.enhance", variant="primary", compact=True)
            yield RunButton("Variants", id="variants", action="screen.variants", compact=True)
            yield RunButton("Study", id="study", action="screen.study", compact=True)
        with Vertical(id="run-progress") as progress:
            progress.display = False
            with Horizontal(id="run-line"):
                yield Label("", id="run-what")
                yield Button("Cancel", id="cancel", action="screen.cancel", variant="warning", compact=True)
            yield ProgressBar(id="run-bar", show_eta=False, show_percentage=False)
        yield Static("", id="run-reason", markup=False)

    def on_resize(self) -> None:
        self._arrange()

    def watch_engine(self) -> None:
        self._arrange()

    def watch_reason(self) -> None:
        self._arrange()

    def watch_doing(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        if not self.is_mounted or not self.children:
            return
        self.query_one("#run-progress").display = bool(self.doing)
        self.query_one("#run-buttons").display = not self.doing and self.engine == "ready"
        reason = self.query_one("#run-reason", Static)
        reason.display = not self.doing and self.engine != "ready"
        reason.set_class(self.engine == "failed", "-failed")
        told = "\n".join(wrap(self.reason, max(self.size.width, 1), max_lines=_LINES, placeholder="…"))
        if told != reason.content:
            reason.update(told)
        self.query_one("#run-what", Label).update(self.doing, layout=False)  # else all is laid out for each step

    def advance(self, what: str, done: int, total: int, seconds_left: float | None) -> None:
        """How far it is; ``seconds_left`` is None while nothing can be said."""
        left = "" if seconds_left is None else f"  {_seconds(seconds_left)} left"
        self.doing = f"{what} {done}/{total}{left}" if done < total else f"{what}: finishing"
        self.query_one("#run-bar", ProgressBar).update(total=total, progress=done)

    def finish(self) -> None:
        """Nothing runs any more."""
        self.doing = ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
