"""The diffusion task: learn D(x_t, t) -> x0 on aligned faces."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from npe_core.diffusion.samplers import ddim
from npe_core.diffusion.schedule import TIMESTEPS, draw_noise, sigmas, timestep_grid
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.training.data import Mixture, to_float, to_uint8
from npe_core.training.report import grid

LOG_SIGMA_MEAN, LOG_SIGMA_STD = -0.6, 1.2
"""ln sigma of a training example is about N(-0.6, 1.2^2): most of the work where edits start (t = 100 to 350)."""


def timestep_density() -> Tensor:
    """(500,) probabilities of t = 1..500 that make ln sigma_t normal, as in EDM (Karras et al. 2022, table 1)."""
    log_sigma = np.log(sigmas()[1:])
    normal = np.exp(-0.5 * ((log_sigma - LOG_SIGMA_MEAN) / LOG_SIGMA_STD) ** 2)
    density = normal * np.gradient(log_sigma)
    return torch.from_numpy(density / density.sum())


class DiffusionTask:
    """Denoising at random timesteps; the loss has unit weight on the network's own output (EDM, equation 8)."""

    name = "diffusion"
    adversary = None

    def __init__(self, data: Mixture, device: torch.device, config: DenoiserConfig | None = None) -> None:
        self.config_ = config or DenoiserConfig()
        self.model: nn.Module = Denoiser(self.config_)
        self.data, self.device = data, device
        self.density = timestep_density()

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """(x0 (B, 3, 128, 128),): faces, half of them mirrored. Nothing else is augmented, so nothing leaks."""
        (images,) = self.data.draw(count, rng)
        x0 = to_float(images)
        mirrored = torch.rand(count, generator=rng).lt(0.5).to(self.device)
        return (torch.where(mirrored[:, None, None, None], x0.flip(3), x0),)

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        (x0,) = batch
        model: Denoiser = self.model  # type: ignore[assignment]
        t = (1 + torch.multinomial(self.density, len(x0), replacement=True, generator=rng)).to(self.device)
        seed = int(torch.randint(2**62, (), generator=rng))
        device_rng = torch.Generator(self.device).manual_seed(seed)
        eps = torch.randn(x0.shape, generator=device_rng, device=self.device)
        alpha_bar = model.alpha_bar[t][:, None, None, None]
        xt = (alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps).contiguous(memory_format=torch.channels_last)
        _, c_out, _ = model.preconditioning(t)
        loss = ((model(xt, t) - x0) / c_out).square().mean()
        return loss, {}

    def adversary_loss(self) -> Tensor:
        raise NotImplementedError("the diffusion task has no adversary")

    @torch.no_grad()
    def sheet(self, model: nn.Module) -> np.ndarray:
        """Row 1: 8 samples from noise. Rows 2, 3: 8 faces noised to t = 300 and brought back; the faces."""
        count, device = 8, self.device
        side = self.config_.image_size

        def denoise(xt: Tensor, t: int) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16):
                return model(xt, torch.full((len(xt),), t, device=device))

        noise = draw_noise((3, side, side), list(range(count))).to(device)
        samples = ddim(denoise, noise, timestep_grid(TIMESTEPS, 20))
        faces = to_float(self.data.sets[0][0][:count])
        alpha_bar = model.alpha_bar[300]  # type: ignore[index]
        noised = alpha_bar.sqrt() * faces + (1 - alpha_bar).sqrt() * noise
        restored = ddim(denoise, noised, timestep_grid(300, 12))
        rows = to_uint8(torch.cat([samples, restored, faces])).permute(0, 2, 3, 1).cpu().numpy()
        return grid(rows, count)

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config_)
