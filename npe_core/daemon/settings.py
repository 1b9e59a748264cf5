"""What a person can choose about a daemon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The options of ``npe watch``."""

    settle: float = 2.0
    """Seconds without a change after which a file counts as whole."""
    interval: float = 1.0
    """Seconds between scans of the inbox; events make them sooner."""
    events: bool = True
    """Whether events of the file system wake the loop; without them there are only the scans."""
    batch: int = 8
    """Jobs that go through the models together."""
    most_claimed: int = 32
    """Jobs taken out of the inbox and not finished."""
    megapixels_in_memory: float = 48.0
    """Megapixels of photos held in memory at once."""
    attempts: int = 3
    """How often a job is tried that fails for no fault of its input, or kills the process."""
    time_limit: float = 600.0
    """Seconds an edit may take."""
    grace: float = 20.0
    """Seconds that a running edit has to finish when the daemon is stopped."""
    least_free: int = 512 << 20
    """Bytes of free disk under which nothing more is claimed."""
    keep_days: float | None = None
    """Days after which the inputs of finished jobs are removed; None keeps them."""
    metrics: Path | None = None
    """Where the text file for Prometheus goes."""
    once: bool = False
    """End when everything that can be done is done."""
