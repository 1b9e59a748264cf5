"""What the watch folder costs: the daemon's speed against the bare engine's, on the same pictures."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npe_core.daemon.folders import Folders
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.work import EditWorker


@dataclass(frozen=True)
class Speed:
    """Photos a second, files read and written in both cases."""

    engine: float
    """The photos opened, edited by ``Editor.edit_many`` in batches, and saved, one after the other."""
    daemon: float
    """From the first look into the inbox until the last result is published."""
    device: str
    batch: int

    @property
    def ratio(self) -> float:
        """1 is as fast as the engine; more, because reading and writing overlap with the models."""
        return self.daemon / self.engine

    @property
    def overhead(self) -> float:
        """Seconds that the daemon adds to an edit; negative where it saves some."""
        return 1 / self.daemon - 1 / self.engine


def measure_speed(
    photos: Sequence[Path], parameters: dict[str, Any], count: int = 32, device: str = "auto", batch: int = 8
) -> Speed:
    """Edits ``count`` jobs, made of the photos in turn, by the engine and by a daemon.

    ``parameters`` are those of NAME.json, with regions. The models are loaded and warm before either is timed.
    """
    worker = EditWorker(device)
    _, name = worker.load()
    with tempfile.TemporaryDirectory() as root:
        edit_bare(worker, photos, parameters, min(count, batch), batch, Path(root))
        start = time.perf_counter()
        edit_bare(worker, photos, parameters, count, batch, Path(root))
        bare = time.perf_counter() - start
        folders = Folders.of(Path(root) / "inbox", Path(root) / "outbox")
        folders.prepare()
        for number in range(count):
            (folders.inbox / f"{number:06}.json").write_text(json.dumps(parameters | {"seed": number}))
            shutil.copy(photos[number % len(photos)], folders.inbox / f"{number:06}.png")
        settings = Settings(settle=0, interval=0.1, once=True, batch=batch, most_claimed=4 * batch, least_free=0)
        service = Service(folders, Loaded(worker, name), settings)
        start = time.perf_counter()
        service.run()
        watched = time.perf_counter() - start
    return Speed(count / bare, count / watched, name, batch)


class Loaded(EditWorker):
    """A worker that has its models already."""

    def __init__(self, worker: EditWorker, device: str) -> None:
        super().__init__(device)
        self._editor = worker.editor

    def load(self) -> tuple[str, str]:
        return "measured", self.device


def edit_bare(
    worker: EditWorker, photos: Sequence[Path], parameters: dict[str, Any], count: int, batch: int, folder: Path
) -> None:
    """The same work without a daemon: open, choose, segment, fill, edit, save."""
    from npe_core.canvas import Canvas
    from npe_core.editor import EditJob, EditResult
    from npe_core.photo import Photo

    editor = worker.editor
    options = {key: value for key, value in parameters.items() if key != "regions"}
    for first in range(0, count, batch):
        numbers = range(first, min(first + batch, count))
        opened = [Photo.open(photos[number % len(photos)]) for number in numbers]
        chosen = [(photo, editor.choose(photo)) for photo in opened]
        jobs = []
        for number, (photo, choice), regions in zip(numbers, chosen, editor.segment_many(chosen), strict=True):
            canvas = Canvas(photo.image, regions)
            for region, colour in parameters["regions"].items():
                canvas.fill(region, colour)
            jobs.append(EditJob(photo, canvas, seed=number, choice=choice, **options))
        for number, outcome in zip(numbers, editor.edit_many(jobs), strict=True):
            if not isinstance(outcome, EditResult):
                raise outcome
            outcome.save(folder / f"bare-{number:06}.png", force=True)
