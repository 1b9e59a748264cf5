"""The lowest layer of the editor: the photo, its panels, opening it, telling what there is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
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

from npe_core.errors import NpeError, OutOfMemory
from npe_core.regions import REGIONS
from npe_tui import edit_settings, messages, opening
from npe_tui.autosave import Autosave, Saved
from npe_tui.document import EditDocument
from npe_tui.easel import Easel
from npe_tui.hand import Hand
from npe_tui.painting import Painting
from npe_tui.palette import group_for
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.side import Side
from npe_tui.panels.status import StatusLine
from npe_tui.panels.strength import StrengthPanel
from npe_tui.running import Running
from npe_tui.turn import Tells
from npe_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from npe_tui.app import NpeApp

LOADING = "Paint meanwhile: the models are loading, then the regions follow."
FINDING = "Finding the regions of the face"


class PhotoScreen(Screen[None]):
    """One photo between its panels. ``EnhancingScreen`` and ``EditScreen`` build on it."""

    def __init__(self, path: Path, read: EditDocument | None = None) -> None:
        """``read``: the photo, where somebody has read it already."""
        super().__init__()
        self.path = path
        self._read = read
        self.document: EditDocument | None = None
        self.autosave: Autosave | None = None
        self.ready = False
        """Whether the panels are there."""
        self.asks_for_face = False
        """Whether a face is being looked for, or asked for."""
        self.face_chosen = False
        """Whether it is known whose regions are to be found."""
        config = self.npe.config
        self.easel = Easel(config.depth)
        self.hand = Hand(colour=config.colour, hardness=config.hardness, opacity=config.opacity, tint=config.tint)
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
        yield Label(f" {self.path.name}", id="title", markup=False)
        with Horizontal(id="body"):
            yield self.easel
            yield Vertical(id="side")
        yield StatusLine()
        yield KeyLine("enhance", "save", "help", "leave")

    def on_mount(self) -> None:
        self.npe.engine.sink = self.post_message
        self.status.say(f"Opening {self.path.name}")
        self.easel.view.focus()
        self.call_after_refresh(lambda: self.later(self._begin()))

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
    def largest_radius(self) -> float:
        """Of the brush, in photo pixels."""
        return 1.0 if self.document is None else min(self.document.size) / 2

    # --- opening ------------------------------------------------------------------------------------------------

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs a coroutine beside the event loop, as long as the screen is there."""
        self.run_worker(self._while_here(work))

    async def _while_here(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except NoMatches:
            if self.app.is_running and self.is_attached:  # else all is being taken down, and nobody looks any more
                raise

    async def _begin(self) -> None:
        """After the first frame: the panels, the engine, the photo."""
        reading = asyncio.create_task(self._reading())
        await self.query_one("#side").mount(Side(self.npe.config, self.npe.recent.colours))
        self.furnished()
        await self._open(reading)

    async def _reading(self) -> EditDocument:
        return self._read or await opening.read(self.path, self.npe.config.max_megapixels)

    def furnished(self) -> None:
        """The panels are there."""
        self.ready = True
        self.npe.engine.start()
        self.refresh_bindings()

    async def _open(self, reading: asyncio.Task[EditDocument]) -> None:
        try:
            document = await reading
            self.easel.open(document)
        except (NpeError, MemoryError) as error:
            self.npe.could_not_open(self.path, str(OutOfMemory() if isinstance(error, MemoryError) else error))
            return
        config, app = self.npe.config, self.npe
        app.recent.add_photo(self.path)
        self.document = document
        self.hand.radius = config.radius or max(round(min(document.size) / 50), 1)
        hand = self.hand
        self.query_one(BrushPanel).show_brush(hand.radius, hand.hardness, hand.opacity, self.largest_radius)
        self.autosave = Autosave(
            app.autosave_folder,
            self.path,
            config.autosave,
            document.snapshot,
            lambda: _kept(document),
            lambda reason: self.post_message(messages.AutosaveFailed(reason)),
        )
        self.tell()
        for note in document.photo.notes:
            self.notify(note, title=document.name, markup=False)
        await self._recover(document)
        self.painting.open(document)
        await self.find_face()

    async def _recover(self, document: EditDocument) -> None:
        assert self.autosave is not None, "made before"
        taken = await opening.recover(
            document, self.npe.autosave_folder, self.path, self._ask_recovery, self._not_recovered
        )
        if taken is not None:
            with self.painting.failures_told():
                self.easel.open(document)
            self.changed("")
            self.notify(
                f"Paint and mask were recovered.{self._settings_again(taken)}", title=document.name, markup=False
            )
            self.autosave.take_over(taken)
            await asyncio.to_thread(self.autosave.flush)

    def _settings_again(self, taken: Saved) -> str:
        """The next Enhance makes the picture that was lost: it has the settings of then. Says so."""
        then = edit_settings.of_parameters(taken.parameters)
        if then is None:
            return ""
        self.query_one(StrengthPanel).show_settings(replace(then, seed=None))  # its own goes with the document
        if taken.picture is not None:
            return f" The enhanced picture is in {taken.picture.name}; its strength and seed are set."
        if not taken.fits:
            return " The enhanced picture was made from other paint and is lost; its strength and seed are set."
        return f" {self.npe.key_to('enhance')} makes the enhanced picture again, with its seed {then.seed}."

    async def _ask_recovery(self, title: str, question: str, fits: bool) -> str | None:
        from npe_tui.screens.confirm import ConfirmScreen

        recover = {"recover": "Recover it"} if fits else {}
        answers = recover | {"later": "Later", "drop": "Throw it away"}
        return await self.app.push_screen_wait(ConfirmScreen(title, question, answers))

    def _not_recovered(self, why: str) -> None:
        self.notify(why, title="Not recovered", severity="error", markup=False)

    async def find_face(self, ask: bool = False) -> None:
        """Find out which face is meant, then its regions; ``ask`` even if there is only one."""
        document = self.document
        if document is None:
            return
        self.status.say("Looking for faces")
        before, self.asks_for_face = document.wish, True
        try:
            found = await opening.find_face(document, self._ask_face, ask)
        except NpeError as error:
            self.painting.stop_waiting()
            self.status.say(str(error), serious=True)
            return
        finally:
            self.asks_for_face = False
        if not found:
            known, key = document.regions is not None, self.npe.key_to("face")
            needed = "" if document.faces else ", which Enhance needs"
            self.status.say("" if known else f"No face chosen: {key} chooses one{needed}; paint by hand meanwhile.")
            self.painting.stop_waiting()
            return
        self.face_chosen = True
        if document.wish != before:  # until those of the other face are known there are none to fill
            document.canvas.regions = None
            self.painting.leave_fill()
        self.look()

    async def _ask_face(self, faces: list[Any]) -> Any:
        from npe_tui.screens.faces import FaceScreen

        assert self.document is not None, "faces are looked for in a document"
        return await self.app.push_screen_wait(FaceScreen(self.document.photo.image, faces, self.npe.config.depth))

    def look(self) -> None:
        """Ask the engine for the regions."""
        if self.document is None:
            return
        self.running.look(self.document)
        state = self.npe.engine.state.name
        if state == "loading":
            self.status.say(LOADING)
        elif state == "ready":
            self.status.say(FINDING)
        self.tell()

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
            self.query_one("#title", Label).update(title)
            self.query_one(StrengthPanel).show_last_seed(document.continued.get("seed"))
        self.status.facts = tuple(facts)


def _kept(document: EditDocument) -> dict[str, Any]:
    """What recovery wants to know of the last enhanced picture, for JSON."""
    file = document.made_in
    told = {"fits": document.can_be_made_again, "saved_as": None if file is None else str(file.absolute())}
    told |= {"all_faces": document.wish.face == "all"}
    return edit_settings.kept(document.continued) | told


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
    what = "enhanced" if not document.stale else "painted" if document.marked else "untouched"
    return f"{what}, not saved" if document.unsaved else what
