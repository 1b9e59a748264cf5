"""Seconds by stage of one edit, with the reading of weights kept apart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from npe_core.device import wait_for
from npe_core.editor.engine import Engine


class Clock:
    """Counts what is spent on one edit; of work that edits share, each has its share."""

    def __init__(self) -> None:
        self.seconds = {"load": 0.0, "diffusion": 0.0, "upscale": 0.0, "total": 0.0}
        """The stages, and total: everything but load."""

    def add(self, stage: str | None, seconds: float, load: float) -> None:
        """Counts ``seconds`` of work for the total, and for a stage that is named; ``load`` apart."""
        self.seconds["load"] += load
        self.seconds["total"] += seconds
        if stage is not None:
            self.seconds[stage] += seconds


@contextmanager
def timed(
    engine: Engine, stage: str | None, clocks: Sequence[Clock], shares: Sequence[float] = (1.0,)
) -> Iterator[None]:
    """Times a piece of work for the clocks, which count it by their shares."""
    start, loaded = time.perf_counter(), engine.load_seconds
    yield
    wait_for(engine.device)
    load = engine.load_seconds - loaded
    seconds = max(0.0, time.perf_counter() - start - load)
    for clock, share in zip(clocks, shares, strict=True):
        clock.add(stage, share * seconds, share * load)
