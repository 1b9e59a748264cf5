"""What --region, --paint, --mask, --color and --tint say, and how it gets onto a canvas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from npe_core.cli.options import FacesMeant, region_fill
from npe_core.errors import UsageError

if TYPE_CHECKING:
    from npe_core.canvas import Canvas
    from npe_core.editor import Editor, FaceChoice
    from npe_core.photo import Photo


@dataclass(frozen=True)
class MarkingOptions:
    """The five options together."""

    fills: dict[str, str]
    """Region, or several as ``skin+nose`` -> colour, in the order of filling."""
    paint: Path | None
    mask: Path | None
    colour: str | None
    """Of the mask."""
    tint: bool = False
    """Whether paint and colour take the photo's light and texture."""

    @property
    def by_hand(self) -> bool:
        """Whether there is paint or a mask, made for this photo."""
        return self.paint is not None or self.mask is not None


def marks_meant(
    regions: tuple[str, ...],
    paint: Path | None,
    mask: Path | None,
    colour: str | None,
    source: Path | None = None,
    tint: bool = False,
) -> MarkingOptions:
    """The five options checked, alone and against each other; ``source``, an edit to repeat, may stand in for them.

    Raises UsageError.
    """
    from npe_core.colour import parse_colour

    marks = MarkingOptions(_fills(regions), paint, mask, colour, tint)
    if not (marks.fills or marks.by_hand or source):
        raise UsageError("Say what to change: --region NAME=#RRGGBB, --paint PAINT.png or --mask MASK.png.")
    if colour is not None:
        if mask is None:
            raise UsageError("--color goes with --mask; a region takes its colour as --region NAME=#RRGGBB.")
        parse_colour(colour)
    if tint and paint is None and colour is None:
        raise UsageError(
            "--tint goes with --paint, or with --mask and --color; a region keeps the photo's light without it."
        )
    return marks


def _fills(regions: tuple[str, ...]) -> dict[str, str]:
    fills: dict[str, str] = {}
    given: dict[str, str] = {}
    for names, colour in map(region_fill, regions):
        new = [name for name in names.split("+") if name not in given]
        for name in names.split("+"):
            if given.setdefault(name, colour) != colour:
                raise UsageError(f"--region gives {name} two colours, {given[name]} and {colour}. Give it one.")
        if new:
            fills[names] = colour
    return fills


def segmented(editor: Editor, picture: Photo, faces: FacesMeant, marks: MarkingOptions) -> tuple[Canvas, FaceChoice]:
    """The faces that are meant, and a canvas that knows their regions if there are any to fill."""
    from npe_core.canvas import Canvas

    choice = editor.choose(picture, faces.which, faces.aligned, faces.place)
    return Canvas(picture.image, editor.segment(picture, choice) if marks.fills else None), choice


def mark(canvas: Canvas, picture: Photo, marks: MarkingOptions, feather: float = 0.0) -> list[str]:
    """Put what was asked for onto the canvas, see ``lay``; returns notes on paint and mask."""
    from npe_core.editor.laying import ByHand, lay
    from npe_core.photo import read_mask, read_paint

    notes: list[str] = []
    paint = None if marks.paint is None else read_paint(marks.paint, picture.size, notes)
    mask = None if marks.mask is None else read_mask(marks.mask, picture.size, notes)
    lay(canvas, marks.fills, ByHand(paint, mask, marks.colour, marks.tint))
    if feather > 0 and canvas.levels.any():
        canvas.feather(feather)
        if not canvas.levels.any():
            raise UsageError(f"--feather {feather:g} leaves nothing of what is marked. Give fewer pixels.")
    return notes


def narrowed(choice: FaceChoice, faces: FacesMeant, marks: MarkingOptions, canvas: Canvas) -> FaceChoice:
    """Paint and mask without a region choose the faces that they lie on, unless an option said which are meant."""
    return choice.where_marked(canvas.levels) if faces.by_marks and not marks.fills else choice
