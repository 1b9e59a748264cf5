"""Ending a run when somebody asks for it, between two steps and with a checkpoint."""

from __future__ import annotations

import signal
from types import FrameType


class StopOnSignal:
    """SIGTERM, SIGINT and the end of the terminal set ``number`` instead of ending the process.

    A second SIGTERM or SIGINT ends it as usual. A SIGHUP that is ignored (nohup) stays so.
    """

    def __init__(self) -> None:
        self.number = 0
        """Of the signal that came; 0 while there was none."""

    def __enter__(self) -> StopOnSignal:
        numbers = [signal.SIGTERM, signal.SIGINT]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # Windows has none
            numbers.append(signal.SIGHUP)
        self._before = {int(number): signal.signal(number, self._stop) for number in numbers}
        return self

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        if number in (signal.SIGTERM, signal.SIGINT):  # of one terminal's end the system tells, and the shell again
            signal.signal(number, self._before[number])

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
