"""Ending a run when somebody asks for it, between two steps and with a checkpoint."""

from __future__ import annotations

import signal
from types import FrameType


class StopOnSignal:
    """SIGTERM and SIGINT set ``number`` instead of ending the process; a second one ends it as usual."""

    def __init__(self) -> None:
        self.number = 0
        """Of the signal that came; 0 while there was none."""

    def __enter__(self) -> StopOnSignal:
        self._before = {int(number): signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        signal.signal(number, self._before[number])

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
