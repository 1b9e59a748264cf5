"""What a model must say so that the loop can train it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


class Task(Protocol):
    """One model, its data and its loss. Randomness comes only from the generator that is passed in."""

    name: str
    model: nn.Module
    adversary: nn.Module | None
    """A discriminator trained beside the model, or None."""

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """count augmented training examples on the task's device."""
        ...

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Scalar loss of the model, and what to log."""
        ...

    def adversary_loss(self) -> Tensor:
        """Scalar loss of the adversary on the batch of the last call of ``loss``."""
        ...

    def sheet(self, model: nn.Module) -> np.ndarray:
        """(H, W, 3) uint8: a picture of what the model does now, always on the same inputs."""
        ...

    def config(self) -> dict[str, Any]:
        """The architecture, to be stored beside the weights."""
        ...
