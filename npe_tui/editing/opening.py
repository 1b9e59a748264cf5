"""How a photo comes in: it is read, and what an earlier session left behind of it is recovered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npe_core.filenames import printable
from npe_tui.aside import aside
from npe_tui.document import edit_settings
from npe_tui.document.document import EditDocument
from npe_tui.document.packing import Packed
from npe_tui.editing.window import Window
from npe_tui.files import opening
from npe_tui.files.autosave import Autosave, Saved
from npe_tui.files.thumbnails import thumbnail
from npe_tui.hand.easel import Easel
from npe_tui.hand.painting import Painting

if TYPE_CHECKING:
    from npe_tui.app import NpeApp

_MOMENT = 0.2
"""Seconds in which nobody wonders what is being opened."""


class Opening:
    """Reads one photo, and keeps and recovers the work on it."""

    def __init__(
        self,
        path: Path,
        npe: NpeApp,
        window: Window,
        easel: Easel,
        painting: Painting,
        changed: Callable[[str], object],
        read: EditDocument | None = None,
    ) -> None:
        """``changed``: the document changed, as in ``Tells``; ``read``: the photo, if somebody has read it already."""
        self._path, self._npe, self._window, self._read = path, npe, window, read
        self._easel, self._painting, self._changed = easel, painting, changed

    async def read(self) -> EditDocument:
        """Raises NpeError or MemoryError where that cannot be."""
        return self._read or await opening.read(self._path, self._npe.config.max_megapixels)

    async def show_meanwhile(self, reading: asyncio.Task[EditDocument]) -> None:
        """How a photo looks that takes its time, where it will be: nothing can be done with it yet."""
        await asyncio.wait({reading}, timeout=_MOMENT)
        columns, rows = self._easel.view.size
        if reading.done():
            return
        found = await aside(lambda: thumbnail(self._path, 2 * columns, 4 * rows, quick=True))
        if found is not None and not reading.done():
            small, (width, height) = found
            self._easel.view.show(small)
            self._window.entitle(f" {printable(self._path.name)}  {width}x{height}  opening")

    def autosave(self, document: EditDocument, failed: Callable[[str], object]) -> Autosave:
        """Of this document, for the next session; ``failed``: as in ``Autosave``."""
        return Autosave(
            self._npe.autosave_folder,
            self._path,
            self._npe.config.autosave,
            document.snapshot,
            lambda: _kept(document),
            failed,
            Packed(document),
        )

    async def recover(self, document: EditDocument, autosave: Autosave) -> None:
        """Offers what was left behind; what is taken is this session's work from then on."""
        npe = self._npe
        taken = await opening.recover(document, npe.autosave_folder, self._path, self._ask, self._not_recovered)
        if taken is not None:
            with self._painting.failures_told():
                self._easel.open(document)
            self._changed("")
            told = f"Paint and mask were recovered.{self._again(document, taken)}"
            npe.notify(told, title=document.name, markup=False)
            autosave.take_over(taken)
            await asyncio.to_thread(autosave.flush)

    async def _ask(self, title: str, question: str, fits: bool) -> str | None:
        from npe_tui.screens.confirm import ConfirmScreen

        recover = {"recover": "Recover it"} if fits else {}
        answers = recover | {"later": "Later", "drop": "Throw it away"}
        return await self._npe.push_screen_wait(ConfirmScreen(title, question, answers))

    def _not_recovered(self, why: str) -> None:
        self._npe.notify(why, title="Not recovered", severity="error", markup=False)

    def _again(self, document: EditDocument, taken: Saved) -> str:
        """The next Enhance has the settings of the last. Says what became of the picture that this made."""
        then = edit_settings.of_parameters(taken.parameters)
        if then is not None:
            self._window.strength.show_settings(replace(then, seed=None))  # its own goes with the document
        if document.result is not None:
            return f" So was the enhanced picture, which {self._npe.key_to('save')} saves."
        if then is None:
            return ""
        if taken.picture is not None:
            return f" The enhanced picture is in {taken.picture.name}; its strength and seed are set."
        if not taken.fits:
            return " The enhanced picture was made from other paint and is lost; its strength and seed are set."
        return f" {self._npe.key_to('enhance')} makes the enhanced picture again, with its seed {then.seed}."


def _kept(document: EditDocument) -> dict[str, Any]:
    """What recovery wants to know of the face that is meant and of the last enhanced picture, for JSON."""
    file = document.made_in
    return edit_settings.kept(document.continued) | {
        "fits": document.can_be_made_again,
        "saved_as": None if file is None else str(file.absolute()),
        "wish": asdict(document.wish),
    }
