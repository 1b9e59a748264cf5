"""The soft edges of fills, and what lies under them: another fill of a region takes the place of the one before.

What a fill covers wholly is its own. At its soft edge it mixes with what is there, and later fills with it, so that it
can only be taken back where it is known what it was laid on. So it is with what it covers wholly in its colour, but may
not in another one: skin in the brows. Both are few pixels: those along the outlines, and the brows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from npe_core.canvas.boxes import Box, overlap
from npe_core.canvas.compositing import beside, less
from npe_core.canvas.layers import Planes


@dataclass(frozen=True, eq=False)
class Edge:
    """The soft edge of a fill in one place, and what varies with its colour, but for what is covered for good."""

    region: str
    box: Box
    at: np.ndarray
    """(n,) int32, rising: row * width + column of the pixels inside the box."""
    coverage: np.ndarray
    """(n,) uint8 in 1..254; where it varies with the colour also 255."""
    colours: np.ndarray
    """(3, n) uint8: the paint of the fill."""
    under: Planes
    """(5, n) uint8: the planes that it was laid on."""

    @classmethod
    def of(
        cls,
        region: str,
        box: Box,
        coverage: np.ndarray,
        rgb: np.ndarray,
        under: Planes,
        varies: np.ndarray | None = None,
    ) -> Edge:
        """Of a fill inside a box with coverage (h, w) uint8 and paint (h, w, 3) uint8, laid on planes (5, h, w).

        ``varies`` (h, w) bool: where the coverage would be another one in another colour; None: nowhere.
        """
        kept = (coverage > 0) & (coverage < 255)
        if varies is not None:
            kept |= varies & (coverage > 0)
        at = np.flatnonzero(kept)
        y, x = np.divmod(at, coverage.shape[1])
        return cls(region, box, at.astype(np.int32), coverage[y, x], np.ascontiguousarray(rgb[y, x].T), under[:, y, x])

    def laid_on(self, under: Planes) -> Planes:
        """(5, n): what the fill makes of planes (5, n)."""
        return beside(under, self.coverage, self.colours)

    def some(self, which: np.ndarray) -> Edge:
        """Some of the pixels, by number or by True."""
        at, coverage = self.at[which], self.coverage[which]
        return replace(self, at=at, coverage=coverage, colours=self.colours[:, which], under=self.under[:, which])

    def seen_in(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """The pixels that lie in another box, by number (m,), and where in it: row * width + column (m,), rising."""
        y, x = np.divmod(self.at, self.box[2] - self.box[0])
        y, x = y + (self.box[1] - box[1]), x + (self.box[0] - box[0])
        height, width = box[3] - box[1], box[2] - box[0]
        inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
        return inside, y[inside] * width + x[inside]


Edges = tuple[Edge, ...]
"""Those of the fills in force, in the order in which they were laid. A pixel is in one of each region at most."""


def take_back(
    edges: Edges, region: str, box: Box, coverage: np.ndarray, planes: Planes, varies: np.ndarray | None = None
) -> tuple[Edges, np.ndarray, Planes]:
    """Makes room for a fill of a region inside a box, of coverage (h, w) uint8, where planes (5, h, w) are now.

    ``varies`` as in ``Edge.of``: there also what the fill does not cover, or covers wholly, is taken back. Returns the
    edges that remain; where (n,), by row * width + column, an older fill of the region was taken back; and the planes
    (5, n) there without it, as the later fills would have left them. That is not known where anything but fills has
    changed a pixel since: there the region's share is taken off what is there.
    """
    levels, width = coverage.ravel(), coverage.shape[1]
    varying = np.zeros(levels.shape, np.bool_) if varies is None else varies.ravel()
    seen = {number: edge.seen_in(box) for number, edge in enumerate(edges) if overlap(edge.box, box)}
    unders = {number: edges[number].under for number in seen}
    where, without = [np.empty(0, np.intp)], [np.empty((5, 0), np.uint8)]
    for number, (pixels, places) in seen.items():
        if edges[number].region != region:
            continue
        soft = ((levels[places] > 0) & (levels[places] < 255)) | varying[places]
        older, at = edges[number].some(pixels[soft]), places[soft]
        y, x = np.divmod(at, width)
        now = planes[:, y, x]
        later = {other: (edges[other], *seen[other]) for other in seen if other > number}
        under, laid, known, passed = _replayed(older, at, now, later)
        for other, those, here, laid_on in passed:
            unders[other] = _changed(unders[other], those[known[here]], laid_on[:, known[here]])
        # Another mask over the same paint leaves it the older fill's; of other paint what the new fill needs is taken.
        share = np.where((laid[:3] == now[:3]).all(axis=0), older.coverage, levels[at])
        under[:, ~known] = less(now[:, ~known], share[~known])
        taken = known | (share > 0)
        where.append(at[taken])
        without.append(under[:, taken])
    remaining = list(edges)
    for number, (pixels, places) in seen.items():
        if edges[number].region == region:
            gone = (levels[places] > 0) | varying[places]
        else:
            gone = (levels[places] == 255) & ~varying[places]
        if gone.any() or unders[number] is not edges[number].under:
            kept = np.ones(edges[number].at.size, bool)
            kept[pixels[gone]] = False
            remaining[number] = replace(edges[number], under=unders[number]).some(kept)
    return tuple(edge for edge in remaining if edge.at.size), np.concatenate(where), np.hstack(without)


def _replayed(
    older: Edge, at: np.ndarray, now: Planes, later: dict[int, tuple[Edge, np.ndarray, np.ndarray]]
) -> tuple[Planes, Planes, np.ndarray, list[tuple[int, np.ndarray, np.ndarray, Planes]]]:
    """The planes (5, n) of pixels ``at`` without an edge but with the later ones, and with it; where that is known
    (n,) bool; and what each of the later ones lies on then: its number, which of its pixels, which of these, and the
    planes."""
    under, laid = older.under.copy(), older.laid_on(older.under)
    known = np.ones(at.size, bool)
    passed = []
    for number, (edge, pixels, places) in later.items():
        here, there = _in_both(at, places)
        again = edge.some(pixels[there])
        known[here] &= (laid[:, here] == again.under).all(axis=0)
        passed.append((number, pixels[there], here, under[:, here]))
        under[:, here], laid[:, here] = again.laid_on(under[:, here]), again.laid_on(again.under)
    return under, laid, known & (laid == now).all(axis=0), passed


def _in_both(some: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where in either of two rising arrays (n,), (m,) the numbers stand that are in both."""
    place = np.searchsorted(others, some)
    inside = np.flatnonzero(place < others.size)
    here = inside[others[place[inside]] == some[inside]]
    return here, place[here]


def _changed(planes: Planes, at: np.ndarray, values: Planes) -> Planes:
    changed = planes.copy()
    changed[:, at] = values
    return changed
