"""The layer of the editor that a photo comes in by: read, what was left behind recovered, the face found."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from textual.widgets import Label

from npe_core.errors import NpeError
from npe_core.filenames import printable
from npe_tui.aside import aside
from npe_tui.document import edit_settings
from npe_tui.document.document import EditDocument
from npe_tui.editing.tools import Carried
from npe_tui.engine import messages
from npe_tui.files import opening
from npe_tui.files.autosave import Autosave, Saved
from npe_tui.files.thumbnails import thumbnail
from npe_tui.panels.side import Side
from npe_tui.screens.photo import PhotoScreen

LOADING = "Paint meanwhile: the models are loading, then the regions follow."
FOLLOWING = "The regions of the face follow."
"""Where the panel says that the models are loading."""
_MOMENT = 0.2
"""Seconds in which nobody wonders what is being opened."""
FINDING = "Finding the regions of the face"


class OpeningScreen(PhotoScreen):
    """A photo that is being opened, up to the question for its regions."""

    def __init__(self, path: Path, read: EditDocument | None = None, carried: Carried | None = None) -> None:
        """``read``: the photo, where somebody has read it already; ``carried``: from the one before."""
        super().__init__(path, None if carried is None else carried.hand)
        self._read, self._carried = read, carried
        self.face_chosen = False
        """Whether it is known whose regions are to be found."""

    def on_mount(self) -> None:
        self.npe.engine.sink = self.post_message
        self.status.say(f"Opening {self.path.name}")
        self.easel.view.focus()
        self.call_after_refresh(lambda: self.later(self._begin()))

    async def _begin(self) -> None:
        """After the first frame: the panels, the engine, the photo."""
        reading = asyncio.create_task(self._reading())
        self.later(self._show_meanwhile(reading))
        await self.query_one("#side").mount(Side(self.npe.config, self.npe.recent.colours))
        if self._carried is not None:
            self.tools.show_carried(self._carried)
        self.furnished()
        await self._open(reading)

    @property
    def carried(self) -> Carried:
        """For the next photo. For when the panels are there."""
        return self.tools.carried

    async def _reading(self) -> EditDocument:
        return self._read or await opening.read(self.path, self.npe.config.max_megapixels)

    async def _show_meanwhile(self, reading: asyncio.Task[EditDocument]) -> None:
        """How a photo looks that takes its time, where it will be: nothing can be done with it yet."""
        await asyncio.wait({reading}, timeout=_MOMENT)
        columns, rows = self.easel.view.size
        if reading.done():
            return
        found = await aside(lambda: thumbnail(self.path, 2 * columns, 4 * rows, quick=True))
        if found is not None and not reading.done():
            small, (width, height) = found
            self.easel.view.show(small)
            self.query_one("#title", Label).update(f" {printable(self.path.name)}  {width}x{height}  opening")

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
            self.npe.could_not_open(self.path, opening.why_not_opened(self.path, error))
            return
        config, app = self.npe.config, self.npe
        app.recent.add_photo(self.path)
        self.document = document
        self.tools.open(document, 1.0 if self._carried is None else self._carried.radius)
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
        self.window.strength.show_settings(replace(then, seed=None))  # its own goes with the document
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
            key = self.npe.key_to("face")
            needed = "" if document.faces else ", which Enhance needs"
            none = f"No face chosen: {key} chooses one{needed}; paint by hand meanwhile."
            self.status.say("The face is the same as before" if self.face_chosen else none)
            self.painting.stop_waiting()
            return
        self.face_chosen = True
        if document.wish != before:  # until those of the other face are known there are none to fill
            document.canvas.regions = None
            self.painting.leave_fill()
            if self.autosave is not None and document.unsaved:
                self.autosave.touch()
        self.look()

    async def _ask_face(self, faces: list[Any]) -> Any:
        from npe_tui.screens.faces import FaceScreen

        assert self.document is not None, "faces are looked for in a document"
        image, wish = self.document.photo.image, self.document.wish if self.face_chosen else None
        return await self.app.push_screen_wait(FaceScreen(image, faces, self.npe.config.depth, wish))

    def look(self) -> None:
        """Ask the engine for the regions."""
        if self.document is None:
            return
        self.running.look(self.document)
        state = self.npe.engine.state.name
        if state == "loading":
            self.status.say(FOLLOWING if self.window.shows_panels else LOADING)
        elif state == "ready":
            self.status.say(FINDING)
        self.tell()


def _kept(document: EditDocument) -> dict[str, Any]:
    """What recovery wants to know of the face that is meant and of the last enhanced picture, for JSON."""
    file = document.made_in
    return edit_settings.kept(document.continued) | {
        "fits": document.can_be_made_again,
        "saved_as": None if file is None else str(file.absolute()),
        "wish": asdict(document.wish),
    }
