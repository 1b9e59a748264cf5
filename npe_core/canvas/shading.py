"""Recolouring that keeps the light: the colour asked for, with the shadows, highlights and strands of the original."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import cut
from npe_core.canvas.selection import Selection
from npe_core.colour import lab_to_srgb, srgb_to_lab
from npe_core.parallel import each

_SAMPLE = 16_384
"""Pixels that the correction of the mean looks at; its error is then well below 0.3."""

_CHUNK = 32_768
"""Pixels that are worked on together, so that they stay in the cache."""


def shade_places(
    image: np.ndarray, places: list[Selection], rgb: tuple[int, int, int], shading: float
) -> list[np.ndarray]:
    """(3, h, w) uint8 for each place of a fill: its paint. The mean over all the places of one face is ``rgb``."""
    paints = [np.zeros((3, *place.soft.shape), np.uint8) for place in places]

    def paint_face(face: int) -> None:
        own = [k for k, place in enumerate(places) if place.face == face]
        touched = [places[k].soft > 0 for k in own]
        pixels = np.concatenate([image[cut(places[k].box)][where] for k, where in zip(own, touched, strict=True)])
        soft = np.concatenate([places[k].soft[where] for k, where in zip(own, touched, strict=True)])
        depth = np.concatenate([places[k].depth[where] for k, where in zip(own, touched, strict=True)])
        core = soft == 255
        if np.count_nonzero(core) * 4 < core.size:  # small or doubtful: hardly a pixel is surely inside
            core = soft >= 128
        colours = shade(pixels, core, depth, rgb, shading, soft).T
        first = 0
        for k, where in zip(own, touched, strict=True):
            last = first + int(np.count_nonzero(where))
            paints[k][:, where] = colours[:, first:last]
            first = last

    each(paint_face, sorted({place.face for place in places}))
    return paints


def shade(
    pixels: np.ndarray,
    core: np.ndarray,
    depth: np.ndarray,
    rgb: tuple[int, int, int],
    shading: float,
    soft: np.ndarray,
) -> np.ndarray:
    """The colour ``rgb`` laid on ``pixels`` with their own light and texture.

    pixels: (N, 3) uint8 sRGB; core: (N,) bool, the pixels whose mean becomes ``rgb``; depth: (N,) float32, 1 far
    enough inside to show the region and nothing else, 0 at its rim; shading: 0 = flat, 1 = all of the original's
    variation, scaled to the lightness of the new colour; soft: (N,) uint8, the mask in 1/255. Returns (N, 3) uint8.

    The mean L*a*b* over the core is within 1 of the colour's: where the gamut leaves no room for the variation (pure
    red, black, white), the variation gives way, not the colour.
    """
    flat = np.broadcast_to(np.array(rgb, np.uint8), pixels.shape)
    if shading <= 0 or not core.any():
        return flat.copy()
    target = srgb_to_lab(np.array(rgb, np.uint8))
    light = _light_of(pixels, core, depth, rgb, shading)
    chosen = _some(core)
    variation = _carry_over(pixels[chosen], depth[chosen], target, light) - target
    balance = _balance(variation, target, lambda shaded: _through_the_rim(shaded, pixels[chosen], soft[chosen], light))
    if balance is None:
        return flat.copy()
    offset, scale = balance
    result = np.empty_like(pixels)
    for first in range(0, len(pixels), _CHUNK):
        part = slice(first, first + _CHUNK)
        variation = _carry_over(pixels[part], depth[part], target, light) - target
        shaded = _to_srgb8(target + offset + scale * variation)
        result[part] = _through_the_rim(shaded, pixels[part], soft[part], light)
    return result


def _balance(
    variation: np.ndarray, target: np.ndarray, finished: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.float32] | None:
    """(offset (3,), scale) with which target + offset + scale * variation has the mean ``target`` as 8-bit sRGB.

    None where only no variation at all would.
    """
    offset, scale = np.zeros(3, np.float32), np.float32(1)
    for _ in range(8):
        for _ in range(6):
            sample = finished(_to_srgb8(target + offset + scale * variation))
            error = target - srgb_to_lab(sample).mean(axis=0)
            if np.linalg.norm(error) < 0.5:
                return offset, scale
            offset += 1.5 * error  # more than the error: part of what is added is clipped away again
        scale *= np.float32(0.7)
        offset *= np.float32(0.7)
    return None


def _through_the_rim(shaded: np.ndarray, pixels: np.ndarray, soft: np.ndarray, light: _Light) -> np.ndarray:
    """(N, 3) uint8: what is painted where the mask is soft, a = soft / 255.

    There a pixel shows the region and what lies beside it, C = a F + (1 - a) B, and so it should afterwards:
    a F' + (1 - a) B, which is the paint C + F' - F under the mask. Without it a rim in the old colour stays around the
    new one. The mask is no exact a, so that the more there is of the region the more the paint is the shaded one.
    """
    rim = np.flatnonzero(soft < 255)
    if not rim.size:
        return shaded
    a = soft[rim, None] / np.float32(255)
    moved = np.clip(pixels[rim] + light.shift, 0, 255)
    result = shaded.copy()
    result[rim] = np.rint(moved + a * (shaded[rim] - moved)).astype(np.uint8)
    return result


@dataclass(frozen=True)
class _Light:
    """What is typical of the pixels, and how much of their variation is carried over."""

    mean: np.ndarray
    """(3,) L*a*b*"""
    shift: np.ndarray
    """(3,) sRGB in 1/255: from that mean to the new colour"""
    low: np.ndarray
    high: np.ndarray
    gain: float
    down: float
    up: float
    shading: float


def _some(where: np.ndarray) -> np.ndarray:
    """Indices of the True elements, evenly thinned out to about ``_SAMPLE``."""
    indices = np.flatnonzero(where)
    return indices[:: max(1, indices.size // _SAMPLE)]


def _light_of(
    pixels: np.ndarray, core: np.ndarray, depth: np.ndarray, rgb: tuple[int, int, int], shading: float
) -> _Light:
    target = srgb_to_lab(np.array(rgb, np.uint8))
    deep = depth >= 1
    if np.count_nonzero(deep) * 4 < np.count_nonzero(core):
        deep = core
    chosen = pixels[_some(deep)]
    typical = srgb_to_lab(chosen)
    mean = typical.mean(axis=0)
    # The rim also shows what lies beside the region (sky through hair). It gets the region's ordinary light and tint,
    # else recoloured hair glows at its outline.
    low, high = np.percentile(typical, (5, 75), axis=0).astype(np.float32)
    # A dark material shows less contrast than a light one, about in proportion (the +16 is where L* turns linear).
    # Beyond 1.15 it would be the noise of black hair that becomes the strands of blond hair.
    gain = min(shading * float(np.clip((target[0] + 16) / (mean[0] + 16), 0.4, 1.7)), 1.15)
    # Where shadows or highlights would still be far beyond black or white, all of the contrast is scaled down.
    down, up = max(target[0], 2.0), max(98 - target[0], 2.0)
    darkest, lightest = np.percentile(typical[:, 0] - mean[0], (2, 98))
    gain = min(gain, 1.1 * down / max(-darkest, 1.0), 1.1 * up / max(lightest, 1.0))
    shift = np.array(rgb, np.float32) - chosen.mean(axis=0, dtype=np.float32)
    return _Light(mean, shift, low, high, float(gain), float(down), float(up), shading)


def _carry_over(pixels: np.ndarray, depth: np.ndarray, target: np.ndarray, light: _Light) -> np.ndarray:
    """(N, 3) L*a*b* of the shaded colour before gamut and mean are taken care of.

    With target == mean and shading == 1 this is the original, but for the knee near black and white and for the rim.
    """
    lab, mean, gain = srgb_to_lab(pixels), light.mean, np.float32(light.gain)
    lab += (1 - depth[:, None]) * (np.clip(lab, light.low, light.high) - lab)
    bright = target[0] + _knee(gain * (lab[:, 0] - mean[0]), light.down, light.up)
    # Light on a coloured material scales its chroma too: shadows are less colourful, and so are glints.
    tint = target[1:] * _chroma_of_light(bright, target[0])[:, None]
    own = lab[:, 1:] - mean[1:] * _chroma_of_light(lab[:, 0], mean[0])[:, None]
    return np.column_stack([bright, tint + np.float32(min(light.gain, light.shading)) * own])


def _knee(difference: np.ndarray, down: float, up: float) -> np.ndarray:
    """Differences of lightness, unchanged up to half the room that there is, bent to stay inside it beyond."""
    room = np.where(difference < 0, down, up).astype(np.float32)
    half = room / 2
    beyond = np.maximum(np.abs(difference) - half, 0) / half
    return np.sign(difference) * (np.minimum(np.abs(difference), half) + half * beyond / (1 + beyond))


def _chroma_of_light(light: np.ndarray, mean: float) -> np.ndarray:
    """The share of the chroma at lightness ``mean`` that the same material shows at another lightness."""
    shadow = np.clip(light / max(mean, 1.0), 0, 1) ** np.float32(0.7)
    glint = np.clip((light - mean) / max(100 - mean, 1.0), 0, 1)
    return shadow * (1 - 0.6 * glint * glint)


def _to_srgb8(lab: np.ndarray) -> np.ndarray:
    """(N, 3) uint8. What is too bright for the gamut loses chroma, not light: no channel is clipped at 255."""
    rgb = lab_to_srgb(lab)
    bright = np.flatnonzero((rgb[:, 0] >= 1) | (rgb[:, 1] >= 1) | (rgb[:, 2] >= 1))
    if bright.size:
        fits, clips = np.zeros((bright.size, 1), np.float32), np.ones((bright.size, 1), np.float32)
        for _ in range(4):
            middle = (fits + clips) / 2
            inside = lab_to_srgb(lab[bright] * np.hstack([np.ones_like(middle), middle, middle])).max(-1) < 1
            fits, clips = np.where(inside[:, None], middle, fits), np.where(inside[:, None], clips, middle)
        rgb[bright] = lab_to_srgb(lab[bright] * np.hstack([np.ones_like(fits), fits, fits]))
    return (rgb * 255 + np.float32(0.5)).astype(np.uint8)
