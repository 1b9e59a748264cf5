"""Files of weights as others write them: safetensors, and what torch.save makes, known by their first bytes.

The latter are read with ``weights_only=True``: nothing in them is executed.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from npe_core.errors import InputError

State = dict[str, Tensor]

_PREFIXES = ("module.", "_orig_mod.", "model.", "generator.")
_CONTAINERS = ("state_dict", "model_state_dict", "model", "ema", "generator", "net", "params")
_LARGEST_HEADER = 100_000_000
"""Bytes that safetensors allows its header: what stands first in a zip archive or a pickle is a larger number."""


def read_checkpoint(path: Path) -> tuple[State, dict[str, Any] | None]:
    """(tensors by name, architecture if the file says it). Containers and wrapper prefixes are taken off.

    Raises InputError for what is no checkpoint, or only the beginning of one.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file. Name a checkpoint.")
    try:
        state, config = _read_safetensors(path) if _is_safetensors(path) else (_read_torch(path), None)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # what is no pickle fails in whatever way its first letters mean to one
        raise InputError(
            f"{path} does not read as a checkpoint. Expected .safetensors, or tensors alone as torch.save writes them."
        ) from error
    return strip_prefixes(state), config


def _is_safetensors(path: Path) -> bool:
    """By the length of its header and the brace that this begins with."""
    with path.open("rb") as file:
        start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= _LARGEST_HEADER


def _read_safetensors(path: Path) -> tuple[State, dict[str, Any] | None]:
    size = path.stat().st_size
    with path.open("rb") as file:
        end = 8 + int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(end - 8)) if end <= size else {}
    end += max((row["data_offsets"][1] for name, row in header.items() if name != "__metadata__"), default=0)
    if end > size:
        raise InputError(f"{path} is cut off: it has {size} bytes of at least {end}. Copy it again.")
    with safe_open(str(path), framework="pt") as file:
        told = (file.metadata() or {}).get("config", "null")
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        config = json.loads(told)
    except ValueError:
        config = told
    if not isinstance(config, dict | None):
        raise InputError(f"{path}: the architecture that it tells is no table of names and values. Export it anew.")
    return state, config


def _read_torch(path: Path) -> State:
    with path.open("rb") as file:
        if file.read(2) == b"PK" and not zipfile.is_zipfile(path):
            raise InputError(f"{path} is cut off: the list of what is in it, at its end, is missing. Copy it again.")
    with warnings.catch_warnings(), path.open("rb") as file:  # by its name torch would take it for safetensors
        warnings.simplefilter("ignore")  # torch warns of odd pickles; what matters is whether they load
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    while isinstance(loaded, dict):
        inner = next((loaded[name] for name in _CONTAINERS if isinstance(loaded.get(name), dict)), None)
        if inner is None:
            break
        loaded = inner
    if not isinstance(loaded, dict) or not any(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(f"{path} holds no tensors by name. Save the state_dict() of the model.")
    return {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}


def strip_prefixes(state: State) -> State:
    """Take off a wrapper's prefix that all names share."""
    for prefix in _PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            return strip_prefixes({name.removeprefix(prefix): tensor for name, tensor in state.items()})
    return state
