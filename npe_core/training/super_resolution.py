"""The super-resolution task: 32 -> 128 patches of sharp faces, L1 first, then LPIPS and an adversary."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.blend import gaussian_blur
from npe_core.diffusion.samplers import ddim
from npe_core.diffusion.schedule import q_sample, timestep_grid
from npe_core.models.denoiser import Denoiser
from npe_core.models.surroundings import surroundings_of
from npe_core.models.upscaler import SCALE, GeneratorResNet, UpscalerConfig
from npe_core.sheets import grid
from npe_core.training.augment import random_blobs, random_patches
from npe_core.training.data import Mixture, to_float, to_uint8
from npe_core.training.discriminator import Discriminator, hinge_loss, places_made, weighted_mean
from npe_core.training.jpeg import PITCH as JPEG_PITCH
from npe_core.training.jpeg import compress
from npe_core.training.task import Loss, Perceptual, device_generator

SIZE = 512
"""Side of the training pictures."""
PATCH = 128
"""Default side of the patches that are cut from them."""
LEAST_PATCH = 16
"""Of smaller ones the features of LPIPS are less than a pixel, and blur reaches across."""
WHOLE_SHARE = 0.4
"""Share of the examples whose surroundings are not known: what `npe upscale` asks for."""
SOFT, NOISY, STORED = 0.2, 0.12, 0.1
"""Shares of the small pictures that are softened, noisy and JPEGs: two thirds are none of it.

What the diffusion model makes is neither noisy nor a JPEG. With 0.4, 0.25 and 0.2 clean pictures lost an eighth of a
decibel to them.
"""
DEGRADE_TOGETHER = 8
"""So many images of a batch share one softness and noise: a large batch sees many."""
MADE_SHARE = 0.25
"""Share of the examples whose small picture is the diffusion model's, where there is one."""
MADE_FROM = (40, 150)
"""Timesteps from which it brings them back: far enough for its own touch, near enough for the face to stay."""
MADE_STEPS = 4


def degrade(high: Tensor, rng: torch.Generator) -> Tensor:
    """(B, 3, 4h, 4w) -> (B, 3, h, w): antialiased bicubic, now and then softness, a little noise, or JPEG.

    Both in [-1, 1]; the result is rounded to 8 bits.
    """
    low = torch.cat([_degrade_alike(part, rng) for part in high.split(DEGRADE_TOGETHER)])
    return (low.clamp(-1, 1).add(1).mul(127.5).round() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _degrade_alike(high: Tensor, rng: torch.Generator) -> Tensor:
    softness, noise, amount, stored, quality = (float(v) for v in torch.rand(5, generator=rng))
    low = shrink(gaussian_blur(high, 0.5 + 2.0 * amount) if softness < SOFT else high)
    if noise < NOISY:
        low = low + 0.03 * amount * torch.randn(
            low.shape, generator=device_generator(rng, low.device), device=low.device
        )
    if stored < STORED:
        height, width = low.shape[2:]
        whole = F.pad(low, (0, -width % JPEG_PITCH, 0, -height % JPEG_PITCH), mode="replicate")
        low = compress(whole, round(60 + 35 * quality))[..., :height, :width]
    return low


def shrink(high: Tensor) -> Tensor:
    """(B, 3, 4h, 4w) -> (B, 3, h, w), antialiased bicubic."""
    return F.interpolate(high, scale_factor=1 / SCALE, mode="bicubic", antialias=True, align_corners=False)


@torch.inference_mode()
def made_by(denoiser: Denoiser, images: Tensor, rng: torch.Generator, precision: torch.dtype) -> Tensor:
    """(N, 3, 512, 512) uint8 -> (N, 3, 128, 128) uint8: the small pictures, noised and brought back by the model."""
    made = []
    for image in images.split(1):
        small = shrink(to_float(image))
        t = int(torch.randint(*MADE_FROM, (), generator=rng))
        noise = torch.randn(small.shape, generator=device_generator(rng, small.device), device=small.device)

        def denoise(xt: Tensor, at: int) -> Tensor:
            return denoiser(xt, torch.tensor([at], device=xt.device))

        with torch.autocast(small.device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
            made.append(to_uint8(ddim(denoise, q_sample(small, t, noise), timestep_grid(t, MADE_STEPS))))
    return torch.cat(made)


class SuperResolutionTask:
    """Stage 1 (no ``perceptual``): L1. Stage 2: L1 + LPIPS + a hinge adversary, started from the weights of stage 1."""

    name = "super-resolution"
    usual = dataclasses.asdict(UpscalerConfig())

    def __init__(
        self,
        data: Mixture,
        device: torch.device,
        config: UpscalerConfig | None = None,
        perceptual: Perceptual | None = None,
        perceptual_weight: float = 1.0,
        adversary_weight: float = 0.02,
        patch: int = PATCH,
        made: Mixture | None = None,
    ) -> None:
        """``made`` holds sharp faces with what the diffusion model made of them, see ``made_by``."""
        self.config_ = config or UpscalerConfig()
        self.model: nn.Module = GeneratorResNet(self.config_)
        self.data, self.made, self.device, self.patch = data, made, device, patch
        self.perceptual, self.perceptual_weight, self.adversary_weight = perceptual, perceptual_weight, adversary_weight
        self.adversary: nn.Module | None = Discriminator().to(device) if perceptual is not None else None

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """(low (B, 3, P/4, P/4), high (B, 3, P, P)) in [-1, 1], mask (B, 1, P, P) of what is not known.

        Patches from random places, mirrored half of the time.
        """
        (images,) = self.data.draw(count, rng)
        high = to_float(random_patches(images, self.patch, rng)).contiguous(memory_format=torch.channels_last)
        mask = random_blobs(count, self.patch, rng).to(high)
        mask[torch.rand(count, generator=rng).lt(WHOLE_SHARE).to(high.device)] = 1
        low = degrade(high, rng)
        if self.made is not None:
            ours = int(torch.rand(count, generator=rng).lt(MADE_SHARE).sum())
            if ours:
                low[:ours], high[:ours] = self.draw_made(self.made, ours, rng)
        return low, high, mask

    def draw_made(self, made: Mixture, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """(low, high) as ``draw`` gives them: what the diffusion model made of a face, and the face."""
        images, small = made.draw(count, rng)
        both = torch.cat([images, F.interpolate(small, scale_factor=SCALE, mode="nearest")], dim=1)
        high, low = to_float(random_patches(both, self.patch, rng, pitch=SCALE)).chunk(2, dim=1)
        return low[..., ::SCALE, ::SCALE], high

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> Loss:
        """L1, in stage 2 with LPIPS and the share of the adversary; and the adversary's own loss.

        With surroundings they judge the picture as it will be seen, restored inside the mask only: what the network
        makes of pixels that it was shown is never used.
        """
        low, high, mask = batch
        restored = self.model(low, surroundings_of(high, mask))
        inside = mask if self.config_.surroundings else torch.ones_like(mask)
        l1 = (inside * (restored - high).abs()).sum() / (3 * inside.sum())
        if self.perceptual is None or self.adversary is None:
            return Loss(l1, log={"l1": l1.detach()})
        restored = torch.where(inside > 0, restored, high)
        seen, wanted = self.perceptual.features(restored), self.perceptual.features(high)
        distance = self.perceptual.distance(seen, wanted).mean()
        verdict = self.adversary(restored).float()
        made = places_made(inside, verdict)
        fooled = -weighted_mean(verdict, made)
        return Loss(
            l1 + self.perceptual_weight * distance + self.adversary_weight * fooled,
            hinge_loss(self.adversary, restored.detach(), high, made),
            {"l1": l1.detach(), "lpips": distance.detach(), "fooled": fooled.detach()},
        )

    @torch.no_grad()
    def sheet(self, model: nn.Module) -> np.ndarray:
        """Four faces: bicubic, restored, original, three columns."""
        high = to_float(self.data.sets[0][0][:4])
        low = shrink(high).clamp(-1, 1)
        bicubic = F.interpolate(low, scale_factor=float(SCALE), mode="bicubic", align_corners=False)
        restored = torch.cat([model(one.contiguous(memory_format=torch.channels_last)) for one in low.split(1)])
        tiles = torch.stack([bicubic, restored, high], dim=1).flatten(0, 1)
        return grid(to_uint8(tiles).permute(0, 2, 3, 1).cpu().numpy(), 3)

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config_)

    def data_sources(self) -> list[dict[str, Any]]:
        return self.data.describe()
