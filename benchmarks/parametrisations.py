"""Short runs that differ in one thing each: same seed, same pictures in the same order, same number of them.

    python benchmarks/parametrisations.py --data train.zip --val val.zip --images 2400

The numbers are mean squared errors of x0 in [-1, 1] as predicted from x_t, on validation faces; lower is better. A
small network and few pictures: which way to go first, not how far it leads.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from npe_core.diffusion.schedule import draw_noise, q_sample
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.training.data import load_images, to_float
from npe_core.training.diffusion import DiffusionTask
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe

BASE = DenoiserConfig(base=32)
TIMESTEPS = (50, 150, 250, 350, 450)
CPU = torch.device("cpu")


class EpsDenoiser(Denoiser):
    """The network predicts the noise (Ho et al. 2020); the unit-weight loss is their simple loss."""

    def preconditioning(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alpha_bar = self.alpha_bar[t][:, None, None, None]
        return alpha_bar.rsqrt(), -((1 - alpha_bar) / alpha_bar).sqrt(), torch.ones_like(alpha_bar)


class VelocityDenoiser(Denoiser):
    """The network predicts v = sqrt(a) eps - sqrt(1 - a) x0 (Salimans & Ho 2022)."""

    def preconditioning(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alpha_bar = self.alpha_bar[t][:, None, None, None]
        return alpha_bar.sqrt(), -(1 - alpha_bar).sqrt(), torch.ones_like(alpha_bar)


RUNS: dict[str, tuple[Callable[[DenoiserConfig], Denoiser], DenoiserConfig, float]] = {
    "EDM, lr 4e-4": (Denoiser, BASE, 4e-4),
    "v, lr 4e-4": (VelocityDenoiser, BASE, 4e-4),
    "eps, lr 4e-4": (EpsDenoiser, BASE, 4e-4),
    "EDM, lr 1e-3": (Denoiser, BASE, 1e-3),
    "EDM, lr 1.5e-4": (Denoiser, BASE, 1.5e-4),
    "EDM, base 48": (Denoiser, dataclasses.replace(BASE, base=48), 4e-4),
}
"""What is compared: the model, its shape, the learning rate."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", action="append", required=True, metavar="SRC[=WEIGHT]")
    parser.add_argument("--val", required=True, metavar="SRC")
    parser.add_argument("--images", type=int, default=2400)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = load_images(options.data, BASE.image_size, CPU)
    faces = to_float(load_images([options.val], BASE.image_size, CPU).sets[0][0][:32])
    recipe = TrainingRecipe(batch=8, images=options.images, cooldown=0.4, ema=(0.99, 0.998))
    print(f"| {options.images} pictures seen | " + " | ".join(f"t = {t}" for t in TIMESTEPS) + " | minutes |")
    print("|---" * (len(TIMESTEPS) + 2) + "|")
    for name, (build, config, lr) in RUNS.items():
        start = time.monotonic()
        torch.manual_seed(recipe.seed)
        task = DiffusionTask(data, CPU, config)
        task.model = build(config)
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(task, dataclasses.replace(recipe, lr=lr), Path(folder), CPU)
            while trainer.images < recipe.images:
                trainer.train_step()
        errors = [error(trainer.emas[0].copy_of(task.model), faces, t) for t in TIMESTEPS]
        minutes = (time.monotonic() - start) / 60
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in errors) + f" | {minutes:.1f} |", flush=True)


@torch.inference_mode()
def error(model: torch.nn.Module, faces: Tensor, t: int) -> float:
    """Mean square of x0 as predicted from x_t, noise the same for every model."""
    noise = draw_noise(tuple(faces.shape[1:]), list(range(len(faces))))
    steps = torch.full((len(faces),), t)
    with torch.autocast("cpu", torch.bfloat16):
        x0 = model.eval()(q_sample(faces, t, noise), steps)
    return float((x0.float() - faces).square().mean())


if __name__ == "__main__":
    main()
