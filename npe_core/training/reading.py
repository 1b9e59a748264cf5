"""Images and masks from folders, tar, zip and npz shards, as uint8 tensors.

Pairs are members ``images/NAME.*`` and ``masks/NAME.png``, where NAME may have folders in it; in an npz, the arrays
``images`` (N, 3, H, W) and ``masks`` (N, H, W), perhaps with a teacher's ``beliefs``. Masks hold region ids, 255 where
nobody knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from npe_core.errors import InputError
from npe_core.training.arrays import Arrays, holds_arrays, read_arrays, resize_images, resize_masks
from npe_core.training.decoding import UNKNOWN, decode_image, decode_mask, size_of
from npe_core.training.sources import IMAGE_SUFFIXES, PAIR_FOLDERS, Source, open_source

__all__ = [
    "UNKNOWN",
    "Choice",
    "count_images",
    "count_pairs",
    "count_unpaired",
    "drawn",
    "has_pairs",
    "read_beliefs",
    "read_images",
    "read_pairs",
    "these",
]

TOGETHER = 256
"""So many files are held in memory at a time while they are decoded."""

_LABEL = "Make masks with npe train label."

Content = TypeVar("Content")
Choice = Callable[[int], list[int]]
"""Of so many pictures, the numbers of those that are wanted, in the order in which they are."""


def drawn(count: int | None, seed: int) -> Choice:
    """``count`` pictures drawn by ``seed``, or all of them shuffled."""
    return lambda total: torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:count].tolist()


def these(numbers: list[int]) -> Choice:
    """The pictures of these numbers."""
    return lambda total: numbers


def count_images(path: Path) -> int:
    """How many images a source has. Raises InputError."""
    if holds_arrays(path):
        return len(read_arrays(path).images)
    with open_source(path) as source:
        return len(_images(source))


def read_images(path: Path, size: int, choice: Choice | None = None, least: int = 1) -> Tensor:
    """(N, 3, size, size) uint8 RGB: every image of a source that is not a mask, or those that are chosen.

    The others are not decoded. Raises InputError, also where one has fewer than ``least`` pixels a side.
    """
    if holds_arrays(path):
        images = read_arrays(path).images
        images = images if choice is None else images[choice(len(images))]
        if min(images.shape[2:]) < least:
            raise _too_small(path, len(images), len(images), least)
        return resize_images(images, size)
    with open_source(path) as source:
        names = _images(source)
        if choice is not None:
            names = [names[number] for number in choice(len(names))]
        decoded = np.empty((len(names), 3, size, size), np.uint8)
        small: list[int] = []

        def decode(number: int, content: bytes) -> None:
            shown = source.shown(names[number])
            if least > 1 and min(size_of(shown, content)) < least:
                small.append(number)
            else:
                decoded[number] = decode_image(shown, content, size).transpose(2, 0, 1)

        _in_threads(decode, map(source.read, names))
    if small:
        raise _too_small(path, len(small), len(names), least)
    return torch.from_numpy(decoded)


def _too_small(path: Path, small: int, total: int, least: int) -> InputError:
    """What is said of a source with so many pictures that would have to be enlarged."""
    return InputError(
        f"{path}: {small} of {total} pictures have fewer than {least} pixels a side. Sharp ones are needed here: take "
        "the small ones out."
    )


def count_pairs(path: Path) -> int:
    """How many pairs of image and mask a source has. Raises InputError when it has none."""
    if holds_arrays(path):
        return len(_paired(path)[0].images)
    with open_source(path) as source:
        return len(_pairs(source))


def count_unpaired(path: Path) -> int:
    """How many images of a source of pairs have no mask, and are left out. Raises InputError when it has no pairs."""
    if holds_arrays(path):
        return 0
    with open_source(path) as source:
        return len(_images(source)) - len(_pairs(source))


def read_pairs(path: Path, size: int, choice: Choice | None = None) -> tuple[Tensor, Tensor, list[str]]:
    """Images (N, 3, size, size), masks (N, size, size), both uint8, and their names, of all pairs or of those chosen.

    A name is the path below images/, without suffix. Raises InputError.
    """
    if holds_arrays(path):
        arrays, ids = _paired(path)
        chosen = list(range(len(ids))) if choice is None else choice(len(ids))
        kept = slice(None) if choice is None else chosen
        return resize_images(arrays.images[kept], size), resize_masks(ids[kept], size), [str(n) for n in chosen]
    with open_source(path) as source:
        pairs = _pairs(source)
        if choice is not None:
            pairs = [pairs[number] for number in choice(len(pairs))]
        images = np.empty((len(pairs), 3, size, size), np.uint8)
        masks = np.empty((len(pairs), size, size), np.uint8)

        def decode(number: int, contents: tuple[bytes, bytes]) -> None:
            name, mask = pairs[number]
            images[number] = decode_image(source.shown(name), contents[0], size).transpose(2, 0, 1)
            masks[number] = decode_mask(source.shown(mask), contents[1], size, contents[0])

        _in_threads(decode, ((source.read(name), source.read(mask)) for name, mask in pairs))
    return torch.from_numpy(images), torch.from_numpy(masks), [_key(name) for name, _ in pairs]


def read_beliefs(path: Path) -> Tensor | None:
    """(N, 11, h, w) uint8: a teacher's probabilities of the regions in 1/255, where a source holds them.

    Raises InputError.
    """
    return read_arrays(path).beliefs if holds_arrays(path) else None


def _paired(path: Path) -> tuple[Arrays, Tensor]:
    """The arrays of an npz, and its masks. Raises InputError when there are none."""
    arrays = read_arrays(path)
    if arrays.masks is None:
        raise InputError(f"{path} holds no array `masks`. {_LABEL}")
    return arrays, arrays.masks


def _images(source: Source) -> list[str]:
    """The names of what is no mask. Raises InputError when there are none."""
    names = [name for name in source.names if not name.startswith("masks/")]
    if not names:
        suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
        raise InputError(f"{source.path} holds no images. Name one that has files in {suffixes}.")
    return names


def _pairs(source: Source) -> list[tuple[str, str]]:
    """(image, mask) of the same name. Raises InputError when there are none, or more than one of a name."""
    images, masks = (_by_key(source, folder) for folder in PAIR_FOLDERS)
    pairs = [(name, masks[key]) for key, name in images.items() if key in masks]
    if not pairs:
        raise InputError(f"{source.path} holds no pairs images/NAME.* and masks/NAME.png. {_LABEL}")
    return pairs


def _by_key(source: Source, folder: str) -> dict[str, str]:
    """The files of a folder of pairs by their names. Raises InputError for two of the same."""
    found: dict[str, str] = {}
    for name in source.names:
        if name.startswith(f"{folder}/"):
            other = found.setdefault(_key(name), name)
            if other != name:
                raise InputError(
                    f"{source.shown(other)} and {PurePosixPath(name).name} have the same name, by which images and "
                    "masks are paired. Rename one, or take it out."
                )
    return found


def _key(name: str) -> str:
    """By which an image finds its mask: the path below images/ or masks/, without suffix."""
    return PurePosixPath(name).relative_to(name.partition("/")[0]).with_suffix("").as_posix()


def has_pairs(path: Path) -> bool:
    """Whether a source holds masks beside its images. Raises InputError."""
    if holds_arrays(path):
        return read_arrays(path).masks is not None
    with open_source(path) as source:
        return any(name.startswith("masks/") for name in source.names)


def _in_threads(decode: Callable[[int, Content], None], contents: Iterable[Content]) -> None:
    """``decode(number, content)`` of everything; it is read here, as an archive is read by one thread only."""
    numbered = enumerate(contents)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # pillow decodes outside the interpreter lock
        while together := list(islice(numbered, TOGETHER)):
            for _ in pool.map(lambda one: decode(*one), together):
                pass
