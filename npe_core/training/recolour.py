"""Regions in colours that nobody is photographed in: hair in orange, lips in blue, whole faces in green.

What the editor has filled once it must find again: a second edit of the same picture begins with a new map of it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from npe_core.blend import gaussian_blur
from npe_core.regions import region_by_name
from npe_core.training.augment import uniform

FILLED = 0.25
"""Share of the examples of which regions are filled."""
EACH = 0.4
"""Of those each group of regions is filled so often."""
GROUPS = tuple(
    tuple(region_by_name(name).id for name in names)
    for names in (("hair",), ("hair", "brows"), ("lips",), ("skin", "nose", "ears", "neck"), ("attire",))
)
"""What gets one colour together."""
CONTRAST = 0.4, 2.5
"""Shading grows and shrinks with the lightness of the colour, within these limits."""


def recolour(x: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, S, S) in [-1, 1] with masks (B, S, S) uint8 -> some of them with regions in other colours."""
    place = torch.rand(len(x), generator=rng).lt(FILLED).nonzero()[:, 0].to(x.device)
    if not len(place):
        return x
    filled = x[place]
    for group in GROUPS:
        chosen = uniform(len(place), 0, 1, rng, x.device) < EACH
        where = torch.isin(ids[place], torch.tensor(group, dtype=ids.dtype, device=x.device))[:, None]
        filled = torch.where(chosen, fill(filled, where.float(), rng), filled)
    return x.index_copy(0, place, filled)


def fill(x: Tensor, where: Tensor, rng: torch.Generator) -> Tensor:
    """x (B, 3, S, S) with a random mean colour each where ``where`` (B, 1, S, S) is 1; its light and shadow stay."""
    count, device = len(x), x.device
    grey = x.mean(dim=1, keepdim=True)
    mean = (grey * where).sum(dim=(2, 3), keepdim=True) / where.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    hue = torch.randn(count, 3, generator=rng).to(device)[:, :, None, None]
    colour = uniform(count, -0.8, 0.8, rng, device) + uniform(count, 0, 0.5, rng, device) * hue
    colour = colour.clamp(-0.95, 0.95)
    contrast = ((1 + colour.mean(dim=1, keepdim=True)) / (1 + mean).clamp_min(0.05)).clamp(*CONTRAST)
    shaded = (colour + contrast * (grey - mean)).clamp(-1, 1)
    return x + gaussian_blur(where, 0.7) * (shaded - x)
