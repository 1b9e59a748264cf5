"""Keys, clicks and pastes are handled one after the other, also where they arrive in one piece."""

from __future__ import annotations

import asyncio
import contextlib

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.widget import Widget

_LOOK, _LOOKS = 0.05, 100
"""Seconds, and how often one waits them for one widget before the next key is handed on all the same. Counted, not
timed: when all of the app stood still meanwhile, drawing, that is one."""


class InOrder(App[None]):
    """An app in which what comes next belongs to what has the focus when the key before has done its work.

    Textual hands on at once what comes from a fast hand, or over a slow line, before a key has moved the focus.
    """

    _key_under_way = False
    _back = 0.0
    """When the terminal was last another's and became the app's again, by the clock of its events."""

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, self._come_back, immediate=True)

    def _come_back(self, _: object) -> None:
        self._back = events.Event().time

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and event.time < self._back:
            return  # typed before: what is typed meanwhile is the other's, and so is what was already on its way to it
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way:
            self.post_message(event)  # behind it
        elif not isinstance(event, events.Key):
            await super().on_event(event)
        else:
            self._key_under_way = True
            if not self.screen.is_mounted:  # what its keys are for is not there yet
                await _done(self.screen)
            told = self.focused or self.screen
            await super().on_event(event)
            await _done(told)
            self.call_later(self._end_key)  # when what came of it here has been done as well: most bindings

    async def _end_key(self) -> None:
        await asyncio.sleep(0)  # a worker that it started begins: a dialog that this opens has the keys that follow
        self._key_under_way = False


async def _done(widget: Widget) -> None:
    """Until the widget, and after it all around it, have done what they were told to; or for so long as one waits."""
    for node in widget.ancestors_with_self:
        if isinstance(node, App):
            break
        for _ in ("what was told", "what it told itself by that"):
            if not await _answers(node):
                return


async def _answers(node: DOMNode) -> bool:
    """Whether it comes to what it is told behind all that it was told before."""
    done = asyncio.Event()
    if not node.call_later(done.set):
        return False
    for _ in range(_LOOKS):
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(done.wait(), _LOOK)
        if not node.is_running:  # its dialog is gone
            break
    return False
