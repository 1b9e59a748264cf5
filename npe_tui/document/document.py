"""What is being edited: photo, faces, regions, canvas and the last result. Plain numpy; neither textual nor torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import Box, cut, union
from npe_core.errors import InputError
from npe_core.filenames import NAME_ROOM, printable, shortened
from npe_core.regions import LEGEND, group_by_name
from npe_tui.document.results import Made, Results
from npe_tui.document.steps import Marks, named
from npe_tui.files.free_names import next_free
from npe_tui.files.paint import Paint

if TYPE_CHECKING:
    from npe_core.canvas import Fill
    from npe_core.canvas.selection import Regions
    from npe_core.editor import EditResult
    from npe_core.faces import Face
    from npe_core.photo import Photo

FaceBox: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class FaceWish:
    """Which face is meant, in the words of ``Editor.choose``."""

    face: str | int = "largest"
    aligned: bool = False
    box: FaceBox | None = None

    @classmethod
    def of_kept(cls, kept: object) -> FaceWish:
        """From its fields as JSON keeps them; the usual one where they are none."""
        try:
            wish = cls(**kept)  # type: ignore[arg-type]
            x0, y0, x1, y1 = (float(edge) for edge in wish.box or (0, 0, 0, 0))
        except (TypeError, ValueError):
            return cls()
        return replace(wish, box=wish.box and (x0, y0, x1, y1))

    def is_among(self, faces: int) -> bool:
        """Whether somebody said which is meant, and it is there: one of so many, all of them, or wherever else."""
        if self.aligned or self.box is not None:
            return True
        return faces > 0 and (self.face == "all" or (isinstance(self.face, int) and 1 <= self.face <= faces))


class EditDocument:
    """One photo under the hands of a person.

    ``shown`` is what the picture looks like now: the last result wherever paint and mask are still those that it was
    made from, the paint everywhere else.
    """

    def __init__(self, photo: Photo) -> None:
        self.photo = photo
        self.faces: list[Face] | None = None
        """None until somebody looked for them."""
        self.wish = FaceWish()
        self.canvas = Canvas(photo.image)
        self.shown: np.ndarray = photo.image.copy()
        """(H, W, 3) uint8"""
        self._results = Results()
        self._other_result = False
        """Whether another result is in force than the one that is shown."""
        self._apart = np.zeros(photo.image.shape[:2], bool)
        """(H, W): where guide or mask are others than those of the result, as of the last ``refresh``."""
        self._pixels_apart = 0
        self._undrawn: Box | None = None
        """What of ``shown`` is not up to date: all that changed where memory ran out in a ``refresh``."""
        self._stepped_to = 0
        """The canvas's revision after the last undo or redo: another one means that something new was done."""
        self._lost_revision = -1
        """Of the canvas that it was made from."""
        self._lost: dict[str, Any] = {}
        """Parameters of the picture that an earlier session had made."""
        self._fills_asked: list[Any] = []
        """Of which regions and fills the next was found out; a fill that is made again is another object."""
        self._fills_here: list[Fill] = []
        """Not found out anew after each dab of a stroke."""
        self._begun_anew = False
        """Whether everything was taken away since the enhanced picture was made."""
        self._saved_revision = 0
        """Of the canvas, whose paint is in a file."""
        self._marked, self._looked_at = False, 0
        """Whether anything was, and at which revision of the canvas that was looked for."""
        self._last_file: Path | None = None
        """Where a result was saved last."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.photo.size

    @property
    def path(self) -> Path:
        """The photo's file."""
        return self.photo.path or Path("untitled")

    @property
    def name(self) -> str:
        """The photo's file name, as a person is told it."""
        return printable(self.path.name)

    @property
    def regions(self) -> Regions | None:
        """The region map, once it is known."""
        return self.canvas.regions

    @property
    def result(self) -> EditResult | None:
        """The enhanced picture in force."""
        return self._results.now.result if self._results.now is not None else None

    @property
    def made(self) -> Made | None:
        """The same, with what it was made from."""
        return self._results.now

    @property
    def newest(self) -> Made | None:
        """What was made last, whether in force or taken back."""
        return self._results.newest

    def shows(self, made: Made | None) -> bool:
        """Whether what is shown now is this enhanced picture."""
        return made is self._results.now and not self.stale

    @property
    def made_with(self) -> dict[str, Any]:
        """The parameters of the enhanced picture, or of the one that was lost with an earlier session; or none."""
        return self._lost if self.result is None else self.result.parameters

    @property
    def continued(self) -> dict[str, Any]:
        """The parameters of the picture that the next one goes on from: none after all paint and mask were cleared."""
        return {} if self._begun_anew and self.stale else self.made_with

    @property
    def made_in(self) -> Path | None:
        """The file that this picture is saved in, if it is."""
        if self._results.now is not None:
            return self._results.now.saved_as
        known = self._lost.get("saved_as")
        return Path(known) if isinstance(known, str) else None

    @property
    def can_be_made_again(self) -> bool:
        """Whether the paint is still that from which that picture was made."""
        return self._lost_revision == self.canvas.revision if self.result is None else not self.stale

    @property
    def marked(self) -> bool:
        """Whether there is anything to edit; looked for once after each change, of which a stroke has many."""
        revision = self.canvas.revision  # before the look: another thread may undo while it lasts
        if self._looked_at != revision:
            self._marked, self._looked_at = bool(self.canvas.levels.any()), revision
        return self._marked

    @property
    def stale(self) -> bool:
        """Whether paint or mask are others than those that the last result was made from."""
        return self.result is None or self._pixels_apart > 0

    @property
    def unsaved_result(self) -> bool:
        """Whether closing now would lose the last result."""
        return self._results.now is not None and self._results.now.saved_as is None

    def file_for(self, made: Made) -> Path | None:
        """The file of an enhanced picture, or where it goes by default: where one was saved last."""
        return made.saved_as or self._last_file

    @property
    def unsaved_paint(self) -> bool:
        """Whether closing now would lose paint that no result has."""
        return self.stale and self.canvas.revision != self._saved_revision and self.marked

    @property
    def unsaved(self) -> bool:
        """Whether closing now would lose work."""
        return self.unsaved_result or self.unsaved_paint

    # --- what is shown ------------------------------------------------------------------------------------------

    def refresh(self) -> Box | None:
        """Brings ``shown`` up to date with the canvas; returns the box that changed, None if nothing did."""
        self._undrawn = union(self._undrawn, self.canvas.take_dirty())
        if self._other_result:
            self._other_result, self._undrawn = False, (0, 0, *self.size)
        if (box := self._undrawn) is not None:
            self._draw(box)
            self._undrawn = None
            self._begun_anew = self._begun_anew or not self.marked
        return box

    def _draw(self, box: Box) -> None:
        where = cut(box)
        guide, mask = self.canvas.guide[where], self.canvas.levels[where]
        self.shown[where] = guide
        made = self._results.now
        if made is not None:
            apart = (mask != made.levels[where]) | (guide != made.guide[where]).any(axis=-1)
            self._pixels_apart += int(apart.sum()) - int(self._apart[where].sum())
            self._apart[where] = apart
            np.copyto(self.shown[where], made.result.image[where], where=~apart[..., None])

    def accept(self, result: EditResult) -> None:
        """Takes over the result of an edit of the canvas as it is now, as a step that can be undone."""
        self.refresh()
        same = None if self.stale else self._results.now
        guide, levels = (same.guide, same.levels) if same else (self.canvas.guide.copy(), self.canvas.levels.copy())
        made, shown = Made(result, guide, levels), result.image.copy()
        self._results.add(made)
        self.shown = shown
        self._apart[:], self._pixels_apart, self._begun_anew = False, 0, False

    # --- undo ---------------------------------------------------------------------------------------------------

    def undo(self) -> str:
        """Takes the last step back: a result whose paint is still the same, else a change of the canvas.

        Returns what it was in a word or two, empty if there was nothing. May be called from another thread;
        ``refresh`` shows what came of it.
        """
        self._notice_changes()
        done = self._marks
        if self._results.back(self.canvas):
            return self._stepped_over_result()
        found, undone = self.canvas.undo(), self._marks
        self._stepped_to = self.canvas.revision
        if undone.marked and not done.marked:  # what had taken everything away is undone
            self._begun_anew = False
        return named(undone, done) if found else ""

    def redo(self) -> str:
        """Does again what was undone last. Returns what that was, empty if there was nothing. As ``undo``."""
        self._notice_changes()
        if self._results.again(self.canvas):
            return self._stepped_over_result()
        before, found = self._marks, self.canvas.redo()
        self._stepped_to = self.canvas.revision
        return named(before, self._marks) if found else ""

    def _notice_changes(self) -> None:
        if self.canvas.revision != self._stepped_to:
            self._results.forget_after()

    def _stepped_over_result(self) -> str:
        self._other_result, self._stepped_to = True, self.canvas.revision
        return "Enhance"

    @property
    def _marks(self) -> Marks:
        return Marks(self.marked, self.canvas.targets)

    @property
    def fills(self) -> list[Fill]:
        """The region fills in force; once regions are known, those of which their face has anything."""
        fills, regions = self.canvas.targets, self.regions
        if regions is None:
            return fills
        asked, known = [regions, *fills], self._fills_asked
        if len(asked) != len(known) or any(a is not b for a, b in zip(asked, known, strict=True)):
            step = max(min(self.size) // 1000, 1)  # a region that is worth a fill has some of these pixels
            ids, levels = regions.ids[::step, ::step], self.canvas.levels[::step, ::step]
            there = set(np.unique(ids[levels > 0]).tolist())
            here = [fill for fill in fills if any(region.id in there for region in group_by_name(fill.region))]
            self._fills_asked, self._fills_here = asked, here
        return self._fills_here

    def region_overlay(self, strength: float = 0.6) -> np.ndarray:
        """(H, W, 3) uint8: the photo with the regions in their legend colours. Raises InputError before they are known.

        ``strength`` 0..1, 1 being the legend's colours alone.
        """
        if self.regions is None:
            raise InputError("The regions of this picture are not known yet.")
        levels = np.arange(256, dtype=np.float32) * (1 - strength)
        overlay = np.rint(levels).astype(np.uint8)[self.photo.image]
        overlay += np.rint(LEGEND * np.float32(strength)).astype(np.uint8)[self.regions.ids]
        return overlay

    # --- saving -------------------------------------------------------------------------------------------------

    def proposed_name(self, what: str = "edited", taken: Collection[Path] = ()) -> Path:
        """Beside the photo, ``NAME-edited.png``, with a number if that is there already, or one of those ``taken``.

        Once a result was saved, the next is proposed as the next number of that file.
        """
        path = self.path.with_name(f"{shortened(self.path.stem, NAME_ROOM)}-{what}.png")
        if what == "edited" and self._last_file is not None:
            path = self._last_file
        return next_free(path, {other.absolute() for other in taken})

    def save(self, path: Path, force: bool = False, made: Made | None = None) -> tuple[str, ...]:
        """Writes ``made``, by default the result in force; returns notes on what the format cannot carry.

        Raises InputError if there is no result, UsageError and EnvironmentFault as ``EditResult.save`` does.
        """
        made = made or self.made
        if made is None:
            raise InputError("There is no edited picture yet: enhance first.")
        notes = made.result.save(path, force=force)
        self._last_file = path.absolute()
        self._results.saved(made, self._last_file)
        return notes

    def paint(self) -> Paint:
        """Paint and mask as they are now, to be written while somebody goes on."""
        return Paint(self.canvas.copy(), self.canvas.revision)

    def save_paint(self, path: Path, force: bool = False, paint: Paint | None = None) -> tuple[str, ...]:
        """Writes ``paint``, by default as it is now; returns notes on what the file cannot say. See ``Paint.write``."""
        paint = paint or self.paint()
        notes = paint.write(path, force, self.photo.path)
        self._saved_revision = paint.revision
        return notes

    # --- autosave -----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Paint and mask as bytes. May be called from another thread while somebody paints: it is then any moment."""
        return self.canvas.save_state()

    def recover(self, saved: bytes, made_with: dict[str, Any] | None = None, made: Made | None = None) -> None:
        """Takes over what ``snapshot`` saved of the same picture, the parameters of what was made last, and that.

        Raises InputError for another picture or damage.
        """
        canvas = Canvas.restore(self.photo.image, saved, self.regions)
        self.shown, self.canvas = canvas.guide.copy(), canvas
        self._lost = made_with or {}
        self._lost_revision = self.canvas.revision if self._lost.get("fits", bool(self._lost)) else -1
        self._saved_revision = self._looked_at = -1
        self._begun_anew = False
        self._results = Results()
        if made is not None:
            self._results.add(made)
            self._other_result = True
            self.refresh()
