"""Pointer, keyboard and colour, turned into changes of the canvas.

A stroke is drawn in the event loop, dab by dab; all else goes to a thread, see ``turn``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from npe_core.colour import format_colour
from npe_tui.document.document import EditDocument
from npe_tui.hand.easel import Easel
from npe_tui.hand.filling import Filling, Waiting
from npe_tui.hand.hand import Hand
from npe_tui.hand.turn import Tells


class Painting(Filling):
    """The hand at work on a document."""

    def __init__(self, hand: Hand, easel: Easel, tells: Tells) -> None:
        super().__init__(hand, easel, tells)
        self._pen_down = False
        """Whether the stroke under way is the keyboard's."""

    def alter(self, change: Callable[[EditDocument], object], said: str, nothing: str = "") -> None:
        """Do something to the document in a thread, after what is being done to it already.

        What is ``said`` then goes on with the text that ``change`` returns; if that is false, ``nothing`` is said.
        """
        self._filled = self._waiting = None
        self._tells.later(self._alter(change, said, nothing or f"{said}: nothing to change"))

    async def _alter(self, change: Callable[[EditDocument], object], said: str, nothing: str) -> None:
        async with self._alone() as document:
            if document is None:
                return
            with self._told("One moment…"):
                outcome = await asyncio.to_thread(change, document)
            told = f"{said}: {outcome}" if isinstance(outcome, str) else said
            self._show(told if outcome else nothing)

    # --- the pointer --------------------------------------------------------------------------------------------

    def press(self, x: float, y: float) -> None:
        """The tool goes down at a photo point."""
        self._pen_down = False
        document = self._free
        if document is None:
            return
        with self.failures_told():
            if self.hand.tool == "dropper":
                self.take_colour(x, y, before=self._easel.view.shows_other(x, y))
            elif self.hand.tool == "pick" and document.regions is None:
                self._wait(Waiting(None, (x, y)))
            elif self.hand.tool == "pick":
                self.fill(document.canvas.region_at(x, y).id, (x, y))
            else:
                if self.hand.tool == "brush":
                    self._leave_enhanced(document)
                self._filled = self._waiting = None
                self.hand.press(document.canvas, x, y)
                self._show("")

    def drag(self, x: float, y: float) -> None:
        """The tool moves to a photo point."""
        document = self._free
        if document is not None and self.hand.drawing:
            with self.failures_told():
                self.hand.drag(document.canvas, x, y)
                self._show("")

    def release(self) -> None:
        self._pen_down = False
        super().release()

    def take_colour(self, x: float, y: float, before: bool = False) -> None:
        """The dropper: the colour of the picture at a photo point, or of the photo as it was ``before``."""
        document = self._document
        if document is None:
            return
        width, height = document.size
        column, row = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
        r, g, b = (document.photo.image if before else document.shown)[row, column].tolist()
        self._filled = None
        self._tells.coloured(format_colour((r, g, b)))

    # --- the keyboard -------------------------------------------------------------------------------------------

    def follow(self, cursor: tuple[float, float] | None) -> None:
        """The keyboard cursor moved; a pen that is down draws, and is lifted when the mouse takes over."""
        if not self._pen_down:
            return
        if cursor is not None:
            self.drag(*cursor)
        else:
            self.release()

    def dab(self) -> None:
        """Use the tool once at the keyboard cursor."""
        self.press(*self._easel.cursor())
        self.release()

    def pen(self) -> bool:
        """Put the tool down at the keyboard cursor, or lift it; returns whether it is down now."""
        if self.hand.drawing:
            self.release()
        else:
            self.press(*self._easel.cursor())
            self._pen_down = self.hand.drawing
        return self.hand.drawing
