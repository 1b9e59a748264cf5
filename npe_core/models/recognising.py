"""Which of the models, and of which architecture, tensors belong to: by their names and sizes."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

from torch import Tensor

from npe_core.errors import InputError, WeightsError
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.segmenter import SegmenterConfig
from npe_core.models.sides import check_side, kind_of_side
from npe_core.models.srgan import is_srgan, translated
from npe_core.models.upscaler import UpscalerConfig
from npe_core.models.weights import KINDS, shapes_of

State = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def recognise(state: State, config: dict[str, Any] | None, path: Path) -> tuple[str, dict[str, Any], State]:
    """(kind, architecture, tensors in our names). Without a config the architecture is read off the tensors.

    Raises InputError that says how near the nearest model was, and for a denoiser of a side that the editor has no use
    for.
    """
    if is_srgan(state):
        config, state = translated(state, path)
    defaults = {
        "denoiser": dataclasses.asdict(DenoiserConfig()),
        "segmenter": dataclasses.asdict(SegmenterConfig()),
        "upscaler": dataclasses.asdict(UpscalerConfig()),
    }
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    nearest = (-1, "")
    for kind in KINDS:
        if config is None:
            candidate, wanted = _by_sizes(kind, defaults[kind], found)
        else:
            stored = config if config.keys() <= defaults[kind].keys() else {}
            candidate = {**defaults[kind], **stored}  # older files say less
            try:
                wanted = shapes_of(kind, candidate)
            except WeightsError as error:
                raise InputError(f"{path}: {error}") from None
        if wanted == found:
            if kind == "denoiser":
                kind = kind_of_side(candidate["image_size"])
                check_side(kind, candidate["image_size"], path)
            return kind, candidate, state
        fitting = sum(found.get(name) == shape for name, shape in wanted.items())
        told = f"{fitting} of the {len(wanted)} tensors of the {kind} fit, {len(found)} are there"
        nearest = max(nearest, (fitting, f"{told}; {_first_difference(wanted, found)}"))
    raise InputError(f"{path} fits none of the models; nearest: {nearest[1]}. Name weights of one of them.")


def _first_difference(wanted: Shapes, found: Shapes) -> str:
    for name, shape in wanted.items():
        if name not in found:
            return f"{name} is missing"
        if found[name] != shape:
            return f"{name} is {found[name]}, not {shape}"
    return f"{next(name for name in found if name not in wanted)} is one too many"


def _by_sizes(kind: str, usual: dict[str, Any], found: Shapes) -> tuple[dict[str, Any], Shapes]:
    """(architecture, its shapes): as the sizes tell it, all else as usual; usual alone where they tell of nothing."""
    sizes = {"denoiser": _of_denoiser, "segmenter": _of_segmenter, "upscaler": _of_upscaler}[kind]
    try:
        candidate = {**usual, **sizes(found)}
        return candidate, shapes_of(kind, candidate)
    except (LookupError, ArithmeticError, ValueError, WeightsError):  # tensors of another network
        return usual, shapes_of(kind, usual)


def _of_upscaler(found: Shapes) -> dict[str, Any]:
    return {
        "width": found["stem.weight"][0],
        "blocks": _count(r"blocks\.(\d+)\.", found),
        "surroundings": "surroundings.weight" in found,
    }


def _of_segmenter(found: Shapes) -> dict[str, Any]:
    base, inputs = found["stem.weight"][:2]
    return {
        "patch": _side(inputs),
        "base": base,
        "mults": [found[f"down.{i}.0.weight"][0] // base for i in range(_count(r"down\.(\d+)\.", found))],
        "fine": found.get("fine.look.0.weight", (0,))[0],
    }


def _of_denoiser(found: Shapes) -> dict[str, Any]:
    """Its side too, by the first level with attention: that works at the greater of the usual heights."""
    base, inputs = found["unet.stem.weight"][:2]
    levels = range(_count(r"unet\.down\.(\d+)\.", found))
    first, *_ = [i for i in levels if f"unet.down.{i}.0.attention.qkv.weight" in found]
    return {
        "image_size": DenoiserConfig().attention[0] * _side(inputs) * 2**first,
        "patch": _side(inputs),
        "base": base,
        "mults": [found[f"unet.down.{i}.0.block.conv_out.weight"][0] // base for i in levels],
        "blocks": _count(r"unet\.down\.0\.(\d+)\.", found),
        "surroundings": "unet.surroundings.weight" in found,
        "prior": _side(found.get("prior.mean", (0,))[0]),
    }


def _count(pattern: str, found: Shapes) -> int:
    """Of layers that the pattern numbers."""
    return len({m.group(1) for name in found if (m := re.match(pattern, name))})


def _side(numbers: int) -> int:
    """Of a square of so many numbers in three colours."""
    return math.isqrt(numbers // 3)
