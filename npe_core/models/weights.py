"""Weights on disk: fp16 safetensors and a manifest with their sha256, architecture and provenance.

The manifest also tells of the weights whose place others took, so that they can come back as they were.

The folder is ``$NPE_WEIGHTS`` where that is set, else ``weights/`` of a clone, else the copy in the installed package.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npe_core.errors import WeightsError
from npe_core.files import replace_file

if TYPE_CHECKING:
    import torch
    from torch import nn

MANIFEST = "manifest.json"
KINDS = ("denoiser", "segmenter", "upscaler")
"""The three models of the editor."""
COARSE = "denoiser_coarse"
"""Beside the denoiser: a small one that lays out the faces of ``npe sample``. No edit needs it."""
SMOOTH = "upscaler_smooth"
"""Beside the upscaler: its weights before they learned to invent detail. What lies between the two is a choice."""


@dataclass(frozen=True)
class Entry:
    """One model of the manifest."""

    kind: str
    file: str
    sha256: str
    config: dict[str, Any]
    """Arguments of the model's config dataclass."""
    provenance: dict[str, Any]
    """How the weights were made: data, images seen, measured numbers."""


def weights_folder() -> Path:
    """The folder that the weights are read from (it need not exist)."""
    named = os.environ.get("NPE_WEIGHTS")
    return Path(named) if named else shipped_folder()


def shipped_folder() -> Path:
    """The folder that came with the project: of the clone, or inside the installed package."""
    package = Path(__file__).resolve().parents[1]
    clone = package.parent / "weights"
    return clone if (clone / MANIFEST).exists() else package / "_weights"


def read_manifest(folder: Path | None = None) -> dict[str, Entry]:
    """The entries by kind. Raises WeightsError when the manifest is missing or does not read as one."""
    return _read((folder or weights_folder()) / MANIFEST)[0]


def read_former(folder: Path) -> list[dict[str, Entry]]:
    """What imports and releases have taken out of the manifest, and what importing its file brings back.

    The entries that left together are by kind, the upscaler before its smooth weights; what left last comes last.
    Nothing where there is no manifest yet. Raises WeightsError for one that does not read.
    """
    return _read(folder / MANIFEST)[1] if (folder / MANIFEST).exists() else []


def _read(path: Path) -> tuple[dict[str, Entry], list[dict[str, Entry]]]:
    try:
        content = json.loads(path.read_text())
        return _entries(content["models"]), [_entries(models) for models in content.get("former", [])]
    except FileNotFoundError:
        raise WeightsError(f"There are no weights: {path} does not exist. {_remedy()}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Unset NPE_WEIGHTS, or name another folder in it." if _is_named() else _remedy()
        raise WeightsError(f"{path} does not read as a manifest of weights ({error}). {remedy}") from None


def _is_named() -> bool:
    return bool(os.environ.get("NPE_WEIGHTS"))


def _remedy() -> str:
    """What helps where weights are missing or damaged: an import fills a folder, and mends a file."""
    if _is_named():
        return "Unset NPE_WEIGHTS, or fill its folder with `npe weights import FILE`."
    return "Reinstall the package, or name a good folder in NPE_WEIGHTS."


def _entries(models: dict[str, Any]) -> dict[str, Entry]:
    return {kind: _entry(kind, fields) for kind, fields in models.items()}


def _entry(kind: str, fields: dict[str, Any]) -> Entry:
    """Raises TypeError for fields that are missing, too many or of another type."""
    entry = Entry(kind=kind, **fields)
    wanted = {"file": str, "sha256": str, "config": dict, "provenance": dict}
    for name, type_ in wanted.items():
        if not isinstance(getattr(entry, name), type_):
            raise TypeError(f"{name!r} of the {kind} is not of type {type_.__name__}")
    return entry


def entry_of(kind: str, entries: dict[str, Entry]) -> Entry:
    """The entry of a kind. Raises WeightsError where the manifest has none."""
    if kind not in entries:
        raise WeightsError(f"The manifest has no {kind}. {_remedy()}")
    return entries[kind]


def kinds_of(entries: dict[str, Entry]) -> list[str]:
    """What has to be whole: the models that an edit needs, and whatever else the manifest names."""
    return list(dict.fromkeys([*KINDS, *entries]))


def write_manifest(entries: dict[str, Entry], folder: Path, former: Sequence[dict[str, Entry]] = ()) -> None:
    """Write the manifest, whole or not at all; ``former`` as ``read_former`` gives it. Raises EnvironmentFault."""
    content: dict[str, Any] = {"models": _fields(entries)}
    if former:
        content["former"] = [_fields(models) for models in former]
    with replace_file(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def _fields(entries: dict[str, Entry]) -> dict[str, Any]:
    return {
        kind: {name: value for name, value in dataclasses.asdict(entry).items() if name != "kind"}
        for kind, entry in entries.items()
    }


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(entry: Entry, folder: Path | None = None) -> Path:
    """The path of an entry's file, its content checked. Raises WeightsError when it is missing or not what it was."""
    path = (folder or weights_folder()) / entry.file
    try:
        digest = sha256_of(path)
    except FileNotFoundError:
        raise WeightsError(f"The weights of the {entry.kind} are missing: {path}. {_remedy()}") from None
    except OSError as error:
        raise WeightsError(
            f"The weights of the {entry.kind} cannot be read: {path} ({error.strerror}). {_remedy()}"
        ) from None
    if digest != entry.sha256:
        raise WeightsError(
            f"The weights of the {entry.kind} are corrupt: {path} has sha256 {digest[:12]}, "
            f"the manifest says {entry.sha256[:12]}. {_remedy()}"
        )
    return path


def build(kind: str, config: dict[str, Any]) -> nn.Module:
    """A model of that kind and architecture, its parameters random. Raises WeightsError if the config does not fit."""
    from npe_core.models.denoiser import Denoiser, DenoiserConfig
    from npe_core.models.segmenter import Segmenter, SegmenterConfig
    from npe_core.models.shapes import from_stored
    from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig

    try:
        if kind in ("denoiser", COARSE):
            return Denoiser(from_stored(DenoiserConfig, config))
        if kind == "segmenter":
            return Segmenter(from_stored(SegmenterConfig, config))
        if kind in ("upscaler", SMOOTH):
            return GeneratorResNet(from_stored(UpscalerConfig, config))
    except (ValueError, RuntimeError) as error:
        raise WeightsError(
            f"This architecture of the {kind} does not fit this version ({error}). Take weights that belong to it."
        ) from None
    raise WeightsError(f"There is no model {kind!r}. Name one of {', '.join(KINDS)}.")


def shapes_of(kind: str, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's tensors by name; no memory is asked for them. Raises WeightsError as ``build``."""
    import torch

    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build(kind, config).state_dict().items()}


def load(kind: str, device: torch.device, dtype: torch.dtype, folder: Path | None = None) -> tuple[nn.Module, Entry]:
    """A verified model in evaluation mode on the device, channels last, its networks in ``dtype``."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    entry = entry_of(kind, read_manifest(folder))
    path = verify(entry, folder)
    with torch.device("meta"):  # no random numbers are drawn for parameters that the file replaces
        model = build(kind, entry.config)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in load_file(str(path)).items()}, assign=True)
    except (SafetensorError, RuntimeError) as error:
        why = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{path} does not fit the architecture of the manifest: {why} {_remedy()}") from None
    model.requires_grad_(False).eval()
    network = model.unet if kind in ("denoiser", COARSE) else model  # the denoiser's preconditioning stays in float32
    network.to(dtype=dtype)
    return model.to(device=device, memory_format=torch.channels_last), entry  # type: ignore[call-overload]
