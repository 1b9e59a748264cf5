"""What a run tells while it goes: progress lines or a bar, a JSON log, a loss plot, sample sheets."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from npe_core.files import replace_file, written


def read_log(path: Path) -> Iterator[dict[str, float]]:
    """The entries of a JSON-lines log; a line cut off by a kill, and what is no entry, is passed over."""
    if path.is_file():
        for line in path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if (
                isinstance(entry, dict)
                and "images" in entry
                and all(isinstance(v, int | float) for v in entry.values())
            ):
                yield entry


def plot_loss(log: Path, out: Path) -> None:
    """The logged losses over images seen, both axes logarithmic, as a small PNG. Raises EnvironmentFault."""
    logged = ((entry["images"], entry.get("loss", 0)) for entry in read_log(log))
    points = [point for point in logged if all(0 < value < math.inf for value in point)]
    if len(points) < 2:
        return
    width, height, margin = 640, 360, 40
    x, y = (np.log10(np.array(values, dtype=np.float64)) for values in zip(*points, strict=True))
    span_x, span_y = max(x[-1] - x[0], 1e-9), max(y.max() - y.min(), 1e-9)
    px = margin + (x - x[0]) / span_x * (width - 2 * margin)
    py = margin + (y.max() - y) / span_y * (height - 2 * margin)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((margin, margin, width - margin, height - margin), outline="grey")
    draw.line(list(zip(px, py, strict=True)), fill="crimson", width=2)
    draw.text((margin, height - margin + 6), f"{points[0][0]:.0f} .. {points[-1][0]:.0f} images (log)", fill="black")
    draw.text(
        (margin, 12), f"loss {10 ** y.max():.4f} .. {10 ** y.min():.4f} (log), now {points[-1][1]:.4f}", fill="black"
    )
    with replace_file(out) as temporary:
        picture.save(temporary, "PNG")


def forget_after(log: Path, images: int) -> None:
    """Drop the entries of a log that a resumed run will make again: those of more than ``images`` images.

    Raises EnvironmentFault.
    """
    if log.exists():
        kept = [json.dumps(entry) for entry in read_log(log) if entry["images"] <= images]
        with replace_file(log) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept))


def say(line: str) -> None:
    """A line on stderr, if it can be written: no run ends for the sake of a terminal that was closed."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


class Reporter:
    """Writes log.jsonl and tells progress on a terminal: a bar with rich, plain lines without; elsewhere only the end.

    ``total`` images end the run, or ``seconds`` where they are given; the time left is told by what comes first.
    """

    def __init__(self, folder: Path, total: int, name: str, seconds: float | None = None) -> None:
        self.log = folder / "log.jsonl"
        self.total, self.name = total, name
        self._end = None if seconds is None else time.monotonic() + seconds
        self._last = 0.0
        self._line = ""
        self._bar = _rich_bar(name, total) if sys.stderr.isatty() else None

    def update(self, images: int, values: dict[str, float]) -> None:
        """Log one interval: images seen so far, and the numbers of it (loss, images_per_s, lr, ...).

        Raises EnvironmentFault.
        """
        entry = {
            "images": images,
            "time": round(time.time(), 1),
            **{key: float(f"{v:.5g}") for key, v in values.items()},
        }
        with written(self.log), self.log.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        text = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
        left = (self.total - images) / max(values.get("images_per_s", 0.0), 1e-6)
        if self._end is not None:
            left = min(left, self._end - time.monotonic())
        self._line = f"{self.name}: {images}/{self.total} images  {text}  {clock(left)} left"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=images, text=f"{text}  {clock(left)} left")
        elif sys.stderr.isatty() and time.monotonic() - self._last > 15:
            self._print()

    def close(self) -> None:
        """Take the bar away, or print the last line that was held back."""
        if self._bar is not None:
            with contextlib.suppress(OSError):  # as ``say``
                self._bar.stop()
        self._print()

    def _print(self) -> None:
        if self._line:
            say(self._line)
        self._last, self._line = time.monotonic(), ""


def _rich_bar(name: str, total: int) -> Any:
    """A started ``rich.progress.Progress`` with one row, or None where rich is missing."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (TextColumn(name), BarColumn(), TextColumn("{task.fields[text]}"))
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(name, total=total, text="")
    bar.start()
    return bar


def clock(seconds: float) -> str:
    """``2:05`` (minutes) or ``1:02:05`` (hours)."""
    minutes, second = divmod(max(0, round(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
