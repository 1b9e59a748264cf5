"""The watch folder's speed as a table; ``npe_core.daemon.measure`` does the measuring."""

from __future__ import annotations

from npe_core.bench.portrait import samples
from npe_core.bench.timing import described, machine
from npe_core.daemon.measure import measure_speed
from npe_core.device import choose_device
from npe_core.training.evaluation.report import Report, markdown

PARAMETERS = {"regions": {"lips": "#b00020"}, "steps": 10}


def measure_daemon(device: str, count: int, batch: int) -> Report:
    """``count`` sample portraits by the engine and through an inbox. Raises WeightsError, EnvironmentFault."""
    speed = measure_speed(samples(), PARAMETERS, count, device, batch)
    about = machine(choose_device(device))
    report = Report(
        {
            "bench": "daemon",
            "machine": about,
            "count": count,
            "batch": batch,
            "images_per_second": {"engine": round(speed.engine, 4), "daemon": round(speed.daemon, 4)},
            "ratio": round(speed.ratio, 4),
            "added_seconds_per_edit": round(speed.overhead, 4),
        }
    )
    rows = [
        ["the engine: open, edit, save", f"{speed.engine:.2f}", ""],
        ["through the watch folder", f"{speed.daemon:.2f}", f"{speed.ratio:.0%}"],
    ]
    report.tables.append(markdown([f"{count} photos, {batch} together", "images/s", "of the engine's"], rows))
    report.notes.append(described(about))
    return report
