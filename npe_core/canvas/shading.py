"""Recolouring that keeps the light: the colour asked for, with the shadows, highlights and strands of the original."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from npe_core.canvas.boxes import cut
from npe_core.canvas.rim import Inside, like_the_inside, through_the_rim
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

_MOST_SHADOWS, _MOST_LIGHTS = 2.2, 1.4
"""By which a fill widens the variation below and above the mean,"""
_MOST_NOISE, _NOISE = 1.15, 2.0
"""and what lies within so many levels of L* of it, where the noise of black hair would become strands of blond hair."""

_UNLIT, _BLACK = 0.35, 7.0
"""Of the mean L*, and in levels of L*: what is below both gets next to no light, as the hollows between strands. It
would be dark in any colour, and so it says nothing of the one that is asked for and stays out of the mean."""
_NOISE_OF_BLACK = (3.5, 4.5)
"""The mean L* up to which nothing is called unlit, and from which on all may be: the dark of black hair in a dark photo
is noise."""
_LEAST_LIT = (0.5, 0.75)
"""The share of the pixels that are lit, likewise: where most of a region is black, black is its colour."""

CHROMA = (
    (0, 2, 7, 12, 17, 22, 27, 32, 37, 42, 52, 62, 72, 82, 92, 100),
    (0.2, 0.28, 0.41, 0.53, 0.7, 0.81, 0.88, 0.94, 0.97, 1.0, 1.0, 0.95, 0.87, 0.78, 0.6, 0.4),
)
"""Lightness, and the chroma that a material shows at it: shadows are less colourful, and so are glints. Medians within
the hair of 500 portraits (``benchmarks/hair_light.py``). Hair of mean L* 15 to 75 lies on one curve, to within 0.1 of
the chroma at the mean; that of black hair rises to 0.2 less."""
LIGHTS = ((0, 7, 22, 37, 52, 67, 80, 98), (22, 27, 33, 33, 28, 22, 15, 2))
"""Lightness, and how far above it the lights of hair lie that is so light on average (its 98th percentile; the same
portraits): a gloss adds to what is dark more than to what is light, where shadows take away in proportion."""
_WARM, _TURN, _MOST_TURN = math.radians(75), math.radians(0.33), math.radians(12)
"""Radians: the hue that is warmest, what it turns by for a level of L*, and at most. What is yellow turns to red in the
shadows; by the same portraits."""

_PIXEL = "V3"
"""As which numpy picks pixels four times as fast as it picks three channels."""


def shade_places(
    image: np.ndarray, places: list[Selection], rgb: tuple[int, int, int], shading: float
) -> list[np.ndarray]:
    """(h, w, 3) uint8 for each place of a fill: its paint, of use where its mask is above 0.

    shading: 0 = flat, 1 = all of the original's variation, scaled to the lightness of the new colour. The mean L*a*b*
    over what is lit of all the places of one face is within 1 of the colour's, and for a colour at the edge of the
    gamut within what is just noticed (2.3): where there is no room for the variation (pure red, black, white), the
    variation gives way.
    """
    faces = sorted({place.face for place in places})
    shades = each(lambda face: shade_of(image, [place for place in places if place.face == face], rgb, shading), faces)
    known = dict(zip(faces, shades, strict=True))

    def paint(place: Selection) -> np.ndarray:
        shade = known[place.face]
        if shade is None:
            return np.broadcast_to(np.array(rgb, np.uint8), (*place.soft.shape, 3))
        return shade.paint(image[cut(place.box)], place.depth, place.soft)

    return each(paint, places)


def shade_of(image: np.ndarray, places: list[Selection], rgb: tuple[int, int, int], shading: float) -> Shade | None:
    """How the colours of one face's places change; None where the new colour is to be flat."""
    core = [place.soft == 255 for place in places]
    inside = sum(np.count_nonzero(where) for where in core)
    if inside * 4 < sum(np.count_nonzero(place.soft) for place in places):
        core = [place.soft >= 128 for place in places]  # small or doubtful: hardly a pixel is surely inside
        inside = sum(np.count_nonzero(where) for where in core)
    if shading <= 0 or not inside:
        return None
    deep = [place.depth >= 1 for place in places]
    if sum(np.count_nonzero(where) for where in deep) * 4 < inside:
        deep = core
    target = srgb_to_lab(np.array(rgb, np.uint8))
    light = _light_of(_some(image, places, deep)[0], rgb, shading)
    pixels, depth, soft = _some(image, places, core)
    is_lit = light.gloom(srgb_to_lab(pixels)[:, 0]) < 0.5
    pixels, depth, soft = pixels[is_lit], depth[is_lit], soft[is_lit]
    variation = _carry_over(pixels, depth, target, light) - target
    balance = _balance(
        variation,
        target,
        lambda shaded: through_the_rim(shaded, pixels, soft, light.own, light.asked),
        shading * _FARTHEST,
    )
    return None if balance is None else Shade.of(target, light, *balance)


def _some(
    image: np.ndarray, places: list[Selection], where: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (N, 3), depth (N,) and mask (N,) at the True elements, evenly thinned out to about ``_SAMPLE``."""
    indices = [np.flatnonzero(inside) for inside in where]
    stride = max(1, sum(found.size for found in indices) // _SAMPLE)
    chosen = []
    for place, found in zip(places, indices, strict=True):
        y, x = np.divmod(found[::stride], place.soft.shape[1])
        chosen.append((image[y + place.box[1], x + place.box[0]], place.depth[y, x], place.soft[y, x]))
    pixels, depth, soft = (np.concatenate(parts) for parts in zip(*chosen, strict=True))
    return pixels, depth, soft


@dataclass(frozen=True)
class Shade:
    """What a fill does to each colour: tables for the depth of a place and for its rim, and what is between."""

    deep: ImageFilter.Color3DLUT
    rim: ImageFilter.Color3DLUT
    light: _Light

    @classmethod
    def of(cls, target: np.ndarray, light: _Light, offset: np.ndarray, scale: np.float32) -> Shade:
        """The tables of target + offset + scale * variation, target and offset (3,) L*a*b*."""
        from PIL import ImageFilter

        steps = np.linspace(0, 1, _NODES, dtype=np.float32)
        blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red changes fastest
        colours = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
        lightness = srgb_to_lab(colours)[:, 0]

        def table(depth: float) -> ImageFilter.Color3DLUT:
            variation = _carry_over(colours, np.full(len(colours), depth, np.float32), target, light) - target
            shaded = _in_the_dark(target + offset + scale * variation, lightness, target, light)
            return ImageFilter.Color3DLUT((_NODES, _NODES, _NODES), _to_srgb(shaded).ravel())

        return cls(table(1), table(0), light)

    def paint(self, pixels: np.ndarray, depth: np.ndarray, soft: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 for (h, w, 3) uint8 pixels; depth (h, w) in [0, 1] and soft (h, w) uint8 as in a place.

        Of use where ``soft`` is above 0: nothing else is looked at.
        """
        inside = Inside.of(
            pixels,
            (depth >= 1) & (soft == 255),
            lambda colours: _looked_up(colours, self.deep),
            (self.light.own, self.light.asked),
        )
        marked, width = np.flatnonzero(soft), soft.shape[1]
        pixels, depth, soft = np.ascontiguousarray(pixels), depth.ravel(), soft.ravel()
        result = np.empty_like(pixels)
        before, after = (array.view(_PIXEL).ravel() for array in (pixels, result))

        def paint_some(start: int) -> None:
            at = marked[start : start + _TOGETHER]
            colours = before[at].view(np.uint8).reshape(-1, 3)
            painted = _looked_up(colours, self.deep)
            rim = np.flatnonzero((depth[at] < 1) | (soft[at] < 255))
            if rim.size:
                beside = inside.at(*np.divmod(at[rim], width))
                painted[rim] = self._rim(colours[rim], painted[rim], depth[at[rim]], soft[at[rim]], *beside)
            after[at] = painted.view(_PIXEL).ravel()

        each(paint_some, range(0, marked.size, _TOGETHER))
        return result

    def _rim(
        self,
        colours: np.ndarray,
        deep: np.ndarray,
        depth: np.ndarray,
        soft: np.ndarray,
        before: np.ndarray,
        after: np.ndarray,
    ) -> np.ndarray:
        """(N, 3) uint8 for colours (N, 3) uint8 that ``deep`` would be where nothing lies beside them."""
        shallow = like_the_inside(_looked_up(colours, self.rim), after)
        return through_the_rim(shallow + depth[:, None] * (deep - shallow), colours, soft, before, after)


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
    left. The pixels lie within ``farthest`` of the colour on average. None where only no variation at all would do.
    """
    offset, scale = np.zeros(3, np.float32), np.float32(1)
    for _ in range(8):
        near, spread = None, 0.0
        for _ in range(4):
            shown = srgb_to_lab(finished(255 * _to_srgb(target + offset + scale * variation)))
            error = target - shown.mean(axis=0)
            distance = np.linalg.norm(error)
            if distance < 0.5 or (near is None and distance < _NOTICEABLE):
                near, spread = offset.copy(), float(np.linalg.norm(shown - target, axis=1).mean())
            if distance < 0.5:
                break
            offset += 1.5 * error  # more than the error: part of what is added is clipped away again
        if near is not None and spread <= farthest:
            return near, scale
        less = np.float32(0.7 if near is None else max(0.7, 0.97 * farthest / spread))
        scale *= less
        offset *= less
    return None


@dataclass(frozen=True)
class _Light:
    """What is typical of the pixels, and how much of their variation is carried over."""

    mean: np.ndarray
    """(3,) L*a*b*"""
    own: np.ndarray
    """(3,) sRGB in 1/255: their mean colour."""
    asked: np.ndarray
    """(3,) sRGB in 1/255: the new one."""
    low: np.ndarray
    """(3,) L*a*b*: the least of what the rim shows of the region, its 5th percentile."""
    high: np.ndarray
    """(3,) L*a*b*: the most of it, the 75th."""
    shadows: float
    """What differences of lightness below the mean are multiplied by."""
    lights: float
    """What those above it are multiplied by."""
    gain: float
    """What differences of lightness would be multiplied by if all of the light were kept."""
    black: float
    """The L* from which on pixels are lit."""
    trust: float
    """How far pixels below it can be called unlit, in [0, 1]."""
    hollows: float
    """How much of the gain the unlit pixels get, in [0, 1]."""
    down: float
    """Levels of L* from the new colour to black: the room for its shadows."""
    up: float
    """And to white, for its lights."""
    shading: float
    """What was asked for, in [0, 1]."""

    def gloom(self, lightness: np.ndarray) -> np.ndarray:
        """(N,) in [0, 1]: 1 where no light at all falls on pixels of that L* (N,)."""
        return np.float32(self.trust) * np.clip(1 - lightness / np.float32(max(self.black, 1e-3)), 0, 1)


def _light_of(chosen: np.ndarray, rgb: tuple[int, int, int], shading: float) -> _Light:
    """The light on the chosen pixels (N, 3) uint8, which show the region and nothing else."""
    target = srgb_to_lab(np.array(rgb, np.uint8))
    typical = srgb_to_lab(chosen)
    mean = typical.mean(axis=0)
    # The rim also shows what lies beside the region (sky through hair). It gets the region's ordinary light and tint,
    # else recoloured hair glows at its outline.
    low, high = np.percentile(typical, (5, 75), axis=0).astype(np.float32)
    # A dark material shows shallower shadows than a light one, about in proportion (the +16 is where L* turns linear).
    below = max((target[0] + 16) / (mean[0] + 16), 0.4)
    # Its lights are not fewer: on black hair they stand out of the dark. What becomes lighter has them widened like its
    # shadows all the same, because the few strands that black hair shows are all that there is.
    above = max(below, np.interp(target[0], *LIGHTS) / np.interp(mean[0], *LIGHTS))
    # Where shadows or highlights would still be far beyond black or white, that contrast is scaled down.
    down, up = max(target[0], 2.0), max(98 - target[0], 2.0)
    darkest, lightest = np.percentile(typical[:, 0] - mean[0], (2, 98))
    shadows = min(shading * below, _MOST_SHADOWS, 1.1 * down / max(-darkest, 1.0))
    lights = min(shading * above, _MOST_LIGHTS, 1.1 * up / max(lightest, 1.0))
    black = min(_UNLIT * float(mean[0]), _BLACK)
    lit = float((typical[:, 0] > black / 2).mean())
    trust = np.interp(mean[0], _NOISE_OF_BLACK, (0, 1)) * np.interp(lit, _LEAST_LIT, (0, 1))
    # What becomes darker is dark enough in its hollows by its shadows.
    hollows = min(max(below - 1, 0.0), 1.0) * min(1.5 * shading, 1.0)
    return _Light(
        mean=mean,
        own=chosen.mean(axis=0, dtype=np.float32),
        asked=np.array(rgb, np.float32),
        low=low,
        high=high,
        shadows=float(shadows),
        lights=float(lights),
        gain=float(below),
        black=black,
        trust=float(trust),
        hollows=float(hollows),
        down=float(down),
        up=float(up),
        shading=shading,
    )


def _carry_over(pixels: np.ndarray, depth: np.ndarray, target: np.ndarray, light: _Light) -> np.ndarray:
    """(N, 3) L*a*b* of the shaded colour before gamut and mean are taken care of.

    With target == mean and shading == 1 this is the original, but for the knee near black and white and for the rim.
    """
    lab, mean = srgb_to_lab(pixels), light.mean
    lab += (1 - depth[:, None]) * (np.clip(lab, light.low, light.high) - lab)
    bright = target[0] + _knee(_widened(lab[:, 0] - mean[0], light), light.down, light.up)
    own = lab[:, 1:] - _in_light(mean, lab[:, 0])
    return np.column_stack(
        [bright, _in_light(target, bright) + np.float32(min(light.shadows, light.lights, light.shading)) * own]
    )


def _in_the_dark(shaded: np.ndarray, lightness: np.ndarray, target: np.ndarray, light: _Light) -> np.ndarray:
    """(N, 3) L*a*b*: the shaded colours of pixels whose own L* is ``lightness``, where no light falls as dark as there.

    Dark in proportion to the light, however little of the variation the rest keeps.
    """
    dark = np.float32(light.hollows) * light.gloom(lightness)[:, None]
    kept = np.maximum(target[0] + np.float32(light.gain) * (lightness - light.mean[0]), 0)
    kept = np.minimum(kept, shaded[:, 0])
    deepest = np.column_stack([kept, _in_light(target, kept)])
    return shaded + dark * (deepest - shaded)


def _widened(difference: np.ndarray, light: _Light) -> np.ndarray:
    """Differences of lightness as they are on the new colour."""
    gain = np.where(difference < 0, np.float32(light.shadows), np.float32(light.lights))
    near = np.minimum(gain, np.float32(_MOST_NOISE))
    beyond = np.sign(difference) * np.maximum(np.abs(difference) - np.float32(_NOISE), 0)
    return near * difference + (gain - near) * beyond


def _knee(difference: np.ndarray, down: float, up: float) -> np.ndarray:
    """Differences of lightness, unchanged up to half the room that there is, bent to stay inside it beyond."""
    room = np.where(difference < 0, down, up).astype(np.float32)
    half = room / 2
    beyond = np.maximum(np.abs(difference) - half, 0) / half
    return np.sign(difference) * (np.minimum(np.abs(difference), half) + half * beyond / (1 + beyond))


def _in_light(colour: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(N, 2) a*b* of a material that is ``colour`` (3,) L*a*b*, where its lightness is ``light`` (N,)."""
    chroma = np.interp(light, *CHROMA) / np.interp(colour[0], *CHROMA)
    warm = max(math.cos(math.atan2(colour[2], colour[1]) - _WARM), 0.0)
    turn = warm * np.clip(_TURN * (light - colour[0]), -_MOST_TURN, _MOST_TURN)
    shown = chroma * np.exp(1j * turn) * complex(colour[1], colour[2])
    return np.column_stack([shown.real, shown.imag]).astype(np.float32)


def _to_srgb(lab: np.ndarray) -> np.ndarray:
    """(N, 3) float32 in [0, 1]. What is too bright for the gamut loses chroma, not light: nothing is clipped at 1."""
    rgb = lab_to_srgb(lab)
    bright = np.flatnonzero((rgb[:, 0] >= 1) | (rgb[:, 1] >= 1) | (rgb[:, 2] >= 1))
    if bright.size:
        fits, clips = np.zeros((bright.size, 1), np.float32), np.ones((bright.size, 1), np.float32)
        for _ in range(4):
            middle = (fits + clips) / 2
            inside = lab_to_srgb(lab[bright] * np.hstack([np.ones_like(middle), middle, middle])).max(-1) < 1
            fits, clips = np.where(inside[:, None], middle, fits), np.where(inside[:, None], clips, middle)
        rgb[bright] = lab_to_srgb(lab[bright] * np.hstack([np.ones_like(fits), fits, fits]))
    return rgb
