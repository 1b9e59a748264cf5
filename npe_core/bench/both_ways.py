"""The same edits by the bare engine and through a watch folder, for whoever wants to time them."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npe_core.canvas import Canvas
from npe_core.daemon.folders import Folders
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.work import EditWorker
from npe_core.editor import EditJob, EditResult
from npe_core.errors import EnvironmentFault
from npe_core.photo import Photo

_LOOK = 0.001
"""Seconds between looks for a result."""


class Portraits:
    """Jobs made of some photos in turn. Both ways read the photos from the disk, and write and flush the results."""

    def __init__(self, photos: Sequence[Path], parameters: dict[str, Any], device: str, batch: int, root: Path) -> None:
        """Loads the models. ``parameters`` are those of NAME.json, with regions; all files lie below ``root``."""
        self.worker = EditWorker(device)
        self.worker.load()
        self.photos, self._parameters, self._batch, self._root = photos, parameters, batch, root
        self._full: list[Folders] = []

    def bare(self, count: int) -> None:
        """Open, choose, segment, fill, edit in batches, save: one after the other, without a daemon."""
        editor = self.worker.editor
        options = {key: value for key, value in self._parameters.items() if key != "regions"}
        for first in range(0, count, self._batch):
            numbers = range(first, min(first + self._batch, count))
            opened = [Photo.open(self._photo(number)) for number in numbers]
            chosen = [(photo, editor.choose(photo)) for photo in opened]
            jobs = []
            for number, (photo, choice), regions in zip(numbers, chosen, editor.segment_many(chosen), strict=True):
                canvas = Canvas(photo.image, regions)
                for region, colour in self._parameters["regions"].items():
                    canvas.fill(region, colour)
                jobs.append(EditJob(photo, canvas, seed=number, choice=choice, **options))
            for number, outcome in zip(numbers, editor.edit_many(jobs), strict=True):
                if not isinstance(outcome, EditResult):
                    raise outcome
                outcome.save(self._root / f"bare-{number:06}.png", force=True)

    def fill(self, count: int) -> None:
        """An inbox for one call of ``watched``, with ``count`` jobs in it."""
        self._full.append(folders := self._folders(f"full-{len(self._full)}"))
        for number in range(count):
            self._drop(folders.inbox, number)

    def watched(self) -> None:
        """From a daemon's first look into the next full inbox until the last result is published.

        Raises EnvironmentFault when that was not all of them.
        """
        service = Service(self._full.pop(), Loaded(self.worker), Settings(settle=0, once=True, batch=self._batch))
        if service.run() != 0:
            raise EnvironmentFault(f"The daemon did not finish. {service.status.line()}.")

    @contextmanager
    def at_rest(self) -> Iterator[DroppedAlone]:
        """A daemon in a thread that has nothing to do."""
        folders = self._folders("alone")
        service = Service(folders, Loaded(self.worker), Settings(batch=self._batch))
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            yield DroppedAlone(self, folders, thread)
        finally:
            service.stop()
            thread.join()

    def _folders(self, name: str) -> Folders:
        folders = Folders.of(self._root / name / "inbox", self._root / name / "outbox")
        folders.inbox.parent.mkdir()
        folders.prepare()
        return folders

    def _drop(self, inbox: Path, number: int) -> Path:
        """As an upload does it: under other names first. Returns where the photo lies."""
        parameters, photo = inbox / f"{number:06}.json", inbox / f"{number:06}.png"
        for target in (parameters, photo):
            unfinished = target.with_name(f"{target.name}.part")
            if target == photo:
                shutil.copy(self._photo(number), unfinished)
            else:
                unfinished.write_text(json.dumps(self._parameters | {"seed": number}))
            unfinished.rename(target)
        return photo

    def _photo(self, number: int) -> Path:
        return self.photos[number % len(self.photos)]


class DroppedAlone:
    """Drops one job after the other, each when the one before is done."""

    def __init__(self, portraits: Portraits, folders: Folders, daemon: threading.Thread) -> None:
        self._portraits, self._folders, self._daemon = portraits, folders, daemon
        self._number = 0

    def drop(self) -> None:
        """One photo, until its result lies in the outbox. Raises EnvironmentFault where none will."""
        photo = self._portraits._drop(self._folders.inbox, self._number)
        self._number += len(self._portraits.photos)  # the same photo again, with another seed
        while not (self._folders.outbox / photo.name).exists():
            if not self._daemon.is_alive() or any(self._folders.failed.iterdir()):
                raise EnvironmentFault(f"The daemon did not edit {photo.name}. Its log tells why.")
            time.sleep(_LOOK)


class Loaded(EditWorker):
    """A worker that has its models already."""

    def __init__(self, worker: EditWorker) -> None:
        super().__init__(worker.device)
        self._editor = worker.editor

    def load(self) -> tuple[str, str]:
        return "measured", self.editor.engine.choice.name
