"""What faces there are in data that nobody labelled: shares by skin, glasses and pose, as the segmenter sees them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from torch import Tensor

from npe_core.editor.engine import Engine
from npe_core.report import Report, markdown, told
from npe_core.training.data import distinct, parse_source, source_name, to_float
from npe_core.training.evaluation.groups import groups_of
from npe_core.training.reading import drawn, read_images


def measure_mix(engine: Engine, sources: list[str], count: int) -> Report:
    """Group ``count`` aligned faces of each source, always the same. Raises InputError."""
    report = Report({"model": "segmenter", "data": {}})
    paths = [parse_source(text)[0] for text in sources]
    for name, path in zip(distinct(map(source_name, paths)), paths, strict=True):
        images = read_images(path, engine.segment_size, drawn(count, seed=0))
        each = [_groups(engine, one) for one in told(images.split(1), "looking")]
        found = Counter(f"{kind}: {group}" for groups in each for kind, group in groups.items())
        shares: dict[str, Any] = {group: number / len(images) for group, number in found.items()}
        report.numbers["data"][name] = {"faces": len(images), "shares": shares}
    report.tables.append(table(report.numbers["data"]))
    return report


def _groups(engine: Engine, image: Tensor) -> dict[str, str]:
    ids = engine.segment(to_float(image))[0].argmax(dim=0).numpy().astype(np.uint8)
    return groups_of(image[0].permute(1, 2, 0).numpy(), ids)


def table(data: dict[str, dict[str, Any]]) -> str:
    """A row a group, a column a source."""
    names = sorted({name for numbers in data.values() for name in numbers["shares"]})
    rows = [[name, *(f"{100 * n['shares'].get(name, 0):.0f} %" for n in data.values())] for name in names]
    rows.append(["faces looked at", *(str(n["faces"]) for n in data.values())])
    return markdown(["share of the faces", *data], rows)
