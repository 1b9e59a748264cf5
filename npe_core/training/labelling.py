"""Training pairs with the beliefs of a teacher's face parser, which also labels pictures without masks."""

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
from npe_core.regions import REGIONS
from npe_core.training.arrays import resize_images
from npe_core.training.data import BELIEF_PITCH
from npe_core.training.reading import (
    UNKNOWN,
    Choice,
    count_images,
    count_pairs,
    drawn,
    has_pairs,
    read_images,
    read_pairs,
    these,
)
from npe_core.training.teachers import teacher

SURE = 0.55
"""What the parser believes less is UNKNOWN."""
BELIEF_POWER = 3.0
"""The parser is far less sure than it is right; of this power of its probabilities the masks that people drew for 777
faces of CelebAMask-HQ are the least surprising (temperature scaling, Guo et al. 2017)."""
SEEN = 512
"""Side at which the parser sees the pictures; it was made for large ones."""
TOLD_EVERY = 100
TOGETHER = 64
"""So many of them are read at a time."""


def label(
    sources: list[Path],
    teachers: Path,
    out: Path,
    size: int,
    count: int | None,
    device: str,
    seed: int,
    force: bool = False,
) -> int:
    """Write up to ``count`` pictures of each source, drawn by ``seed``, and their masks to an npz; returns how many.

    The npz holds ``images`` (N, 3, size, size), ``masks`` (N, size, size) and ``beliefs`` (N, 11, size / 4, size / 4),
    all uint8, as ``--data`` takes them. Masks that a source has are kept; an npz that is there already is replaced
    with ``force`` only. Raises UsageError, InputError, EnvironmentFault.
    """
    if out.suffix != ".npz" or out.is_dir():
        raise UsageError(f"--out {out}: expected the name of a file that ends in .npz.")
    if out.exists() and not force:
        raise UsageError(f"{out} exists already. Choose another name, or overwrite it with --force.")
    make_folder(out.parent)
    choice = choose_device(device)
    parser = teacher(teachers, "FaceParser", choice.device)
    chosen = [(source, pictures(source, drawn(count, seed))) for source in sources]
    total, pitch = sum(len(numbers) for _, numbers in chosen), size // BELIEF_PITCH
    # Filled in place: arrays kept one by one between the parser's own keep its memory from being used again.
    images = np.empty((total, 3, size, size), np.uint8)
    masks = np.empty((total, size, size), np.uint8)
    beliefs = np.empty((total, len(REGIONS), pitch, pitch), np.uint8)
    every = (example for source, numbers in chosen for example in examples(source, size, numbers))
    for done, (seen, image, mask) in enumerate(every):
        with torch.inference_mode(), torch.autocast(choice.device.type, enabled=choice.dtype != torch.float32):
            logits = parser.celeb_logits(seen).float()
        images[done] = image
        masks[done] = sure_ids(parser.regions_from_logits(logits, size)[0]) if mask is None else mask
        beliefs[done] = levels_of(parser.regions_from_logits(logits, pitch)[0])
        if sys.stderr.isatty() and (done + 1) % TOLD_EVERY == 0:
            print(f"labelled {done + 1} of {total} pictures", file=sys.stderr)
    with replace_file(out) as temporary, temporary.open("wb") as file:
        np.savez(file, images=images, masks=masks, beliefs=beliefs)
    return total


def pictures(source: Path, choice: Choice) -> list[int]:
    """The numbers of those of a source that are chosen, pairs where it has any. Raises InputError."""
    return choice(count_pairs(source) if has_pairs(source) else count_images(source))


def examples(source: Path, size: int, numbers: list[int]) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """The pictures of these numbers, uint8: (1, 3, SEEN, SEEN), (3, size, size), and the mask or None.

    Few are in memory at a time. Raises InputError.
    """
    paired = has_pairs(source)
    for start in range(0, len(numbers), TOGETHER):
        part = these(numbers[start : start + TOGETHER])
        if paired:
            seen = read_pairs(source, SEEN, part)[0]
            images, masks, _ = read_pairs(source, size, part)
            yield from zip(seen.split(1), images, masks, strict=True)
        else:
            for one in read_images(source, SEEN, part).split(1):
                yield one, resize_images(one, size)[0], None


def levels_of(probabilities: Tensor) -> Tensor:
    """(11, h, w) -> (11, h, w) uint8 in 1/255 on the CPU: as sure as the parser is right, see BELIEF_POWER."""
    raised = probabilities.pow(BELIEF_POWER)
    return raised.div(raised.sum(dim=0)).mul(255).round().to(torch.uint8).cpu()


def sure_ids(probabilities: Tensor) -> Tensor:
    """(11, H, W) -> (H, W) uint8 region ids on the CPU, UNKNOWN where no region is believed enough."""
    belief, ids = probabilities.max(dim=0)
    return ids.masked_fill(belief < SURE, UNKNOWN).to(torch.uint8).cpu()
