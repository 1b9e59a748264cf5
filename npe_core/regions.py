"""The 11 face regions: the one table of ids, names and legend colours (the ids and names are a contract)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from npe_core.colour import format_colour, parse_colour
from npe_core.errors import UsageError
from npe_core.spelling import check


@dataclass(frozen=True)
class Region:
    """One class of the segmentation model."""

    id: int
    name: str
    legend: tuple[int, int, int]
    """RGB colour in legends and overlays, not the colour of an edit."""


REGIONS: tuple[Region, ...] = (
    Region(0, "background", (38, 38, 46)),
    Region(1, "skin", (235, 180, 145)),
    Region(2, "brows", (120, 80, 50)),
    Region(3, "eyes", (70, 140, 230)),
    Region(4, "nose", (250, 210, 90)),
    Region(5, "lips", (220, 50, 80)),
    Region(6, "mouth", (250, 250, 250)),
    Region(7, "hair", (140, 70, 170)),
    Region(8, "ears", (240, 130, 50)),
    Region(9, "neck", (120, 190, 120)),
    Region(10, "attire", (60, 170, 170)),
)

REGION_NAMES: tuple[str, ...] = tuple(region.name for region in REGIONS)
LEGEND: np.ndarray = np.array([region.legend for region in REGIONS], dtype=np.uint8)
"""(11, 3) uint8: ``LEGEND[region_map]`` is the region map as a picture."""


def region_by_name(name: str) -> Region:
    """The region of that name (case and surrounding space do not matter).

    Raises UsageError that names the nearest region.
    """
    wanted = name.strip().lower()
    check("region", wanted, REGION_NAMES)
    return REGIONS[REGION_NAMES.index(wanted)]


def group_by_name(names: str) -> tuple[Region, ...]:
    """The regions of ``skin+nose``, each once, in the order of the table; one name is a group of one.

    Raises UsageError that names the nearest region.
    """
    return tuple(sorted({region_by_name(name) for name in names.split("+")}, key=lambda region: region.id))


def name_of(group: tuple[Region, ...]) -> str:
    """What ``group_by_name`` reads."""
    return "+".join(region.name for region in group)


def check_fill(names: str, colour: Any) -> tuple[str, str]:
    """(regions, ``#rrggbb``), both as they are stored and compared. Raises UsageError where one of them is none."""
    if not isinstance(colour, str):
        raise UsageError(f'The colour of {names!r} must be a string such as "#8b2500".')
    return name_of(group_by_name(names)), format_colour(parse_colour(colour))
