"""The terminal editor as a person feels it: through a real pseudo-terminal, byte in to byte out.

The terminal is played by this program: it reports the pointer in pixels, and says where its cursor is once it has
shown what came before, as terminals do. The slow link holds all that is sent, without end, as the buffers of SSH do,
and hands on 1 Mbit/s; lag is how long a byte waits there. The program under it is the picture with a real canvas: each
move of the pointer is a stroke of the brush, with ring and outline.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from npe_core.bench.portrait import samples
from npe_tui.measure.painting import portrait
from npe_tui.measure.terminal import Terminal, running

FRAME = b"\x1b[?2026l"
MEGABIT = 125_000


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    wanted: str
    """On two idle cores."""
    depth: str
    """Of the colours, or what else tells this line from the next."""


def figures(only: str | None, depths: Sequence[str], count: int, seconds: float) -> Iterator[Figure]:
    """The figures one by one, as they are found; ``only`` is dabs, link, repaint or first."""
    for depth in depths:
        if only in (None, "dabs"):
            yield from dabs(depth, count)
        if only in (None, "link"):
            yield from link(depth, seconds)
        if only in (None, "repaint"):
            yield from repaint(depth, max(1, count // 2))
    if only in (None, "first"):
        program = [sys.executable, "-m", "npe_core", "tui"]
        yield from first_frame(program, 5)
        yield from first_frame([*program, str(samples()[0])], 5)


def painting(depth: str) -> list[str]:
    return [sys.executable, "-m", "npe_tui.measure.painting", depth]


def path(step: int) -> tuple[float, float]:
    """A figure over the face, in cells of 80x40."""
    angle = step * 0.13
    return 40 + 25 * math.cos(angle * 0.7), 20 + 14 * math.sin(angle)


def dabs(depth: str, count: int) -> Iterator[Figure]:
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
        yield Figure("mouse byte to frame byte", times, "< 10 ms", depth)
        yield Figure("bytes a dab", f"{median(sizes):.0f}, most {max(sizes)}", "<= 4096 in 5bit", depth)


def link(depth: str, seconds: float) -> Iterator[Figure]:
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
        yield Figure("frames/s at 1 Mbit/s, 120 moves/s", f"{rate:.1f}", ">= 15", depth)
        yield Figure(
            "most lag, first and last third", f"{1e3 * early:.0f} ms, {1e3 * late:.0f} ms", "not growing", depth
        )


def repaint(depth: str, count: int) -> Iterator[Figure]:
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
    yield Figure(
        "all of 128x64 cells of 24 MP", f"{1e3 * median(seconds):.1f} ms CPU, {size:.0f} KiB", "< 15 ms", depth
    )
    with running(painting(depth), 128, 64) as terminal:
        seconds = []
        for step in range(count):
            start = time.perf_counter()
            terminal.type("\x1b[F" if step % 2 == 0 else "\x1b[H")
            while not terminal.pump(1.0):
                pass
            seconds.append(time.perf_counter() - start)
            terminal.quiet(0.1)
        yield Figure("key byte to first byte of all of it", f"{1e3 * median(seconds):.1f} ms", "", depth)


def first_frame(command: list[str], count: int) -> Iterator[Figure]:
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
    yield Figure(
        "first frame of npe " + " ".join(Path(word).name for word in command[3:]),
        f"{median(seconds):.2f} s, CPU {median(cpu):.2f} s",
        "< 0.7 s",
        "torch" if torch else "no torch",
    )
