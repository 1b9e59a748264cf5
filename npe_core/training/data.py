"""What is trained on: several sources, held in memory as uint8 and drawn from with fixed shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npe_core.errors import InputError, UsageError
from npe_core.filenames import printable
from npe_core.models.levels import to_float, to_uint8
from npe_core.regions import REGIONS
from npe_core.training.arrays import resize_images
from npe_core.training.reading import UNKNOWN, count_unpaired, read_beliefs, read_images, read_pairs

__all__ = [
    "UNKNOWN",
    "Mixture",
    "distinct",
    "load_images",
    "load_pairs",
    "parse_source",
    "source_name",
    "to_float",
    "to_uint8",
]

BELIEF_PITCH = 4
"""So many pixels of a picture, along each side, share one belief: where exactly a border lies is told by the mask."""


def parse_source(text: str) -> tuple[Path, float | None]:
    """``PATH`` or ``PATH=WEIGHT`` -> (path, weight or None). Raises UsageError for a weight that is not above 0."""
    head, separator, tail = text.rpartition("=")
    if not separator:
        return Path(text), None
    try:
        weight = float(tail)
    except ValueError:
        if Path(text).exists() or not Path(head).exists():
            return Path(text), None
        weight = 0
    if not 0 < weight < float("inf"):
        raise UsageError(f"{text}: {tail!r} is no share of {head}. Write a number above 0 behind the =.")
    return Path(head), weight


def source_name(path: Path) -> str:
    """What a source is called in reports: its last two names, never where it lies on a machine."""
    return printable("/".join(path.absolute().parts[-2:]))


def distinct(names: Iterable[str]) -> list[str]:
    """The names in their order, no two the same: one that was there before gets its number."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        while name in found:
            name = f"{name} {number}"
        found[name] = None
    return list(found)


@dataclass(frozen=True)
class Mixture:
    """Several sets of aligned tensors, drawn with replacement so that each set keeps its share."""

    sets: tuple[tuple[Tensor, ...], ...]
    """One tuple a source, each tensor with the same first dimension: (images,) or (images, masks, beliefs)."""
    shares: tuple[float, ...]
    names: tuple[str, ...] = ()
    unpaired: tuple[int, ...] = ()
    """Images of each source that were left out, because they have no mask."""

    @classmethod
    def of(
        cls,
        sets: list[tuple[Tensor, ...]],
        weights: list[float | None],
        device: torch.device,
        names: tuple[str, ...] = (),
    ) -> Mixture:
        """A set without a weight weighs what it has examples."""
        pairs = zip(sets, weights, strict=True)
        sizes = [float(len(tensors[0])) if weight is None else weight for tensors, weight in pairs]
        moved = tuple(tuple(tensor.to(device) for tensor in tensors) for tensors in sets)
        return cls(moved, tuple(size / sum(sizes) for size in sizes), names)

    def __len__(self) -> int:
        return sum(len(tensors[0]) for tensors in self.sets)

    def describe(self) -> list[dict[str, Any]]:
        """Name, number of examples and share of each source, and how many images were left out, where some were."""
        rows: list[dict[str, Any]] = [
            {"name": name, "examples": len(examples[0]), "share": round(share, 4)}
            for name, examples, share in zip(self.names, self.sets, self.shares, strict=False)
        ]
        for row, count in zip(rows, self.unpaired, strict=False):
            row |= {"without_mask": count} if count else {}
        return rows

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """count examples: the tensors of the sets, each (count, ...), chosen by the CPU generator rng.

        One gather a source, so that large batches cost no loop over images.
        """
        which = torch.multinomial(torch.tensor(self.shares), count, replacement=True, generator=rng)
        where = torch.rand(count, generator=rng, dtype=torch.float64)
        drawn = tuple(tensor.new_empty((count, *tensor.shape[1:])) for tensor in self.sets[0])
        for number, tensors in enumerate(self.sets):
            place = (which == number).nonzero()[:, 0]
            if not len(place):
                continue
            rows = (where[place] * len(tensors[0])).long().clamp_(max=len(tensors[0]) - 1)
            place, rows = place.to(tensors[0].device), rows.to(tensors[0].device)
            for column, tensor in zip(drawn, tensors, strict=True):
                column.index_copy_(0, place, tensor.index_select(0, rows))
        return drawn


def _load(sources: list[str], read: Callable[[Path], tuple[Tensor, ...]], device: torch.device) -> Mixture:
    parsed = [parse_source(text) for text in sources]
    names = tuple(source_name(path) for path, _ in parsed)
    return Mixture.of([read(path) for path, _ in parsed], [weight for _, weight in parsed], device, names)


def load_images(sources: list[str], size: int, device: torch.device, least: int = 1) -> Mixture:
    """A Mixture of plain images from ``PATH[=WEIGHT]`` sources, none below ``least`` pixels a side.

    Raises InputError, UsageError.
    """
    return _load(sources, lambda path: (read_images(path, size, least=least),), device)


def load_pairs(sources: list[str], size: int, device: torch.device) -> Mixture:
    """A Mixture of (image, mask, beliefs) from ``PATH[=WEIGHT]`` sources.

    Beliefs are what a teacher says, (N, 11, size / 4, size / 4) uint8 in 1/255; 0 in sources that hold none. Raises
    UsageError, InputError, also for a source of which nothing is known: beliefs count where the mask is known only.
    """

    def read(path: Path) -> tuple[Tensor, ...]:
        images, masks, _ = read_pairs(path, size)
        if (masks == UNKNOWN).all():
            raise InputError(f"{path} teaches nothing: its masks are {UNKNOWN}, not known, everywhere. Leave it out.")
        beliefs, side = read_beliefs(path), size // BELIEF_PITCH
        if beliefs is None:
            return images, masks, torch.zeros(1, dtype=torch.uint8).expand(len(images), len(REGIONS), side, side)
        return images, masks, resize_images(beliefs, side)

    mixture = _load(sources, read, device)
    return dataclasses.replace(mixture, unpaired=tuple(count_unpaired(parse_source(text)[0]) for text in sources))
