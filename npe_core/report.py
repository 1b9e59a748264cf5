"""What a measurement gives: tables as the model card shows them, numbers as JSON, sheets as PNG."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from npe_core.files import make_folder, written

Item = TypeVar("Item")


@dataclass
class Report:
    """Everything that one evaluation found out."""

    numbers: dict[str, Any]
    """What JSON gets; nan stands for what could not be measured."""
    tables: list[str] = field(default_factory=list)
    """Markdown tables."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the numbers must know: what is left out, and why."""
    sheets: dict[str, np.ndarray] = field(default_factory=dict)
    """File name without suffix -> (H, W, 3) uint8."""

    def text(self) -> str:
        """The tables and notes."""
        return "\n\n".join([*self.tables, *self.notes])

    def json(self) -> str:
        """The numbers, one object; nan becomes null."""
        return json.dumps(_plain({**self.numbers, "notes": self.notes}), indent=2)

    def write(self, folder: Path) -> None:
        """Write evaluation.json, evaluation.md and the sheets. Raises EnvironmentFault."""
        make_folder(folder)
        with written(folder):
            (folder / "evaluation.json").write_text(self.json() + "\n")
            (folder / "evaluation.md").write_text(self.text() + "\n")
            for name, sheet in self.sheets.items():
                Image.fromarray(sheet).save(folder / f"{name}.png")


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def as_cell(value: float, digits: int = 3) -> str:
    """A number for a table; a dash for nan."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


def told(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a line on a terminal's stderr every ten seconds of how far it is."""
    last = time.monotonic()
    for number, item in enumerate(items):
        if sys.stderr.isatty() and time.monotonic() - last > 10:
            last = time.monotonic()
            print(f"{what}: {number}/{len(items)}", file=sys.stderr, flush=True)
        yield item
