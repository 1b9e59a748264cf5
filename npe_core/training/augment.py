"""Augmentations of whole batches, on the batch's own device, with randomness from one CPU generator."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.blend import gaussian_blur
from npe_core.regions import region_by_name
from npe_core.training.reading import UNKNOWN

BACKGROUND = region_by_name("background").id


def uniform(count: int, low: float, high: float, rng: torch.Generator, device: torch.device) -> Tensor:
    """(count, 1, 1, 1) floats in [low, high)."""
    return (low + (high - low) * torch.rand(count, generator=rng)).to(device)[:, None, None, None]


def warp_pairs(
    x: Tensor, ids: Tensor, rng: torch.Generator, scale: float = 1.4, degrees: float = 20.0, shift: float = 0.12
) -> tuple[Tensor, Tensor, Tensor]:
    """Random mirror, scale (1/scale..scale), rotation and shift (share of the side), the same for image and mask.

    x (B, 3, H, W) float, ids (B, H, W) uint8; the rotation has a standard deviation of degrees / 2. See ``warp``.
    The maps (B, 2, 3) are returned too.
    """
    count, device = len(x), x.device
    angle = torch.randn(count, generator=rng) * math.radians(degrees) / 2
    angle = angle.clamp(-1.5 * math.radians(degrees), 1.5 * math.radians(degrees))
    zoom = torch.exp((2 * torch.rand(count, generator=rng) - 1) * math.log(scale))
    mirror = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
    offset = (2 * torch.rand(count, 2, generator=rng) - 1) * 2 * shift
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    theta = torch.stack(
        [torch.stack([mirror * cos, -mirror * sin, offset[:, 0]], 1), torch.stack([sin, cos, offset[:, 1]], 1)], 1
    )
    theta = theta.to(device)
    return *warp(x, ids, theta), theta


def warp(x: Tensor, ids: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Picture and mask under the same affine maps.

    x (B, 3, H, W) float, ids (B, H, W) uint8, theta (B, 2, 3): from places of the result to places of the original, in
    units of half a side from the middle. What comes from outside the picture is mirrored, and UNKNOWN in the mask.
    """
    where = F.affine_grid(theta, list(x.shape), align_corners=False)
    warped = F.grid_sample(x, where, mode="bilinear", padding_mode="reflection", align_corners=False)
    # 255 - id, so that the zeros from outside become UNKNOWN.
    known = F.grid_sample(
        (255.0 - ids.float())[:, None], where, mode="nearest", padding_mode="zeros", align_corners=False
    )
    return warped, (UNKNOWN - known[:, 0]).round().to(torch.uint8)


def warp_beliefs(beliefs: Tensor, thetas: Sequence[Tensor]) -> Tensor:
    """(B, C, h, w) uint8 under several affine maps (B, 2, 3), the first one first, as ``warp``; 0 from outside."""
    last = torch.tensor([[[0.0, 0.0, 1.0]]], device=beliefs.device)
    whole = [torch.cat([theta, last.expand(len(theta), 1, 3)], dim=1) for theta in thetas]
    theta = functools.reduce(torch.matmul, whole)[:, :2]
    where = F.affine_grid(theta, list(beliefs.shape), align_corners=False)
    warped = F.grid_sample(beliefs.float(), where, mode="bilinear", padding_mode="zeros", align_corners=False)
    return warped.round_().to(torch.uint8)


HANGS = tuple(region_by_name(name).id for name in ("hair", "attire"))
"""Regions that go on below a face's crop."""


def zoom_out(x: Tensor, ids: Tensor, rng: torch.Generator, chance: float = 0.4) -> tuple[Tensor, Tensor, Tensor]:
    """Now and then a face as a wider look at a photo shows it: smaller, farther up, other people beside it.

    x (B, 3, H, W) float, ids (B, H, W) uint8. The picture goes on mirrored beyond the crop, and below it the lowest
    eighth again and again: hair and clothes hang down. Those are known, and the background. Often another picture of
    the batch takes the place at the other sides, right beside the crop or farther out; of that one the background is
    known. Returns new tensors, and the maps (B, 2, 3) of the crops, as those of ``warp``.
    """
    count, device = len(x), x.device
    out = torch.rand(count, generator=rng) < chance  # (B,)
    zoom = torch.where(out, 0.5 + 0.4 * torch.rand(count, generator=rng), 1.0)
    room = 1 - zoom
    across = room * (2 * torch.rand(count, generator=rng) - 1)
    down = room * (0.3 - 1.3 * torch.rand(count, generator=rng))
    theta = _maps(zoom, across, down, x)  # (B, 2, 3)
    where = _places(theta, x)  # (B, H, W, 2)
    beyond = (where.abs().amax(dim=-1) - 1).to(device)  # (B, H, W), in half sides
    below = (where[..., 1] > 1) & (where[..., 0].abs() <= 1)  # (B, H, W), as depth, hung and hangs
    depth = where[..., 1] - 1
    hung = 1 - (0.25 - ((depth % 0.5) - 0.25).abs())  # to and fro over the lowest eighth of the crop
    where = torch.stack([where[..., 0], torch.where(below, hung, where[..., 1])], dim=-1)  # (B, H, W, 2)
    shown, region = _mirrored(x, ids, where)  # (B, 3, H, W), (B, H, W)
    hangs = torch.isin(region, torch.tensor(HANGS, dtype=torch.uint8, device=device)) & below
    region = region.masked_fill((beyond > 0) & (region != BACKGROUND) & ~hangs, UNKNOWN)
    other = torch.randperm(count, generator=rng).to(device)  # (B,)
    right, low = (2.4 * torch.rand(2, count, generator=rng) - 1.2).unbind()  # (B,) each
    beside = _maps(0.4 + 0.8 * torch.rand(count, generator=rng), right, low, x)  # (B, 2, 3)
    scene, there = _mirrored(x[other], ids[other], _places(beside, x))  # (B, 3, H, W), (B, H, W)
    reach = torch.rand(count, generator=rng) - 0.5  # (B,); half of the time it begins at the crop
    swapped = (torch.rand(count, generator=rng) < 0.6).to(device)[:, None, None]  # (B, 1, 1)
    swapped = swapped & ~below & (beyond > reach.clamp(min=0).to(device)[:, None, None])  # (B, H, W)
    behind = there.masked_fill(there != BACKGROUND, UNKNOWN)
    return torch.where(swapped[:, None], scene, shown), torch.where(swapped, behind, region), theta


def _maps(zoom: Tensor, across: Tensor, down: Tensor, x: Tensor) -> Tensor:
    """(B, 2, 3): the affine maps of pictures that are to be shrunk by ``zoom`` (B,) and moved, on the device of x."""
    none = torch.zeros_like(zoom)
    rows = [torch.stack([1 / zoom, none, -across / zoom], 1), torch.stack([none, 1 / zoom, -down / zoom], 1)]
    return torch.stack(rows, 1).to(x.device)


def _places(theta: Tensor, x: Tensor) -> Tensor:
    """(B, H, W, 2): where in the pictures each pixel looks."""
    return F.affine_grid(theta, list(x.shape), align_corners=False)


def _mirrored(x: Tensor, ids: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """Picture and mask as ``where`` sees them, both mirrored beyond their border."""
    shown = F.grid_sample(x, where, mode="bilinear", padding_mode="reflection", align_corners=False)
    marked = F.grid_sample(ids.float()[:, None], where, mode="nearest", padding_mode="reflection", align_corners=False)
    return shown, marked[:, 0].round().to(torch.uint8)


def random_patches(images: Tensor, side: int, rng: torch.Generator, pitch: int = 1) -> Tensor:
    """(B, C, H, W) -> (B, C, side, side): one random place an image, mirrored half of the time.

    The places are multiples of ``pitch`` pixels from the corner.
    """
    count, _, height, width = images.shape
    top = pitch * torch.randint((height - side) // pitch + 1, (count, 1), generator=rng)
    left = pitch * torch.randint((width - side) // pitch + 1, (count, 1), generator=rng)
    mirrored = torch.rand(count, 1, generator=rng) < 0.5
    step = torch.arange(side)
    rows = (top + step).to(images.device)  # (B, side)
    columns = (left + torch.where(mirrored, side - 1 - step, step)).to(images.device)
    which = torch.arange(count, device=images.device)
    return images[which[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


ZOOM_TOGETHER = 8
"""So many images of a batch share one zoom: a large batch sees many."""


def random_zoom(x: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """(B, C, 2 side, 2 side) -> (B, C, side, side): shrunk by 1 to 2, then a random place of that."""
    parts = []
    for part in x.split(ZOOM_TOGETHER):
        size = round(side * 2.0 ** float(torch.rand((), generator=rng)))
        small = F.interpolate(part, size=(size, size), mode="bicubic", antialias=True, align_corners=False)
        parts.append(random_patches(small.clamp(-1, 1), side, rng))
    return torch.cat(parts)


def random_blobs(count: int, side: int, rng: torch.Generator, waves: int = 4, least: float = 0.2) -> Tensor:
    """(count, 1, side, side) of 0 and 1: smooth shapes that cover ``least`` to four fifths of each."""
    hills = F.interpolate(torch.randn(count, 1, waves, waves, generator=rng), size=(side, side), mode="bicubic")
    share = least + (0.8 - least) * torch.rand(count, generator=rng)
    order = hills.flatten(1).argsort(dim=1).argsort(dim=1).reshape(hills.shape)
    return (order < (share * side * side)[:, None, None, None]).float()


PAINT_COLOURS = 6
"""At most so many colours are in rough paint."""
PAINT_ROUNDS = 3
"""Rounds of k-means: more find hardly other colours."""
PAINT_TOGETHER = 8
"""So many images of a batch are softened alike before they are painted: a large batch sees many."""


def rough_paint(x: Tensor, mask: Tensor, rng: torch.Generator) -> Tensor:
    """What somebody would paint who wants x (B, 3, H, W) in [-1, 1] where mask (B, 1, H, W) is 1; x elsewhere.

    A few flat colours, those of the picture there (two to six, by k-means), without its fine shapes, with outlines that
    lie up to some pixels off.
    """
    count, _, height, width = x.shape
    soft = torch.cat([gaussian_blur(p, 1 + 2 * float(torch.rand((), generator=rng))) for p in x.split(PAINT_TOGETHER)])
    straight = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3).to(x), list(x.shape), align_corners=False)
    shift = torch.randn(count, 2, 5, 5, generator=rng) * 0.04 * torch.rand(count, 1, 1, 1, generator=rng)
    bent = straight + F.interpolate(shift.to(x), (height, width), mode="bicubic").permute(0, 2, 3, 1)  # (B, H, W, 2)
    pixels = F.grid_sample(soft, bent, padding_mode="reflection", align_corners=False).flatten(2)  # (B, 3, N)
    where = mask.flatten(2)  # (B, 1, N)
    chance = torch.rand(count, 1, height * width, generator=rng).to(x)  # (B, 1, N)
    first = chance.mul(where).topk(PAINT_COLOURS).indices  # (B, 1, K)
    colours = pixels.gather(2, first.expand(-1, 3, -1))  # (B, 3, K)
    unused = torch.arange(PAINT_COLOURS) >= torch.randint(2, PAINT_COLOURS + 1, (count, 1), generator=rng)  # (B, K)
    for _ in range(PAINT_ROUNDS):
        distance = torch.cdist(pixels.mT, colours.mT).masked_fill(unused.to(x.device)[:, None], math.inf)  # (B, N, K)
        belongs = F.one_hot(distance.argmin(dim=2), PAINT_COLOURS).to(x) * where.mT  # (B, N, K)
        size = belongs.sum(dim=1, keepdim=True)  # (B, 1, K)
        colours = torch.where(size > 0, (pixels @ belongs) / size.clamp_min(1), colours)  # (B, 3, K)
    return torch.where(mask > 0, (colours @ belongs.mT).reshape(x.shape), x)  # (B, 3, N) as (B, 3, H, W)


def jitter_colours(x: Tensor, rng: torch.Generator, strength: float = 0.3) -> Tensor:
    """Brightness, contrast, saturation, white balance and gamma, each by up to ``strength``; a tenth turns grey."""
    count, device = len(x), x.device
    unit = ((x + 1) / 2).clamp(1e-4, 1)
    unit = unit ** torch.exp(uniform(count, -strength, strength, rng, device))
    balance = torch.exp(strength / 3 * (2 * torch.rand(count, 3, generator=rng) - 1)).to(device)[:, :, None, None]
    unit = unit * balance
    grey = unit.mean(dim=1, keepdim=True)
    saturation = uniform(count, 1 - 1.5 * strength, 1 + strength, rng, device)
    saturation = torch.where(uniform(count, 0, 1, rng, device) < 0.1, torch.zeros_like(saturation), saturation)
    unit = grey + saturation * (unit - grey)
    middle = unit.mean(dim=(1, 2, 3), keepdim=True)
    unit = middle + uniform(count, 1 - strength, 1 + strength, rng, device) * (unit - middle)
    unit = unit + uniform(count, -strength / 2, strength / 2, rng, device)
    return unit.clamp(0, 1) * 2 - 1


def shrink_and_restore(x: Tensor, factor: float) -> Tensor:
    """Down-scale by ``factor`` and up again: what a small face looks like in the crop."""
    size = (max(16, round(x.shape[2] / factor)), max(16, round(x.shape[3] / factor)))
    small = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)


def occlude(x: Tensor, ids: Tensor, rng: torch.Generator, chance: float = 0.1) -> tuple[Tensor, Tensor]:
    """Now and then a plain rectangle over the picture; the mask there is UNKNOWN. Returns new tensors."""
    count, _, height, width = x.shape
    corner, extent = 0.9 * torch.rand(count, 2, generator=rng), 0.1 + 0.25 * torch.rand(count, 2, generator=rng)
    colour = (2 * torch.rand(count, 3, generator=rng) - 1).to(x)[:, :, None, None]
    hit = torch.rand(count, 1, generator=rng) < chance
    inside = []
    for axis, side in enumerate((height, width)):
        place = (torch.arange(side) + 0.5) / side
        inside.append(hit & (place >= corner[:, axis, None]) & (place < (corner + extent)[:, axis, None]))
    covered = (inside[0][:, :, None] & inside[1][:, None, :]).to(x.device)  # (B, H, W)
    return torch.where(covered[:, None], colour, x), ids.masked_fill(covered, UNKNOWN)


COARSE = 8
"""A wide blur is made on a picture so many times smaller: it looks the same and takes an eighth of the time."""


def replace_background(x: Tensor, ids: Tensor, rng: torch.Generator, chance: float = 0.4) -> Tensor:
    """Now and then another background, with a soft edge: what lies behind another face of the batch, or one colour.

    Lighter or darker and in other colours than it was.
    Behind the other face nothing is known, so there its picture is blurred until no face is left.
    """
    count, device = len(x), x.device
    behind = ids == BACKGROUND
    other = torch.randperm(count, generator=rng).to(device)
    seen = behind[other][:, None].float()
    wide = x.shape[-1] / 20 / COARSE
    small, share = F.avg_pool2d(x[other] * seen, COARSE), F.avg_pool2d(seen, COARSE)
    blurred = gaussian_blur(small, wide) / gaussian_blur(share, wide).clamp_min(1e-3)
    blurred = F.interpolate(blurred.clamp(-1, 1), size=x.shape[2:], mode="bilinear", align_corners=False)
    scene = torch.where(seen > 0, x[other], blurred)
    colour = (2 * torch.rand(count, 3, generator=rng) - 1).to(x)[:, :, None, None]
    plain = uniform(count, 0, 1, rng, device) < 0.3
    scene = torch.where(plain, colour.expand_as(x), jitter_colours(scene, rng, strength=0.5))
    hit = uniform(count, 0, 1, rng, device) < chance
    edge = gaussian_blur((behind[:, None] & hit).float(), 0.7)
    return x + edge * (scene - x)
