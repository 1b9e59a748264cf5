"""Training pairs from pictures without masks: a teacher's face parser labels them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from npe_core.device import choose_device
from npe_core.errors import UsageError
from npe_core.files import make_folder, replace_file
from npe_core.training.arrays import resize_images
from npe_core.training.reading import UNKNOWN, Choice, count_images, drawn, read_images, these
from npe_core.training.teachers import teacher

SURE = 0.55
"""What the parser believes less is UNKNOWN."""
SEEN = 512
"""Side at which the parser sees the pictures; it was made for large ones."""
TOLD_EVERY = 100
TOGETHER = 64
"""So many of them are read at a time."""


def label(sources: list[Path], teachers: Path, out: Path, size: int, count: int | None, device: str, seed: int) -> int:
    """Write up to ``count`` pictures of each source, drawn by ``seed``, and their masks to an npz; returns how many.

    The npz holds ``images`` (N, 3, size, size) and ``masks`` (N, size, size), both uint8, as ``--data`` takes them.
    Raises UsageError, InputError, EnvironmentFault.
    """
    if out.suffix != ".npz" or out.is_dir():
        raise UsageError(f"--out {out}: expected the name of a file that ends in .npz.")
    make_folder(out.parent)
    choice = choose_device(device)
    parser = teacher(teachers, "FaceParser", choice.device)
    images: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    for source in sources:
        for one in pictures(source, drawn(count, seed)):
            with torch.inference_mode(), torch.autocast(choice.device.type, torch.bfloat16):
                logits = parser.celeb_logits(one)
            masks.append(sure_ids(parser.regions_from_logits(logits.float(), size)[0]).numpy())
            images.append(resize_images(one, size)[0].numpy())
            if sys.stderr.isatty() and len(images) % TOLD_EVERY == 0:
                print(f"labelled {len(images)} pictures", file=sys.stderr)
    with replace_file(out) as temporary, temporary.open("wb") as file:
        np.savez(file, images=np.stack(images), masks=np.stack(masks))
    return len(images)


def pictures(source: Path, choice: Choice) -> Iterator[Tensor]:
    """The chosen pictures, (1, 3, SEEN, SEEN) uint8 each, of which few are in memory at a time. Raises InputError."""
    chosen = choice(count_images(source))
    for start in range(0, len(chosen), TOGETHER):
        yield from read_images(source, SEEN, these(chosen[start : start + TOGETHER])).split(1)


def sure_ids(probabilities: Tensor) -> Tensor:
    """(11, H, W) -> (H, W) uint8 region ids on the CPU, UNKNOWN where no region is believed enough."""
    belief, ids = probabilities.max(dim=0)
    return ids.masked_fill(belief < SURE, UNKNOWN).to(torch.uint8).cpu()
