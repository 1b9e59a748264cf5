"""The terminal editor as a person feels it: through a real pseudo-terminal, byte in to byte out.

    python benchmarks/terminal.py
    python benchmarks/terminal.py --only link --depth true --seconds 10

Prints one line a figure, with what it should be on two idle cores; CPU is what counts on busy ones. The terminal is
played by this program: it reports the pointer in pixels, and says where its cursor is once it has shown what came
before, as terminals do. The slow link holds all that is sent, without end, as the buffers of SSH do, and hands on 1
Mbit/s; lag is how long a byte waits there. The program under it is the picture with a real canvas: each move of the
pointer is a stroke of the brush, with ring and outline.
"""

from __future__ import annotations

import argparse
import fcntl
import math
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CELL = 8, 16
FRAME = b"\x1b[?2026l"
MEGABIT = 125_000
RADIUS = 14
"""Of the brush, in pixels of a photo of 512."""


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

    def quiet(self, seconds: float = 0.5, limit: float = 30) -> None:
        """Until nothing has come for so long."""
        end = time.perf_counter() + limit
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


def painting(depth: str) -> list[str]:
    return [sys.executable, __file__, "--paint", depth]


def path(step: int) -> tuple[float, float]:
    """A figure over the face, in cells of 80x40."""
    angle = step * 0.13
    return 40 + 25 * math.cos(angle * 0.7), 20 + 14 * math.sin(angle)


# --- the figures ------------------------------------------------------------------------------------------------


def dabs(depth: str, count: int) -> None:
    """Latency and bytes of one move at a time, each waited for."""
    with running(painting(depth), 80, 40) as terminal:
        terminal.mouse(0, *path(0))
        terminal.quiet()
        seconds, sizes, cpu = [], [], terminal.cpu
        for step in range(1, count + 1):
            before, start = len(terminal.seen), time.perf_counter()
            terminal.mouse(32, *path(step))
            if terminal.pump(0.5):
                seconds.append(time.perf_counter() - start)
            terminal.quiet(0.03)
            sizes.append(len(terminal.seen) - before)
        ordered = sorted(seconds)
        late = ordered[int(0.95 * len(ordered))]
        cpu = (terminal.cpu - cpu) / count
        times = f"{1e3 * median(seconds):.1f} ms, 95 %: {1e3 * late:.1f}, CPU {1e3 * cpu:.1f}"
        say("mouse byte to frame byte", times, "< 10 ms", depth)
        say("bytes a dab", f"{median(sizes):.0f}, most {max(sizes)}", "<= 4096 in 5bit", depth)


def link(depth: str, seconds: float) -> None:
    """120 moves a second for a while, over 1 Mbit/s."""
    with running(painting(depth), 80, 40, MEGABIT) as terminal:
        terminal.mouse(0, *path(0))
        terminal.quiet()
        terminal.lags.clear()
        before, start = terminal.seen.count(FRAME), time.perf_counter()
        for step in range(int(seconds * 120)):
            terminal.mouse(32, *path(step // 3))
            while (left := start + step / 120 - time.perf_counter()) > 0:
                terminal.pump(left)
        end = time.perf_counter()
        rate = (terminal.seen.count(FRAME) - before) / (end - start)
        third = (end - start) / 3
        early = max(lag for at, lag in terminal.lags if at < start + third)
        late = max(lag for at, lag in terminal.lags if at >= end - third)
        say("frames/s at 1 Mbit/s, 120 moves/s", f"{rate:.1f}", ">= 15", depth)
        say("most lag, first and last third", f"{1e3 * early:.0f} ms, {1e3 * late:.0f} ms", "not growing", depth)


def repaint(depth: str, count: int) -> None:
    """All of 128x64 cells, computed and written, by zoom: no pixel stays."""
    from npe_tui.picture import Depth, Viewport
    from npe_tui.picture.cells import encode
    from npe_tui.picture.sampling import Pyramid
    from npe_tui.picture.scene import Scene

    photo = np.tile(portrait(), (8, 12, 1))[:4000, :6000]
    scene = Scene(Viewport((6000, 4000), (128, 64)), Depth(depth), picture=Pyramid(photo))
    scene.viewport = scene.viewport.zoom(1.5)
    seconds = []
    for _ in range(count):
        scene.viewport = scene.viewport.pan(1, 0)
        start = time.process_time()
        codes = scene.codes((0, 0, 128, 64))
        text = "".join(encode(codes[2 * row], codes[2 * row + 1], scene.depth) for row in range(64))
        seconds.append(time.process_time() - start)
    size = len(text.encode()) / 1024
    say("all of 128x64 cells of 24 MP", f"{1e3 * median(seconds):.1f} ms CPU, {size:.0f} KiB", "< 15 ms", depth)
    with running(painting(depth), 128, 64) as terminal:
        seconds = []
        for step in range(count):
            start = time.perf_counter()
            terminal.type("\x1b[F" if step % 2 == 0 else "\x1b[H")
            while not terminal.pump(1.0):
                pass
            seconds.append(time.perf_counter() - start)
            terminal.quiet(0.1)
        say("key byte to first byte of all of it", f"{1e3 * median(seconds):.1f} ms", "", depth)


def first_frame(command: list[str], count: int) -> None:
    """From the start of the program to the first frame, and whether torch was in it."""
    seconds, cpu, torch = [], [], False
    for _ in range(count):
        terminal = Terminal(command, 100, 40)
        try:
            while terminal.process.poll() is None and len(terminal.seen) < 2000:
                terminal.pump(0.05)
            seconds.append(time.perf_counter() - terminal.started)
            cpu.append(terminal.cpu)
            torch = torch or "libtorch" in Path(f"/proc/{terminal.process.pid}/maps").read_text()
        finally:
            terminal.close()
    say(
        "first frame of npe " + " ".join(Path(word).name for word in command[1:]),
        f"{median(seconds):.2f} s, CPU {median(cpu):.2f} s",
        "< 0.7 s",
        "torch" if torch else "no torch",
    )


def say(what: str, value: str, wanted: str, depth: str) -> None:
    print(f"{what:42} {depth:8} {value:34} {wanted}", flush=True)


# --- the program under the terminal -----------------------------------------------------------------------------


def portrait() -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(ROOT / "samples" / "clara.png").convert("RGB"))


def paint(depth: str) -> None:
    """A picture to paint on, with the engine's own canvas."""
    from textual.app import App, ComposeResult

    from npe_core.canvas import Canvas
    from npe_tui.picture import PictureView

    class Painting(App[None]):
        def compose(self) -> ComposeResult:
            yield PictureView(depth=depth)

        def on_mount(self) -> None:
            self.canvas = Canvas(portrait())
            self.view = self.query_one(PictureView)
            self.view.show(self.canvas.guide)
            self.view.brush_radius = RADIUS
            self.view.focus()

        def on_picture_view_pointer_down(self, message: PictureView.PointerDown) -> None:
            self.canvas.begin_stroke("#c01840", RADIUS)
            self.draw(message)

        def on_picture_view_pointer_move(self, message: PictureView.PointerMove) -> None:
            if message.button == 1:
                self.draw(message)

        def draw(self, message: PictureView.Pointer) -> None:
            if (box := self.canvas.extend_stroke([(message.x, message.y)])) is not None:
                self.view.update_box(self.canvas.guide, box)
                self.view.set_mask(self.canvas.mask, box)

    Painting().run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=("dabs", "link", "repaint", "first"), help="one of the figures")
    parser.add_argument("--depth", nargs="+", default=["5bit", "true"])
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--paint", metavar="DEPTH", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.paint:
        paint(options.paint)
        return
    for depth in options.depth:
        if options.only in (None, "dabs"):
            dabs(depth, options.count)
        if options.only in (None, "link"):
            link(depth, options.seconds)
        if options.only in (None, "repaint"):
            repaint(depth, options.count // 2)
    if options.only in (None, "first"):
        program = str(Path(sys.executable).with_name("npe"))
        first_frame([program, "tui"], 5)
        first_frame([program, "tui", str(ROOT / "samples" / "clara.png")], 5)


if __name__ == "__main__":
    main()
