"""A small upscaler, its files, and damage to them."""

import torch
from safetensors.torch import save_file

from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig

CONFIG = {"width": 8, "blocks": 1, "skip": "bicubic", "surroundings": False}


def upscaler_file(path, seed):
    """A file of the architecture CONFIG, which it does not say."""
    torch.manual_seed(seed)
    save_file(
        {name: tensor.half() for name, tensor in GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict().items()},
        str(path),
    )
    return path


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
