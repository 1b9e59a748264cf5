"""Saving: where to, and whether over what is there, is asked; nothing is left unsaved without a question."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from npe_core.errors import NpeError
from npe_tui.own_files import OwnFiles

if TYPE_CHECKING:
    from npe_tui.app import NpeApp
    from npe_tui.document import EditDocument
    from npe_tui.results import Made
    from npe_tui.screens.edit import EditScreen


class Saving:
    """The saves of a session. The canvas and its history go on meanwhile: a slow disk holds up nobody."""

    def __init__(self, app: NpeApp) -> None:
        self._app = app
        self._own_files = OwnFiles()

    async def may_close(self, question: str) -> bool:
        """Whether the photo under way may go: it is saved, or a person says so. What is dropped is dropped for good."""
        editing = self._app.editing
        if editing is None:
            return True
        document = editing.document
        while document is not None and document.unsaved:
            asked_about = document.result
            answer = await self._ask_to_save(question, document)
            if answer not in ("save", "save_paint", "drop"):
                return False
            if document.result is not asked_about:
                continue  # an Enhance came to its end meanwhile
            if answer == "drop":
                break
            paint = answer == "save_paint"
            if not await self.save(editing, None if paint else document.saved_as, paint):
                return False
        if editing.autosave is not None:
            await asyncio.to_thread(editing.autosave.discard, editing.autosave.changes)
        return True

    async def _ask_to_save(self, question: str, document: EditDocument) -> str | None:
        from npe_tui.screens.confirm import ConfirmScreen

        answers = {"stay": "Stay", "save": "Save", "drop": "Do not save"}
        if document.unsaved_result:
            text = f"The enhanced picture of {document.name} is not saved."
        else:
            answers = {"stay": "Stay", "save_paint": "Save paint", "drop": "Do not save"}
            text = f"The paint on {document.name} is not saved."
            if document.result is not None:
                text = (
                    f"The enhanced picture of {document.name} is saved; what was painted since the last Enhance is not."
                )
        self._app.clear_notifications()  # on a small terminal they would lie on the question
        return await self._app.push_screen_wait(ConfirmScreen(question, text, answers))

    async def save(self, editing: EditScreen, path: Path | None, paint: bool = False) -> bool:
        """Ask where, ask before overwriting, write. ``paint``: paint and mask instead of the edited picture.

        The picture is the one that is in force when this is called, whatever is undone meanwhile; or one that an
        Enhance makes while a person is asked. Nothing is asked where ``path`` is a file that this session wrote and
        nobody else did since. Returns whether it was written, or had been.
        """
        document = editing.document
        if document is None:
            return False
        made = None if paint else document.made
        if not paint and made is None:
            enhance, save_paint = self._app.key_to("enhance"), self._app.key_to("save_paint")
            told = f"There is nothing to save yet: {enhance} enhances. {save_paint} saves the paint alone."
            editing.status.say(told, serious=True)
            return False
        own = False
        if path is not None and not paint:
            _say(editing, f"Saving {path.name}…")
            own = await asyncio.to_thread(self._own_files.untouched, path)
        if own and path is not None and made is not None and made.saved_as == path:
            _say(editing, f"Saved already as {_beside(path, document)}.{_if_other(document, made)}")
            return True
        written, made, notes = await self._write(editing, document, made, path, own)
        if written is None:
            return False
        if editing.autosave is not None and not document.unsaved:
            await asyncio.to_thread(editing.autosave.discard, editing.autosave.changes)
        if editing.is_attached:
            editing.tell()
        again = own and written == path
        told = f"Saved {written if _lies_beside(written, document) else written.absolute()}"
        _say(editing, f"Saved again as {_beside(written, document)}.{_if_other(document, made)}" if again else told)
        for note in notes:
            self._app.notify(note, title=written.name, markup=False)
        return True

    async def _write(
        self, editing: EditScreen, document: EditDocument, made: Made | None, path: Path | None, own: bool
    ) -> tuple[Path | None, Made | None, tuple[str, ...]]:
        """Asks where until it is written there. ``made``: the picture; None: paint and mask.

        ``own``: ``path`` may be written over, and is not asked for. Returns where it was written, None if a person gave
        up, the picture that was, and notes.
        """
        from npe_tui.screens.save import SaveScreen, Target

        newest, paint = document.newest, made is None

        def wanted() -> Made | None:
            return made if paint or document.newest is newest else document.newest

        proposed, problem = path or document.proposed_name("paint" if paint else "edited"), ""
        chosen = Target(proposed, overwrite=True) if own else None
        while True:
            if chosen is None:
                source = document.photo.path
                screen = SaveScreen(proposed, source, paint, lambda: not document.shows(wanted()), problem)
                chosen = await self._app.push_screen_wait(screen)
            if chosen is None:
                _say(editing, f"Not saved. {problem}".rstrip(), serious=bool(problem))
                return None, None, ()
            _say(editing, f"Saving {chosen.path.name}…")
            made = wanted()
            newest = document.newest
            try:
                if made is None:
                    notes = await asyncio.to_thread(document.save_paint, chosen.path, chosen.overwrite)
                else:
                    notes = await asyncio.to_thread(document.save, chosen.path, chosen.overwrite, made)
            except NpeError as error:
                proposed, problem, chosen = chosen.path, str(error), None
                _say(editing, f"Not saved. {problem}", serious=True)
                continue
            if not paint:
                await asyncio.to_thread(self._own_files.note, chosen.path)
            return chosen.path, made, notes


def _say(editing: EditScreen, told: str, serious: bool = False) -> None:
    """On the screen of the photo, if that was not left meanwhile. No notification: a dialog says all of it."""
    if editing.is_attached:
        editing.status.say(told, serious=serious, noted=True)


def _if_other(document: EditDocument, made: Made | None) -> str:
    return "" if document.shows(made) else " It is the last enhanced picture, not what is shown now."


def _lies_beside(path: Path, document: EditDocument) -> bool:
    """Whether the file is in the photo's folder."""
    return path.absolute().parent == document.path.absolute().parent


def _beside(path: Path, document: EditDocument) -> Path:
    """The name alone where the file lies beside the photo, else all of the path."""
    return Path(path.name) if _lies_beside(path, document) else path.absolute()
