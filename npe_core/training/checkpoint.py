"""Training state on disk: written to a temporary name and renamed, so that a kill leaves the last good one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

STATE = "state.pt"


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write state (tensors, numbers, strings) to folder/state.pt durably."""
    temporary = folder / f".{STATE}.tmp"
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / STATE)


def load_state(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The state of an earlier run, or None. Only tensors and plain values are read (``weights_only``)."""
    path = folder / STATE
    return torch.load(path, map_location=device, weights_only=True) if path.exists() else None


def export_weights(path: Path, tensors: dict[str, Tensor], config: dict[str, Any]) -> None:
    """fp16 safetensors with the architecture in its metadata."""
    halves = {name: tensor.detach().half().contiguous().cpu() for name, tensor in tensors.items()}
    save_file(halves, str(path), metadata={"config": json.dumps(config)})


def split(path: Path, piece_bytes: int) -> list[Path]:
    """Cut a file into PATH.part00, PATH.part01, ... of at most piece_bytes bytes."""
    content = path.read_bytes()
    pieces = []
    for number, start in enumerate(range(0, len(content), piece_bytes)):
        piece = path.with_name(f"{path.name}.part{number:02d}")
        piece.write_bytes(content[start : start + piece_bytes])
        pieces.append(piece)
    return pieces


def join(path: Path) -> None:
    """The inverse of ``split``: write PATH from PATH.part00, PATH.part01, ..."""
    pieces = sorted(path.parent.glob(f"{path.name}.part[0-9][0-9]"))
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))


def warm_start(model: nn.Module, path: Path) -> None:
    """Start from released weights: every tensor must fit."""
    tensors = load_file(str(path))
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
