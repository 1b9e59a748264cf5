"""The canvas: everything that a person can do to a picture before the model runs, each as one undo step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from npe_core.canvas import checks, compositing, masktools
from npe_core.canvas.boxes import Box, box_of, cut, overlap, window
from npe_core.canvas.brush import Point
from npe_core.canvas.checks import Colour
from npe_core.canvas.document import Asked, Document, Fill
from npe_core.canvas.edges import Edge, Edges, take_back
from npe_core.canvas.history import Patch
from npe_core.canvas.layers import Planes
from npe_core.canvas.selection import Selection, check_share, meant_by, select_region
from npe_core.canvas.shading import Painted, shade_regions
from npe_core.canvas.stroke import Brush, Scratch, Stroke
from npe_core.colour import format_colour
from npe_core.errors import InputError, UsageError
from npe_core.parallel import each
from npe_core.regions import Region, name_of, region_by_name

SHADING = 0.7
"""How much of the original's light and texture a fill carries over, where nothing else is said."""

_OVER_SKIN = ("brows", "hair", "lips")
"""What lies over skin, whichever was filled first."""


class Canvas(Document):
    """Paint and a soft mask over one picture.

    ``image`` is (H, W, 3) uint8 sRGB and is never written to. ``regions`` (see ``regions``) are needed for fills only.
    Points are in pixels, (0, 0) the corner of the first pixel and (0.5, 0.5) its centre.

    Paint has its own alpha, apart from the mask, and shows as far as the mask lets it: ``min(alpha, mask)``. So mask
    tools can be tried and taken back without harm to the paint. Alpha and mask count in 1/255.

    Every change is one undo step, unlimited; what changes nothing is no step. Raises UsageError for invalid
    arguments, InputError if the picture has no such region; the canvas is then as it was.

        canvas = Canvas(image, regions)
        canvas.fill("hair", "#8b2500")
        canvas.stroke([(200, 310), (240, 330)], "#b00020", radius=6)
        result = editor.edit(photo, canvas)
    """

    # --- region fills -------------------------------------------------------------------------------------------

    def fill(
        self,
        region: str | int | Region | Iterable[str | int | Region],
        colour: Colour,
        at: tuple[float, float] | None = None,
        shading: float = SHADING,
        whole: bool = False,
    ) -> int:
        """Fills a region with a colour, keeping the light and texture of the original; returns the pixels touched.

        Several regions, as ``skin+nose`` or one by one, are one fill: skin, nose, ears and neck get the colour on
        average together and keep the light between them. Those that the picture has not (hair covers the ears) are left
        out; it has to have one. ``at`` goes with one region only.

        With ``at`` (x, y) only the connected piece (8-connected) that holds that pixel. ``shading`` in [0, 1]: 0 is
        flat, 1 carries the original's light and texture over completely. The mean over what is lit of the region is the
        colour. The edge is soft if there are region probabilities. An older fill of the region is replaced, as if it
        had not been: at its soft edge as well, but where something else was done to a pixel since. Of eyes the irises
        are filled, face by face, where they can be made out, the white as well with ``whole``.
        """
        chosen, rgb = checks.as_group(region), checks.as_rgb(colour)
        if not 0 <= shading <= 1:
            raise UsageError(f"shading is between 0 (flat) and 1 (the original's light), not {shading}.")
        if at is not None and len(chosen) > 1:
            raise UsageError(f"A place is in one region: {name_of(chosen)} cannot be filled at {at}.")
        pixel = None if at is None else checks.as_pixel(at, self.size)
        places = self._select(chosen, pixel, whole, rgb)
        over = self._over_skin_in(places)
        if over and self.by_hand:  # how they were filled is not known: they are left as they are
            if "brows" in over:
                places = self._select(chosen, pixel, whole, None)
            over = {}
        laid = [(places, shade_regions(self._layers.image, places, rgb, shading))]
        absent = tuple(member.name for member in chosen if member.name not in places)
        fills = [Fill(name_of(chosen), format_colour(rgb), _pixels(places), absent)]
        for name, boxes in over.items():
            last = [fill for fill in self._asked.fills if name in fill.region.split("+")][-1]
            again = self._select((region_by_name(name),))[name]
            there = {name: [place for place in again if _meets(place, boxes)]}
            laid.append((there, shade_regions(self._layers.image, there, checks.as_rgb(last.colour), SHADING)))
            fills.append(replace(last, region=name))
        self.end_stroke()
        made: tuple[Patch, ...] = ()
        edges = self._asked.edges
        for found, paints in laid:
            for name in found:
                more, edges = self._lay(name, found[name], paints[name], edges)
                made = (*made, *more)
        if made:
            asked = self._touched_by_hand if self._asked.feather else self._asked
            by_hand = asked.by_hand or at is not None or whole or shading != SHADING
            self._record(made, Asked((*self._asked.fills, *fills), by_hand, edges=edges))
        return fills[0].pixels

    def check_region(self, region: str | int | Region) -> None:
        """Raises InputError as a fill of the region alone does, if the picture has none."""
        (chosen,) = checks.as_group(region)
        check_share(self._need_regions(), chosen, meant_by(self._need_regions(), chosen))

    def is_meant(self, region: str | int | Region, at: tuple[float, float]) -> bool:
        """Whether a fill of the whole region takes in the pixel (x, y): none of attire does glasses beside clothes."""
        (chosen,), (x, y) = checks.as_group(region), checks.as_pixel(at, self.size)
        return bool(meant_by(self._need_regions(), chosen)[y, x])

    def _over_skin_in(self, places: dict[str, list[Selection]]) -> dict[str, list[Box]]:
        """By name where brows, hair and lips that were filled lie within skin that is to be filled without them."""
        skin = places.get("skin", [])
        found: dict[str, list[Box]] = {}
        for edge in self._asked.edges:
            if edge.region in _OVER_SKIN and edge.region not in places and any(_meets(p, [edge.box]) for p in skin):
                found.setdefault(edge.region, []).append(edge.box)
        return found

    def _select(
        self,
        chosen: tuple[Region, ...],
        at: tuple[int, int] | None = None,
        whole: bool = False,
        rgb: tuple[int, int, int] | None = None,
    ) -> dict[str, list[Selection]]:
        """The places of each region, see ``select_region``; of several without those that the picture has not."""
        image, regions = self._layers.image, self._need_regions()
        found: dict[str, list[Selection]] = {}
        missing: InputError | None = None
        for region in chosen:
            try:
                found[region.name] = select_region(image, regions, region, at, whole, rgb)
            except InputError as error:
                missing = missing or error
        if missing is not None and not found:
            raise missing
        return found

    def _lay(
        self, region: str, places: list[Selection], paints: list[Painted], edges: Edges
    ) -> tuple[tuple[Patch, ...], Edges]:
        """Lays a fill in the stead of older ones of the region. What has changed, and the edges of all fills then."""
        rooms = []
        for place, (_, cover) in zip(places, paints, strict=True):
            there = window(self._layers.planes, place.box)
            edges, at, without = take_back(edges, region, place.box, cover, there, place.varies)
            rooms.append((at, without))

        def lay(number: int) -> tuple[Patch | None, Edge]:
            place, (paint, cover), (at, without) = places[number], paints[number], rooms[number]
            under = window(self._layers.planes, place.box)
            if at.size:
                under = under.copy()
                under.reshape(5, -1)[:, at] = without
            edge = Edge.of(region, place.box, cover, paint, under, place.varies)
            return self._put(place.box, compositing.fill(under, cover, paint)), edge

        laid = each(lay, range(len(places)))  # which do not overlap
        made = tuple(patch for patch, _ in laid if patch is not None)
        for patch in made:
            self._touch(patch.box)
        return made, (*edges, *(edge for _, edge in laid if edge.at.size))

    # --- brushes ------------------------------------------------------------------------------------------------

    def stroke(
        self,
        points: Iterable[Point],
        colour: Colour | None,
        radius: float,
        hardness: float = 0.8,
        opacity: float = 1.0,
        tint: bool = False,
    ) -> bool:
        """Paints along a polyline of (x, y) points with a round brush; returns whether anything changed.

        Within one stroke the coverage is the largest of its dabs, strokes add up. ``opacity`` thins the paint, not
        the mask. Colour None marks the mask only: re-imagine there, the guide stays. Paint with ``tint`` takes the
        original's light and texture, each pixel its own: strands and pores stay, in another colour.
        """
        return self._draw(points, Brush(_rgb(colour), radius, hardness, opacity, tints=tint))

    def erase(self, points: Iterable[Point], radius: float, hardness: float = 0.8) -> bool:
        """Takes paint and mask away along a polyline; returns whether anything changed."""
        return self._draw(points, Brush(None, radius, hardness, erases=True))

    def _draw(self, points: Iterable[Point], brush: Brush) -> bool:
        checked = checks.as_points(points)
        self._begin(brush)
        self.extend_stroke(checked)
        return self.end_stroke()

    def begin_stroke(
        self,
        colour: Colour | None,
        radius: float,
        hardness: float = 0.8,
        opacity: float = 1.0,
        erase: bool = False,
        tint: bool = False,
    ) -> None:
        """Starts a stroke for ``extend_stroke``, as when the mouse goes down. A stroke under way is ended first."""
        self._begin(Brush(None if erase else _rgb(colour), radius, hardness, opacity, erase, tint and not erase))

    def _begin(self, brush: Brush) -> None:
        self.end_stroke()
        self._scratch = self._scratch or Scratch(self.size)
        self._stroke = Stroke(self._layers, brush, self._scratch, self._tinter)

    def extend_stroke(self, points: Iterable[Point]) -> Box | None:
        """Drags the brush on through the points; the work is that of the new dabs. Returns the box that changed."""
        if self._stroke is None:
            raise UsageError("There is no stroke to extend; begin_stroke starts one.")
        box = self._stroke.extend(checks.as_points(points))
        if box is not None:
            self._touch(box)
        return box

    # --- whole masks --------------------------------------------------------------------------------------------

    def paint_image(self, rgb: np.ndarray, alpha: np.ndarray, tint: bool = False) -> bool:
        """Lays a picture of paint over the canvas: rgb (H, W, 3) uint8, alpha (H, W) float in [0, 1], the soft mask.

        ``tint`` as in ``stroke``. Returns whether anything changed.
        """
        paint, levels = checks.as_image(rgb, self.size), checks.as_levels(alpha, self.size)

        def lay(planes: Planes, coverage: np.ndarray, box: Box) -> Planes:
            own = np.ascontiguousarray(paint[cut(box)])
            return compositing.over(planes, coverage, self._tinter.tinted(box, own, coverage) if tint else own)

        return self._cover(levels, lay)

    def select(self, mask: np.ndarray, colour: Colour | None = None, tint: bool = False) -> bool:
        """Adds ``mask`` (H, W) float in [0, 1] to the mask, painted with a colour if there is one.

        Without a colour the guide stays as it is and the place is re-imagined. ``tint`` as in ``stroke``. Returns
        whether anything changed.
        """
        value, levels = _rgb(colour), checks.as_levels(mask, self.size)
        if value is None and tint:
            raise UsageError("A mask that is to be tinted has a colour.")
        flat = None if value is None else np.array(value, np.uint8)

        def lay(planes: Planes, coverage: np.ndarray, box: Box) -> Planes:
            colours = flat if flat is None or not tint else self._tinter.tinted(box, flat)
            return compositing.replace(planes, coverage, colours)

        return self._cover(levels, lay)

    def _cover(self, levels: np.ndarray, change: Callable[[Planes, np.ndarray, Box], Planes]) -> bool:
        self.end_stroke()
        box = box_of(levels)
        return box is not None and self._change(box, lambda planes: change(planes, levels[cut(box)], box))

    def feather(self, radius: float) -> bool:
        """Softens the mask inwards: it falls to 0 at its edge within ``radius`` pixels, and never grows.

        The border of the picture is no edge. Paint fades with it. Returns whether anything changed.
        """
        return self._use(masktools.feather, radius, self._feathered_by)

    def _feathered_by(self, radius: float) -> Asked:
        return self._touched_by_hand if self._asked.feather else replace(self._asked, feather=radius)

    def grow(self, radius: float) -> bool:
        """Widens the mask by ``radius`` pixels; where paint shows at its edge, the nearest colour goes along.

        Paint that the mask has hidden comes back. Returns whether anything changed.
        """
        return self._use(masktools.grow, radius)

    def shrink(self, radius: float) -> bool:
        """Narrows the mask by ``radius`` pixels; the paint that it hides comes back if it grows again.

        Returns whether anything changed.
        """
        return self._use(masktools.shrink, radius)

    def _use(self, tool: masktools.Tool, radius: float, asked: Callable[[float], Asked] | None = None) -> bool:
        radius = checks.as_radius(radius)
        self.end_stroke()
        box = masktools.reach(self._layers.planes, radius)
        return box is not None and self._change(box, lambda planes: tool(planes, radius), asked and asked(radius))

    def invert(self) -> bool:
        """Edits what was kept and keeps what was edited; paint outside the new mask waits, hidden."""
        self.end_stroke()
        return self._change(self._everything, masktools.invert)

    def clear(self) -> bool:
        """Takes all paint, mask and fills away. Returns whether there was anything."""
        self.end_stroke()
        box = box_of(np.any(self._layers.planes, axis=0)) or (0, 0, 0, 0)
        patch = self._write(box, np.zeros_like(window(self._layers.planes, box)))
        return self._record(() if patch is None else (patch,), Asked())


def _meets(place: Selection, boxes: list[Box]) -> bool:
    return any(overlap(place.box, box) for box in boxes)


def _pixels(places: dict[str, list[Selection]]) -> int:
    return sum(int(np.count_nonzero(place.soft)) for some in places.values() for place in some)


def _rgb(colour: Colour | None) -> tuple[int, int, int] | None:
    return None if colour is None else checks.as_rgb(colour)
