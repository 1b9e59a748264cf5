"""Pointer, keyboard and colour, turned into changes of the canvas.

A stroke is drawn in the event loop, dab by dab. Fills and mask tools can take seconds on a large photo, so they go
to a thread; meanwhile nobody else touches the canvas, and after a moment the screen says what is going on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from npe_core.canvas import Canvas
from npe_core.colour import format_colour
from npe_core.errors import NpeError, OutOfMemory
from npe_core.regions import REGIONS, name_of
from npe_tui.document import EditDocument
from npe_tui.easel import Easel
from npe_tui.hand import Hand

_MOMENT = 0.3
"""Seconds in which nobody wonders."""


@dataclass(frozen=True)
class Filled:
    """The last fill, which follows the colour until something else is done."""

    regions: tuple[int, ...]
    """Ids; several are one fill."""
    at: tuple[float, float] | None
    colour: str
    revision: int
    """Of the canvas after it."""
    step: bool
    """Whether it changed anything, and is an undo step."""
    again: bool = False
    """Whether it gave another colour to what was enhanced already."""


@dataclass(frozen=True)
class Waiting:
    """What was picked before the regions were known."""

    region: int | None
    """Its id; None for whatever is found ``at`` the point."""
    at: tuple[float, float] | None
    then: Callable[[], object] | None = None
    """What is done once it is filled."""


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


class Painting:
    """The hand at work on a document."""

    def __init__(self, hand: Hand, easel: Easel, tells: Tells) -> None:
        self.hand = hand
        self.frozen = False
        """Whether the engine reads the canvas, which nobody may change then."""
        self._easel = easel
        self._tells = tells
        self._document: EditDocument | None = None
        self._turn = asyncio.Lock()
        self._filled: Filled | None = None
        self._waiting: Waiting | None = None
        self._pen_down = False
        """Whether the stroke under way is the keyboard's."""

    def open(self, document: EditDocument) -> None:
        """Work on this document from now on."""
        self._document = document

    async def freeze(self) -> bool:
        """Wait for what is being done to the canvas, then let nobody change it; False if it was frozen already."""
        async with self._alone():
            before, self.frozen = self.frozen, True
            return not before

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
        async with self._turn:
            self.release()
            with self._failures_told():
                yield None if self.frozen else self._document

    @property
    def _free(self) -> EditDocument | None:
        """The document, if it may be changed now."""
        return None if self.frozen or self._turn.locked() else self._document

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Around work in a thread: says what is done, if it is not done soon."""
        soon = asyncio.get_running_loop().call_later(_MOMENT, self._tells.working, doing)
        try:
            yield
        finally:
            soon.cancel()

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Around what may fail, or run out of memory: says why, and a person goes on."""
        try:
            yield
        except NpeError as error:
            self._tells.failed(str(error))
        except MemoryError:
            self._tells.failed(str(OutOfMemory()))

    # --- changes ------------------------------------------------------------------------------------------------

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

    def _show(self, said: str) -> None:
        assert self._document is not None, "only what is open changes"
        box = self._document.refresh()
        if box is not None:
            self._easel.update_box(box)
        self._tells.changed(said)

    def fill(self, region: int, at: tuple[float, float] | None = None) -> None:
        """Fill a region with the colour of the hand; with ``at`` and pieces wanted, the connected piece there.

        So it is, too, where the whole region would not take in what lies there: glasses beside clothes.
        Where several are wanted it joins the last fill, or is left out of it if it was in it. Before the regions are
        known it waits for them, if nothing else is done meanwhile.
        """
        if self._document is not None and self._document.regions is None:
            self._wait(Waiting(region, at))
            return
        self._waiting = None
        self._tells.picked(region)
        self._tells.later(self._fill(region, at, self.hand.picks))

    def _wait(self, waiting: Waiting) -> None:
        what = "what is there" if waiting.region is None else REGIONS[waiting.region].name
        self._waiting = waiting if self._tells.no_regions(what) else None

    @property
    def waits(self) -> bool:
        """Whether a fill waits for the regions."""
        return self._waiting is not None

    def after_waiting(self, then: Callable[[], object]) -> None:
        """What is done once the fill that waits is made; it goes with that fill where something else is done first."""
        if self._waiting is not None:
            self._waiting = replace(self._waiting, then=then)

    def stop_waiting(self) -> bool:
        """What was picked before the regions were known is not wanted any more. Returns whether there was anything."""
        waited, self._waiting = self.waits, None
        return waited

    def regions_known(self) -> None:
        """The regions are there: fill what waits for them, unless pictures are being made of other paint."""
        if self.waits:
            self._tells.later(self._fill_waiting())

    async def _fill_waiting(self) -> None:
        """After what is being done to the canvas; what is picked or done until then takes its place."""
        async with self._alone() as document:
            waiting, self._waiting = self._waiting, None
        if waiting is None or document is None:
            return
        region = waiting.region
        if region is None:
            assert waiting.at is not None, "else there is nothing to look for"
            region = document.canvas.region_at(*waiting.at).id
        self._tells.picked(region)
        if await self._fill(region, waiting.at, self.hand.picks) and waiting.then is not None:
            waiting.then()

    async def _fill(self, region: int, at: tuple[float, float] | None, picks: str) -> bool:
        """Returns whether it was filled."""
        async with self._alone() as document:
            if document is None:
                return False
            colour = self.hand.colour
            left = await asyncio.to_thread(self._leave_enhanced, document, region)
            if picks == "several":
                at = None
            joined = self._to_join(document) if picks == "several" else None
            regions = _with_or_without(joined.regions, region) if joined else (region,)
            instead = joined is not None and joined.step
            try:
                with self._told(f"Filling {_name(regions)}…"):
                    if picks == "whole" and at and await asyncio.to_thread(document.canvas.is_meant, region, at):
                        at = None
                    count, step = await asyncio.to_thread(_lay, document.canvas, regions, colour, at, instead)
            except Exception:
                if left is not None:  # it keeps the colour that could not be used elsewhere
                    await asyncio.to_thread(document.canvas.redo)
                    self._filled = replace(left, revision=document.canvas.revision)
                    self._show("")
                raise
            self._filled = Filled(regions, at, colour, document.canvas.revision, step)
            self._show(f"Filled {_name(regions)}: {count} pixels")
            return True
        return False

    def recolour(self) -> None:
        """The hand has another colour: the fill that was just made takes it on, as one undo step with it.

        What was enhanced stays a step of its own, so that undo comes back to it; and so does what is done with the
        colour next: it was chosen for that, if it is of another region or by hand.
        """
        if self._filled is not None:
            self._tells.later(self._recolour())

    def leave_fill(self) -> bool:
        """A later colour or region is for another fill than the last one. Returns whether there was one."""
        left, self._filled = self._filled, None
        return left is not None

    def _to_join(self, document: EditDocument) -> Filled | None:
        """The last fill, if nothing was done since: nothing painted, no picture made of it."""
        filled = self._filled
        if filled is None or filled.at is not None or not document.stale:
            return None
        return filled if document.canvas.revision == filled.revision else None

    async def _recolour(self) -> None:
        async with self._alone() as document:
            filled, colour = self._filled, self.hand.colour
            if document is None or filled is None or filled.colour == colour:
                return  # a later colour was taken on already
            if document.canvas.revision != filled.revision:
                self._filled = None
                return

            replaced = filled.step and document.stale
            again = filled.again or not document.stale
            try:
                _, step = await asyncio.to_thread(_lay, document.canvas, filled.regions, colour, filled.at, replaced)
            except Exception:  # as when another face was chosen meanwhile, and its regions are not known yet
                self._filled = None
                self._show("")
                raise
            self._filled = Filled(filled.regions, filled.at, colour, document.canvas.revision, step, step and again)
            self._show(f"Filled {_name(filled.regions)} with {colour}" + ", until it is used elsewhere" * again)

    def _leave_enhanced(self, document: EditDocument, region: int | None = None) -> Filled | None:
        """Takes back that the last fill, enhanced already, took on a colour that was chosen for something else.

        ``region``: what it was chosen for, if that is one. Returns the fill that was taken back.
        """
        filled = self._filled
        if filled is None or not filled.again or region in filled.regions or not document.stale:
            return None
        if document.canvas.revision != filled.revision:
            return None
        document.canvas.undo()
        return filled

    # --- the pointer --------------------------------------------------------------------------------------------

    def press(self, x: float, y: float) -> None:
        """The tool goes down at a photo point."""
        self._pen_down = False
        document = self._free
        if document is None:
            return
        with self._failures_told():
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
            with self._failures_told():
                self.hand.drag(document.canvas, x, y)
                self._show("")

    def release(self) -> None:
        """The tool goes up."""
        self._pen_down = False
        with self._failures_told():
            if self._document is not None and self.hand.release(self._document.canvas):
                self._show({"brush": "Painted", "marker": "Marked", "eraser": "Erased"}[self.hand.tool])

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


def _lay(
    canvas: Canvas, regions: tuple[int, ...], colour: str, at: tuple[float, float] | None, instead: bool
) -> tuple[int, bool]:
    """Fills; ``instead`` of the last step, which stays where this fails. Returns pixels, and whether any changed.

    Raises InputError if the picture has not all of the regions: each of them was picked.
    """
    if instead:
        canvas.undo()
    before = canvas.revision
    try:
        for region in regions if at is None else ():
            canvas.check_region(region)
        count = canvas.fill(regions, colour, at)
    except Exception:
        if instead:
            canvas.redo()
        raise
    return count, canvas.revision != before


def _with_or_without(regions: tuple[int, ...], region: int) -> tuple[int, ...]:
    """The group with another region, or without one that is in it; the last one stays."""
    if region not in regions:
        return (*regions, region)
    return tuple(other for other in regions if other != region) or regions


def _name(regions: tuple[int, ...]) -> str:
    return name_of(tuple(REGIONS[region] for region in sorted(regions)))
