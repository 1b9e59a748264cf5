"""The segmentation task: cross-entropy, a little balanced, Dice, and what a teacher believes of the same faces."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.blend import gaussian_blur
from npe_core.models.segmenter import Segmenter, SegmenterConfig
from npe_core.regions import LEGEND, REGIONS
from npe_core.sheets import grid
from npe_core.training.augment import (
    jitter_colours,
    occlude,
    replace_background,
    shrink_and_restore,
    warp_beliefs,
    warp_pairs,
    zoom_out,
)
from npe_core.training.data import UNKNOWN, Mixture, to_float, to_uint8
from npe_core.training.headwear import dress
from npe_core.training.jpeg import compress
from npe_core.training.recolour import recolour
from npe_core.training.task import Loss, device_generator

CLASS_WEIGHT = (0.85, 0.9, 1.2, 1.3, 1.05, 1.2, 1.3, 0.95, 1.15, 1.0, 1.1)
"""Weight of each region in the cross-entropy: about the inverse twelfth root of its share of the pixels.

Dice balances the regions already. The inverse fourth root made brows, eyes and lips too wide: taking half of its
logarithm back from the logits raised the mean IoU by 0.003 on training and by 0.005 on validation faces.
"""
BORDER_REACH = 2
"""So many pixels on either side of a border between regions count more."""
BORDER_WEIGHT = 2.0
"""How many times as much as others: thin regions are all border."""
CALM_SHARE = 0.5
"""Share of the examples that are only moved and tinted a little: faces as the editor sees them."""
WORSEN_TOGETHER = 8
"""So many images of a batch share one kind and amount of blur or noise: a large batch sees many."""


class SegmentationTask:
    """Learns the 11 regions from pairs of image and mask, and from beliefs; pixels marked UNKNOWN do not count."""

    name = "segmentation"
    usual = dataclasses.asdict(SegmenterConfig())
    adversary: nn.Module | None = None

    def __init__(self, data: Mixture, device: torch.device, config: SegmenterConfig | None = None) -> None:
        self.config_ = config or SegmenterConfig()
        self.model: nn.Module = Segmenter(self.config_)
        self.data, self.device = data, device
        self.class_weight = torch.tensor(CLASS_WEIGHT, device=device)

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """(x (B, 3, S, S) in [-1, 1], ids (B, S, S) uint8, beliefs (B, 11, S / 4, S / 4) uint8 in 1/255)."""
        images, ids, beliefs = self.data.draw(count, rng)
        pictures, ids, beliefs = dress(to_float(images), ids, beliefs, rng)
        pictures = recolour(pictures, ids, rng)
        calm = int(torch.rand(count, generator=rng).lt(CALM_SHARE).sum())
        shares = (calmly, slice(0, calm)), (roughly, slice(calm, count))
        parts = [move(pictures[own], ids[own], beliefs[own], rng) for move, own in shares if own.start < own.stop]
        x, ids, beliefs = (torch.cat(part) for part in zip(*parts, strict=True))
        return x.contiguous(memory_format=torch.channels_last), ids, beliefs

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> Loss:
        """Cross-entropy, weighted by region and at borders, half the Dice loss, and the distance to the beliefs."""
        x, ids, beliefs = batch
        log_probability = self.model(x).float().log_softmax(dim=1)
        target = ids.long()
        entropy = weighted_entropy(log_probability, target, self.class_weight)
        probability = log_probability.exp()
        dice = dice_loss(probability, target)
        distance = belief_distance(probability, beliefs, target)
        log = {"entropy": entropy.detach(), "dice": dice.detach(), "beliefs": distance.detach()}
        return Loss(entropy + 0.5 * dice + distance, log=log)

    @torch.no_grad()
    def sheet(self, model: nn.Module) -> np.ndarray:
        """Faces, drawn masks, predicted masks: three rows of 8."""
        images, ids, _ = (tensor[:8] for tensor in self.data.sets[0])
        x = to_float(images).contiguous(memory_format=torch.channels_last)
        predicted = model(x).argmax(dim=1).cpu().numpy()
        drawn = ids.cpu().numpy()
        rows = [
            to_uint8(x).permute(0, 2, 3, 1).cpu().numpy(),
            LEGEND[np.where(drawn == UNKNOWN, 0, drawn)],
            LEGEND[predicted],
        ]
        return grid(np.concatenate(rows), len(images))

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config_)

    def data_sources(self) -> list[dict[str, Any]]:
        return self.data.describe()


def calmly(x: Tensor, ids: Tensor, beliefs: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (B, 3, S, S) in [-1, 1], masks and beliefs: as a face is aligned, in somewhat other light."""
    x, ids, warped = warp_pairs(x, ids, rng, scale=1.1, degrees=6.0, shift=0.03)
    return jitter_colours(x, rng, strength=0.15), ids, warp_beliefs(beliefs, (warped,))


def roughly(x: Tensor, ids: Tensor, beliefs: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """The same as strangers' photos are: far off, turned, before other backgrounds, blurred, noisy, covered in part."""
    x, ids, shrunk = zoom_out(x, ids, rng)
    x, ids, warped = warp_pairs(x, ids, rng, scale=1.6, degrees=30.0)
    x = replace_background(x, ids, rng)
    x = torch.cat([worsen(part, rng) for part in jitter_colours(x, rng).split(WORSEN_TOGETHER)])
    x, ids = occlude(x, ids, rng)
    return x, ids, warp_beliefs(beliefs, (shrunk, warped))


def worsen(x: Tensor, rng: torch.Generator) -> Tensor:
    """Half of the time only JPEG, if anything; else blurred, shrunk and restored, or noisy before it.

    One kind and amount for all of x.
    """
    choice, amount = (float(v) for v in torch.rand(2, generator=rng))
    if choice < 0.15:
        x = gaussian_blur(x, 0.5 + 2 * amount)
    elif choice < 0.35:
        x = shrink_and_restore(x, 1.5 + 3 * amount)
    elif choice < 0.5:
        noise = torch.randn(x.shape, generator=device_generator(rng, x.device), device=x.device)
        x = (x + 0.12 * amount * noise).clamp(-1, 1)
    compressed, quality = (float(v) for v in torch.rand(2, generator=rng))
    return compress(x, round(25 + 65 * quality)) if compressed < 0.3 else x


def weighted_entropy(log_probability: Tensor, target: Tensor, class_weight: Tensor) -> Tensor:
    """Mean cross-entropy (B, C, H, W), (B, H, W) -> (), by the weights of classes and borders, UNKNOWN left out."""
    known = target != UNKNOWN
    classes = target.masked_fill(~known, 0)
    weight = class_weight[classes] * known * (1 + (BORDER_WEIGHT - 1) * near_borders(target))
    entropy = -log_probability.gather(1, classes[:, None])[:, 0]
    return (weight * entropy).sum() / weight.sum().clamp(min=1)


def belief_distance(probability: Tensor, beliefs: Tensor, target: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the probabilities from a teacher's beliefs (Hinton et al. 2015), mean of places.

    probability (B, 11, H, W), of which each place of the beliefs (B, 11, h, w) uint8 sees the mean; target (B, H, W).
    Places without beliefs do not count, and those under an UNKNOWN pixel count less.
    """
    pitch = probability.shape[-1] // beliefs.shape[-1]
    said = beliefs * (1 / 255)
    said = said * F.avg_pool2d((target != UNKNOWN).float()[:, None], pitch)
    found = F.avg_pool2d(probability, pitch)
    total = said.sum(dim=1, keepdim=True)
    each = torch.xlogy(said, said / total.clamp(min=1e-6)) - said * found.clamp(min=1e-6).log()
    return each.sum() / total.sum().clamp(min=1)


def near_borders(target: Tensor) -> Tensor:
    """(B, H, W) -> (B, H, W) bool: within BORDER_REACH pixels, in squares, lies another class. UNKNOWN is none."""
    known = (target != UNKNOWN)[:, None]
    side = 2 * BORDER_REACH + 1
    ids = target[:, None].float()
    highest = F.max_pool2d(ids.masked_fill(~known, -1), side, 1, BORDER_REACH)
    lowest = -F.max_pool2d(-ids, side, 1, BORDER_REACH)  # UNKNOWN is above every class
    return (highest > lowest)[:, 0]


def dice_loss(probability: Tensor, target: Tensor) -> Tensor:
    """1 - mean soft Dice of the classes present in the batch (Milletari et al. 2016); UNKNOWN pixels do not count.

    probability (B, C, H, W), target (B, H, W). 0 where nothing is known.
    """
    known = target != UNKNOWN
    classes = target.masked_fill(~known, 0)
    own = (probability.gather(1, classes[:, None])[:, 0] * known).flatten()
    none = torch.zeros(len(REGIONS), device=probability.device)
    overlap = none.index_add(0, classes.flatten(), own)
    size = none.index_add(0, classes.flatten(), known.float().flatten())
    spread = (probability * known[:, None]).sum(dim=(0, 2, 3))
    dice = (2 * overlap + 1) / (spread + size + 1)
    there = size > 0
    return ((1 - dice) * there).sum() / there.sum().clamp(min=1)
