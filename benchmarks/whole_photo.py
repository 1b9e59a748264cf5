"""Time and memory of a whole-photo edit by stage: a large photo with several faces, composed from the sample portraits.

    python benchmarks/whole_photo.py
    python benchmarks/whole_photo.py --megapixels 24 --faces 4 --region hair=#8b2500 --threads 2 --out /tmp/edited.jpg

Prints a table: seconds of each stage, how many of them the three models took, and the peak memory of the process.
CPU seconds are what counts on a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from npe_core.canvas import Canvas
from npe_core.editor import Editor
from npe_core.memory import peak_memory_mib
from npe_core.photo import Photo

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


class Stages:
    """Seconds by stage, wall and CPU, and those of them that the models took."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, float]] = []
        self.in_models = 0.0

    def time_models(self, editor: Editor) -> None:
        """From now on count the CPU seconds of every call of a model."""
        run = editor.engine._run

        def timed(*inputs: object) -> torch.Tensor:
            start = time.process_time()
            try:
                return run(*inputs)  # type: ignore[arg-type]
            finally:
                self.in_models += time.process_time() - start

        editor.engine._run = timed  # type: ignore[method-assign]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu, models = time.perf_counter(), time.process_time(), self.in_models
        yield
        spent = time.process_time() - cpu
        self.rows.append((name, time.perf_counter() - wall, spent, self.in_models - models))

    def table(self) -> str:
        """The stages and their sums."""
        sums = tuple(sum(row[column] for row in self.rows) for column in (1, 2, 3))
        lines = [f"{'stage':12} {'wall s':>8} {'CPU s':>8} {'models':>8} {'the rest':>9}"]
        for name, wall, cpu, models in [*self.rows, ("sum", *sums)]:
            lines.append(f"{name:12} {wall:8.2f} {cpu:8.2f} {models:8.2f} {cpu - models:9.2f}")
        return "\n".join(lines)


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
