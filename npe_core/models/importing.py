"""Weights from elsewhere: our own safetensors, and PyTorch checkpoints whose keys fit one of the three models.

Checkpoints are read with ``weights_only=True``: nothing in them is executed. The SRGAN generator of the widely copied
PyTorch implementation (``conv1``, ``res_blocks``, ``conv2``, ``upsampling``, ``conv3``) is translated, its batch
normalisation folded into the convolutions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shlex
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from npe_core import locks
from npe_core.errors import EnvironmentFault, InputError, WeightsError
from npe_core.files import replace_file, written
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.halves import halved
from npe_core.models.segmenter import SegmenterConfig
from npe_core.models.sides import check_side, kind_of_side
from npe_core.models.upscaler import UpscalerConfig
from npe_core.models.weights import (
    KINDS,
    MANIFEST,
    SMOOTH,
    Entry,
    build,
    read_former,
    read_manifest,
    sha256_of,
    shipped_folder,
    verify,
    weights_folder,
    write_manifest,
)

State = dict[str, Tensor]

_PREFIXES = ("module.", "_orig_mod.", "model.", "generator.")
_CONTAINERS = ("state_dict", "model_state_dict", "model", "ema", "generator", "net", "params")


def import_weights(path: Path, folder: Path | None = None) -> Entry:
    """Put the weights of a file into the weights folder as fp16, and into its manifest.

    The file is named after its content: the weights before stay in theirs, and importing that file goes back to them,
    byte for byte: to their entry, and from an upscaler to the smooth weights that belong to it too. So does importing a
    file of the shipped weights. The other models stay as they are; the very file that is in use already changes
    nothing, but takes the place of a copy of it that was damaged. Raises InputError when the file is not a checkpoint,
    fits none of the models, or has values that float16 does not hold.
    """
    folder = folder or weights_folder()
    if path.is_file():
        digest = sha256_of(path)
        entry = _in_use(path, digest, folder) or _brought_back(path, digest, folder)
        if entry is not None:
            return entry
    state, stored_config = read_checkpoint(path)
    kind, config, state = recognise(state, stored_config, path)
    content = save(
        halved(state, path), metadata={"config": json.dumps(config)}
    )  # by which it can be imported elsewhere
    with _written(folder), changing(folder) as entries:
        entry = put(new_entry(kind, content, config, {"imported_from": path.name}), content, folder)
        exchange({kind: entry}, entries, folder)
    return entry


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[dict[str, Entry]]:
    """The manifest of a weights folder, until ``exchange`` has written it: whoever else would change it waits.

    A folder without one is first filled with the shipped weights: no model is missing. Raises EnvironmentFault.
    """
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        with written(folder):
            _fill(folder)
        yield read_manifest(folder) if (folder / MANIFEST).exists() else {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = None
    try:
        with contextlib.suppress(OSError):  # not every system can open or lock a folder
            descriptor = os.open(folder, os.O_RDONLY)
            locks.wait_for(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _fill(folder: Path) -> None:
    shipped = shipped_folder()
    if (folder / MANIFEST).exists() or not (shipped / MANIFEST).exists():
        return
    files = [path.name for path in sorted(shipped.iterdir()) if path.is_file() and path.name != MANIFEST]
    for name in (*files, MANIFEST):  # that last: killed before, the next call begins again
        with replace_file(folder / name) as temporary:
            shutil.copyfile(shipped / name, temporary)


def new_entry(kind: str, content: bytes, config: dict[str, Any], provenance: dict[str, Any]) -> Entry:
    """The entry of weights whose file is to be named after its content."""
    digest = hashlib.sha256(content).hexdigest()
    return Entry(kind, _name_of(kind, digest), digest, config, provenance)


def known_entry(kind: str, digest: str, folder: Path) -> Entry | None:
    """The entry that these bytes have as that kind: in the manifest, before others took their place, or as shipped.

    What it says of where they come from, their file does not say.
    """
    now = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    entries = (models.get(kind) for models in (now, *read_former(folder)[::-1], _shipped()))
    return next((entry for entry in entries if entry is not None and entry.sha256 == digest), None)


def put(entry: Entry, content: bytes, folder: Path) -> Entry:
    """The entry with its file in the folder, written there if need be: under its name, unless others have that."""
    if (folder / entry.file).exists() and not _is_whole(entry, folder):
        entry = dataclasses.replace(entry, file=_name_of(entry.kind, entry.sha256))
    if not _is_whole(entry, folder):
        with replace_file(folder / entry.file) as temporary:
            temporary.write_bytes(content)  # save_file would let nobody but its owner read it
    return entry


def _name_of(kind: str, digest: str) -> str:
    return f"{kind}-{digest[:12]}.safetensors"


def exchange(new: dict[str, Entry], entries: dict[str, Entry], folder: Path, remember: bool = True) -> None:
    """Write the manifest: ``new``, the first of them the model that has come, in the place of what belongs together.

    Until here everything is as it was, whatever kills it. ``remember``: note what left, so that it can come back.
    """
    old = _with_its_own(next(iter(new)), entries)
    came, went = _digest(new), _digest(old)
    former = [models for models in read_former(folder) if _digest(models) not in (came, went)]
    if remember and old and came != went:
        former.append(old)
    kept = {kind: entry for kind, entry in {**entries, **new}.items() if kind in new or kind not in old}
    write_manifest(kept, folder, former)


def way_back(kind: str, folder: Path) -> str | None:
    """The command by which the weights before, of a kind, come back; None where there are none.

    Smooth weights come back by a release, which knows their entry again: an import would make the upscaler of them.
    """
    left = [models[kind].file for models in read_former(folder) if next(iter(models), None) == kind]
    if not left or not (folder / left[-1]).exists():
        return None
    command = f"npe train release {SMOOTH}" if kind == SMOOTH else "npe weights import"
    if folder.resolve() != weights_folder().resolve():
        command = f"NPE_WEIGHTS={shlex.quote(str(folder))} {command}"
    return f"{command} {shlex.quote(str(folder / left[-1]))}"


def _digest(models: dict[str, Entry]) -> str:
    """By which weights that belong together are known: the sha256 of the first."""
    return next((entry.sha256 for entry in models.values()), "")


def _with_its_own(kind: str, entries: dict[str, Entry]) -> dict[str, Entry]:
    """The entry of a kind and those that come and go with it: the smooth weights belong to the upscaler."""
    kinds = (kind, SMOOTH) if kind == "upscaler" else (kind,)
    return {one: entries[one] for one in kinds if one in entries}


def _in_use(path: Path, digest: str, folder: Path) -> Entry | None:
    """The entry of the manifest that names the same bytes; where its own file is not whole, it is put there again.

    A whole upscaler_smooth does not count: who imports its file wants it as the upscaler.
    """
    if not (folder / MANIFEST).exists():
        return None
    for entry in read_manifest(folder).values():
        if entry.sha256 != digest:
            continue
        if not _is_whole(entry, folder):
            with _written(folder), replace_file(folder / entry.file) as temporary:
                shutil.copyfile(path, temporary)
            return entry
        if entry.kind != SMOOTH:
            return entry
    return None


def _brought_back(path: Path, digest: str, folder: Path) -> Entry | None:
    """The entry that these bytes had in the manifest, or have in the shipped one, put back with what belongs to it.

    Smooth weights that are whole nowhere any more stay away.
    """
    shipped = _shipped()
    known = [*read_former(folder)[::-1], *(_with_its_own(kind, shipped) for kind in shipped)]
    matching = [models for models in known if _digest(models) == digest and next(iter(models)) != SMOOTH]
    if not matching:
        return None
    (kind, entry), *others = max(matching, key=len).items()  # once it may have gone without what belongs to it
    with _written(folder), changing(folder) as entries:
        new = {kind: put(entry, path.read_bytes(), folder)}
        for other, one in others:
            home = next((place for place in (folder, shipped_folder()) if _is_whole(one, place)), None)
            if home is not None:
                new[other] = put(one, (home / one.file).read_bytes(), folder)
        exchange(new, entries, folder)
    return new[kind]


def _shipped() -> dict[str, Entry]:
    with contextlib.suppress(WeightsError):
        return read_manifest(shipped_folder())
    return {}


def _is_whole(entry: Entry, folder: Path) -> bool:
    try:
        verify(entry, folder)
    except WeightsError:
        return False
    return True


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Around the writing of weights: what the system refuses is raised as EnvironmentFault that says what to do."""
    try:
        with written(folder):
            yield
    except EnvironmentFault as fault:
        raise EnvironmentFault(f"{fault} Name another folder in NPE_WEIGHTS.") from None


def read_checkpoint(path: Path) -> tuple[State, dict[str, Any] | None]:
    """(tensors by name, architecture if the file says it). Containers and wrapper prefixes are taken off."""
    if not path.is_file():
        raise InputError(f"{path} is not a file.")
    try:
        if path.suffix == ".safetensors":
            with safe_open(str(path), framework="pt") as file:
                config = json.loads((file.metadata() or {}).get("config", "null"))
                if not isinstance(config, dict | None):
                    raise ValueError("its architecture is no table of names and values")
                return {name: file.get_tensor(name) for name in file.keys()}, config  # noqa: SIM118
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of odd pickles; what matters is whether they load
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no pickle fails in whatever way its first letters mean to one
        raise InputError(
            f"{path} does not read as a checkpoint. Expected .safetensors, or tensors alone as torch.save writes them."
        ) from error
    while isinstance(loaded, dict):
        inner = next((loaded[name] for name in _CONTAINERS if isinstance(loaded.get(name), dict)), None)
        if inner is None:
            break
        loaded = inner
    if not isinstance(loaded, dict) or not any(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(f"{path} holds no tensors by name.")
    return strip_prefixes({str(n): v for n, v in loaded.items() if isinstance(v, Tensor)}), None


def strip_prefixes(state: State) -> State:
    """Take off a wrapper's prefix that all names share."""
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            return strip_prefixes({name.removeprefix(prefix): tensor for name, tensor in state.items()})
    return state


def recognise(state: State, config: dict[str, Any] | None, path: Path) -> tuple[str, dict[str, Any], State]:
    """(kind, architecture, tensors in our names).

    Raises InputError that says how near the nearest model was, and for a denoiser of a side that the editor has no use
    for.
    """
    if "conv1.0.weight" in state and "res_blocks.0.conv_block.0.weight" in state:
        blocks = 1 + max(int(m.group(1)) for name in state if (m := re.match(r"res_blocks\.(\d+)\.", name)))
        srgan = UpscalerConfig(width=len(state["conv1.0.weight"]), blocks=blocks, skip="none")
        try:
            state, config = from_srgan(state, blocks), dataclasses.asdict(srgan)
        except KeyError as error:
            raise InputError(f"{path} is an SRGAN generator without {error.args[0]}.") from None
        except RuntimeError as error:
            raise InputError(f"{path} is an SRGAN generator whose layers do not fit together ({error}).") from None
    defaults = {
        "denoiser": dataclasses.asdict(DenoiserConfig()),
        "segmenter": dataclasses.asdict(SegmenterConfig()),
        "upscaler": dataclasses.asdict(UpscalerConfig()),
    }
    nearest = (-1, "")
    for kind in KINDS:
        fits = config is not None and config.keys() <= defaults[kind].keys()  # older files say less
        candidate = {**defaults[kind], **config} if fits and config is not None else defaults[kind]
        try:
            model = build(kind, candidate)
        except WeightsError as error:
            raise InputError(f"{path}: {error}") from None
        wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        fitting = sum(tuple(state[name].shape) == shape for name, shape in wanted.items() if name in state)
        if fitting == len(wanted) == len(state):
            if kind == "denoiser":
                kind = kind_of_side(candidate["image_size"])
                check_side(kind, candidate["image_size"], path)
            return kind, candidate, state
        nearest = max(
            nearest, (fitting, f"{fitting} of the {len(wanted)} tensors of the {kind} fit, {len(state)} are there")
        )
    raise InputError(f"{path} fits none of the models; nearest: {nearest[1]}.")


def from_srgan(state: State, blocks: int) -> State:
    """Names of the SRGAN generator -> ours, each batch normalisation folded into the convolution before it."""
    translated: State = {
        "stem_activation.weight": state["conv1.1.weight"],
        "stem.weight": state["conv1.0.weight"],
        "stem.bias": state["conv1.0.bias"],
        "head.weight": state["conv3.0.weight"],
        "head.bias": state["conv3.0.bias"],
    }
    # BatchNorm2d(64, 0.8), as that implementation writes it, sets eps (not momentum) to 0.8 in the residual blocks and
    # the trunk; the normalisation of the upsampling layers has the default eps.
    convolutions = {"trunk": ("conv2.0", "conv2.1", 0.8)}
    for i in range(blocks):
        block = f"res_blocks.{i}.conv_block"
        convolutions[f"blocks.{i}.conv_in"] = (f"{block}.0", f"{block}.1", 0.8)
        convolutions[f"blocks.{i}.conv_out"] = (f"{block}.3", f"{block}.4", 0.8)
        translated[f"blocks.{i}.activation.weight"] = state[f"{block}.2.weight"]
    for i in range(2):
        convolutions[f"upsample.{i}"] = (f"upsampling.{4 * i}", f"upsampling.{4 * i + 1}", 1e-5)
        translated[f"upsample_activation.{i}.weight"] = state[f"upsampling.{4 * i + 3}.weight"]
    for name, (conv, norm, eps) in convolutions.items():
        translated[f"{name}.weight"], translated[f"{name}.bias"] = fold(state, conv, norm, eps)
    return translated


def fold(state: State, conv: str, norm: str, eps: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution followed by batch normalisation in evaluation mode."""
    weight, bias = state[f"{conv}.weight"].float(), state[f"{conv}.bias"].float()
    scale = state[f"{norm}.weight"].float() * (state[f"{norm}.running_var"].float() + eps).rsqrt()
    shift = state[f"{norm}.bias"].float() - state[f"{norm}.running_mean"].float() * scale
    return weight * scale[:, None, None, None], bias * scale + shift
