"""The document under a canvas: layers, regions, undo and saving. What a person does to it is in ``tools``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from npe_core.canvas import checks, state
from npe_core.canvas.boxes import Box, box_of, cut, union, window
from npe_core.canvas.edges import Edges
from npe_core.canvas.history import History, Patch, UndoStep, flip, make_patch
from npe_core.canvas.layers import MASK, Layers, Planes, visible
from npe_core.canvas.selection import Regions, as_regions
from npe_core.canvas.stroke import Scratch, Stroke
from npe_core.canvas.tint import Tinter
from npe_core.errors import InputError
from npe_core.parts import Parts
from npe_core.regions import REGIONS, Region


@dataclass(frozen=True)
class Fill:
    """A region fill as it was asked for."""

    region: str
    """Its name; of several that were filled as one ``skin+nose``."""
    colour: str
    """``#rrggbb``"""
    pixels: int
    absent: tuple[str, ...] = ()
    """Those of several regions that the picture has not."""


@dataclass(frozen=True)
class Asked:
    """What the marks of a canvas came from."""

    fills: tuple[Fill, ...] = ()
    by_hand: bool = False
    """Whether there is more to them than fills of whole regions, feathered at last: strokes, masks, picked pieces."""
    feather: float = 0.0
    """Pixels by which all of them were feathered at last; 0: they were not, or something came after it."""
    edges: Edges = ()
    """What the soft edges of the fills lie on."""


class Document:
    """A picture with paint, mask and history, to be looked at, undone and saved; see ``Canvas``."""

    def __init__(self, image: np.ndarray, regions: Any = None) -> None:
        self._layers = Layers(checks.as_image(image))
        self._tinter = Tinter(self._layers.image)
        self._regions: Regions | None = None
        self._history: History[Asked] = History()
        self._asked = Asked()
        self._unrecorded: list[Patch] = []
        """What was put into the layers and is in no step yet."""
        self._stroke: Stroke | None = None
        self._scratch: Scratch | None = None
        self._dirty: Box | None = None
        self._revision = 0
        if regions is not None:
            self.regions = regions

    # --- what there is ------------------------------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)"""
        return self._layers.size

    @property
    def image(self) -> np.ndarray:
        """(H, W, 3) uint8: the original, read-only."""
        return _read_only(self._layers.image)

    @property
    def mask(self) -> np.ndarray:
        """(H, W) float32 in [0, 1], 1 = edit: as it is now, read-only; ``levels`` and ``mask_parts`` take less."""
        return _read_only(self._layers.mask_in(self._everything))

    @property
    def guide(self) -> np.ndarray:
        """(H, W, 3) uint8: the original with the paint on it; the original itself wherever the mask is 0.

        A read-only view that follows the canvas; copy it to keep it.
        """
        return _read_only(self._layers.guide)

    @property
    def mask_parts(self) -> Parts:
        """``mask``, of which only the parts that are looked at are made: ``canvas.mask_parts[y0:y1, x0:x1]``."""
        return Parts(self.size, np.float32, self._layers.mask_in)

    @property
    def guide_parts(self) -> Parts:
        """``guide``, of which only the parts that are looked at are made."""
        return Parts(self._layers.image.shape, np.uint8, self._layers.guide_in)

    @property
    def levels(self) -> np.ndarray:
        """(H, W) uint8: the mask in 1/255, as the canvas keeps it; a read-only view that follows the canvas."""
        return _read_only(self._layers.planes[MASK])

    @property
    def painted(self) -> np.ndarray:
        """(H, W) bool: where the user's colour shows, as opposed to mask only."""
        return visible(self._layers.planes) > 0

    @property
    def covered(self) -> np.ndarray:
        """(H, W) bool: where nothing but the user's colour shows."""
        return visible(self._layers.planes) == 255

    def as_paint(self) -> np.ndarray:
        """(H, W, 4) uint8: the paint, and as its alpha the mask, as ``paint_image`` takes them in again.

        Guide (to one level) and mask are the same then. What is marked without paint has the original's colours here,
        and so it is paint there.
        """
        picture = np.dstack([self._layers.image, self._layers.planes[MASK]])
        if (box := box_of(self._layers.planes[MASK])) is not None:
            planes = window(self._layers.planes, box).astype(np.int32)
            mask, shown = np.maximum(planes[MASK], 1)[..., None], visible(planes)[..., None]
            own, paint = picture[cut(box)][..., :3], planes[:3].transpose(1, 2, 0)
            picture[cut(box)][..., :3] = (own * (mask - shown) + paint * shown + mask // 2) // mask
        return picture

    @property
    def targets(self) -> list[Fill]:
        """The region fills in force, in the order in which they were made."""
        return list(self._asked.fills)

    @property
    def by_hand(self) -> bool:
        """Whether ``targets`` and ``feathered`` do not tell all: there are strokes, masks, or fills of picked pieces or
        other shading."""
        return self._stroke is not None or self._asked.by_hand

    @property
    def feathered(self) -> float:
        """By how many pixels the whole mask was feathered as the last thing; 0 where that is not how it came about."""
        return 0.0 if self._stroke is not None else self._asked.feather

    @property
    def regions(self) -> Regions | None:
        """The region map, such as ``Editor.segment`` makes it (see ``selection.Regions``); it may be set later.

        A bare (H, W) uint8 array of ids will do too, or an object with ``ids`` and ``probabilities``, (11, H, W)
        float32 or None. Raises UsageError for one that does not fit the picture.
        """
        return self._regions

    @regions.setter
    def regions(self, regions: Any) -> None:
        self._regions = None if regions is None else as_regions(regions, self.size)

    def region_at(self, x: float, y: float) -> Region:
        """The region under the pointer."""
        column, row = checks.as_pixel((x, y), self.size)
        return REGIONS[int(self._need_regions().ids[row, column])]

    def _need_regions(self) -> Regions:
        if self._regions is None:
            raise InputError("The regions of this picture are not known yet: segment it first, or paint by hand.")
        return self._regions

    @property
    def revision(self) -> int:
        """A number that goes up with every change, undo and redo included."""
        return self._revision

    def take_dirty(self) -> Box | None:
        """The box (x0, y0, x1, y1), half open, around all changes since it was last taken; None if there were none."""
        box, self._dirty = self._dirty, None
        return box

    def copy(self) -> Self:
        """A canvas with the same picture, regions, paint, mask and fills, and nothing to undo, which keeps them while
        this one changes. A stroke under way counts: its paint is there.
        """
        canvas = type(self)(self._layers.image)
        canvas._regions = self._regions
        canvas._layers.planes = self._layers.planes.copy()
        canvas._asked = self._asked_now
        return canvas

    # --- undo ---------------------------------------------------------------------------------------------------

    def undo(self) -> bool:
        """Takes the last step back, byte for byte; a stroke under way is ended first. Returns whether there was one."""
        self.end_stroke()
        if not self._history.done:
            return False
        step = self._history.done[-1]
        self._cross(step, step.before)
        self._history.undone.append(self._history.done.pop())
        return True

    def redo(self) -> bool:
        """Does again what was undone last. Returns whether there was anything; a new step drops all of it."""
        self.end_stroke()
        if not self._history.undone:
            return False
        step = self._history.undone[-1]
        self._cross(step, step.after)
        self._history.done.append(self._history.undone.pop())
        return True

    def take_back(self) -> None:
        """After a change that memory was too small for: what of it was done already is undone."""
        left, self._unrecorded = self._unrecorded[::-1], []
        if left:
            self._layers.take_back([patch.box for patch in left], [patch.delta for patch in left])
            for patch in left:
                self._touch(patch.box)

    # --- saving -------------------------------------------------------------------------------------------------

    def save_state(self) -> bytes:
        """Paint, mask and fills as bytes, for autosave; neither the picture nor the history.

        A stroke under way counts: its paint is there.
        """
        asked = self._asked_now
        told = {"fills": [asdict(fill) for fill in asked.fills], "by_hand": asked.by_hand, "feather": asked.feather}
        return state.pack(self._layers.image, self._layers.planes, asked.edges, told)

    @classmethod
    def restore(cls, image: np.ndarray, saved: bytes, regions: Any = None) -> Self:
        """The canvas that ``save_state`` saved, on the same picture, with nothing to undo.

        Raises InputError if the bytes are damaged or belong to another picture.
        """
        canvas = cls(image, regions)
        planes, edges, asked = state.unpack(image, saved)
        try:
            fills = tuple(Fill(**fill | {"absent": tuple(fill.get("absent", ()))}) for fill in asked["fills"])
            canvas._asked = Asked(fills, bool(asked["by_hand"]), float(asked.get("feather", 0.0)), edges)
        except (KeyError, TypeError, ValueError) as error:
            raise state.damaged(error) from error
        canvas._layers.put(canvas._everything, planes)
        return canvas

    # --- how changes are made -----------------------------------------------------------------------------------

    @property
    def _everything(self) -> Box:
        return 0, 0, self.size[1], self.size[0]

    def _change(self, box: Box, change: Callable[[Planes], Planes], asked: Asked | None = None) -> bool:
        """Applies a pure function to the planes inside a box, as one undo step; by hand, unless said otherwise. No
        stroke is under way."""
        patch = self._write(box, change(window(self._layers.planes, box)))
        if patch is None:
            return False
        return self._record((patch,), asked or self._touched_by_hand)

    @property
    def _asked_now(self) -> Asked:
        return self._asked if self._stroke is None else self._touched_by_hand

    @property
    def _touched_by_hand(self) -> Asked:
        return replace(self._asked, by_hand=True, feather=0.0)

    def _write(self, box: Box, after: Planes) -> Patch | None:
        patch = self._put(box, after)
        if patch is not None:
            self._touch(patch.box)
        return patch

    def _put(self, box: Box, after: Planes) -> Patch | None:
        """As ``_write``, but tells nobody. For boxes that do not overlap, several threads may do it at once."""
        patch = make_patch(box, window(self._layers.planes, box), after)
        if patch is not None:
            x0, y0 = patch.box[0] - box[0], patch.box[1] - box[1]
            x1, y1 = patch.box[2] - box[0], patch.box[3] - box[1]
            self._layers.put(patch.box, after[:, y0:y1, x0:x1])
            self._unrecorded.append(patch)
        return patch

    def _record(self, patches: tuple[Patch, ...], asked: Asked) -> bool:
        if not patches and asked == self._asked:
            return False
        self._history.push(UndoStep(patches, self._asked, asked))
        self._asked = asked
        self._unrecorded.clear()
        return True

    def _cross(self, step: UndoStep[Asked], asked: Asked) -> None:
        self._touch(flip(self._layers, step))
        self._asked = asked

    def _touch(self, box: Box | None) -> None:
        self._dirty = union(self._dirty, box)
        self._revision += 1

    def end_stroke(self) -> bool:
        """Ends the stroke, as one undo step; returns whether it changed anything. Every other operation does so too."""
        if self._stroke is None:
            return False
        patches = self._stroke.finish()
        self._stroke = None
        return self._record(patches, self._touched_by_hand if patches else self._asked)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
