"""Training state and weights on disk, whole even after a kill: see ``replace_file``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from npe_core.device import is_out_of_memory
from npe_core.errors import EnvironmentFault, InputError, UsageError
from npe_core.files import BEYOND_LIMIT, replace_file, written
from npe_core.models.halves import halved, require_finite

STATE = "state.pt"
NOTES = "run.json"
ADDED = ("surroundings.", "fine.")
"""Parts of networks that change nothing before they are trained: weights without them are a start."""
OWN = "prior"
"""What a run knows from its own data, whatever it starts from: the denoiser's prior, in weights of any age."""

AWAY = "Move it away to start again, or give another --out."
_PUT_BACK = "Put back what the run wrote, or move it away."


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write state (tensors, numbers, strings) to folder/state.pt durably. Raises EnvironmentFault."""
    path = folder / STATE
    try:
        with replace_file(path) as temporary:
            torch.save(state, temporary)
    except RuntimeError as error:  # how torch tells, in words of its own, that it could not write all
        if is_out_of_memory(error):
            raise
        needed, free = _bytes_of(state), shutil.disk_usage(folder).free  # what was written of it is gone again
        why, remedy = f"{free / 1e6:.0f} MB are free", "Free some space"
        if free >= needed:
            why, remedy = f"this is {BEYOND_LIMIT}", "Raise the limit"
        kept = "The checkpoint before is kept. " if path.exists() else ""
        raise EnvironmentFault(
            f"{path} cannot be written: it needs {needed / 1e6:.0f} MB, and {why}.\n"
            f"{kept}{remedy} and repeat the command."
        ) from error


def _bytes_of(state: Any) -> int:
    """Of the tensors in nested containers."""
    if isinstance(state, Tensor):
        return state.nbytes
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return sum(map(_bytes_of, parts))


def load_state(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The state of an earlier run, or None. Only tensors and plain values are read (``weights_only``).

    Raises InputError when the file is damaged, or of another program.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # what is no pickle fails in whatever way its first letters mean to one
        if isinstance(error, MemoryError) or is_out_of_memory(error):
            raise
        raise InputError(f"{path} is damaged. {AWAY}") from None
    if not isinstance(state, dict):
        raise InputError(f"{path} is not the state of a run. {AWAY}")
    return state


def exported(run: Path, ema: str) -> Path:
    """The file with the short or the long average of a run's folder; a file stands for itself."""
    return run if run.suffix == ".safetensors" else run / f"ema_{ema}.safetensors"


def run_notes(run: Path) -> dict[str, Any]:
    """What the run.json of a run's folder says, or the one beside a file; empty without.

    Raises InputError for what no run wrote.
    """
    path = (run.parent if run.suffix == ".safetensors" else run) / NOTES
    if not path.exists():
        return {}
    notes = read_json(path)
    kinds = {"task": str, "config": dict, "recipe": dict, "stage": dict, "data": list, "average": list}
    for name, kind in kinds.items():
        if not isinstance(notes.get(name, kind()), kind):
            said = json.dumps(notes[name])[:60]
            raise InputError(f"{path} does not tell of a run: its {name!r} is {said}. {_PUT_BACK}")
    if not all(isinstance(row, dict) and "name" in row for row in notes.get("data", [])):
        raise InputError(f"{path} does not tell of a run: a source of its 'data' has no name. {_PUT_BACK}")
    return notes


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InputError when there is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} does not read as JSON ({error}). Copy it again.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object. Copy it again.")
    return content


def export_weights(path: Path, tensors: dict[str, Tensor], config: dict[str, Any], images: int) -> None:
    """Write ``content_of`` these to a file. Raises InputError as ``halved``, EnvironmentFault."""
    content = content_of(path, tensors, config, images)
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


def content_of(path: Path, tensors: dict[str, Tensor], config: dict[str, Any], images: int) -> bytes:
    """fp16 safetensors, for ``path``, with the architecture and the number of images seen in the metadata.

    The same content is the same bytes. Raises InputError as ``halved``.
    """
    return _in_order(save(halved(tensors, path), metadata={"config": json.dumps(config), "images": str(images)}))


def _in_order(content: bytes) -> bytes:
    """The same safetensors file with the names of its header in order: the library writes metadata in any order."""
    header, rest = _divided(content)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # what follows is aligned
    return len(text).to_bytes(8, "little") + text + rest


def _divided(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file and what follows it. Raises ValueError."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def split(path: Path, piece_bytes: int) -> list[Path]:
    """Cut a file into PATH.part00, PATH.part01, ... of at most piece_bytes bytes; the file itself stays.

    Raises UsageError for more than 100 pieces, EnvironmentFault.
    """
    content = path.read_bytes()
    check_pieces(path, len(content), piece_bytes)
    pieces = []
    with written(path):
        for stale in pieces_of(path):
            stale.unlink()
        for number, start in enumerate(range(0, len(content), piece_bytes)):
            piece = path.with_name(f"{path.name}.part{number:02d}")
            piece.write_bytes(content[start : start + piece_bytes])
            pieces.append(piece)
    return pieces


def check_pieces(path: Path, size: int, piece_bytes: int) -> None:
    """Raises UsageError when a file of ``size`` bytes falls into more than 100 pieces."""
    if size > 100 * piece_bytes:
        raise UsageError(f"{path} would fall into more than 100 pieces of {piece_bytes} bytes. Choose larger ones.")


def pieces_of(path: Path) -> list[Path]:
    """The pieces of a file that ``split`` made, in order."""
    return sorted(path.parent.glob(f"{path.name}.part[0-9][0-9]"))


def joined(path: Path) -> bytes:
    """The content of a file, or of its pieces where only they are there. Raises InputError."""
    if path.is_file():
        return path.read_bytes()
    pieces = pieces_of(path)
    if not pieces:
        raise InputError(f"There is neither {path} nor {path.name}.part00. Check the path.")
    return b"".join(piece.read_bytes() for piece in pieces)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None, int | None]:
    """(float32 tensors, architecture, images seen) of exported weights or their pieces; None for what is not said.

    Raises InputError when the file is missing, incomplete, of another format, or has values that are not finite.
    """
    content = joined(path)
    try:
        tensors = load(content)
        metadata = _divided(content)[0].get("__metadata__", {})
        config = json.loads(metadata.get("config", "null"))
        images = int(metadata["images"]) if "images" in metadata else None
        if not isinstance(config, dict | None):
            raise ValueError("its architecture is no table of names and values")
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"{path} does not read as safetensors, or pieces of it are missing ({error}). Copy it again."
        ) from None
    require_finite(tensors, path)
    return {name: tensor.float() for name, tensor in tensors.items()}, config, images


def warm_start(model: nn.Module, path: Path) -> int:
    """Start a run from exported weights, or their pieces: every tensor must fit. Returns the images they have seen.

    A model that is to look at its surroundings, or to have a fine level, may start from one that did not; its prior is
    its own. Raises InputError.
    """
    tensors, _, images = read_weights(path)
    state = model.state_dict()
    new = {name: tensor for name, tensor in state.items() if any(part in name for part in ADDED)}
    own = {name: tensor for name, tensor in state.items() if name.startswith(OWN)}
    fill(model, new | {name: x for name, x in tensors.items() if not name.startswith(OWN)} | own, path)
    return images or 0


def fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Put the tensors of ``path`` into the model. Raises InputError for one missing, unknown or of another shape."""
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        why = str(error).splitlines()[-1].strip()
        raise InputError(
            f"{path} does not fit the architecture: {why} Name weights that do, or repeat their --config."
        ) from None
