"""Hats and headscarves for faces that wear none: in every set of labelled faces they are rare, and taken for hair.

Where they lie tells little, since hair lies there too; what they are made of does. So some faces get cloth in the place
of their hair, plain, shaded in folds or printed, and attire in their masks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.blend import gaussian_blur
from npe_core.regions import region_by_name
from npe_core.training.augment import uniform

BACKGROUND, SKIN, BROWS, HAIR, EARS, NECK, ATTIRE = (
    region_by_name(name).id for name in ("background", "skin", "brows", "hair", "ears", "neck", "attire")
)
WORN = 0.08
"""Share of the examples that are dressed so, as far as they have hair."""
SCARVES = 0.6
"""Of them so many wear a headscarf, over ears and neck; the others a hat, down to their brows."""
LEAST_HAIR = 0.03
"""Share of the picture that is hair, where there is a head to be covered."""
PRINTED = 0.3
"""Share of the cloths that show a print: another picture of the batch, made small."""
REPEATS = 8
"""So often it is repeated, along and across."""


def dress(x: Tensor, ids: Tensor, beliefs: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (B, 3, S, S) in [-1, 1], masks (B, S, S) uint8, beliefs (B, 11, s, s) uint8; some wear cloth.

    Where there is cloth, nobody believes anything. Returns new tensors.
    """
    count = len(x)
    chosen = torch.rand(count, generator=rng).lt(WORN).nonzero()[:, 0]
    if not len(chosen):
        return x, ids, beliefs
    place = chosen.to(x.device)
    where = covered(ids[place], rng)
    cloth = cloths(x, place, where, rng)
    edge = gaussian_blur(where, 0.7)
    dressed = ids[place].masked_fill(where[:, 0] > 0, ATTIRE)
    pitch = x.shape[-1] // beliefs.shape[-1]
    left = beliefs[place] * (F.max_pool2d(where, pitch) == 0)
    return (
        x.index_copy(0, place, x[place] + edge * (cloth - x[place])),
        ids.index_copy(0, place, dressed),
        beliefs.index_copy(0, place, left.to(beliefs.dtype)),
    )


def covered(ids: Tensor, rng: torch.Generator) -> Tensor:
    """(B, S, S) -> (B, 1, S, S): 1 where a scarf or a hat lies, which stands off from the hair; 0 where there is none.

    Of the face a scarf takes a rim along the hair. Brows, eyes, nose, lips and mouth stay free.
    """
    count, side, device = len(ids), ids.shape[-1], ids.device
    hair = (ids == HAIR)[:, None].float()
    scarf = (torch.rand(count, generator=rng) < SCARVES).to(device)[:, None, None, None]
    soft = torch.isin(ids, torch.tensor([BACKGROUND, SKIN, HAIR, EARS, NECK], dtype=ids.dtype, device=device))[:, None]
    reach = 2 * int(torch.randint(1, 1 + side // 32, (), generator=rng)) + 1
    wide = F.max_pool2d(hair, reach, 1, reach // 2)
    below = torch.isin(ids, torch.tensor([EARS, NECK], dtype=ids.dtype, device=device))[:, None].float()
    rows = torch.arange(side, device=device)[None, None, :, None]
    brows = (ids == BROWS)[:, None]
    top = torch.where(brows, rows, side).amin(dim=(2, 3), keepdim=True)
    hat = wide * (rows < top)
    where = torch.where(scarf, torch.maximum(wide, below), hat) * soft
    enough = (hair.mean(dim=(1, 2, 3), keepdim=True) > LEAST_HAIR) & (top < side)
    return where * enough


def cloths(x: Tensor, place: Tensor, where: Tensor, rng: torch.Generator) -> Tensor:
    """(n, 3, S, S): a colour each, in the light that lies on what is there, in folds; some printed.

    x (B, 3, S, S), of which ``place`` (n,) wear them where ``where`` (n, 1, S, S) is 1.
    """
    count, side, device = len(place), x.shape[-1], x.device
    grey = x[place].mean(dim=1, keepdim=True)
    wide = side / 24
    light = gaussian_blur(grey * where, wide) / gaussian_blur(where, wide).clamp_min(1e-3)
    light = light - (light * where).sum(dim=(1, 2, 3), keepdim=True) / where.sum(dim=(1, 2, 3), keepdim=True).clamp_min(
        1
    )
    waves = int(torch.randint(3, 17, (), generator=rng))
    # Folds run along: their noise is finer across one axis than across the other.
    across = int(torch.randint(1, waves + 1, (), generator=rng))
    shape = (waves, across) if float(torch.rand((), generator=rng)) < 0.5 else (across, waves)
    folds = F.interpolate(torch.randn(count, 1, *shape, generator=rng).to(device), size=(side, side), mode="bicubic")
    hue = torch.randn(count, 3, generator=rng).to(x)[:, :, None, None]
    colour = uniform(count, -0.7, 0.9, rng, device) + uniform(count, 0, 0.5, rng, device) * hue
    cloth = colour + uniform(count, 0.3, 1.0, rng, device) * light + uniform(count, 0.02, 0.2, rng, device) * folds
    other = torch.randint(len(x), (count,), generator=rng).to(device)
    motif = F.interpolate(x[other].flip(2), size=(side // REPEATS,) * 2, mode="bilinear", antialias=True)
    printed = uniform(count, 0, 1, rng, device) < PRINTED
    return torch.where(printed, 0.6 * cloth + 0.4 * motif.repeat(1, 1, REPEATS, REPEATS), cloth).clamp(-1, 1)
