"""What is settled for a whole process before torch is imported: how many threads it has, and how they wait.

Only the ``npe`` command calls this; a program that uses the engine as a library decides for itself.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

BUSY = 0.5
"""Share of the cores in use by others above which the machine counts as busy."""


def prepare(environment: MutableMapping[str, str] | None = None) -> None:
    """Settle how threads work. Variables that the user has set are left as they are."""
    environment = os.environ if environment is None else environment
    cores = usable_cores()
    for name, value in thread_settings(cores, load_average(), os.cpu_count() or 1).items():
        environment.setdefault(name, value)


def thread_settings(cores: float, load: float, present: int) -> dict[str, str]:
    """Variables of OpenMP for a process that may use ``cores`` of the ``present`` ones, under a load average.

    Threads that spin while they wait for each other save up to 45 % on an idle machine; on a busy one they take the
    core from the very thread that they wait for, which makes an edit 3 to 10 times slower.
    """
    settings = {}
    if cores < present:  # a container's share, of which OpenMP knows nothing
        settings["OMP_NUM_THREADS"] = str(max(1, int(cores)))
    if load > BUSY * cores:
        settings["OMP_WAIT_POLICY"] = "PASSIVE"
    return settings


def load_average() -> float:
    """How many threads wanted a core in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows, or no /proc
        return 0.0


def usable_cores() -> float:
    """Cores that this process may use: by its affinity and by the quota of its container."""
    try:
        cores = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS and Windows
        cores = float(os.cpu_count() or 1)
    return min(cores, _quota(Path("/sys/fs/cgroup/cpu.max")))


def _quota(file: Path) -> float:
    """Cores granted by a cgroup's ``cpu.max``: ``200000 100000`` is 2, ``max 100000`` no limit."""
    try:
        quota, period = file.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return float("inf")
