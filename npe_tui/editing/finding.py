"""Which face is meant, and where its regions are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from npe_core.errors import NpeError
from npe_tui.document.document import EditDocument
from npe_tui.editing.window import Window
from npe_tui.engine import messages
from npe_tui.engine.running import Running
from npe_tui.files import opening
from npe_tui.hand.painting import Painting

if TYPE_CHECKING:
    from npe_core.editor import RegionMap
    from npe_tui.app import NpeApp

_LOADING = "Paint meanwhile: the models are loading, then the regions follow."
_FOLLOWING = "The regions of the face follow."
"""Where the panel says that the models are loading."""
_FINDING = "Finding the regions of the face"


class Finding:
    """Looks for faces, asks which is meant, and has the engine find its regions."""

    def __init__(
        self,
        npe: NpeApp,
        window: Window,
        painting: Painting,
        running: Running,
        keep: Callable[[], object],
        changed: Callable[[str], object],
    ) -> None:
        """``keep``: what is unsaved is to be on disk soon; ``changed``: the document changed, as in ``Tells``."""
        self._npe, self._window, self._painting, self._running = npe, window, painting, running
        self._keep, self._changed = keep, changed
        self._document: EditDocument | None = None
        self.asks = False
        """Whether a face is being looked for, or asked for."""
        self.chosen = False
        """Whether it is known whose regions are to be found."""

    def open(self, document: EditDocument) -> None:
        """In this document from now on."""
        self._document = document

    async def find_face(self, ask: bool = False) -> None:
        """Find out which face is meant, then its regions; ``ask`` even if there is only one."""
        document = self._document
        if document is None:
            return
        self._window.status.say("Looking for faces")
        before, self.asks = document.wish, True
        try:
            found = await opening.find_face(document, self._ask_face, ask)
        except NpeError as error:
            self._painting.stop_waiting()
            self._window.status.say(str(error), serious=True)
            return
        finally:
            self.asks = False
        if not found:
            key = self._npe.key_to("face")
            needed = "" if document.faces else ", which Enhance needs"
            none = f"No face chosen: {key} chooses one{needed}; paint by hand meanwhile."
            self._window.status.say("The face is the same as before" if self.chosen else none)
            self._painting.stop_waiting()
            return
        self.chosen = True
        if document.wish != before:  # until those of the other face are known there are none to fill
            document.canvas.regions = None
            self._painting.leave_fill()
            self._keep()
        self._look(document)

    async def _ask_face(self, faces: list[Any]) -> Any:
        from npe_tui.screens.faces import FaceScreen

        assert self._document is not None, "faces are looked for in a document"
        image, wish = self._document.photo.image, self._document.wish if self.chosen else None
        return await self._npe.push_screen_wait(FaceScreen(image, faces, self._npe.config.depth, wish))

    def _look(self, document: EditDocument) -> None:
        """Ask the engine for the regions."""
        self._running.look(document)
        state = self._npe.engine.state.name
        if state == "loading":
            self._window.status.say(_FOLLOWING if self._window.shows_panels else _LOADING)
        elif state == "ready":
            self._window.status.say(_FINDING)

    # --- what the engine and the hand say -----------------------------------------------------------------------

    def engine_ready(self) -> None:
        """The models are loaded: they find the regions that are wanted."""
        document = self._document
        if document is None or document.regions is not None or not self.chosen:
            return
        if not self._running.looking:
            self._look(document)
        elif self._window.status.message in (_LOADING, _FOLLOWING):
            self._window.status.say(_FINDING)

    async def hear(self, event: messages.FromEngine) -> None:
        """What comes of the look for regions that is under way."""
        self._running.done(event)
        document = self._document
        assert document is not None, "it is looked for in a document"
        if isinstance(event, messages.Segmented):
            await self._show(document, event.regions)
        elif isinstance(event, messages.Stopped):  # it waited behind what a person stopped, and is wanted still
            self._look(document)
        elif isinstance(event, messages.Failed):
            self._painting.stop_waiting()

    async def _show(self, document: EditDocument, regions: RegionMap) -> None:
        document.canvas.regions = regions
        self._painting.leave_fill()
        panel, brush = self._npe.key_to("regions"), self._npe.key_to("brush")
        shown = f"Pick a region by its key or a click, or take the brush ({brush})."
        hidden = f"Pick a region: {panel} shows their keys, or click; {brush} paints."
        self._window.status.say(shown if self._window.shows_panels else hidden)
        with self._painting.failures_told():  # regions that cannot be shown can be filled
            overlay = await asyncio.to_thread(document.region_overlay, 0.75)
            self._window.regions.show_regions(regions.ids, overlay)
        self._changed("")
        self._painting.regions_known()

    def expects(self, what: str) -> bool:
        """Whether there will be regions, to fill what was picked; says so, or what is in the way."""
        state, status = self._npe.engine.state, self._window.status
        if state.name == "failed":
            status.say(state.detail, serious=True)
        elif self.asks or self._running.looking:
            why = " (the models are loading)" if state.name == "loading" else ""
            then = f"{self._npe.key_to('cancel')} forgets it"
            status.say(f"{what.capitalize()} is filled once the regions are found{why}; {then}")
            return True
        else:
            status.say(f"{self._npe.key_to('face')} chooses a face, whose regions are found then.", serious=True)
        return False
