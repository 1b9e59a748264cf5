"""The lowest layer of the editor: the photo, its panels, telling what there is."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Label

from npe_core.filenames import printable
from npe_core.regions import REGIONS
from npe_tui.document.document import EditDocument
from npe_tui.engine import messages
from npe_tui.engine.running import Running
from npe_tui.files.autosave import Autosave
from npe_tui.hand.easel import Easel
from npe_tui.hand.hand import Hand
from npe_tui.hand.painting import Painting
from npe_tui.hand.palette import group_for
from npe_tui.hand.turn import Tells
from npe_tui.keys import APP_COMMANDS, COMMANDS, KEY_LINE
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.status import StatusLine
from npe_tui.panels.strength import StrengthPanel
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
            picked=self._picked,
            coloured=self._coloured,
            failed=lambda reason: self.status.say(reason, serious=True),
            no_regions=self._no_regions,
        )
        self.painting = Painting(self.hand, self.easel, tells)
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
        return self.query_one(StatusLine)

    @property
    def panels_in_sight(self) -> bool:
        """Whether the panels are seen, so that the status line need not repeat them."""
        return self.query_one("#side").display

    @property
    def largest_radius(self) -> float:
        """Of the brush, in photo pixels."""
        return 1.0 if self.document is None else min(self.document.size) / 2

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
        """Close a panel that covers the picture, and go to the picture: after Enter in a field or slider of any."""
        self.open_panel(False)
        self.set_focus(self.easel.view)  # now: focus() would do it after the keys that are on their way already

    def open_panel(self, is_open: bool) -> None:
        """In a small window: the panels in place of the picture, or back."""
        if self.has_class("-panel-open") != is_open:
            self.set_class(is_open, "-panel-open", update=False)
            self.app.stylesheet.update_nodes(self.query("#side, #easel"))  # all else looks the same, and is much

    # --- what the hand says -------------------------------------------------------------------------------------

    def changed(self, said: str) -> None:
        """The document changed."""
        if self.document is None:
            return
        if said:
            self.status.say(said)
        if self.autosave is not None and self.document.unsaved:
            self.autosave.touch()
        self.query_one(RegionsPanel).show_fills(self.document.fills)
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

    def _picked(self, region: int) -> None:
        self.query_one(ColourPanel).show_group(group_for(REGIONS[region].name))
        self._remember_colour()

    def _coloured(self, colour: str) -> None:
        self.query_one(ColourPanel).choose(colour)
        self.hand.colour = colour
        self.status.say(f"Colour {colour}")

    def _remember_colour(self) -> None:
        self.npe.recent.add_colour(self.hand.colour)
        self.query_one(ColourPanel).show_recent(self.npe.recent.colours)

    def tell(self) -> None:
        """The title and the facts at the bottom."""
        document, engine = self.document, self.npe.engine.state
        tool = "tint" if self.hand.tint and self.hand.tool == "brush" else self.hand.tool
        facts = [f"{tool} {self.hand.radius:g}px" if self.hand.paints else tool]
        if engine.name == "ready":
            facts.append(f"{engine.device} · weights {engine.weights}")
        if document is not None:
            if document.result is not None:
                seed = [] if document.stale else [f"seed {document.result.parameters['seed']}"]
                facts[1:1] = [*seed, f"last edit {document.result.seconds['total']:.1f} s"]
            width, height = document.size
            size, which, state = f"{width}x{height}  ", _which_face(document), _state(document)
            name, room = Text(document.name), self.app.size.width - 4
            most = room - cell_len(document.name)
            told = next((t for t in (size + which + state, which + state) if cell_len(t) <= most), state)
            name.truncate(max(room - cell_len(state), 8), overflow="ellipsis")
            title = Content.from_markup(" $name  [$text-muted]$told[/]", name=name.plain, told=told)
            self.query_one("#title", Label).update(title, layout=False)  # one line, whatever it tells
            self.query_one(StrengthPanel).show_last_seed(document.continued.get("seed"))
        self.status.facts = tuple(facts)


def _which_face(document: EditDocument) -> str:
    """Of several faces, the one that was chosen: ``face 2 of 3``."""
    count, face = len(document.faces or ()), document.wish.face
    if count < 2 or document.wish.aligned or document.wish.box is not None or face == "largest":
        return ""
    return f"all {count} faces  " if face == "all" else f"face {face} of {count}  "


def _state(document: EditDocument) -> str:
    """What the picture is now, and what closing it would lose."""
    if document.stale and not document.marked and document.unsaved_result:
        return "untouched; the enhanced picture is not saved"
    if document.stale and not document.marked:
        return "untouched"
    what = "painted" if document.stale else "enhanced"
    return f"{what}, not saved" if document.unsaved else f"{what}, saved"
