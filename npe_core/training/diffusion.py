"""The diffusion task: learn D(x_t, t) -> x0 on aligned faces, all of them unknown or only a part.

Stage 1 is the mean square error alone, whose best answer to much noise is the mean of all faces that may be under it: a
smeared one. Stage 2 adds LPIPS between prediction and face (Lin & Yang 2024, "Diffusion Model with Perceptual Loss"),
and a guide: what a weaker model says is moved away from (autoguidance, Karras et al. 2024, "Guiding a Diffusion Model
with a Bad Version of Itself"). The guided answer is what the network learns, so that an edit needs one network and one
call a step (Tang et al. 2025, "Diffusion Models without Classifier-free Guidance").

Stage 3 adds an adversary that judges the features which LPIPS compares (Sauer et al. 2023, "Adversarial Diffusion
Distillation") where there is little noise, and examples whose x_t is noised from rough paint of the face instead of the
face: what an edit begins with. Stage 4 goes on from what the network itself makes of an x_t: what an edit's later calls
see.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.diffusion.samplers import ddim
from npe_core.diffusion.schedule import draw_noise, q_sample, sigmas, timestep_grid
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.surroundings import surroundings_of
from npe_core.sheets import grid
from npe_core.training.augment import random_patches, random_zoom
from npe_core.training.beginnings import (
    WHOLE_LOG_SIGMA_MEAN,
    WHOLE_SHARE,
    call_before,
    made_before,
    noised,
    random_masks,
    some_painted,
    timestep_density,
)
from npe_core.training.data import Mixture, to_float, to_uint8
from npe_core.training.discriminator import FeatureDiscriminator, hinge_loss, places_made, weighted_mean
from npe_core.training.task import Loss, Perceptual, device_generator

ZOOM_SHARE = 0.15
"""Share of the examples that are parts of larger faces, where there are such."""
PATCH = 64
"""Side of the part that LPIPS and the adversary see of each picture: a quarter of their cost."""

GUIDED = (200, 300)
"""Timesteps between which guidance sets in: it mends large shapes and smooths texture
(Kynkaanniemi et al. 2024, "Applying Guidance in a Limited Interval")."""

ADVERSE = (100, 200)
"""Timesteps between which the adversary goes out. It adds texture, which is decided below; above, where a face is laid
out, it makes all faces alike: what it believes once, it is given again."""


def coarse_of(images: Tensor, side: int) -> Tensor:
    """uint8 (N, 3, H, W) -> (2 N, 3, side, side) in [-1, 1]: means of squares, of the pictures and mirrored."""
    coarse = torch.cat([F.adaptive_avg_pool2d(to_float(part), side) for part in images.split(256)])
    return torch.cat([coarse, coarse.flip(3)])


class DiffusionTask:
    """Denoising at random timesteps; the loss has unit weight on the network's own output (EDM, equation 8)."""

    name = "diffusion"
    usual = dataclasses.asdict(DenoiserConfig())

    def __init__(
        self,
        data: Mixture,
        device: torch.device,
        config: DenoiserConfig | None = None,
        larger: Mixture | None = None,
        perceptual: Perceptual | None = None,
        perceptual_weight: float = 1.0,
        adversary_weight: float = 0.0,
        guide: Denoiser | None = None,
        guidance: float = 1.5,
        paint_share: float = 0.0,
        rollout_share: float = 0.0,
        whole_share: float = WHOLE_SHARE,
    ) -> None:
        """``larger`` holds faces of twice the side; parts of them teach what tight crops of eyes and lips are.

        With a guide D0 the network learns E[x0 | x_t] + (guidance - 1) (E[x0 | x_t] - D0) at high timesteps. An
        adversary needs ``perceptual``. ``paint_share`` of the examples may begin as rough paint, see ``some_painted``;
        ``rollout_share`` go on from a prediction of the model, see ``made_before``; of ``whole_share`` of the faces
        nothing is known, where the model may know something.
        """
        self.config_ = config or DenoiserConfig()
        denoiser = Denoiser(self.config_)
        if denoiser.prior is not None:
            denoiser.prior.learn([coarse_of(images, self.config_.prior) for (images,) in data.sets], list(data.shares))
        self.model: nn.Module = denoiser
        self.data, self.larger, self.device = data, larger, device
        self.perceptual, self.perceptual_weight = perceptual, perceptual_weight
        self.adversary: nn.Module | None = None
        if perceptual is not None and adversary_weight:
            self.adversary = FeatureDiscriminator(perceptual.channels).to(device)
        self.adversary_weight = adversary_weight
        self.guide, self.guidance = guide, guidance
        self.paint_share, self.rollout_share, self.whole_share = paint_share, rollout_share, whole_share
        self.log_sigma = torch.from_numpy(sigmas().copy()).clamp_min(1e-3).log().float().to(device)
        self.density = timestep_density()
        makes_faces = self.config_.surroundings or self.config_.prior
        self.whole_density = timestep_density(WHOLE_LOG_SIGMA_MEAN) if makes_faces else self.density

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """x0 (B, 3, 128, 128), faces and parts of faces, half of them mirrored; mask (B, 1, 128, 128), 0 where known.

        Nothing else is augmented, so that nothing leaks into what the model makes.
        """
        (images,) = self.data.draw(count, rng)
        x0, parts = to_float(images), 0
        if self.larger is not None:
            parts = int(torch.rand(count, generator=rng).lt(ZOOM_SHARE).sum())
            if parts:
                x0[:parts] = random_zoom(to_float(self.larger.draw(parts, rng)[0]), x0.shape[-1], rng)
        mirrored = torch.rand(count, generator=rng).lt(0.5).to(self.device)
        x0 = torch.where(mirrored[:, None, None, None], x0.flip(3), x0)
        if not self.config_.surroundings:
            return x0, torch.ones_like(x0[:, :1])
        return x0, random_masks(count, x0.shape[-1], rng, parts, self.whole_share).to(x0)

    def draw_timesteps(self, mask: Tensor, rng: torch.Generator) -> Tensor:
        """(B,) t = 1..500 by one density or the other: where mask is 1 everywhere, nothing of the example is known."""
        some, none = (
            (1 + torch.multinomial(density, len(mask), replacement=True, generator=rng)).to(mask.device)
            for density in (self.density, self.whole_density)
        )
        return torch.where(mask.flatten(1).amin(1) > 0, none, some)

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> Loss:
        """Mean square of F(c_in x_t; t) - (x0 - c_skip x_t) / c_out, the network's own error, where mask is 1.

        In stage 2 with LPIPS between parts of the predicted picture, as it will be seen, and of x0; with a guide, x0 of
        the square error is moved by as much of D - D0 as makes the guided answer the only one that stays. In stage 3
        with the share of the adversary, which judges the same parts at low timesteps.
        """
        x0, mask = batch
        model: Denoiser = self.model  # type: ignore[assignment]
        t = self.draw_timesteps(mask, rng)
        eps = torch.randn(x0.shape, generator=device_generator(rng, self.device), device=self.device)
        xt = noised(model, self._begun(model, x0, mask, t, rng), t, eps)
        c_skip, c_out, c_in = model.preconditioning(t)
        # The U-Net is called by itself: the loss is of its own output, which Denoiser.forward does not give.
        known = surroundings_of(x0, mask).contiguous(memory_format=torch.channels_last)
        output = model.unet(c_in * xt, t, known).float()
        predicted = c_skip * xt + c_out * output
        target = x0
        if self.guide is not None:
            with torch.no_grad():
                away = predicted.detach() - self.guide(xt, t, known)
            target = x0 + self._share_away(t) * away
        error = output - (target - c_skip * xt) / c_out
        square = (mask * error.square()).sum() / (3 * mask.sum())
        return Loss(square) if self.perceptual is None else self._judged(square, predicted, x0, mask, t, rng)

    def _judged(
        self, square: Tensor, predicted: Tensor, x0: Tensor, mask: Tensor, t: Tensor, rng: torch.Generator
    ) -> Loss:
        """The square error with LPIPS, and with the share of the adversary where there is one."""
        assert self.perceptual is not None, "without it nothing judges"
        seen = torch.where(mask > 0, predicted, x0)
        seen = random_patches(torch.cat([seen, x0, mask], dim=1), min(PATCH, x0.shape[-1]), rng)
        seen, face, inside = seen.split((3, 3, 1), dim=1)
        made, real = self.perceptual.features(seen), self.perceptual.features(face.detach())
        distance = self.perceptual.distance(made, real).mean()
        loss, log = square + self.perceptual_weight * distance, {"square": square.detach(), "lpips": distance.detach()}
        if self.adversary is None:
            return Loss(loss, log=log)

        def judge(features: list[Tensor]) -> Tensor:
            verdict: Tensor = self.adversary(features, self.log_sigma[t])  # type: ignore[misc]
            return verdict.float()

        verdict, share = judge(made), self._share_adverse(t)
        where = places_made((inside > 0.5).to(inside), verdict)
        fooled = -weighted_mean(verdict, share[:, None, None, None] * where)
        unfooled = hinge_loss(judge, [x.detach() for x in made], real, where, share)
        log |= {"fooled": fooled.detach(), "adversary": unfooled.detach()}
        return Loss(loss + self.adversary_weight * fooled, unfooled, log)

    def _begun(self, model: Denoiser, x0: Tensor, mask: Tensor, t: Tensor, rng: torch.Generator) -> Tensor:
        """What x_t is noised from, x0 where the mask is 0: the face, rough paint, or what the model made of either."""
        if not self.rollout_share:
            return some_painted(x0, mask, t, self.paint_share, rng) if self.paint_share else x0
        chosen, before = call_before(t, self.rollout_share, rng)
        if self.paint_share:
            begun = some_painted(x0, mask, t.index_copy(0, chosen, before), self.paint_share, rng)
        else:
            begun = x0
        if not len(chosen):
            return begun
        start = begun[chosen]
        eps = torch.randn(start.shape, generator=device_generator(rng, self.device), device=self.device)
        return begun.index_copy(0, chosen, made_before(model, start, x0[chosen], mask[chosen], before, eps))

    def _share_away(self, t: Tensor) -> Tensor:
        """(B, 1, 1, 1): the share of D - D0 in the target, 0 up to the timestep where guidance sets in."""
        first, full = GUIDED
        guidance = 1 + (self.guidance - 1) * ((t - first) / (full - first)).clamp(0, 1)
        return (1 - 1 / guidance)[:, None, None, None]

    def _share_adverse(self, t: Tensor) -> Tensor:
        """(B,): the adversary's share of its weight, 1 up to the timestep where it begins to go out."""
        full, none = ADVERSE
        return ((none - t) / (none - full)).clamp(0, 1)

    @torch.no_grad()
    def sheet(self, model: nn.Module) -> np.ndarray:
        """Row 1: 8 samples from noise. Rows 2, 3: 8 faces noised to t = 300 and brought back; the faces."""
        device, side = self.device, self.config_.image_size
        faces = to_float(self.data.sets[0][0][:8])
        count = len(faces)

        def denoise(xt: Tensor, t: int) -> Tensor:
            x0: Tensor = model(xt, torch.full((len(xt),), t, device=device))
            return x0

        seeds = list(range(count))
        begun, t = model.begin(seeds)  # type: ignore[operator]
        samples = ddim(denoise, begun.to(device), timestep_grid(t, 20))
        noised = q_sample(faces, 300, draw_noise((3, side, side), seeds).to(device))
        restored = ddim(denoise, noised, timestep_grid(300, 12))
        rows = to_uint8(torch.cat([samples, restored, faces])).permute(0, 2, 3, 1).cpu().numpy()
        return grid(rows, count)

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config_)

    def data_sources(self) -> list[dict[str, Any]]:
        return self.data.describe() + (self.larger.describe() if self.larger is not None else [])
