"""The lowest layer of the editor: the photo, its panels, telling what there is."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Label

from npe_core.filenames import printable
from npe_tui.document.document import EditDocument
from npe_tui.editing import facts
from npe_tui.editing.tools import Tools
from npe_tui.editing.window import Window
from npe_tui.engine import messages
from npe_tui.engine.running import Running
from npe_tui.files.autosave import Autosave
from npe_tui.hand.easel import Easel
from npe_tui.hand.hand import Hand
from npe_tui.hand.painting import Painting
from npe_tui.hand.turn import Tells
from npe_tui.keys import APP_COMMANDS, COMMANDS, KEY_LINE
from npe_tui.panels.status import StatusLine
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from npe_tui.app import NpeApp


_ACTION_OF = {command.name: command.action for command in (*COMMANDS, *APP_COMMANDS)}


class PhotoScreen(QuietFocus, Screen[None]):
    """One photo between its panels. ``OpeningScreen`` lies on it, then ``EnhancingScreen``, ``PaintingScreen`` and
    ``EditScreen``."""

    def __init__(self, path: Path, hand: Hand | None = None) -> None:
        """``hand``: another one than a new one as it is set."""
        super().__init__()
        self.path = path
        self.document: EditDocument | None = None
        self.autosave: Autosave | None = None
        self.ready = False
        """Whether the panels are there."""
        self.asks_for_face = False
        """Whether a face is being looked for, or asked for."""
        config = self.npe.config
        self.easel = Easel(config.depth)
        self.hand = hand or Hand(
            colour=config.colour, hardness=config.hardness, opacity=config.opacity, tint=config.tint
        )
        tells = Tells(
            working=lambda doing: self.status.say(doing),
            later=self.later,
            changed=self.changed,
            picked=lambda region: self.tools.picked(region),
            coloured=lambda colour: self.tools.coloured(colour),
            failed=lambda reason: self.status.say(reason, serious=True),
            no_regions=self._no_regions,
        )
        self.window = Window(self, self.easel)
        self.painting = Painting(self.hand, self.easel, tells)
        self.tools = Tools(self.npe, self.window, self.easel.view, self.painting, self.tell)
        self.running = Running(self.npe.engine)

    def compose(self) -> ComposeResult:
        yield Label(f" {printable(self.path.name)}", id="title", markup=False)
        with Horizontal(id="body"):
            yield self.easel
            yield Vertical(id="side")
        yield StatusLine()
        yield KeyLine(*(_ACTION_OF[name] for name in KEY_LINE))

    def on_resize(self) -> None:
        if self.ready:
            self.tell()

    def on_unmount(self) -> None:
        if self.autosave is not None:
            self.autosave.close()

    @property
    def npe(self) -> NpeApp:
        """The app, as what it is."""
        return cast("NpeApp", self.app)

    @property
    def status(self) -> StatusLine:
        return self.window.status

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs a coroutine beside the event loop, as long as the screen is there."""
        self.run_worker(self._while_here(work))

    async def _while_here(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except NoMatches:
            if self.app.is_running and self.is_attached:  # else all is being taken down, and nobody looks any more
                raise

    @on(messages.AutosaveFailed)
    def _autosave_failed(self, event: messages.AutosaveFailed) -> None:
        save, save_paint = map(self.npe.key_to, ("save", "save_paint"))
        told = f"{event.reason} {save} and {save_paint} still save."
        self.status.say(told, serious=True, noted=True)
        self.notify(told, severity="error", timeout=30, markup=False)

    def action_back_to_picture(self) -> None:
        """After Enter in a field or slider of any panel."""
        self.window.go_to_picture()

    # --- what the hand says -------------------------------------------------------------------------------------

    def changed(self, said: str) -> None:
        """The document changed."""
        if self.document is None:
            return
        if said:
            self.status.say(said)
        if self.autosave is not None and self.document.unsaved:
            self.autosave.touch()
        self.window.regions.show_fills(self.document.fills)
        self.tell()

    def _no_regions(self, what: str) -> bool:
        state = self.npe.engine.state
        if state.name == "failed":
            self.status.say(state.detail, serious=True)
        elif self.asks_for_face or self.running.looking:
            why = " (the models are loading)" if state.name == "loading" else ""
            then = f"{self.npe.key_to('cancel')} forgets it"
            self.status.say(f"{what.capitalize()} is filled once the regions are found{why}; {then}")
            return True
        else:
            self.status.say(f"{self.npe.key_to('face')} chooses a face, whose regions are found then.", serious=True)
        return False

    def tell(self) -> None:
        """The title and the facts at the bottom."""
        if (document := self.document) is not None:
            title = facts.title(document, self.app.size.width)
            self.query_one("#title", Label).update(title, layout=False)  # one line, whatever it tells
            self.window.strength.show_last_seed(document.continued.get("seed"))
        self.status.facts = facts.facts(self.hand, self.npe.engine.state, document)
