"""The canvas is changed by one after the other, and what takes its time, or fails, is told.

Fills and mask tools can take seconds on a large photo, so they go to a thread. Meanwhile nobody else touches the
canvas, and after a moment the screen says what is going on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from npe_core.errors import NpeError, OutOfMemory
from npe_tui.document.document import EditDocument
from npe_tui.hand.easel import Easel
from npe_tui.hand.hand import Hand

_MOMENT = 0.3
"""Seconds in which nobody wonders."""


@dataclass(frozen=True)
class Tells:
    """What the screen wants to hear."""

    working: Callable[[str], None]
    """Something takes longer than a moment; what it is."""
    later: Callable[[Coroutine[Any, Any, object]], object]
    """Runs a coroutine beside the event loop."""
    changed: Callable[[str], None]
    """The document changed; what was done, in a word or two."""
    picked: Callable[[int], None]
    """A region was picked."""
    coloured: Callable[[str], None]
    """The dropper took a colour."""
    failed: Callable[[str], None]
    """Something could not be done."""
    no_regions: Callable[[str], bool]
    """There are no regions yet to fill what is named; whether they are on their way, and it is filled then."""


class InTurn:
    """A document and its hand, which have one thing to do at a time."""

    def __init__(self, hand: Hand, easel: Easel, tells: Tells) -> None:
        self.hand = hand
        self.frozen = False
        """Whether the engine reads the canvas, which nobody may change then."""
        self._easel = easel
        self._tells = tells
        self._document: EditDocument | None = None
        self._turn = asyncio.Lock()
        self._decided = asyncio.Event()
        """Cleared while a person chooses from what was made of the canvas."""
        self._decided.set()

    def open(self, document: EditDocument) -> None:
        """Work on this document from now on."""
        self._document = document

    async def freeze(self) -> bool:
        """Wait for what is being done to the canvas, then let nobody change it; False if it was frozen already."""
        async with self._alone():
            before, self.frozen = self.frozen, True
            return not before

    def wait_for_choice(self) -> None:
        """Let nobody change the canvas until ``chosen``; what is asked for meanwhile is done then, not dropped."""
        self.frozen = True
        self._decided.clear()

    def chosen(self) -> None:
        """What was chosen is laid before anything else is done."""
        self.frozen = False
        self._decided.set()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Waits for what is being done to the canvas: what looks at it here, without waiting, sees one moment of it."""
        async with self._turn:
            yield

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[EditDocument | None]:
        """Waits for what is being done to the canvas, and gives the document if it may be changed.

        A stroke under way ends here: the canvas would end it too, but the hand would go on drawing it. What fails is
        told, and ends no more than what was to be done.
        """
        await self._decided.wait()
        async with self._turn:
            self.release()
            with self.failures_told():
                yield None if self.frozen else self._document

    @property
    def busy(self) -> bool:
        """Whether something is being done to the canvas, of which nobody knows yet what it comes to."""
        return self._turn.locked()

    @property
    def _free(self) -> EditDocument | None:
        """The document, if it may be changed now."""
        return None if self.frozen or self.busy else self._document

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Around work in a thread: says what is done, if it is not done soon."""
        soon = asyncio.get_running_loop().call_later(_MOMENT, self._tells.working, doing)
        try:
            yield
        finally:
            soon.cancel()

    @contextmanager
    def failures_told(self) -> Iterator[None]:
        """Around what may fail, or run out of memory: says why, and a person goes on."""
        try:
            yield
        except NpeError as error:
            self._tells.failed(str(error))
        except MemoryError:
            self._tells.failed(str(OutOfMemory()))

    def release(self) -> None:
        """The tool goes up."""
        with self.failures_told():
            if self._document is not None and self.hand.release(self._document.canvas):
                self._show({"brush": "Painted", "marker": "Marked", "eraser": "Erased"}[self.hand.tool])

    def _show(self, said: str) -> None:
        assert self._document is not None, "only what is open changes"
        box = self._document.refresh()
        if box is not None:
            self._easel.update_box(box)
        self._tells.changed(said)
