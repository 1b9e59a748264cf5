"""Images and masks from folders, tar, zip and npz shards, as uint8 tensors.

Pairs are members ``images/NAME.*`` and ``masks/NAME.png``; in an npz, the arrays ``images`` (N, 3, H, W) and ``masks``
(N, H, W). Masks hold region ids, 255 where nobody knows.
"""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from npe_core.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
UNKNOWN = 255
"""Mask id of pixels that nobody labelled: left out of losses and scores."""

Named = tuple[str, bytes]


def members(path: Path) -> Iterator[Named]:
    """(name, bytes) of every image file in a folder, a tar or a zip, in a stable order.

    Raises InputError when there is no such source, or when it does not read as one.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a folder, a .tar, a .zip or an .npz of images.")
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if is_image(file.name):
                    yield file.relative_to(path).as_posix(), file.read_bytes()
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as shard:
                for name in filter(is_image, shard.namelist()):
                    yield name, shard.read(name)
        elif path.suffix == ".tar":
            with tarfile.open(path) as shard:
                for member in shard:
                    content = shard.extractfile(member) if is_image(member.name) else None
                    if content is not None:
                        yield member.name, content.read()
        else:
            raise InputError(f"{path} is not a folder, a .tar, a .zip or an .npz of images.")
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


def is_image(name: str) -> bool:
    """Whether a file's name says that it is a picture; what begins with a dot is not."""
    pure = PurePosixPath(name)
    return pure.suffix.lower() in IMAGE_SUFFIXES and not pure.name.startswith(".")


def decode_image(named: Named, size: int) -> np.ndarray:
    """One file -> (size, size, 3) uint8 RGB. Raises InputError for what is no picture."""
    try:
        with Image.open(io.BytesIO(named[1])) as picture:
            image = picture.convert("RGB")
    except OSError as error:
        raise InputError(f"{named[0]} is not a picture that can be read ({error}).") from None
    return np.asarray(image if image.size == (size, size) else image.resize((size, size), Image.Resampling.LANCZOS))


def decode_mask(named: Named, size: int) -> np.ndarray:
    """One file -> (size, size) uint8 ids, resized without mixing them. Raises InputError for what is no mask."""
    try:
        with Image.open(io.BytesIO(named[1])) as picture:
            mask = picture if picture.mode == "P" else picture.convert("L")  # of a palette the indices are the ids
            return np.asarray(
                mask if mask.size == (size, size) else mask.resize((size, size), Image.Resampling.NEAREST)
            )
    except OSError as error:
        raise InputError(f"{named[0]} is not a mask that can be read ({error}).") from None


def _decode(decode: Callable[[Named, int], np.ndarray], files: Iterable[Named], size: int) -> Tensor:
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # pillow decodes outside the interpreter lock
        return torch.from_numpy(np.stack(list(pool.map(decode, files, _repeat(size)))))


def _repeat(size: int) -> Iterator[int]:
    while True:
        yield size


def read_images(path: Path, size: int) -> Tensor:
    """(N, 3, size, size) uint8 RGB: every image of a source that is not a mask. Raises InputError."""
    if path.suffix == ".npz":
        return _from_npz(path, size)[0]
    files = [(name, content) for name, content in members(path) if not name.startswith("masks/")]
    if not files:
        raise InputError(f"{path} holds no images.")
    return _decode(decode_image, files, size).permute(0, 3, 1, 2).contiguous()


def read_pairs(path: Path, size: int) -> tuple[Tensor, Tensor, list[str]]:
    """Images (N, 3, size, size), masks (N, size, size), both uint8, and their names. Raises InputError."""
    if path.suffix == ".npz":
        images, masks = _from_npz(path, size)
        if masks is None:
            raise InputError(f"{path} holds no masks.")
        return images, masks, [str(number) for number in range(len(images))]
    contents = dict(members(path))
    masks_of = {PurePosixPath(name).stem: name for name in contents if name.startswith("masks/")}
    names = [name for name in contents if name.startswith("images/") and PurePosixPath(name).stem in masks_of]
    if not names:
        raise InputError(f"{path} holds no pairs images/NAME.* and masks/NAME.png.")
    stems = [PurePosixPath(name).stem for name in names]
    images = _decode(decode_image, [(name, contents[name]) for name in names], size)
    masks = _decode(decode_mask, [(masks_of[stem], contents[masks_of[stem]]) for stem in stems], size)
    return images.permute(0, 3, 1, 2).contiguous(), masks, stems


def has_pairs(path: Path) -> bool:
    """Whether a source holds masks beside its images."""
    if path.suffix == ".npz":
        return _from_npz(path, None)[1] is not None
    return any(name.startswith("masks/") for name, _ in members(path))


def _from_npz(path: Path, size: int | None) -> tuple[Tensor, Tensor | None]:
    try:
        with np.load(path) as arrays:
            images = torch.from_numpy(arrays["images"])
            masks = torch.from_numpy(arrays["masks"]) if "masks" in arrays else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as an npz with an array `images`: {error}.") from None
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise InputError(f"{path}: `images` is {images.dtype} {tuple(images.shape)}; expected uint8 (N, 3, H, W).")
    if size is None or images.shape[-1] == size == images.shape[-2]:
        return images, masks
    parts = [F.interpolate(p.float(), size=(size, size), mode="bicubic", antialias=True) for p in images.split(64)]
    images = torch.cat([part.round_().clamp_(0, 255).to(torch.uint8) for part in parts])
    if masks is not None:
        masks = F.interpolate(masks[:, None], size=(size, size), mode="nearest")[:, 0]
    return images, masks
