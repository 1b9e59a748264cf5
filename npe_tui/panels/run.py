"""Enhance, variants and the study; while they run, how far they are; where they cannot, why."""

from __future__ import annotations

import time
from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widgets import Button, Label, ProgressBar, Static

_LOOK = 0.5
"""Seconds between two looks at the clock while something runs; what ends sooner is not counted down any more."""
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
        self._step = ""
        """What runs, and how far it is by its steps."""
        self._began = 0.0
        self._ends: float | None = None
        """When it is expected to end; None while nobody can say."""
        self._share = 0.0
        """Of the bar: it never goes back."""

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

    def on_mount(self) -> None:
        self._clock = self.set_interval(_LOOK, self._tell, pause=True)

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

    def begin(self, what: str) -> None:
        """Something runs; nobody knows yet how long it takes."""
        self._step, self._began, self._ends, self._share = what, time.monotonic(), None, 0.0
        self._tell()
        self._clock.resume()

    def advance(self, what: str, done: int, total: int, seconds_left: float | None) -> None:
        """How many of its steps are done, and when all of it will be, with what follows the last step.

        ``seconds_left`` is None while nothing can be said.
        """
        self._step = f"{what} {done}/{total}" if done < total else f"{what}: finishing"
        self._ends = None if seconds_left is None else time.monotonic() + seconds_left
        self._tell()

    def _tell(self) -> None:
        now, bar = time.monotonic(), self.query_one("#run-bar", ProgressBar)
        left = 0.0 if self._ends is None else self._ends - now
        if left < _LOOK:  # it takes longer than was thought: how much, nobody knows
            self.doing = self._step
            bar.update(total=None)
        else:
            self.doing = f"{self._step}  {_seconds(left)} left"
            self._share = max(self._share, (now - self._began) / (now - self._began + left))
            bar.update(total=1, progress=self._share)

    def finish(self) -> None:
        """Nothing runs any more."""
        self._clock.pause()
        self.doing = ""


def _seconds(seconds: float) -> str:
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{seconds / 60:.0f} min"
