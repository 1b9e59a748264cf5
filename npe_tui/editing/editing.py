"""One photo under the hands of a person: the parts of which the editor is made, and what they tell each other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from npe_core.errors import NpeError
from npe_tui.document.document import EditDocument
from npe_tui.editing import facts
from npe_tui.editing.enhancing import Enhancing
from npe_tui.editing.finding import Finding
from npe_tui.editing.opening import Opening
from npe_tui.editing.tools import Carried, Tools
from npe_tui.editing.window import Window
from npe_tui.engine import messages
from npe_tui.engine.running import Running
from npe_tui.files.autosave import Autosave
from npe_tui.files.opening import why_not_opened
from npe_tui.hand.easel import Easel
from npe_tui.hand.hand import Hand
from npe_tui.hand.painting import Painting
from npe_tui.hand.turn import Tells
from npe_tui.panels.side import Side
from npe_tui.panels.status import StatusLine

if TYPE_CHECKING:
    from npe_tui.app import NpeApp


class Editing:
    """What ``EditScreen`` hands keys, clicks and the engine's messages to."""

    def __init__(
        self,
        npe: NpeApp,
        screen: Screen[None],
        path: Path,
        read: EditDocument | None = None,
        carried: Carried | None = None,
    ) -> None:
        """``read``: the photo, where somebody has read it already; ``carried``: from the one before."""
        self.path = path
        self.document: EditDocument | None = None
        self.autosave: Autosave | None = None
        self.ready = False
        """Whether the panels are there."""
        self._npe, self._screen, self._carried = npe, screen, carried
        config = npe.config
        own = Hand(colour=config.colour, hardness=config.hardness, opacity=config.opacity, tint=config.tint)
        self.hand = hand = carried.hand if carried else own
        self.easel = easel = Easel(config.depth)
        self.window = window = Window(screen, easel)
        tells = Tells(
            working=lambda doing: self.status.say(doing),
            later=window.later,
            changed=self._changed,
            picked=lambda region: self.tools.picked(region),
            coloured=lambda colour: self.tools.coloured(colour),
            failed=lambda reason: self.status.say(reason, serious=True),
            no_regions=lambda what: self.finding.expects(what),
        )
        self.painting = painting = Painting(hand, easel, tells)
        self.running = running = Running(npe.engine)
        self.tools = Tools(npe, window, easel.view, painting, self.tell)
        self.opening = Opening(path, npe, window, easel, painting, self._changed, read)
        self.finding = Finding(npe, window, painting, running, self._keep, self._changed)
        self.enhancing = Enhancing(npe, window, easel, painting, running, self._changed)

    @property
    def status(self) -> StatusLine:
        return self.window.status

    # --- how it comes about -------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """After the first frame: the panels, the engine, the photo."""
        reading = asyncio.create_task(self.opening.read())
        self.window.later(self.opening.show_meanwhile(reading))
        await self.window.furnish(Side(self._npe.config, self._npe.recent.colours))
        if self._carried is not None:
            self.tools.show_carried(self._carried)
        self.ready = True
        self._npe.engine.start()
        self._screen.watch(self.window.run, "doing", self.enhancing.say_that_it_runs, init=False)
        self.show_engine(self._npe.engine.state)
        await self._open(reading)

    async def _open(self, reading: asyncio.Task[EditDocument]) -> None:
        try:
            document = await reading
            self.easel.open(document)
        except (NpeError, MemoryError) as error:
            self._npe.could_not_open(self.path, why_not_opened(self.path, error))
            return
        self._npe.recent.add_photo(self.path)
        self.document = document
        self.tools.open(document, 1.0 if self._carried is None else self._carried.radius)
        self.finding.open(document)
        self.enhancing.open(document)
        failed, post = messages.AutosaveFailed, self._screen.post_message
        self.autosave = self.opening.autosave(document, lambda reason: post(failed(reason)))
        self.tell()
        for note in document.photo.notes:
            self._npe.notify(note, title=document.name, markup=False)
        await self.opening.recover(document, self.autosave)
        self.painting.open(document)
        await self.find_face()

    async def find_face(self, ask: bool = False) -> None:
        """Find out which face is meant, then its regions; ``ask`` even if there is only one."""
        await self.finding.find_face(ask)
        self.tell()

    # --- what there is to tell ----------------------------------------------------------------------------------

    def _changed(self, said: str) -> None:
        """The document changed."""
        if self.document is None:
            return
        if said:
            self.status.say(said)
        self._keep()
        self.window.regions.show_fills(self.document.fills)
        self.tell()

    def _keep(self) -> None:
        """What is unsaved is to be on disk soon."""
        if self.autosave is not None and self.document is not None and self.document.unsaved:
            self.autosave.touch()

    def tell(self) -> None:
        """The title and the facts at the bottom."""
        if (document := self.document) is not None:
            self.window.entitle(facts.title(document, self._npe.size.width))
            self.window.strength.show_last_seed(document.continued.get("seed"))
        self.status.facts = facts.facts(self.hand, self._npe.engine.state, document)

    # --- what the engine and the disk say -----------------------------------------------------------------------

    def show_engine(self, state: messages.EngineState) -> None:
        """The models are on the way, are there, or are not to be had."""
        self.enhancing.show_engine(state)
        if state.name == "ready":
            self.finding.engine_ready()
        self.tell()
        self.window.refresh_keys()

    async def hear(self, event: messages.FromEngine) -> None:
        """Of a job; of one that is not wanted any more nothing is heard."""
        if self.running.is_making(event):
            self.enhancing.hear(event)
        elif self.running.is_looking(event):
            await self.finding.hear(event)
        else:
            return
        if isinstance(event, messages.Failed):
            noted = self._npe.engine.state.name == "ready"
            self.status.say(event.reason, serious=True, noted=noted)
            if noted:
                self._npe.notify(event.reason, severity="error", timeout=10, markup=False)

    def autosave_failed(self, reason: str) -> None:
        """Until it succeeds again, what is painted lies nowhere else."""
        save, save_paint = map(self._npe.key_to, ("save", "save_paint"))
        told = f"{reason} {save} and {save_paint} still save."
        self.status.say(told, serious=True, noted=True)
        self._npe.notify(told, severity="error", timeout=30, markup=False)
