"""How long and how fast to train: one frozen dataclass, with named presets a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingRecipe:
    """Optimisation settings that all models share."""

    batch: int = 16
    lr: float = 4e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: int = 100
    """Steps over which the learning rate rises from 0."""
    images: int = 300_000
    """Images seen at the end of the run; the cool-down is placed by it."""
    cooldown: float = 0.25
    """Share of the run, at its end, over which the learning rate falls to 2 % linearly."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: tuple[float, float] = (0.998, 0.9995)
    """Two exponential moving averages of the weights, a short and a long one (decay a step)."""
    seed: int = 0

    def lr_at(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, constant, linear cool-down."""
        total = max(1, self.images // self.batch)
        start = (1 - self.cooldown) * total
        flat = step < start or self.cooldown == 0
        down = 1.0 if flat else max(0.02, 1 - 0.98 * (step - start) / max(1.0, total - start))
        return self.lr * min(1.0, (step + 1) / max(1, self.warmup)) * down


PRESETS: dict[str, dict[str, TrainingRecipe]] = {
    "diffusion": {
        "default": TrainingRecipe(),
        "gpu": TrainingRecipe(batch=512, lr=1e-3, images=8_000_000, warmup=500, ema=(0.999, 0.9999)),
        "published": TrainingRecipe(batch=40, lr=1e-3, betas=(0.9, 0.999), weight_decay=0.0, warmup=0, cooldown=0.0),
    },
    "segmentation": {
        "default": TrainingRecipe(batch=16, lr=1e-3, images=40_000, cooldown=0.5, ema=(0.99, 0.998)),
        "gpu": TrainingRecipe(batch=128, lr=2e-3, images=800_000, cooldown=0.5, ema=(0.99, 0.999)),
    },
    "super-resolution": {
        "default": TrainingRecipe(batch=16, lr=4e-4, images=40_000, weight_decay=0.0, cooldown=0.4, ema=(0.99, 0.998)),
        "gpu": TrainingRecipe(batch=64, lr=5e-4, images=1_000_000, weight_decay=0.0, cooldown=0.4, ema=(0.99, 0.999)),
    },
}
"""Presets by model; ``published`` is the recipe that the original program states (Adam, lr 1e-3, batch 40), but for the
gradients, which are clipped here in every preset. ``gpu`` is for one large card; no weights that ship were made with
it."""
