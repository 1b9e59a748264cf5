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

BACKGROUND, SKIN, BROWS, LIPS, MOUTH, HAIR, EARS, NECK, ATTIRE = (
    region_by_name(name).id
    for name in ("background", "skin", "brows", "lips", "mouth", "hair", "ears", "neck", "attire")
)
WORN = 0.12
"""Share of the examples that are dressed so, as far as they have hair."""
SCARVES = 0.6
"""Of them so many wear a headscarf, over ears and neck; the others a hat, down to their brows."""
HANGING = 0.5
"""Of the scarves so many hang down over shoulders and clothes."""
BLACK = 0.4
"""Of the scarves so many are black."""
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
    scarf = (torch.rand(len(chosen), generator=rng) < SCARVES).to(x.device)[:, None, None, None]
    where = covered(ids[place], scarf, rng)
    cloth = cloths(x, place, where, scarf, rng)
    edge = gaussian_blur(where, 0.7)
    dressed = ids[place].masked_fill(where[:, 0] > 0, ATTIRE)
    pitch = x.shape[-1] // beliefs.shape[-1]
    left = beliefs[place] * (F.max_pool2d(where, pitch) == 0)
    return (
        x.index_copy(0, place, x[place] + edge * (cloth - x[place])),
        ids.index_copy(0, place, dressed),
        beliefs.index_copy(0, place, left.to(beliefs.dtype)),
    )


def covered(ids: Tensor, scarf: Tensor, rng: torch.Generator) -> Tensor:
    """(B, S, S) -> (B, 1, S, S): 1 where a scarf or a hat lies, which stands off from the hair; 0 where there is none.

    Of the face a scarf (B, 1, 1, 1) takes a rim along the hair, and it hides the throat; half of them hang over
    shoulders and clothes as wide as the hair. Brows, eyes, nose, lips and mouth stay free.
    """
    count, side, device = len(ids), ids.shape[-1], ids.device

    def among(*regions: int) -> Tensor:
        return torch.isin(ids, torch.tensor(regions, dtype=ids.dtype, device=device))[:, None]

    hair, rows = among(HAIR).float(), torch.arange(side, device=device)[:, None]
    reach = 2 * int(torch.randint(1, 1 + side // 32, (), generator=rng)) + 1
    wide = F.max_pool2d(hair, reach, 1, reach // 2) * among(BACKGROUND, SKIN, HAIR, EARS, NECK)
    brows = torch.where(among(BROWS), rows, side).amin(dim=(2, 3), keepdim=True)
    lips = torch.where(among(LIPS, MOUTH), rows, -1).amax(dim=(2, 3), keepdim=True)
    columns = hair.amax(dim=2, keepdim=True)  # (B, 1, 1, S)
    between = (columns.cummax(dim=3).values * columns.flip(3).cummax(dim=3).values.flip(3)) > 0
    hanging = between & (among(BACKGROUND) & (rows > brows) | among(ATTIRE) & (rows > lips) & (lips >= 0))
    hanging &= (torch.rand(count, generator=rng) < HANGING).to(device)[:, None, None, None]
    where = torch.where(scarf, ((wide > 0) | among(EARS, NECK) | hanging).float(), wide * (rows < brows))
    enough = (hair.mean(dim=(1, 2, 3), keepdim=True) > LEAST_HAIR) & (brows < side)
    return where * enough


def cloths(x: Tensor, place: Tensor, where: Tensor, scarf: Tensor, rng: torch.Generator) -> Tensor:
    """(n, 3, S, S): a colour each, in the light that lies on what is there, in folds; some printed.

    x (B, 3, S, S), of which ``place`` (n,) wear them where ``where`` (n, 1, S, S) is 1. Only scarves are black: a black
    cap looks like black hair, and a scarf is known by what it hides.
    """
    count, side, device = len(place), x.shape[-1], x.device
    grey = x[place].mean(dim=1, keepdim=True)
    wide = side / 24
    light = gaussian_blur(grey * where, wide) / gaussian_blur(where, wide).clamp_min(1e-3)
    size = where.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
    light = light - (light * where).sum(dim=(1, 2, 3), keepdim=True) / size
    waves = int(torch.randint(3, 17, (), generator=rng))
    # Folds run along: their noise is finer across one axis than across the other.
    across = int(torch.randint(1, waves + 1, (), generator=rng))
    shape = (waves, across) if float(torch.rand((), generator=rng)) < 0.5 else (across, waves)
    folds = F.interpolate(torch.randn(count, 1, *shape, generator=rng).to(device), size=(side, side), mode="bicubic")
    hue = torch.randn(count, 3, generator=rng).to(x)[:, :, None, None]
    black = scarf & (uniform(count, 0, 1, rng, device) < BLACK)
    tone = torch.where(black, uniform(count, -0.98, -0.75, rng, device), uniform(count, -0.7, 0.9, rng, device))
    lit = torch.where(black, 0.25, 1.0)  # of little light little comes back
    colour = tone + lit * uniform(count, 0, 0.5, rng, device) * hue
    shading = uniform(count, 0.3, 1.0, rng, device) * light + uniform(count, 0.02, 0.2, rng, device) * folds
    cloth = colour + lit * shading
    other = torch.randint(len(x), (count,), generator=rng).to(device)
    motif = F.interpolate(x[other].flip(2), size=(side // REPEATS,) * 2, mode="bilinear", antialias=True)
    printed = (uniform(count, 0, 1, rng, device) < PRINTED) & ~black
    return torch.where(printed, 0.6 * cloth + 0.4 * motif.repeat(1, 1, REPEATS, REPEATS), cloth).clamp(-1, 1)
