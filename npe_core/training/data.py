"""Images for training from folders, tar and zip shards, held in memory as uint8 tensors.

A source is written ``PATH`` or ``PATH=WEIGHT``; the weight is its share of the draws (default: its number of
images). Image+mask pairs are members ``images/NAME.*`` and ``masks/NAME.png`` of one shard or folder.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from npe_core.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
UNKNOWN = 255
"""Mask id of pixels that nobody labelled: left out of losses and scores."""


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every image file in a folder, a tar or a zip, in a stable order."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in IMAGE_SUFFIXES:
                yield file.relative_to(path).as_posix(), file.read_bytes()
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as shard:
            for name in shard.namelist():
                if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
                    yield name, shard.read(name)
    elif path.suffix == ".tar":
        with tarfile.open(path) as shard:
            for member in shard:
                file = shard.extractfile(member)
                if file is not None and PurePosixPath(member.name).suffix.lower() in IMAGE_SUFFIXES:
                    yield member.name, file.read()
    else:
        raise InputError(f"{path} is not a folder, a .tar or a .zip of images.")


def decode(content: bytes, mode: str, size: int) -> np.ndarray:
    """One file -> (size, size, 3) or, in mode ``L``, (size, size) uint8; masks are resized without mixing ids."""
    with Image.open(io.BytesIO(content)) as picture:
        image = picture.convert(mode)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.NEAREST if mode == "L" else Image.Resampling.LANCZOS)
    return np.asarray(image)


def read_images(path: Path, size: int) -> Tensor:
    """(N, 3, size, size) uint8 RGB: every image of a source that is not a mask."""
    faces = [decode(content, "RGB", size) for name, content in members(path) if not name.startswith("masks/")]
    if not faces:
        raise InputError(f"{path} holds no images.")
    return torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).contiguous()


def read_pairs(path: Path, size: int) -> tuple[Tensor, Tensor, list[str]]:
    """Images (N, 3, size, size) uint8, masks (N, size, size) uint8 (0..10 and 255 = unknown), and their names."""
    contents = dict(members(path))
    names = [name for name in contents if name.startswith("images/")]
    masks = {PurePosixPath(name).stem: name for name in contents if name.startswith("masks/")}
    names = [name for name in names if PurePosixPath(name).stem in masks]
    if not names:
        raise InputError(f"{path} holds no pairs images/NAME.* and masks/NAME.png.")
    faces = np.stack([decode(contents[name], "RGB", size) for name in names])
    ids = np.stack([decode(contents[masks[PurePosixPath(name).stem]], "L", size) for name in names])
    stems = [PurePosixPath(name).stem for name in names]
    return torch.from_numpy(faces).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(ids), stems


def parse_source(text: str) -> tuple[Path, float | None]:
    """``PATH`` or ``PATH=WEIGHT`` -> (path, weight or None)."""
    head, separator, tail = text.rpartition("=")
    if separator:
        try:
            return Path(head), float(tail)
        except ValueError:
            pass
    return Path(text), None


@dataclass(frozen=True)
class Mixture:
    """Several sets of aligned tensors, drawn with replacement so that each set keeps its share."""

    sets: tuple[tuple[Tensor, ...], ...]
    """One tuple a source, each tensor with the same first dimension: (images,) or (images, masks)."""
    shares: tuple[float, ...]

    @classmethod
    def of(cls, sets: list[tuple[Tensor, ...]], weights: list[float | None], device: torch.device) -> Mixture:
        sizes = [float(len(tensors[0])) if weight is None else weight for tensors, weight in zip(sets, weights, strict=True)]
        total = sum(sizes)
        moved = tuple(tuple(tensor.to(device) for tensor in tensors) for tensors in sets)
        return cls(moved, tuple(size / total for size in sizes))

    def __len__(self) -> int:
        return sum(len(tensors[0]) for tensors in self.sets)

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """count examples: the tensors of the sets, each (count, ...), chosen by the CPU generator rng."""
        which = torch.multinomial(torch.tensor(self.shares), count, replacement=True, generator=rng)
        rows = []
        for choice in which.tolist():
            tensors = self.sets[choice]
            index = int(torch.randint(len(tensors[0]), (), generator=rng))
            rows.append(tuple(tensor[index] for tensor in tensors))
        return tuple(torch.stack(column) for column in zip(*rows, strict=True))


def load_images(sources: list[str], size: int, device: torch.device) -> Mixture:
    """A Mixture of plain images."""
    parsed = [parse_source(text) for text in sources]
    return Mixture.of([(read_images(path, size),) for path, _ in parsed], [weight for _, weight in parsed], device)


def load_pairs(sources: list[str], size: int, device: torch.device) -> Mixture:
    """A Mixture of (image, mask) pairs."""
    parsed = [parse_source(text) for text in sources]
    sets: list[tuple[Tensor, ...]] = [read_pairs(path, size)[:2] for path, _ in parsed]
    return Mixture.of(sets, [weight for _, weight in parsed], device)


def to_float(images: Tensor) -> Tensor:
    """uint8 0..255 -> float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def to_uint8(x: Tensor) -> Tensor:
    """float in [-1, 1] (clipped) -> uint8, rounded to the nearest."""
    return x.float().add(1.0).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
