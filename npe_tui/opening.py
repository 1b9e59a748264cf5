"""Opening a photo, step by step, without holding up the screen: decode, recover, find the face."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import NpeError
from npe_tui import edit_settings
from npe_tui.autosave import Saved, left_behind
from npe_tui.document import EditDocument, FaceWish

if TYPE_CHECKING:
    from npe_core.faces import Face


async def read(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> EditDocument:
    """The photo as a document. Raises NpeError."""

    def work() -> EditDocument:
        from npe_core.photo import Photo

        return EditDocument(Photo.open(path, max_megapixels=max_megapixels))

    return await asyncio.to_thread(work)


async def recover(
    document: EditDocument, folder: Path, path: Path, ask: Callable[[str, str], Awaitable[str | None]]
) -> Saved | None:
    """Offer what an earlier session left behind; returns what was taken over.

    ``ask`` (title, question) answers ``recover``, ``drop``, or ``later`` or None to be asked again. Raises NpeError or
    OSError for an autosave that does not fit; it is then kept.
    """
    for saved in await asyncio.to_thread(left_behind, folder, path):
        when = time.strftime("%H:%M, %d %B", time.localtime(saved.when))
        question = f"A session on {document.name} ended without saving ({when}). Its paint and mask are still here."
        if saved.fits:
            question += " The enhanced picture can be made again from them."
        answer = await ask("Unsaved work was found", f"{question} Later, or Esc, keeps them for the next time.")
        if answer in (None, "later"):
            return None
        if answer == "recover":
            await asyncio.to_thread(_take_over, document, saved)
            return saved
        saved.remove()
    return None


def _take_over(document: EditDocument, saved: Saved) -> None:
    """The canvas, whose face it is if it is all of them, and the last Enhance where its parameters tell all of it."""
    is_told = edit_settings.of_parameters(saved.parameters) is not None
    document.recover(saved.read(), saved.parameters if is_told else {})
    if saved.parameters.get("all_faces"):
        document.wish = FaceWish("all")


async def find_face(
    document: EditDocument, ask: Callable[[list[Face]], Awaitable[FaceWish | None]], always: bool = False
) -> bool:
    """Look for faces, and ask which is meant unless there is only one, or all are (``always``: even then).

    Returns whether one is meant.
    Raises NpeError when faces cannot be looked for here.
    """
    from npe_core.faces import find_faces

    if document.faces is None:
        document.faces = await asyncio.to_thread(find_faces, document.photo.image)
    wish: FaceWish | None
    if len(document.faces) == 1 and not always:
        wish = FaceWish(1)
    elif document.faces and document.wish == FaceWish("all") and not always:
        wish = document.wish
    else:
        wish = await ask(document.faces)
    if wish is None:
        return False
    document.wish = wish
    return True


def why_not(error: Exception) -> str:
    """An error in words."""
    return str(error) if isinstance(error, NpeError) else f"{type(error).__name__}: {error}"
