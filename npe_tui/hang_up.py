"""The end of the terminal, or of the process, that no person chose: paint and mask are kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from npe_tui.app import NpeApp

_LOOK = 2.0
"""Seconds between two looks whether the terminal is there."""
_LAST = 5.0
"""Seconds that an orderly end may take after a signal."""


class HangUp:
    """Listens for the end of the terminal of an app."""

    def __init__(self, app: NpeApp) -> None:
        self._app = app

    def listen(self) -> None:
        """From now on. Called in the event loop."""
        # A system without such signals, or no SIGHUP: Windows.
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._terminated)
            loop.add_signal_handler(signal.SIGHUP, self.hung_up)
        if not self._app.is_headless and hasattr(select, "poll"):
            self._app.set_interval(_LOOK, self._look_for_the_terminal)
            # Gone while the app stood aside: before it is painted anew, for Textual waits for what nobody can write.
            self._app.app_resume_signal.subscribe(self._app, self._look_for_the_terminal, immediate=True)

    def _look_for_the_terminal(self, _: object = None) -> None:
        """It also goes without a signal, where it controls no process: Textual would read its end for ever."""
        poll = select.poll()
        poll.register(0, 0)  # a hang-up is told to those who ask for nothing as well
        if any(told & select.POLLHUP for _, told in poll.poll(0)):
            self.hung_up()

    def hung_up(self) -> None:
        """The terminal is gone: keep the paint, and leave without a word to it."""
        try:
            editing = self._app.editing
            if editing is not None and editing.autosave is not None:
                editing.autosave.close()
        finally:
            os._exit(129)

    def _terminated(self) -> None:
        self._app.autosave_now()
        # Textual waits until the terminal has taken its last words, which one of a stalled connection never does.
        overdue = threading.Timer(_LAST, os._exit, (143,))
        overdue.daemon = True
        overdue.start()
        self._app.exit(return_code=143)
