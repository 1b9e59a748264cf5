"""What a model must say so that the loop can train it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


class Perceptual(Protocol):
    """What a network for recognition sees in pictures, and how far two pictures are apart in its eyes."""

    channels: tuple[int, ...]
    """Channels of the feature maps."""

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> one map (B, C, h, w) of each of ``channels``."""
        ...

    def distance(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Distances (B,) of the pictures with these features."""
        ...


@dataclass(frozen=True)
class Loss:
    """The losses of one batch, scalars with a graph. Numbers to log stay tensors, so that no GPU is waited for."""

    model: Tensor
    adversary: Tensor | None = None
    """The loss of ``task.adversary``, where there is one. It must not reach the model's parameters."""
    log: dict[str, Tensor] = field(default_factory=dict)


class Task(Protocol):
    """One model, its data and its loss. Randomness comes only from the CPU generator that is passed in."""

    name: str
    model: nn.Module
    usual: dict[str, Any]
    """The architecture as it is by default, as ``config`` gives it."""
    adversary: nn.Module | None
    """A discriminator trained beside the model, or None."""

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """count augmented training examples on the task's device."""
        ...

    def loss(self, batch: tuple[Tensor, ...], rng: torch.Generator) -> Loss:
        """The losses of one drawn batch."""
        ...

    def sheet(self, model: nn.Module) -> np.ndarray:
        """(H, W, 3) uint8: a picture of what ``model`` does now, always on the same inputs."""
        ...

    def config(self) -> dict[str, Any]:
        """The architecture, to be stored beside the weights."""
        ...

    def data_sources(self) -> list[dict[str, Any]]:
        """What is trained on: name, examples and share of each source."""
        ...


def device_generator(rng: torch.Generator, device: torch.device) -> torch.Generator:
    """A generator on the device, seeded by the CPU generator: large noise is drawn where it is used."""
    seed = int(torch.randint(2**62, (), generator=rng))
    return torch.Generator(device).manual_seed(seed)
