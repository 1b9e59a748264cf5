"""Training pairs from pictures without masks: a teacher's face parser labels them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.device import choose_device
from npe_core.errors import UsageError
from npe_core.training.files import make_folder, replace_file
from npe_core.training.reading import UNKNOWN, read_images
from npe_core.training.teachers import load_teachers

SURE = 0.55
"""What the parser believes less is UNKNOWN."""
SEEN = 512
"""Side at which the parser sees the pictures; it was made for large ones."""
TOLD_EVERY = 100


def label(sources: list[Path], teachers: Path, out: Path, size: int, count: int | None, device: str, seed: int) -> int:
    """Write up to ``count`` pictures of each source, drawn by ``seed``, and their masks to an npz; returns how many.

    The npz holds ``images`` (N, 3, size, size) and ``masks`` (N, size, size), both uint8, as ``--data`` takes them.
    Raises UsageError, InputError, EnvironmentFault.
    """
    if out.suffix != ".npz" or out.is_dir():
        raise UsageError(f"--out {out}: expected the name of a file that ends in .npz.")
    make_folder(out.parent)
    choice = choose_device(device)
    parser = load_teachers(teachers).FaceParser(choice.device)
    images: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    for source in sources:
        found = read_images(source, SEEN)
        order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))[:count]
        for one in found[order].split(1):
            with torch.inference_mode(), torch.autocast(choice.device.type, torch.bfloat16):
                logits = parser.celeb_logits(one)
            masks.append(sure_ids(parser.regions_from_logits(logits.float(), size)[0]).numpy())
            images.append(shrunk(one, size)[0].numpy())
            if len(images) % TOLD_EVERY == 0:
                print(f"labelled {len(images)} pictures", file=sys.stderr)
    with replace_file(out) as temporary, temporary.open("wb") as file:
        np.savez(file, images=np.stack(images), masks=np.stack(masks))
    return len(images)


def sure_ids(probabilities: Tensor) -> Tensor:
    """(11, H, W) -> (H, W) uint8 region ids on the CPU, UNKNOWN where no region is believed enough."""
    belief, ids = probabilities.max(dim=0)
    return ids.masked_fill(belief < SURE, UNKNOWN).to(torch.uint8).cpu()


def shrunk(images: Tensor, size: int) -> Tensor:
    """(B, 3, H, W) uint8 -> (B, 3, size, size) uint8, antialiased."""
    smaller = F.interpolate(images.float(), size=(size, size), mode="bicubic", antialias=True, align_corners=False)
    return smaller.round().clamp(0, 255).to(torch.uint8)
