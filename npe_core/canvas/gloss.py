"""What shines on skin and lips has the colour of the light, not theirs: it stays when they are filled.

The dichromatic reflection model (Shafer 1985): a pixel is the colour of the material, times the light that falls on it,
and what its surface throws back, which is white. Both add up in linear light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.light import FLESH
from npe_core.colour import linear_to_srgb, srgb_to_linear

GLOSSY = (*FLESH, "lips")
"""The regions that shine so. Hair and cloth do too, but their glints take the colour on (``light.LIGHTS``)."""

_USUAL, _FAINT = 85, 0.03
"""What is beyond this percentile of the white in all pixels is gloss, if it is more than so much of full white: pale
skin has white all over, and lips have it at their border."""
_COLOURFUL = (0.04, 0.1)
"""How far the material lies from grey, in linear light: up to the first nothing tells it from what it throws back, from
the second on what does is believed."""


@dataclass(frozen=True)
class Gloss:
    """What tells what a material throws back from its own colour."""

    material: np.ndarray
    """(3,) its colour in linear light"""
    usual: float
    """So much white is no gloss."""
    share: float
    """How much of the rest stays, in [0, 1]."""

    @classmethod
    def of(cls, chosen: np.ndarray, share: float) -> Gloss:
        """For pixels (N, 3) uint8 of one material, of whose gloss a share in [0, 1] is to stay."""
        material = np.median(srgb_to_linear(chosen), axis=0)
        trust = np.interp(np.linalg.norm(material - material.mean()), _COLOURFUL, (0, 1))
        usual = np.percentile(_white(srgb_to_linear(chosen), material), _USUAL)
        return cls(material, max(float(usual), _FAINT), share * float(trust))

    def on(self, colours: np.ndarray) -> np.ndarray:
        """(N, 1) float32: the white on colours (N, 3), sRGB as ``srgb_to_linear`` takes it, in linear light."""
        beyond = np.maximum(_white(srgb_to_linear(colours), self.material) - self.usual, 0)
        return (np.float32(self.share) * beyond)[:, None]

    def taken_off(self, colours: np.ndarray) -> np.ndarray:
        """(N, 3) float32 in [0, 1]: the colours, as ``on`` takes them, without it."""
        return linear_to_srgb(srgb_to_linear(colours) - self.on(colours))


def put_on(colours: np.ndarray, white: np.ndarray) -> np.ndarray:
    """(N, 3) float32 sRGB in [0, 1]: colours (N, 3) in [0, 1] that throw back white (N, 1) too, see ``Gloss.on``."""
    return linear_to_srgb(srgb_to_linear(colours) + white)


def _white(light: np.ndarray, material: np.ndarray) -> np.ndarray:
    """(N,): the white in colours (N, 3) beside so much of the material as accounts for what is not grey in them."""
    apart, tint = light - light.mean(axis=1, keepdims=True), material - material.mean()
    lit = np.maximum(apart @ tint, 0) / max(float(tint @ tint), 1e-6)
    return light.mean(axis=1) - lit * material.mean()
