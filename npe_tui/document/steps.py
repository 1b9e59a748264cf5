"""What an undo step was, in a word or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from npe_core.canvas import Fill


class Marks(NamedTuple):
    """What there is on a canvas, as far as it tells steps apart."""

    marked: bool
    fills: list[Fill]


def named(before: Marks, after: Marks) -> str:
    """The step between the two, in a word or two: a stroke and a mask tool look the same from here."""
    if before.marked and not after.marked:
        return "all taken away"
    filled = [fill.region for fill in after.fills if fill not in before.fills]
    return f"{filled[-1]} filled" if filled else "paint or mask"
