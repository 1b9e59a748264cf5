"""Saving: where to, and whether over what is there, is asked; nothing is left unsaved without a question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from textual.screen import ModalScreen

from npe_core.errors import NpeError, OutOfMemory
from npe_tui.files import bugs
from npe_tui.files.own_files import OwnFiles
from npe_tui.files.paint import NOTHING_MARKED
from npe_tui.panels.status import StatusLine

if TYPE_CHECKING:
    from npe_tui.app import NpeApp
    from npe_tui.document.document import EditDocument
    from npe_tui.document.results import Made
    from npe_tui.editing.editing import Editing
    from npe_tui.screens.save import Target

Asked: TypeAlias = tuple[str, dict[str, str]]
"""A question, and its answers: name -> label."""


@dataclass(eq=False)
class Save:
    """One save, from the key press to its end."""

    editing: Editing
    document: EditDocument
    made: Made | None
    """The picture; None: paint and mask."""
    path: Path | None = None
    """Where it is written, as far as that is known."""
    asks: bool = False
    """Whether a person is asked, or soon will be."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, told: str, serious: bool = False) -> None:
        """On the screen of the photo, if that was not left meanwhile. No notification: a dialog says all of it."""
        if self.editing.window.is_there:
            self.editing.status.say(told, serious=serious, noted=True)

    @property
    def if_other(self) -> str:
        """A warning, if the picture is not what is shown."""
        return "" if self.document.shows(self.made) else " It is the last enhanced picture, not what is shown now."

    def named(self, path: Path) -> Path:
        """The name alone where a file lies in the photo's folder, else all of the path."""
        is_beside = path.absolute().parent == self.document.path.absolute().parent
        return Path(path.name) if is_beside else path.absolute()


class Saving:
    """The saves of a session. The canvas and its history go on meanwhile: a slow disk holds up nobody.

    They are written one after the other, in the order of their keys.
    """

    def __init__(self, app: NpeApp) -> None:
        self._app = app
        self._own_files = OwnFiles()
        self._under_way: list[Save] = []
        """In the order of their keys."""
        self._given_up = asyncio.Event()
        """Set when whoever wants to leave the photo, and waits for a save, is not to leave it any more."""

    def stay(self) -> asyncio.Event:
        """Who waits to leave the photo gives up: another way out was chosen since. The event of the one that comes."""
        self._given_up.set()
        self._given_up = asyncio.Event()
        return self._given_up

    async def may_close(self, question: str) -> bool:
        """Whether the photo under way may go: it is saved, or a person says so. What is dropped is dropped for good.

        What is being written is waited for. Of several who wait the last may ask: the others have given up.
        """
        editing, given_up = self._app.editing, self.stay()
        if editing is None:
            return True
        document = editing.document
        while document is not None:
            if given_up.is_set():
                return False
            if self._under_way:
                await self._come_to_the_end(self._under_way[0], given_up)
                continue
            if not document.unsaved:
                break
            answer, asked = await self._ask_to_save(question, editing, document)
            if answer not in ("save", "save_paint", "drop"):
                return False
            if _unsaved(editing, document) != asked:
                continue  # what was made came to its end in the very moment
            if answer == "drop":
                break
            is_paint = answer == "save_paint"
            if not await self._carry_out(self._new(editing, document, not is_paint, is_paint), again=not is_paint):
                return False
        if editing.autosave is not None:
            await asyncio.to_thread(editing.autosave.discard, editing.autosave.changes)
        return True

    async def _come_to_the_end(self, save: Save, given_up: asyncio.Event) -> None:
        if self._names:
            for status in self._app.screen.query(StatusLine):
                status.say(f"Saving {self._names}…; leaves then")
        while not (save.ended.is_set() or given_up.is_set()):
            await asyncio.sleep(0.05)

    async def _ask_to_save(self, title: str, editing: Editing, document: EditDocument) -> tuple[str | None, Asked]:
        """The answer, and to what."""
        from npe_tui.screens.confirm import ConfirmScreen

        asking = ConfirmScreen(title, *_unsaved(editing, document), lambda: _unsaved(editing, document))
        return await self._app.push_screen_wait(asking), asking.asked

    # --- from the key on ----------------------------------------------------------------------------------------

    def begin(self, editing: Editing, again: bool = False, paint: bool = False) -> None:
        """Ask where, ask before overwriting, write. ``paint``: paint and mask instead of the edited picture.

        The picture is the one that is in force now, whatever is undone meanwhile; or one that an Enhance makes while a
        person is asked; paint is that of the answer. ``again``: nothing is asked where its file is one that this
        session wrote and nobody else did since. A key that is pressed twice asks once.
        """
        document = editing.document
        if document is None or any(save.asks for save in self._under_way):
            return
        made, is_marked = None if paint else document.made, document.marked or editing.painting.busy
        if paint and not is_marked:
            editing.status.say(NOTHING_MARKED, serious=True)
        elif not paint and made is None:
            enhance, save_paint = self._app.key_to("enhance"), self._app.key_to("save_paint")
            marked = f"{enhance} enhances. {save_paint} saves the paint alone."
            first = marked if is_marked else f"pick a region, or paint, then {enhance} enhances."
            editing.status.say(f"There is nothing to save yet: {first}", serious=True)
        elif again and any(save.made is made for save in self._under_way):
            editing.status.say(f"Still saving {self._names}…")
        else:
            self._app.run_worker(self._carry_out(self._new(editing, document, again, paint), again), group="app")

    def _new(self, editing: Editing, document: EditDocument, again: bool, paint: bool) -> Save:
        made = None if paint else document.made
        path = document.file_for(made) if again and made is not None else None
        save = Save(editing, document, made, path, asks=path is None and not (again and self._under_way))
        self._under_way.append(save)
        return save

    @property
    def _names(self) -> str:
        """Of the files that are being written, or soon will be."""
        return ", ".join(dict.fromkeys(save.path.name for save in self._under_way if save.path is not None))

    async def _carry_out(self, save: Save, again: bool) -> bool:
        """Returns whether it was written, or had been."""
        try:
            return await self._save(save, again)
        finally:
            self._under_way.remove(save)
            save.ended.set()

    async def _save(self, save: Save, again: bool) -> bool:
        editing, document, own = save.editing, save.document, None
        if again and save.made is not None:
            own = await self._own_file(save, save.made)
            if own is not None and save.made.saved_as == own.path:
                save.say(f"Saved already as {save.named(own.path)}.{save.if_other}")
                return True
        written, notes = await self._write(save, own)
        if written is None:
            return False
        if editing.autosave is not None and not document.unsaved:
            await asyncio.to_thread(editing.autosave.discard, editing.autosave.changes)
        if editing.window.is_there:
            editing.tell()
        if own is not None and written == own.path:
            save.say(f"Saved again as {save.named(written)}.{save.if_other}")
        else:
            save.say(f"Saved {save.named(written)}")
        for note in notes:
            self._app.notify(note, title=written.name, markup=False)
        return True

    async def _own_file(self, save: Save, made: Made) -> Target | None:
        """The picture's file, if it may be written over: what was to be written before is there by then."""
        from npe_tui.screens.save import Target

        if save.path is not None:
            save.say(f"Saving {save.path.name}…")
        await self._those_before(save)
        save.path = save.document.file_for(made)
        if save.path is None or not await asyncio.to_thread(self._own_files.untouched, save.path):
            return None
        return Target(save.path, overwrite=True)

    async def _those_before(self, save: Save) -> None:
        for other in self._under_way[: self._under_way.index(save)]:
            await other.ended.wait()

    async def _write(self, save: Save, target: Target | None) -> tuple[Path | None, tuple[str, ...]]:
        """Asks where until it is written there; ``target``: is not asked for.

        Returns where it was written, None if a person gave up, and notes.
        """
        document, newest, paint, problem = save.document, save.document.newest, None, ""
        while True:
            if target is None:
                target = await self._ask(save, newest, problem)
            if target is None:
                save.say(f"Not saved. {problem}".rstrip(), serious=bool(problem))
                return None, ()
            save.path = target.path
            save.say(f"Saving {target.path.name}…")
            try:
                if save.made is None:
                    async with save.editing.painting.at_rest():
                        paint = document.paint()
                else:
                    save.made, newest = _wanted(save, newest), document.newest
                await self._those_before(save)
                save.say(f"Saving {target.path.name}…")
                if save.made is None:
                    notes = await asyncio.to_thread(document.save_paint, target.path, target.overwrite, paint)
                else:
                    notes = await asyncio.to_thread(document.save, target.path, target.overwrite, save.made)
                    await asyncio.to_thread(self._own_files.note, target.path)
            except Exception as error:  # whatever it is: the picture is there still, for another name or format
                problem, target = await asyncio.to_thread(_why_not, error), None
                save.say(f"Not saved. {problem}", serious=True)
            else:
                return target.path, notes

    async def _ask(self, save: Save, newest: Made | None, problem: str) -> Target | None:
        """Where to, once no other question is up: keys that are meant for that would go to this one."""
        from npe_tui.screens.save import SaveScreen

        document, is_paint, save.asks = save.document, save.made is None, True
        taken = [other.path for other in self._under_way if other is not save and other.path is not None]
        proposed = save.path or document.proposed_name("paint" if is_paint else "edited", taken)
        source, shown = document.photo.path, lambda: document.shows(_wanted(save, newest))
        while isinstance(self._app.screen, ModalScreen):
            await asyncio.sleep(0.05)
        target = await self._app.push_screen_wait(SaveScreen(proposed, source, is_paint, lambda: not shown(), problem))
        save.asks = False
        return target


def _unsaved(editing: Editing, document: EditDocument) -> Asked:
    """What is said of leaving now, and what can be answered."""
    what, save = "save", "Save"
    if document.unsaved_result:
        told = f"The enhanced picture of {document.name} is not saved."
    else:
        what, save = "save_paint", "Save paint"
        told = f"The paint on {document.name} is not saved."
        if document.result is not None:
            told = f"The enhanced picture of {document.name} is saved; what was painted since the last Enhance is not."
    if editing.running.making:
        told += " What is being made of it is not done yet, and stops with it."
    return told, {"stay": "Stay", what: save, "drop": "Do not save"}


def _why_not(error: Exception) -> str:
    """An error in words; of a bug the traceback lies in a file."""
    if isinstance(error, MemoryError):
        return str(OutOfMemory())
    return str(error) if isinstance(error, NpeError) else bugs.told(error)


def _wanted(save: Save, newest: Made | None) -> Made | None:
    """The picture that is saved: of the key, or one that was made since ``newest`` was the last."""
    document = save.document
    return save.made if save.made is None or document.newest is newest else document.newest
