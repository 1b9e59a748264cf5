"""The SRGAN generator of the widely copied PyTorch implementation as our upscaler: the same pictures, other names.

It has ``conv1``, ``res_blocks``, ``conv2``, ``upsampling`` and ``conv3``; its batch normalisation is folded into the
convolutions.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from torch import Tensor

from npe_core.errors import InputError
from npe_core.models.halves import require_numbers
from npe_core.models.upscaler import UpscalerConfig

State = dict[str, Tensor]


def is_srgan(state: State) -> bool:
    """Whether the names are those of that implementation."""
    return "conv1.0.weight" in state and "res_blocks.0.conv_block.0.weight" in state


def translated(state: State, path: Path) -> tuple[dict[str, Any], State]:
    """(architecture, tensors in our names) of an SRGAN generator. Raises InputError for one that is not whole."""
    blocks = 1 + max(int(m.group(1)) for name in state if (m := re.match(r"res_blocks\.(\d+)\.", name)))
    config = UpscalerConfig(width=len(state["conv1.0.weight"]), blocks=blocks, skip="none")
    require_numbers({name: x for name, x in state.items() if not name.endswith(".num_batches_tracked")}, path)
    try:
        return dataclasses.asdict(config), from_srgan(state, blocks)
    except KeyError as error:
        raise InputError(
            f"{path} is an SRGAN generator without {error.args[0]}. Save its whole state_dict()."
        ) from None
    except RuntimeError as error:
        raise InputError(
            f"{path} is an SRGAN generator whose layers do not fit together ({error}). Save it anew."
        ) from None


def from_srgan(state: State, blocks: int) -> State:
    """Names of the SRGAN generator -> ours, each batch normalisation folded into the convolution before it."""
    ours: State = {
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
        ours[f"blocks.{i}.activation.weight"] = state[f"{block}.2.weight"]
    for i in range(2):
        convolutions[f"upsample.{i}"] = (f"upsampling.{4 * i}", f"upsampling.{4 * i + 1}", 1e-5)
        ours[f"upsample_activation.{i}.weight"] = state[f"upsampling.{4 * i + 3}.weight"]
    for name, (conv, norm, eps) in convolutions.items():
        ours[f"{name}.weight"], ours[f"{name}.bias"] = fold(state, conv, norm, eps)
    return ours


def fold(state: State, conv: str, norm: str, eps: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution followed by batch normalisation in evaluation mode."""
    weight, bias = state[f"{conv}.weight"].float(), state[f"{conv}.bias"].float()
    scale = state[f"{norm}.weight"].float() * (state[f"{norm}.running_var"].float() + eps).rsqrt()
    shift = state[f"{norm}.bias"].float() - state[f"{norm}.running_mean"].float() * scale
    return weight * scale[:, None, None, None], bias * scale + shift
