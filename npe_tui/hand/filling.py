"""Region fills: of one region or several, in the colour of now, as soon as the regions are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from npe_core.canvas import Canvas
from npe_core.regions import REGIONS, name_of
from npe_tui.document.document import EditDocument
from npe_tui.hand.easel import Easel
from npe_tui.hand.hand import Hand
from npe_tui.hand.turn import InTurn, Tells


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


class Filling(InTurn):
    """A hand that fills regions."""

    def __init__(self, hand: Hand, easel: Easel, tells: Tells) -> None:
        super().__init__(hand, easel, tells)
        self._filled: Filled | None = None
        self._waiting: Waiting | None = None

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
                    step = await asyncio.to_thread(_lay, document.canvas, regions, colour, at, instead)
            except Exception:
                if left is not None:  # it keeps the colour that could not be used elsewhere
                    await asyncio.to_thread(document.canvas.redo)
                    self._filled = replace(left, revision=document.canvas.revision)
                    self._show("")
                raise
            self._filled = Filled(regions, at, colour, document.canvas.revision, step)
            self._show(f"Filled {_name(regions)}")
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
                step = await asyncio.to_thread(_lay, document.canvas, filled.regions, colour, filled.at, replaced)
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


def _lay(canvas: Canvas, regions: tuple[int, ...], colour: str, at: tuple[float, float] | None, instead: bool) -> bool:
    """Fills; ``instead`` of the last step, which stays where this fails. Returns whether any pixel changed.

    Raises InputError if the picture has not all of the regions: each of them was picked.
    """
    if instead:
        canvas.undo()
    before = canvas.revision
    try:
        for region in regions if at is None else ():
            canvas.check_region(region)
        canvas.fill(regions, colour, at)
    except Exception:
        canvas.take_back()
        if instead:
            canvas.redo()
        raise
    return canvas.revision != before


def _with_or_without(regions: tuple[int, ...], region: int) -> tuple[int, ...]:
    """The group with another region, or without one that is in it; the last one stays."""
    if region not in regions:
        return (*regions, region)
    return tuple(other for other in regions if other != region) or regions


def _name(regions: tuple[int, ...]) -> str:
    return name_of(tuple(REGIONS[region] for region in sorted(regions)))
