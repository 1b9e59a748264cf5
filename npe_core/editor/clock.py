"""Seconds by stage, with the reading of weights kept apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from npe_core.editor.engine import Engine


class Clock:
    """Starts when it is made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loaded = engine.load_seconds
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage; what it spends on loading does not count."""
        start, loaded = time.perf_counter(), self._engine.load_seconds
        yield
        if self._engine.device.type == "cuda":
            torch.cuda.synchronize(self._engine.device)
        self._stages[name] = time.perf_counter() - start - (self._engine.load_seconds - loaded)

    def seconds(self) -> dict[str, float]:
        """load, the stages, and total without load."""
        load = self._engine.load_seconds - self._loaded
        return {"load": load, **self._stages, "total": time.perf_counter() - self._start - load}
