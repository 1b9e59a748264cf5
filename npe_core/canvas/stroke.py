"""A stroke under way: work in proportion to the dab, coverage the maximum over the dabs, one undo step in the end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from npe_core.canvas import compositing
from npe_core.canvas.boxes import Box, cut, union, window
from npe_core.canvas.brush import Point, coverage, pieces, reached
from npe_core.canvas.history import Patch, make_patch
from npe_core.canvas.layers import Layers
from npe_core.canvas.tint import Tinter
from npe_core.errors import UsageError

_TILE = 64


@dataclass(frozen=True)
class Brush:
    """A round brush. Raises UsageError for invalid sizes."""

    rgb: tuple[int, int, int] | None
    """The colour, 0..255; None marks the mask only: re-imagine here, the guide stays."""
    radius: float
    """In pixels, more than 0."""
    hardness: float = 0.8
    """Share of the radius that is fully covered, 0..1."""
    opacity: float = 1.0
    """0..1; thins the paint, not the mask."""
    erases: bool = False
    """Takes paint and mask away."""
    tints: bool = False
    """The colour takes the photo's light and texture, see ``tint``."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius) and self.radius > 0):
            raise UsageError(f"A brush has a radius of more than 0 pixels, not {self.radius}.")
        for name in ("hardness", "opacity"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"The {name} of a brush is between 0 and 1, not {getattr(self, name)}.")
        if self.tints and self.rgb is None:
            raise UsageError("A brush that tints has a colour.")


class Scratch:
    """Room for one stroke at a time, kept between strokes: fresh memory of this size costs more than a dab.

    ``coverage`` (H, W) is 0 everywhere between strokes; ``before`` (5, H, W) holds what a stroke has saved, ``tinted``
    (H, W, 3) the colours that it has there if it tints.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.coverage = np.zeros(size, np.uint8)
        self.before = np.empty((5, *size), np.uint8)
        self.tinted = np.empty((*size, 3), np.uint8)


class Stroke:
    """Paints on the layers as points arrive.

    Each change is computed from the planes as they were before the stroke, which are saved tile by tile when first
    touched; so are the colours of a brush that tints.
    """

    def __init__(self, layers: Layers, brush: Brush, scratch: Scratch, tinter: Tinter) -> None:
        self._layers = layers
        self._brush = brush
        self._rgb = None if brush.rgb is None else np.array(brush.rgb, np.uint8)
        self._tinter = tinter
        self._tinted = scratch.tinted
        self._last: Point | None = None
        self._coverage = scratch.coverage
        self._before = scratch.before
        self._saved: set[tuple[int, int]] = set()
        self._untold: Box | None = None
        """What was changed by an ``extend`` that failed."""

    def extend(self, points: list[Point]) -> Box | None:
        """Drags the brush through the points. Returns the box that may have changed."""
        for point in points:
            last = point if self._last is None else self._last
            for start, end in pieces(last, point, self._brush.radius, self._layers.size):
                self._untold = union(self._untold, self._drag(start, end))
            self._last = point
        changed, self._untold = self._untold, None
        return changed

    def _drag(self, start: Point, end: Point) -> Box | None:
        box = reached(start, end, self._brush.radius, self._layers.size)
        if box is None:
            return None
        where = cut(box)
        covered = np.maximum(coverage(box, start, end, self._brush.radius, self._brush.hardness), self._coverage[where])
        if np.array_equal(covered, self._coverage[where]):
            return None
        self._save(box)
        before = window(self._before, box)
        if self._brush.erases:
            after = compositing.erase(before, covered)
        else:
            colours = self._tinted[where] if self._brush.tints else self._rgb
            after = compositing.over(before, covered, colours, self._brush.opacity)
        self._layers.put(box, after)
        self._coverage[where] = covered
        return box

    def _save(self, box: Box) -> None:
        for ty in range(box[1] // _TILE, -(-box[3] // _TILE)):
            for tx in range(box[0] // _TILE, -(-box[2] // _TILE)):
                if (ty, tx) not in self._saved:
                    tile = self._tile(ty, tx)
                    window(self._before, tile)[:] = window(self._layers.planes, tile)
                    if self._brush.tints and self._rgb is not None:
                        self._tinted[cut(tile)] = self._tinter.tinted(tile, self._rgb)
                    self._saved.add((ty, tx))

    def _tile(self, ty: int, tx: int) -> Box:
        height, width = self._layers.size
        x0, y0 = tx * _TILE, ty * _TILE
        return x0, y0, min(x0 + _TILE, width), min(y0 + _TILE, height)

    def finish(self) -> tuple[Patch, ...]:
        """What the stroke changed, for the history; leaves the scratch as it was found."""
        boxes = [self._tile(*tile) for tile in sorted(self._saved)]
        made = [make_patch(b, window(self._before, b), window(self._layers.planes, b)) for b in boxes]
        for box in boxes:
            self._coverage[cut(box)] = 0
        return tuple(patch for patch in made if patch is not None)
