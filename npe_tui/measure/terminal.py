"""A terminal played by a program: it answers what terminals answer, and can be as slow as a link."""

from __future__ import annotations

import fcntl
import math
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CELL = 8, 16
"""Pixels of a cell."""
_PATIENCE = 30
"""Seconds after which a program that never stops drawing is taken as it is."""


class Terminal:
    """Plays a terminal for one program; with ``rate`` it sees so many bytes a second, the rest waits."""

    def __init__(self, command: list[str], columns: int, rows: int, rate: float | None = None) -> None:
        self.columns, self.rows, self.rate = columns, rows, rate
        self.fd, side = pty.openpty()
        size = struct.pack("HHHH", rows, columns, columns * CELL[0], rows * CELL[1])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM_PROGRAM")}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
        )
        os.close(side)
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.lags: list[tuple[float, float]] = []
        self.seen = bytearray()
        self._credit, self._last = 0.0, time.perf_counter()
        self._tail = b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)

    @property
    def cpu(self) -> float:
        """Seconds that the program has computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pump(self, seconds: float) -> bool:
        """Take what comes within so many seconds; whether anything was shown."""
        end, shown = time.perf_counter() + seconds, False
        while (left := end - time.perf_counter()) > 0:
            step = min(left, 0.002) if self.waiting else left
            if select.select([self.fd], [], [], step)[0]:
                self.waiting.append((time.perf_counter(), os.read(self.fd, 1 << 16)))
            if self._show():
                shown = True
                if self.rate is None:
                    break
        return shown

    def _show(self) -> bool:
        now = time.perf_counter()
        self._credit = math.inf if self.rate is None else min(self._credit + (now - self._last) * self.rate, 4096)
        self._last, before = now, len(self.seen)
        while self.waiting and self._credit >= 1:
            arrived, data = self.waiting.popleft()
            part = data if len(data) <= self._credit else data[: int(self._credit)]
            if len(part) < len(data):
                self.waiting.appendleft((arrived, data[len(part) :]))
            self._credit -= len(part)
            self.seen += part
            self.lags.append((now, now - arrived))
            self._answer(part)
        return len(self.seen) > before

    def _answer(self, part: bytes) -> None:
        """Answers come when the question is read, not when it was sent."""
        data = self._tail + part
        for question, answer in (
            (b"\x1b[6n", "\x1b[1;1R"),
            (b"\x1b[?2026$p", "\x1b[?2026;2$y"),
            (b"\x1b[?2048$p", "\x1b[?2048;2$y"),
            (b"\x1b[?2048h", f"\x1b[48;{self.rows};{self.columns};{self.rows * CELL[1]};{self.columns * CELL[0]}t"),
        ):
            new = data.count(question) - self._tail.count(question)
            self.type(answer * new)
        self._tail = data[-12:]

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def mouse(self, code: int, x: float, y: float, up: bool = False) -> None:
        """At a point in cells."""
        self.type(f"\x1b[<{code};{int(x * CELL[0]) + 1};{int(y * CELL[1]) + 1}{'m' if up else 'M'}")

    def quiet(self, seconds: float = 0.5) -> None:
        """Until nothing has come for so long."""
        end = time.perf_counter() + _PATIENCE
        while (self.pump(seconds) or self.waiting) and time.perf_counter() < end:
            pass


@contextmanager
def running(command: list[str], columns: int, rows: int, rate: float | None = None) -> Iterator[Terminal]:
    terminal = Terminal(command, columns, rows, rate)
    try:
        while len(terminal.seen) < 5000 and terminal.process.poll() is None:
            terminal.pump(0.2)
        terminal.quiet(1.0)
        yield terminal
    finally:
        terminal.close()
