"""The light on a region, its shadows, lights and hollows, and how it falls on another colour.

In L*a*b*, for a pixel (L, ab) of a region of mean (Lm, abm) that is to have the colour (Lt, abt):

    L'  = Lt + knee(widened(L - Lm))                        shadows and lights each with a gain of their own
    ab' = abt as it is in the light L' + share * (ab - abm as it is in the light L)

and where next to no light falls, L' goes down towards Lt + contrast * (L - Lm), and ab' with it. ``carry_over`` is the
first, ``in_the_dark`` the second; between the two ``shading`` sees to the mean. Between lips the outline of what is so
dark is smoothed before (``without_grain``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from npe_core.colour import srgb_to_lab
from npe_core.opencv import opencv

_MOST_SHADOWS, _MOST_LIGHTS = 2.2, 1.4
"""By which a fill widens the variation below and above the mean, at most."""
_MOST_NOISE, _NOISE = 1.15, 2.0
"""By which it widens, at most, what lies within so many levels of L* of the mean: the noise of black hair would become
strands of blond hair."""

FLESH = ("skin", "nose", "ears", "neck")
"""Regions of one material: filled together they keep the light between them, as the shadow under the chin."""

_UNLIT, _BLACK = 0.35, 7.0
"""Of the mean L*, and in levels of L*: what is below both gets next to no light, as the hollows between strands and the
nostrils. It would be dark in any colour, and so it says nothing of the one that is asked for and stays out of the mean.
Between lips the first alone counts: of what they show nothing else is as dark."""
_UNLIT_FLESH, _BLACK_FLESH, _LIGHTER = 0.6, 20.0, (0.7, 1.0)
"""Likewise of flesh, with its lashes and beards, and the contrasts up to which that does not hold and from which on it
does. The darkest of skin is hardly lighter than its hairs: with less between the two, a beard on skin that becomes
lighter has a hard edge."""
_NOISE_OF_BLACK = (3.5, 4.5)
"""The mean L* up to which nothing is called unlit, and from which on all may be: the dark of black hair in a dark photo
is noise."""
_LEAST_LIT = (0.5, 0.75)
"""The share of the pixels that are lit, likewise: where most of a region is black, black is its colour."""
_OUTLINE = 1 / 300
"""Of the longer side of what is filled: the standard deviation by which the dark between lips is smoothed. Along the
line between them every crease would else be as black as the line."""

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


@dataclass(frozen=True)
class Typical:
    """What is typical of the pixels that show the region and nothing else."""

    mean: np.ndarray
    """(3,) L*a*b*"""
    own: np.ndarray
    """(3,) sRGB in 1/255: their mean colour."""
    low: np.ndarray
    """(3,) L*a*b*: the least of what the rim shows of the region, its 5th percentile."""
    high: np.ndarray
    """(3,) L*a*b*: the most of it, the 75th."""

    @classmethod
    def of(cls, chosen: np.ndarray, lab: np.ndarray) -> Typical:
        """Of the chosen pixels (N, 3) uint8, which are ``lab`` (N, 3) in L*a*b*."""
        # The rim also shows what lies beside the region (sky through hair). It gets the region's ordinary light and
        # tint, else recoloured hair glows at its outline.
        low, high = np.percentile(lab, (5, 75), axis=0).astype(np.float32)
        return cls(lab.mean(axis=0), chosen.mean(axis=0, dtype=np.float32), low, high)


@dataclass(frozen=True)
class Gains:
    """What differences of lightness from the mean become on the new colour."""

    shadows: float
    """What those below the mean are multiplied by."""
    lights: float
    """What those above it are multiplied by."""
    contrast: float
    """What they would be multiplied by if all of the light were kept."""
    texture: float
    """What pores and grain are multiplied by: not less than in proportion, and all of it on lighter skin."""
    down: float
    """Levels of L* from the new colour to black: the room for its shadows."""
    up: float
    """And to white, for its lights."""

    @classmethod
    def of(cls, lightness: np.ndarray, mean: float, target: float, shading: float) -> Gains:
        """For pixels of L* (N,) and their mean, on a colour of L* ``target``."""
        # A dark material shows shallower shadows than a light one, about in proportion (the +16 is where L* turns
        # linear).
        below = max((target + 16) / (mean + 16), 0.4)
        # Its lights are not fewer: on black hair they stand out of the dark. What becomes lighter has them widened like
        # its shadows all the same, because the few strands that black hair shows are all that there is.
        above = max(below, np.interp(target, *LIGHTS) / np.interp(mean, *LIGHTS))
        # Where shadows or highlights would still be far beyond black or white, that contrast is scaled down.
        down, up = max(target, 2.0), max(98 - target, 2.0)
        darkest, lightest = np.percentile(lightness - mean, (2, 98))
        shadows = min(shading * below, _MOST_SHADOWS, 1.1 * down / max(-darkest, 1.0))
        lights = min(shading * above, _MOST_LIGHTS, 1.1 * up / max(lightest, 1.0))
        texture = max(min(1.5 * shading, 1.0) * min(below, 1.0), (shadows + lights) / 2)
        return cls(float(shadows), float(lights), float(below), float(texture), float(down), float(up))


@dataclass(frozen=True)
class Hollows:
    """Where next to no light falls, and how far it stays dark there."""

    black: float
    """The L* from which on pixels are lit."""
    trust: float
    """How far pixels below it can be called unlit, in [0, 1]."""
    share: float
    """How far they go down to their own darkness, in [0, 1]."""
    outline: float
    """Of the longer side of a place: the standard deviation by which the picture is smoothed around them, or 0."""

    @classmethod
    def of(cls, region: str, lightness: np.ndarray, mean: float, contrast: float, shading: float) -> Hollows:
        """For pixels of L* (N,) of a region, their mean, and what differences from it would become (``Gains``)."""
        black = _UNLIT * float(mean)
        if region != "lips":
            black = min(black, _BLACK)
        if region in FLESH:
            most = min(_UNLIT_FLESH * float(mean), _BLACK_FLESH)
            black += float(np.interp(contrast, _LIGHTER, (0, 1))) * (most - black)
        lit = float((lightness > black / 2).mean())
        trust = np.interp(mean, _NOISE_OF_BLACK, (0, 1)) * np.interp(lit, _LEAST_LIT, (0, 1))
        return cls(black, float(trust), min(1.5 * shading, 1.0), _OUTLINE if region == "lips" else 0.0)

    def gloom(self, lightness: np.ndarray) -> np.ndarray:
        """(N,) in [0, 1]: 1 where no light at all falls on pixels of that L* (N,)."""
        return np.float32(self.trust) * np.clip(1 - lightness / np.float32(max(self.black, 1e-3)), 0, 1)


@dataclass(frozen=True)
class Light:
    """What is typical of a region, and how its light falls on the colour that is asked for."""

    typical: Typical
    gains: Gains
    hollows: Hollows
    asked: np.ndarray
    """(3,) sRGB in 1/255: the new colour."""
    shading: float
    """How much of the light is carried over, in [0, 1]."""

    @classmethod
    def of(cls, region: str, chosen: np.ndarray, rgb: tuple[int, int, int], shading: float) -> Light:
        """The light on the chosen pixels (N, 3) uint8, which show the region of that name and nothing else."""
        target, lab = srgb_to_lab(np.array(rgb, np.uint8)), srgb_to_lab(chosen)
        typical, lightness = Typical.of(chosen, lab), lab[:, 0]
        gains = Gains.of(lightness, typical.mean[0], target[0], shading)
        hollows = Hollows.of(region, lightness, typical.mean[0], gains.contrast, shading)
        return cls(typical, gains, hollows, np.array(rgb, np.float32), shading)


def carry_over(pixels: np.ndarray, depth: np.ndarray, target: np.ndarray, light: Light) -> np.ndarray:
    """(N, 3) L*a*b* of the shaded colour before gamut and mean are taken care of.

    With target == mean and shading == 1 this is the original, but for the knee near black and white and for the rim.
    """
    lab, typical, gains = srgb_to_lab(pixels), light.typical, light.gains
    lab += (1 - depth[:, None]) * (np.clip(lab, typical.low, typical.high) - lab)
    bright = target[0] + _knee(_widened(lab[:, 0] - typical.mean[0], gains), gains)
    own = lab[:, 1:] - _in_light(typical.mean, lab[:, 0])
    share = np.float32(min(gains.shadows, gains.lights, light.shading))
    return np.column_stack([bright, _in_light(target, bright) + share * own])


def in_the_dark(shaded: np.ndarray, lightness: np.ndarray, target: np.ndarray, light: Light) -> np.ndarray:
    """(N, 3) L*a*b*: the shaded colours of pixels whose own L* is ``lightness``, where no light falls as dark as there.

    Dark in proportion to the light, however little of the variation the rest keeps.
    """
    dark = np.float32(light.hollows.share) * light.hollows.gloom(lightness)[:, None]
    kept = np.maximum(target[0] + np.float32(light.gains.contrast) * (lightness - light.typical.mean[0]), 0)
    kept = np.minimum(kept, shaded[:, 0])
    deepest = np.column_stack([kept, _in_light(target, kept)])
    return shaded + dark * (deepest - shaded)


def without_grain(pixels: np.ndarray, soft: np.ndarray, hollows: Hollows) -> np.ndarray:
    """(h, w, 3) uint8: pixels (h, w, 3) uint8, smoothed in and beside hollows as far as the mask ``soft`` (h, w) uint8
    covers them."""
    if not hollows.outline:
        return pixels
    smooth = opencv().GaussianBlur(pixels, (0, 0), hollows.outline * max(soft.shape))
    # All of it up to the L* from which on pixels are lit, and nothing from twice that on.
    share = np.clip(2 - srgb_to_lab(smooth)[..., 0] / np.float32(max(hollows.black, 1e-3)), 0, 1)
    share *= np.float32(hollows.trust * hollows.share / 255) * soft
    calm: np.ndarray = np.rint(pixels + share[..., None] * (smooth - pixels.astype(np.float32))).astype(np.uint8)
    return calm


def _widened(difference: np.ndarray, gains: Gains) -> np.ndarray:
    """Differences of lightness as they are on the new colour."""
    gain = np.where(difference < 0, np.float32(gains.shadows), np.float32(gains.lights))
    near = np.minimum(gain, np.float32(_MOST_NOISE))
    beyond = np.sign(difference) * np.maximum(np.abs(difference) - np.float32(_NOISE), 0)
    return near * difference + (gain - near) * beyond


def _knee(difference: np.ndarray, gains: Gains) -> np.ndarray:
    """Differences of lightness, unchanged up to half the room that there is, bent to stay inside it beyond."""
    room = np.where(difference < 0, gains.down, gains.up).astype(np.float32)
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
