"""Where an example of the diffusion task begins: its timestep, what of it is unknown, and what x_t is noised from.

That is the face itself, rough paint of it (an edit's first call), or what the network made of one of these a call
earlier (an edit's later calls).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from npe_core.diffusion.schedule import TIMESTEPS, sigmas
from npe_core.models.denoiser import Denoiser
from npe_core.models.surroundings import surroundings_of
from npe_core.training.augment import random_blobs, rough_paint

LOG_SIGMA_MEAN, LOG_SIGMA_STD = -0.2, 1.1
"""ln sigma of a training example is about N(-0.2, 1.1^2): most of the work where edits take place (t = 60 to 350)."""
WHOLE_LOG_SIGMA_MEAN = 0.6
"""The same mean where nothing is known, for a network that may know something, or that makes whole faces only.

Only they teach how a face is laid out, which is decided at t = 200 to 450. Small noise it learns from all the others.
"""
WHOLE_SHARE = 0.4
"""Share of the faces of which nothing is known, for a model that may know the surroundings of an edit, unless told.

Of a part of a face something is always known: whole pictures out of noise are to be faces, and a guide would strengthen
whatever else the network has learned to make of nothing.
"""
ALIKE = 8
"""So many masks of a batch are of one coarseness: a large batch sees many."""

PAINTED_FROM = 150
"""Timesteps from which an example may be rough paint instead of the face: edits start there."""

CALL_BEFORE = (4 / 3, 3 / 2, 2.0)
"""The timestep of a call's predecessor, in those of the call itself: of an edit's second, third and last of four."""


def timestep_density(mean: float = LOG_SIGMA_MEAN) -> Tensor:
    """(500,) probabilities of t = 1..500 that make ln sigma_t normal, as in EDM (Karras et al. 2022, table 1)."""
    log_sigma = np.log(sigmas()[1:])
    normal = np.exp(-0.5 * ((log_sigma - mean) / LOG_SIGMA_STD) ** 2)
    density = normal * np.gradient(log_sigma)
    return torch.from_numpy(density / density.sum())


def random_masks(
    count: int, side: int, rng: torch.Generator, parts: int = 0, whole_share: float = WHOLE_SHARE
) -> Tensor:
    """(count, 1, side, side), 1 where an edit takes place: in smooth shapes, coarse or fine, or everywhere.

    ``whole_share`` of them are 1 everywhere, of the first ``parts`` none.
    """
    shapes = []
    for first in range(0, count, ALIKE):
        waves = int(torch.randint(2, 9, (), generator=rng))
        shapes.append(random_blobs(min(ALIKE, count - first), side, rng, waves, least=0.05))
    masks = torch.cat(shapes)
    everywhere = torch.rand(count, generator=rng).lt(whole_share)
    everywhere[:parts] = False
    masks[everywhere] = 1
    return masks


def some_painted(x0: Tensor, mask: Tensor, t: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """x0 (B, 3, H, W), a share of the examples with t >= 150 as rough paint where the mask is 1: so an edit begins.

    Never where the mask is 1 everywhere: nobody paints whole pictures, and samples begin with noise there.
    """
    chosen = torch.rand(len(x0), generator=rng).lt(share).to(t.device)
    chosen &= (t >= PAINTED_FROM) & (mask.flatten(1).amin(1) == 0)
    return torch.where(chosen[:, None, None, None], rough_paint(x0, mask, rng), x0)


def call_before(t: Tensor, share: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which examples continue an edit, and where its call before was: indices (n,), timesteps (n,) for t (B,).

    n is ``share`` of B in the mean, drawn on the CPU: known without a look at the device. A timestep above 500 stands
    for a call that no edit has.
    """
    count = len(t)
    some = int(share * count + torch.rand((), generator=rng))
    chosen = torch.randperm(count, generator=rng)[:some].to(t.device)
    ratio = torch.tensor(CALL_BEFORE)[torch.randint(len(CALL_BEFORE), (some,), generator=rng)].to(t.device)
    return chosen, (ratio * t[chosen]).round().long()


def noised(model: Denoiser, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    """x_t (B, 3, H, W) of x and noise of its shape, each example at its own t (B,)."""
    alpha_bar = model.alpha_bar[t][:, None, None, None]
    return (alpha_bar.sqrt() * x + (1 - alpha_bar).sqrt() * eps).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def made_before(model: Denoiser, begun: Tensor, x0: Tensor, mask: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    """What the network makes of ``begun`` at t, x0 around the mask, all (n, ...): an edit's later calls begin with it.

    Trained on such pictures too, those calls mend what the ones before got wrong, instead of taking it for the face:
    what Yin et al. 2024 ("Improved Distribution Matching Distillation", section 4.5, "backward simulation") do for
    another loss. With this one it must be told which face was meant, so ``begun`` stays as it is where t is above 500
    or the mask is 1 everywhere: out of hardly more than noise another face is made.
    """
    known = surroundings_of(x0, mask).contiguous(memory_format=torch.channels_last)
    at = t.clamp(max=TIMESTEPS)
    made = torch.where(mask > 0, model(noised(model, begun, at, eps), at, known).clamp(-1, 1), x0)
    told = (t <= TIMESTEPS) & (mask.flatten(1).amin(1) == 0)
    return torch.where(told[:, None, None, None], made, begun)
