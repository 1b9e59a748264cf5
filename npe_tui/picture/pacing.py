"""No more on its way to the terminal than it keeps up with.

Over SSH megabytes may wait in buffers that nobody here sees, so counting what was written says nothing. But a terminal
answers the question where its cursor is (DSR 6) only after it has shown all that came before. So the question follows
every repaint of a picture, and while too much is unanswered the next one waits, and takes with it what changed since.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary, ref

from textual import events
from textual.app import App
from textual.message import Message

QUESTION = "\x1b[6n"
ALLOWANCE = 12_000
"""Bytes that may be on their way when another repaint is sent: a tenth of a second at 1 Mbit/s."""
PATIENCE = 5.0
"""Seconds after which an answer is no longer waited for; a terminal that has given none by then is asked no more."""

LINGER = 1.0
"""Seconds that one waits for answers before the terminal is another program's: what is late then is typed into that."""


class Pacer:
    """Keeps count of what a terminal has not yet shown; one for each app."""

    def __init__(self, ask: Callable[[], object], clock: Callable[[], float] = monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._waiting: deque[tuple[int, float]] = deque()
        """Bytes before a question, and when it was asked; oldest first, as the answers come."""
        self._overdue = 0
        """Questions before those, whose answers are no longer waited for and may still come."""
        self._wake: set[Callable[[], object]] = set()
        self._heard = -inf
        """When the last answer came."""
        self._deaf = False
        self._leaving = False

    def may_send(self, wake: Callable[[], object]) -> bool:
        """Whether to repaint now; if not, ``wake`` is called once, at the next answer. That may never come: also ask
        again by the clock."""
        if self._waiting and self._clock() - self._waiting[0][1] > PATIENCE:
            self._give_up()
        if sum(size for size, _ in self._waiting) < ALLOWANCE:
            return True
        self._wake.add(wake)
        return False

    def _give_up(self) -> None:
        """Wait no longer for any of these.

        If answers came since the oldest was asked, and were counted for questions before it, some were lost on the way:
        the count begins anew. Else the terminal is slow, and will answer these before others.
        """
        lost = self._heard > self._waiting[0][1]
        self._overdue = 0 if lost else self._overdue + len(self._waiting)
        self._waiting.clear()
        self._deaf = self._heard == -inf

    def sent(self, size: int) -> None:
        """So many bytes were written just now."""
        if not self._deaf and not self._leaving:
            self._waiting.append((size, self._clock()))
            self._ask()

    def answered(self) -> None:
        """The terminal has shown everything up to the oldest question."""
        self._heard, self._deaf = self._clock(), False
        if self._overdue:
            self._overdue -= 1
        elif self._waiting:
            self._waiting.popleft()
        awake, self._wake = self._wake, set()
        for wake in awake:
            wake()

    async def hear_out(self) -> None:
        """Ask nothing more, and wait for the answers that are still to come, but no longer than LINGER."""
        self._leaving = True
        try:
            async with asyncio.timeout(LINGER):
                while not self._deaf and (self._waiting or self._overdue):
                    answer = asyncio.Event()
                    self._wake.add(answer.set)
                    await answer.wait()
        except TimeoutError:
            return

    def go_on(self) -> None:
        """The terminal is the editor's again."""
        self._leaving = False


_PACERS: WeakKeyDictionary[App[Any], Pacer] = WeakKeyDictionary()


def pacer_of(app: App[Any]) -> Pacer | None:
    """The pacer of a running app; None where no terminal is there to answer."""
    if app.is_headless or app.is_inline or app.is_web:
        return None
    if app not in _PACERS:
        here = ref(app)  # a pacer that held its app would keep it for ever

        def ask() -> None:
            if (there := here()) is not None and there._driver is not None:
                there._driver.write(QUESTION)

        def listen(message: Message) -> None:
            if isinstance(message, events.CursorPosition):
                pacer.answered()

        pacer = _PACERS[app] = Pacer(ask)
        app.message_signal.subscribe(app, listen, immediate=True)
    return _PACERS[app]
