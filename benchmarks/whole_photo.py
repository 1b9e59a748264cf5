"""Time and memory of a whole-photo edit by stage: a large photo with several faces, composed from the sample portraits.

    python benchmarks/whole_photo.py
    python benchmarks/whole_photo.py --megapixels 24 --faces 4 --region hair=#8b2500 --threads 2 --out /tmp/edited.jpg

Prints a table: seconds of each stage by the clock and of the processors, what is left of them without the three models,
with and without reading and writing the file, and the peak memory of the process. Processor seconds are what counts on
a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from npe_core.canvas import Canvas
from npe_core.editor import Editor
from npe_core.memory import peak_memory_mib
from npe_core.photo import Photo

FILE_STAGES = ("open", "save")
SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def compose(path: Path, megapixels: float, faces: int) -> None:
    """Write a JPEG of 3:2 with ``faces`` portraits side by side, of different size, on a gradient with some grain."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    x, y = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    photo = Image.fromarray(np.stack([150 + 60 * x, 160 + 40 * y, 175 - 30 * x], axis=-1).astype(np.uint8))
    names = sorted(SAMPLES.glob("*.png"))
    for number in range(faces):
        side = round(width / faces * (0.65 + 0.3 * (number % 2)))
        portrait = Image.open(names[number % len(names)]).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        photo.paste(portrait, (round((number + 0.02) * width / faces), round(height * (0.3 + 0.06 * (number % 2)))))
    grain = np.random.default_rng(0).integers(-6, 7, (height, width, 1), np.int8)
    pixels = np.clip(np.asarray(photo).astype(np.int16) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=93)


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of the processors."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Spent:
        """Since some moment in the past."""
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


class Stages:
    """What each stage took, and what the models took of it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Spent, Spent]] = []
        self.in_models = Spent(0, 0)

    def time_models(self, editor: Editor) -> None:
        """From now on count the seconds of every call of a model."""
        run = editor.engine._run

        def timed(*inputs: object) -> torch.Tensor:
            start = Spent.now()
            try:
                return run(*inputs)  # type: ignore[arg-type]
            finally:
                self.in_models += Spent.now() - start

        editor.engine._run = timed  # type: ignore[method-assign]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start, models = Spent.now(), self.in_models
        yield
        self.rows.append((name, Spent.now() - start, self.in_models - models))

    def table(self) -> str:
        """The stages and their sums."""

        def line(name: str, rows: list[tuple[str, Spent, Spent]]) -> str:
            whole = sum((row[1] for row in rows), Spent(0, 0))
            rest = whole - sum((row[2] for row in rows), Spent(0, 0))
            return f"{name:24} {whole.wall:8.2f} {whole.cpu:8.2f} {rest.wall:12.2f} {rest.cpu:12.2f}"

        inner = [row for row in self.rows if row[0] not in FILE_STAGES]
        lines = [f"{'':24} {'wall s':>8} {'CPU s':>8} {'rest: wall s':>12} {'rest: CPU s':>12}"]
        lines += [line(row[0], [row]) for row in self.rows]
        return "\n".join([*lines, line("sum", self.rows), line("without open and save", inner)])


def main() -> None:
    """Compose, edit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--faces", type=int, default=4)
    parser.add_argument("--region", default="hair=#8b2500", metavar="NAME=#RRGGBB")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="where to write the edited photo (default: nowhere that stays)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    region, _, colour = options.region.partition("=")
    editor, stages = Editor(options.device), Stages()
    for kind in ("segmenter", "denoiser", "upscaler"):
        editor.engine.model(kind)
    stages.time_models(editor)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        making = multiprocessing.get_context("spawn").Process(  # its memory shall not count
            target=compose, args=(source, options.megapixels, options.faces)
        )
        making.start()
        making.join()
        with stages.stage("open"):
            photo = Photo.open(source)
        with stages.stage("faces"):
            choice = editor.choose(photo, "all")
        with stages.stage("segment"):
            regions = editor.segment(photo, choice)
        with stages.stage("canvas"):
            canvas = Canvas(photo.image, regions)
            canvas.fill(region, colour)
        with stages.stage("edit"):
            result = editor.edit(photo, canvas, steps=options.steps, seed=1, choice=choice)
        with stages.stage("save"):
            result.save(options.out or Path(folder) / "edited.jpg", force=True)
    width, height = photo.size
    print(f"{width}x{height}, {len(choice.crops)} faces found, {region} {(canvas.mask > 0).mean():.1%} of the photo")
    print(f"{editor.engine.choice.name}, {options.threads} threads, {options.steps} steps\n")
    print(stages.table())
    print(f"\npeak memory {peak_memory_mib():.0f} MiB, models included")


if __name__ == "__main__":
    main()
