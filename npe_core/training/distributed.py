"""Several GPUs under torchrun: each process draws its share of the batch, gradients are averaged.

The models stay unwrapped, so checkpoints are the same with one process and with many.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from npe_core.errors import UsageError


@dataclass(frozen=True)
class World:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1

    def share(self, batch: int) -> int:
        """Images of a batch that this process draws. Raises UsageError when they do not divide evenly."""
        if batch % self.size:
            raise UsageError(f"A batch of {batch} does not divide among {self.size} processes. Choose another --batch.")
        return batch // self.size

    def average_gradients(self, model: nn.Module) -> None:
        """Make the gradients of all processes their mean."""
        if self.size == 1:
            return
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def mean(self, numbers: dict[str, float], device: torch.device) -> dict[str, float]:
        """Of each of the numbers of all processes; every process gets the same answer."""
        if self.size == 1:
            return numbers
        values = torch.tensor(list(numbers.values()), device=device)
        dist.all_reduce(values)
        return dict(zip(numbers, (values / self.size).tolist(), strict=True))

    def most(self, number: int, device: torch.device) -> int:
        """The greatest of the numbers of all processes; every process gets the same answer."""
        if self.size == 1:
            return number
        numbers = torch.tensor([number], device=device)
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return int(numbers.item())


def join_world(device: torch.device) -> tuple[World, torch.device]:
    """The processes that torchrun started (one, without it), and this one's device."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if size == 1:
        return World(), device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return World(rank, size), device


def leave_world() -> None:
    """End what ``join_world`` began."""
    if dist.is_initialized():
        dist.destroy_process_group()
