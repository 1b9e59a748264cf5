"""The title above the photo, and the facts on the right of the status line."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

from npe_tui.document.document import EditDocument
from npe_tui.engine.messages import EngineState
from npe_tui.hand.hand import Hand


def title(document: EditDocument, width: int) -> Content:
    """The name of the photo and how it stands with it, in so many cells."""
    across, down = document.size
    size, which, state = f"{across}x{down}  ", _which_face(document), _state(document)
    name, room = Text(document.name), width - 4
    most = room - cell_len(document.name)
    told = next((t for t in (size + which + state, which + state) if cell_len(t) <= most), state)
    name.truncate(max(room - cell_len(state), 8), overflow="ellipsis")
    return Content.from_markup(" $name  [$text-muted]$told[/]", name=name.plain, told=told)


def facts(hand: Hand, engine: EngineState, document: EditDocument | None) -> tuple[str, ...]:
    """The tool, the last edit and the machine; from the most to the least important."""
    tool = "tint" if hand.tint and hand.tool == "brush" else hand.tool
    told = [f"{tool} {hand.radius:g}px" if hand.paints else tool]
    if document is not None and document.result is not None:
        if not document.stale:
            told.append(f"seed {document.result.parameters['seed']}")
        told.append(f"last edit {document.result.seconds['total']:.1f} s")
    if engine.name == "ready":
        told.append(f"{engine.device} · weights {engine.weights}")
    return tuple(told)


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
