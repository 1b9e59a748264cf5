"""Recolouring that keeps the light: the colour asked for, with the shadows, highlights and strands of the original."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from npe_core.canvas.boxes import cut
from npe_core.canvas.gloss import GLOSSY, Gloss, put_on
from npe_core.canvas.light import FLESH, Light, carry_over, in_the_dark, without_grain
from npe_core.canvas.pores import Texture
from npe_core.canvas.rim import Inside, by_its_share, like_the_inside, through_the_rim
from npe_core.canvas.selection import Selection
from npe_core.colour import lab_to_srgb, srgb_to_lab
from npe_core.parallel import each

if TYPE_CHECKING:
    from PIL import ImageFilter

_SAMPLE = 8_192
"""Pixels that the correction of the mean looks at; its error is then well below 0.3."""

_NODES = 33
"""The recolouring is computed for so many levels of red, green and blue each, and interpolated between them: what it
does to a colour is smooth, and a large photo has fifty times as many pixels."""

_TOGETHER = 65_536
"""Pixels that are coloured together, so that they stay in the cache."""

_NOTICEABLE = 2.3
"""The CIE76 distance that is just noticed (Mahy et al. 1994)."""

_FARTHEST = 15.0
"""The mean CIE76 distance of the pixels to the colour, at most, where all of the variation is asked for: hair of black
shadows and white lights would else be of no colour in particular."""

_WHITE, _SHORT = (85.0, 97.0), 8.0
"""The L* from which on to which the mean may fall short of it, and by how much then: what is white on average has no
shadows, and teeth would be a bar without gaps."""

_PIXEL = "V3"
"""As which numpy picks pixels four times as fast as it picks three channels."""

_EXACT = "background"
"""The region whose mask is its share of each pixel (``background_through``)."""

Painted = tuple[np.ndarray, np.ndarray]
"""The paint of a place, (h, w, 3) uint8, and how much it covers, (h, w) uint8: its mask, see ``by_its_share``."""


def shade_regions(
    image: np.ndarray, places: dict[str, list[Selection]], rgb: tuple[int, int, int], shading: float
) -> dict[str, list[Painted]]:
    """The paint of each place of a fill of several regions, see ``shade_places``. Each material has its own mean."""
    alike = [name for name in places if name in FLESH]
    paints: dict[str, list[Painted]] = {}
    for names in filter(None, (alike, *([name] for name in places if name not in FLESH))):
        together = [place for name in names for place in places[name]]
        shaded = iter(shade_places(image, names[0], together, rgb, shading))
        paints |= {name: list(islice(shaded, len(places[name]))) for name in names}
    return paints


def shade_places(
    image: np.ndarray, region: str, places: list[Selection], rgb: tuple[int, int, int], shading: float
) -> list[Painted]:
    """For each place of a fill of one material its paint, of use where its mask is above 0.

    shading: 0 = flat, 1 = all of the original's variation, scaled to the lightness of the new colour. The mean L*a*b*
    over what is lit of all the places of one face is within 1 of the colour's, and for a colour at the edge of the
    gamut within what is just noticed (2.3): where there is no room for the variation (pure red, black, white), the
    variation gives way. Of near-white colours the mean falls short by up to 8 of L*. The gloss on skin is not in it.
    """
    calm = [image[cut(place.box)] for place in places]
    textures: list[Texture] = []
    if region in FLESH and shading > 0:
        textures = each(lambda n: Texture.of(calm[n], places[n].soft), range(len(places)))
        calm = each(lambda n: textures[n].taken_out_of(calm[n]), range(len(places)))
    faces = sorted({place.face for place in places})

    def of(face: int) -> Shade | None:
        own = [n for n, place in enumerate(places) if place.face == face]
        grain = [textures[n] for n in own] if textures else []
        return shade_of([calm[n] for n in own], grain, region, [places[n] for n in own], rgb, shading)

    shades = each(of, faces)
    known = dict(zip(faces, shades, strict=True))

    def paint(n: int) -> Painted:
        place, shade = places[n], known[places[n].face]
        if shade is None:
            return np.broadcast_to(np.array(rgb, np.uint8), (*place.soft.shape, 3)), place.soft
        painted, cover = shade.paint(calm[n], place.depth, place.soft)
        return (textures[n].given_to(painted, shade.light.gains.texture) if textures else painted), cover

    return each(paint, range(len(places)))


def shade_of(
    calm: list[np.ndarray],
    textures: list[Texture],
    region: str,
    places: list[Selection],
    rgb: tuple[int, int, int],
    shading: float,
) -> Shade | None:
    """How the colours of one face's places change; None where the new colour is to be flat.

    calm: (h, w, 3) uint8 of each place without its texture, which the paint is given; as it is where there are no
    textures, which flesh alone has.
    """
    core = [place.soft == 255 for place in places]
    inside = sum(np.count_nonzero(where) for where in core)
    if inside * 4 < sum(np.count_nonzero(place.soft) for place in places):
        core = [place.soft >= 128 for place in places]  # small or doubtful: hardly a pixel is surely inside
        inside = sum(np.count_nonzero(where) for where in core)
    if shading <= 0 or not inside:
        return None
    deep = [where & (place.depth >= 1) for where, place in zip(core, places, strict=True)]
    if sum(np.count_nonzero(where) for where in deep) * 4 < inside:
        deep = core
    target = srgb_to_lab(np.array(rgb, np.uint8))
    chosen, pixels = _some(deep, calm), _some(core, calm)
    gloss = Gloss.of(chosen, min(1.5 * shading, 1.0)) if region in GLOSSY else None
    if gloss is not None:
        chosen, pixels = (np.rint(255 * gloss.taken_off(some)).astype(np.uint8) for some in (chosen, pixels))
    light = Light.of(region, chosen, rgb, shading)
    lit = light.hollows.gloom(srgb_to_lab(pixels)[:, 0]) < 0.5
    pixels = pixels[lit]
    depth, soft = (_some(core, part)[lit] for part in ([p.depth for p in places], [p.soft for p in places]))
    texture = Texture(_some(core, [grain.difference for grain in textures])[lit][None]) if textures else None
    variation = carry_over(pixels, depth, target, light) - target

    def finished(shaded: np.ndarray) -> np.ndarray:
        paint = through_the_rim(shaded, pixels, soft, light.typical.own, light.asked)
        return paint if texture is None else texture.given_to(paint[None], light.gains.texture)[0]

    balance = _balance(variation, target, finished, shading * _FARTHEST)
    return None if balance is None else Shade.of(target, light, *balance, region == _EXACT, gloss)


def _some(where: list[np.ndarray], arrays: list[np.ndarray]) -> np.ndarray:
    """(N, ...) of arrays (h, w, ...) at the True elements of theirs, evenly thinned out to about ``_SAMPLE``."""
    indices = [np.flatnonzero(inside) for inside in where]
    stride = max(1, sum(found.size for found in indices) // _SAMPLE)
    return np.concatenate(
        [array[np.divmod(found[::stride], array.shape[1])] for array, found in zip(arrays, indices, strict=True)]
    )


@dataclass(frozen=True)
class Shade:
    """What a fill does to each colour: tables for the depth of a place and for its rim, and what is between."""

    deep: ImageFilter.Color3DLUT
    rim: ImageFilter.Color3DLUT
    light: Light
    exact: bool
    """Whether the masks are the region's share of each pixel."""

    @classmethod
    def of(
        cls,
        target: np.ndarray,
        light: Light,
        offset: np.ndarray,
        scale: np.float32,
        exact: bool,
        gloss: Gloss | None,
    ) -> Shade:
        """The tables of target + offset + scale * variation, target and offset (3,) L*a*b*, and of the gloss on it."""
        from PIL import ImageFilter

        steps = np.linspace(0, 1, _NODES, dtype=np.float32)
        blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red changes fastest
        colours = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
        white = np.zeros((len(colours), 1), np.float32)
        if gloss is not None:
            white, colours = gloss.on(colours), gloss.taken_off(colours)
        lightness = srgb_to_lab(colours)[:, 0]

        def table(depth: float) -> ImageFilter.Color3DLUT:
            variation = carry_over(colours, np.full(len(colours), depth, np.float32), target, light) - target
            shaded = in_the_dark(target + offset + scale * variation, lightness, target, light)
            return ImageFilter.Color3DLUT((_NODES, _NODES, _NODES), put_on(lab_to_srgb(shaded), white).ravel())

        return cls(table(1), table(0), light, exact)

    def paint(self, pixels: np.ndarray, depth: np.ndarray, soft: np.ndarray) -> Painted:
        """For (h, w, 3) uint8 pixels; depth (h, w) in [0, 1] and soft (h, w) uint8 as in a place.

        Of use where ``soft`` is above 0: nothing else is looked at.
        """
        pixels = without_grain(pixels, soft, self.light.hollows)
        inside = Inside.of(
            pixels,
            (depth >= 1) & (soft == 255),
            lambda colours: _looked_up(colours, self.deep),
            (self.light.typical.own, self.light.asked),
        )
        marked, width = np.flatnonzero(soft), soft.shape[1]
        pixels, depth, soft = np.ascontiguousarray(pixels), depth.ravel(), soft.ravel()
        result, cover = np.empty_like(pixels), soft.copy()
        before, after = (array.view(_PIXEL).ravel() for array in (pixels, result))

        def paint_some(start: int) -> None:
            at = marked[start : start + _TOGETHER]
            colours = before[at].view(np.uint8).reshape(-1, 3)
            painted = _looked_up(colours, self.deep)
            rim = np.flatnonzero((depth[at] < 1) | (soft[at] < 255))
            if rim.size:
                beside = inside.at(*np.divmod(at[rim], width))
                painted[rim], cover[at[rim]] = self._rim(
                    colours[rim], painted[rim], depth[at[rim]], soft[at[rim]], *beside
                )
            after[at] = painted.view(_PIXEL).ravel()

        each(paint_some, range(0, marked.size, _TOGETHER))
        return result, cover.reshape(result.shape[:2])

    def _rim(
        self,
        colours: np.ndarray,
        deep: np.ndarray,
        depth: np.ndarray,
        soft: np.ndarray,
        before: np.ndarray,
        after: np.ndarray,
    ) -> Painted:
        """(N, 3) and (N,) uint8 for colours (N, 3) uint8 that ``deep`` would be where nothing lies beside them."""
        shaded = like_the_inside(_looked_up(colours, self.rim), deep, depth, after)
        if self.exact:
            return by_its_share(shaded, colours, soft, before, after)
        return through_the_rim(shaded, colours, soft, before, after), soft


def _looked_up(colours: np.ndarray, table: ImageFilter.Color3DLUT) -> np.ndarray:
    """(N, 3) uint8 for (N, 3) uint8."""
    from PIL import Image

    return np.array(Image.fromarray(colours[None]).filter(table))[0]


def _balance(
    variation: np.ndarray, target: np.ndarray, finished: Callable[[np.ndarray], np.ndarray], farthest: float
) -> tuple[np.ndarray, np.float32] | None:
    """(offset (3,), scale) with which target + offset + scale * variation has the mean ``target`` as 8-bit sRGB.

    The mean of a strongly coloured material falls short of its colour, because half of its variation lies outside the
    gamut. To make up for all of that would turn its lights garish and take most of its contrast: what is not noticed is
    left. The pixels lie within ``farthest`` of the colour on average: while they do not, or no offset does, the
    variation is scaled down. None where only no variation at all would do.
    """
    offset, scale = np.zeros(3, np.float32), np.float32(1)
    for _ in range(8):
        near, spread, offset = _offset_for(scale * variation, target, finished, offset)
        if near is not None and spread <= farthest:
            return near, scale
        less = np.float32(0.7 if near is None else max(0.7, 0.97 * farthest / spread))
        scale *= less
        offset *= less
    return None


def _offset_for(
    variation: np.ndarray, target: np.ndarray, finished: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> tuple[np.ndarray | None, float, np.ndarray]:
    """The offset (3,) with which target + offset + variation is near the colour on average, None if none was found.

    A fixed-point search from ``start`` (3,). Also returns the mean distance of the pixels to the colour with that
    offset, and where the search ended.
    """
    offset, near, spread = start.copy(), None, 0.0
    short = np.interp(target[0], _WHITE, (0, _SHORT))
    for _ in range(4):
        shown = srgb_to_lab(finished(255 * lab_to_srgb(target + offset + variation)))
        error = target - shown.mean(axis=0)
        error[0] -= np.clip(error[0], 0, short)
        distance = np.linalg.norm(error)
        if distance < 0.5 or (near is None and distance < _NOTICEABLE):
            near, spread = offset.copy(), float(np.linalg.norm(shown - target, axis=1).mean())
        if distance < 0.5:
            break
        offset += 1.5 * error  # more than the error: part of what is added is clipped away again
    return near, spread, offset
