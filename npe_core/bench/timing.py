"""Repeated timings and what is told of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import torch

from npe_core.device import DeviceChoice, wait_for
from npe_core.process import load_average


@dataclass(frozen=True)
class Timing:
    """Seconds of the same work, several times over."""

    wall: tuple[float, ...]
    """By the clock."""
    cpu: tuple[float, ...]
    """Of the processors: what counts on a machine that is busy with other work."""

    def at(self, share: float) -> float:
        """The wall seconds that ``share`` (0..1) of the runs stayed within; 0.5 is the median."""
        return percentile(self.wall, share)

    @property
    def median(self) -> float:
        """Wall seconds."""
        return self.at(0.5)

    @property
    def median_cpu(self) -> float:
        """Processor seconds."""
        return percentile(self.cpu, 0.5)

    def numbers(self) -> dict[str, float]:
        """For JSON, in seconds."""
        told = {"p50": self.median, "p95": self.at(0.95), "least": min(self.wall), "cpu": self.median_cpu}
        return {name: round(value, 6) for name, value in told.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Linear between the sorted values; of one value it is that."""
    if len(values) == 1:
        return values[0]
    cuts = quantiles(values, n=1000, method="inclusive")
    return (min(values), *cuts, max(values))[round(1000 * share)]


def timed(work: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Wall and processor seconds of one run, waiting for what it started on the device."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wait_for(device)
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(work: Callable[[], object], repeats: int, device: torch.device, warm: int = 1) -> Timing:
    """``repeats`` timed runs after ``warm`` untimed ones."""
    for _ in range(warm):
        work()
    return collect([timed(work, device) for _ in range(repeats)])


def interleaved(
    works: dict[str, Callable[[], object]], repeats: int, device: torch.device, warm: int = 1
) -> dict[str, Timing]:
    """Several works in turn, so that what disturbs the machine disturbs them alike."""
    for work in works.values():
        for _ in range(warm):
            work()
    rounds = [{name: timed(work, device) for name, work in works.items()} for _ in range(repeats)]
    return {name: collect([one[name] for one in rounds]) for name in works}


def collect(runs: Sequence[tuple[float, float]]) -> Timing:
    """From (wall, cpu) seconds of each run."""
    return Timing(tuple(wall for wall, _ in runs), tuple(cpu for _, cpu in runs))


def ms(seconds: float) -> str:
    """Milliseconds, three digits where they mean something."""
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine(choice: DeviceChoice) -> dict[str, object]:
    """What the numbers were measured on."""
    return {
        "device": choice.name,
        "precision": str(choice.dtype).removeprefix("torch."),
        "why": choice.reason,
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": round(load_average(), 1),
    }


def processor() -> str:
    """The name that the processor gives itself, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0] if named else 'processor of unknown name'}, {os.cpu_count()} cores"


def described(about: dict[str, object]) -> str:
    """``machine`` in one line."""
    load = f"load average {about['load']} at the end"
    return (
        f"{about['device']} ({about['precision']}), {about['threads']} threads on {about['processor']}; "
        f"torch {about['torch']}; {load}."
    )
