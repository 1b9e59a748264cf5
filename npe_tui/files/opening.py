"""Opening a photo, step by step, without holding up the screen: decode, recover, find the face."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from npe_core.canvas.state import is_of
from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import InputError, NpeError, OutOfMemory
from npe_core.filenames import quoted
from npe_tui.document import edit_settings, packing
from npe_tui.document.document import EditDocument, FaceWish
from npe_tui.document.results import Made
from npe_tui.files.autosave import Saved, left_behind

if TYPE_CHECKING:
    from npe_core.faces import Face

Given = ParamSpec("Given")
Outcome = TypeVar("Outcome")


async def read(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> EditDocument:
    """The photo as a document. Raises NpeError, also where there is no room for it in memory."""

    def work() -> EditDocument:
        from npe_core.photo import Photo

        return EditDocument(Photo.open(path, max_megapixels=max_megapixels))

    return await _in_thread(work)


def why_not_opened(path: Path, error: NpeError | MemoryError) -> str:
    """The error in words that begin with the file's name alone: its folders would take all of a narrow line."""
    told = str(OutOfMemory() if isinstance(error, MemoryError) else error)
    return told.replace(quoted(path), quoted(path.name))


async def _in_thread(work: Callable[Given, Outcome], *given: Given.args, **named: Given.kwargs) -> Outcome:
    """As ``asyncio.to_thread``; raises OutOfMemory in place of MemoryError."""
    try:
        return await asyncio.to_thread(work, *given, **named)
    except MemoryError:
        raise OutOfMemory() from None


async def recover(
    document: EditDocument,
    folder: Path,
    path: Path,
    ask: Callable[[str, str, bool], Awaitable[str | None]],
    tell: Callable[[str], object],
) -> Saved | None:
    """Offer what earlier sessions left behind, the newest first; returns what was taken over.

    ``ask`` (title, question, whether it can be recovered) answers ``recover``, ``drop``, or ``later`` or None to be
    asked again. ``tell`` hears why one could not be recovered after all; it is then kept.
    """
    for saved in await asyncio.to_thread(left_behind, folder, path):
        try:
            problem = await _in_thread(_problem, document, saved)
            answer = await ask(*_question(document.name, saved, problem), not problem)
            if answer == "recover":
                await _in_thread(_take_over, document, saved)
                return saved
        except FileNotFoundError:
            tell("Another editor has taken it over, or thrown it away.")
            continue
        except (NpeError, OSError) as error:
            tell(_why_not(error))
            continue
        if answer == "drop":
            saved.remove()
        elif not problem:
            return None
    return None


def _problem(document: EditDocument, saved: Saved) -> str:
    """Why it cannot be recovered, as far as its beginning tells; empty if it can. Raises OSError."""
    try:
        fits = is_of(document.photo.image, saved.read())
    except NpeError as error:
        return str(error)
    return "" if fits else f"{document.name} is another picture now than the one that was painted on."


def _question(name: str, saved: Saved, problem: str) -> tuple[str, str]:
    """The title, and what is asked."""
    when = time.strftime("%H:%M, %d %B", time.localtime(saved.when))
    ended = f"A session on {name} ended without saving ({when})."
    if problem:
        return "Unsaved work does not fit", f"{ended} {problem} Later, or Esc, keeps its paint for the next time."
    here = "paint, mask and enhanced picture" if saved.made_size else "paint and mask"
    later = "Later, or Esc, keeps them for the next time."
    return "Unsaved work was found", f"{ended} Its {here} are still here.{_of_picture(saved)} {later}"


def _of_picture(saved: Saved) -> str:
    """What there is to say of the enhanced picture, where it is neither here nor in a file."""
    if saved.fits:
        return " The enhanced picture can be made again from them."
    is_lost = edit_settings.of_parameters(saved.parameters) is not None and not saved.made_size
    return " The enhanced picture was made from other paint and is lost." if is_lost and saved.picture is None else ""


def _take_over(document: EditDocument, saved: Saved) -> None:
    """The canvas, whose face it is, and the last Enhance: itself, or where its parameters tell all of it, those."""
    is_told = edit_settings.of_parameters(saved.parameters) is not None
    made: Made | None = None
    if packed := saved.read_made():
        with contextlib.suppress(InputError):  # the paint may be whole
            made = packing.unpack(document.photo, packed)
    document.recover(saved.read(), saved.parameters if is_told else {}, made)
    document.wish = FaceWish.of_kept(saved.parameters.get("wish"))


async def find_face(
    document: EditDocument, ask: Callable[[list[Face]], Awaitable[FaceWish | None]], always: bool = False
) -> bool:
    """Look for faces, and ask which is meant unless there is only one, or it was told before (``always``: even then).

    Returns whether one is meant.
    Raises NpeError when faces cannot be looked for here, or not in this memory.
    """
    from npe_core.faces import find_faces

    if document.faces is None:
        document.faces = await _in_thread(find_faces, document.photo.image)
    wish: FaceWish | None = document.wish
    if always or not document.wish.is_among(len(document.faces)):
        wish = FaceWish(1) if len(document.faces) == 1 and not always else await ask(document.faces)
    if wish is None:
        return False
    document.wish = wish
    return True


def _why_not(error: Exception) -> str:
    """An error in words."""
    return str(error) if isinstance(error, NpeError) else f"{type(error).__name__}: {error}"
