"""The watch folder's speed as a table; ``npe_core.bench.both_ways`` does the edits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from npe_core.bench.both_ways import Portraits
from npe_core.bench.portrait import samples
from npe_core.bench.timing import Timing, described, interleaved, machine
from npe_core.device import choose_device
from npe_core.report import Report, markdown

PARAMETERS = {"regions": {"lips": "#b00020"}}
COMPARED = (
    "Both read the photos from the disk, find faces and regions, edit, and write and flush the results; the models are "
    "warm. The engine does one after the other. The watch folder claims a full inbox, records each job, keeps its "
    "inputs and publishes photo and report, from its first look until the last result is there. One alone: from the "
    "drop, by rename, into the inbox of a daemon at rest until the result is there, and the same photo by the engine."
)


def measure_daemon(device: str, count: int, batch: int, repeats: int) -> Report:
    """``count`` sample portraits by the engine and through an inbox, in turn. Raises WeightsError, EnvironmentFault."""
    choice = choose_device(device)
    with tempfile.TemporaryDirectory() as root:
        portraits = Portraits(samples(), PARAMETERS, device, batch, Path(root))
        for _ in range(repeats + 1):
            portraits.fill(count)
        works: dict[str, Callable[[], object]]
        works = {"engine": lambda: portraits.bare(count), "folder": portraits.watched}
        together = interleaved(works, repeats, choice.device)
        with portraits.at_rest() as dropped:
            works = {"engine": lambda: portraits.bare(1), "folder": dropped.drop}
            alone = interleaved(works, repeats, choice.device)
    about = machine(choice)
    report = Report(
        {
            "bench": "daemon",
            "machine": about,
            "count": count,
            "batch": batch,
            "seconds_for_all": {name: timing.numbers() for name, timing in together.items()},
            "seconds_alone": {name: timing.numbers() for name, timing in alone.items()},
            "images_per_second": {name: round(count / timing.median, 4) for name, timing in together.items()},
            "ratio": round(together["engine"].median / together["folder"].median, 4),
            "added_seconds_per_edit": round(added(together) / count, 4),
            "added_cpu_seconds_per_edit": round(added_cpu(together) / count, 4),
            "added_seconds_alone": round(added(alone), 4),
        }
    )
    names = {"engine": "the engine", "folder": "the watch folder"}
    rows = []
    for way, timing in together.items():
        each = [f"{1e3 * seconds:.0f}" for seconds in (timing.median / count, timing.median_cpu / count)]
        rows.append([names[way], f"{count / timing.median:.2f}", *each, f"{1e3 * alone[way].median:.0f}"])
    more = [f"{1e3 * seconds:+.0f}" for seconds in (added(together) / count, added_cpu(together) / count, added(alone))]
    rows.append(["added, median of rounds", "", *more])
    header = [f"{count} photos, {batch} together", "images/s", "ms a photo", "ms of processor", "ms for one alone"]
    report.tables.append(markdown(header, rows))
    report.notes += [COMPARED, described(about)]
    return report


def added(timings: dict[str, Timing]) -> float:
    """Seconds that the folder takes beyond the engine, the median of the rounds; negative where overlap saves some."""
    return difference(timings["engine"].wall, timings["folder"].wall)


def added_cpu(timings: dict[str, Timing]) -> float:
    """The same in seconds of the processors."""
    return difference(timings["engine"].cpu, timings["folder"].cpu)


def difference(before: Sequence[float], after: Sequence[float]) -> float:
    """Median of ``after - before`` over rounds that lay side by side in time."""
    return median(b - a for a, b in zip(before, after, strict=True))
