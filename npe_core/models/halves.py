"""Weights as they lie on disk: numbers of 16 bits."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from npe_core.errors import InputError

LARGEST = torch.finfo(torch.float16).max


def halved(tensors: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """Contiguous copies in float16 on the CPU. Raises InputError as ``require_finite``."""
    require_finite(tensors, source)
    return {
        name: x.detach().to("cpu", torch.float16).clone(memory_format=torch.contiguous_format)
        for name, x in tensors.items()
    }


def require_numbers(tensors: dict[str, Tensor], source: Path) -> None:
    """Raises InputError that names the first tensor whose numbers are whole or complex: quantised, or no weights.

    ``source`` is the file that they come from or go to.
    """
    for name, x in tensors.items():
        if not x.is_floating_point():
            kind = str(x.dtype).removeprefix("torch.")
            raise InputError(f"{source}: {name} is of type {kind}. Take the weights as float16, bfloat16 or float32.")


def require_finite(tensors: dict[str, Tensor], source: Path) -> None:
    """Raises InputError as ``require_numbers``, and that names the first tensor with a value not finite in float16."""
    require_numbers(tensors, source)
    for name, x in tensors.items():
        if not x.half().isfinite().all():
            raise InputError(
                f"{source}: {name} has values that are not finite in float16 (nan, or beyond {LARGEST:.0f}), "
                "as of training that diverged. Take weights from before that."
            )
