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
ALIKE = 0.3
"""Share of the examples in which hair and clothes are of about one colour: a dark coat under dark hair."""
LIKE_HAIR = 0.75
"""Of those clothes take the colour of the hair so often, else the hair that of the clothes."""
NOT_QUITE = 0.05
"""Standard deviation of what is left between the two, in [-1, 1]."""
HAIR, ATTIRE = region_by_name("hair").id, region_by_name("attire").id


def recolour(x: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, S, S) in [-1, 1] with masks (B, S, S) uint8 -> some of them with regions in other colours."""
    x = liken(x, ids, rng)
    place = torch.rand(len(x), generator=rng).lt(FILLED).nonzero()[:, 0].to(x.device)
    if not len(place):
        return x
    filled = x[place]
    for group in GROUPS:
        chosen = uniform(len(place), 0, 1, rng, x.device) < EACH
        where = torch.isin(ids[place], torch.tensor(group, dtype=ids.dtype, device=x.device))[:, None]
        filled = torch.where(chosen, fill(filled, where.float(), rng), filled)
    return x.index_copy(0, place, filled)


def liken(x: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
    """The same with hair and clothes of nearly one colour in some of them, where both are seen."""
    count, device = len(x), x.device
    hair, attire = ((ids == part).float()[:, None] for part in (HAIR, ATTIRE))
    chosen = uniform(count, 0, 1, rng, device) < ALIKE
    for part in (hair, attire):
        chosen = chosen & (part.sum(dim=(1, 2, 3), keepdim=True) > 100)
    dressed = uniform(count, 0, 1, rng, device) < LIKE_HAIR
    where, like = torch.where(dressed, attire, hair), torch.where(dressed, hair, attire)
    own, other = (mean_colour(x, part) for part in (where, like))
    other = other + NOT_QUITE * torch.randn(count, 3, generator=rng).to(device)[:, :, None, None]
    lightness = (1 + other.mean(dim=1, keepdim=True)) / (1 + own.mean(dim=1, keepdim=True)).clamp_min(0.05)
    taken = (other + lightness.clamp(*CONTRAST) * (x - own)).clamp(-1, 1)
    return torch.where(chosen, x + gaussian_blur(where, 0.7) * (taken - x), x)


def mean_colour(x: Tensor, where: Tensor) -> Tensor:
    """(B, 3, S, S), (B, 1, S, S) 1 inside -> (B, 3, 1, 1); 0 where nothing is inside."""
    return (x * where).sum(dim=(2, 3), keepdim=True) / where.sum(dim=(2, 3), keepdim=True).clamp_min(1)


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
