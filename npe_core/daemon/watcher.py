"""Events of the file system only wake the loop; what there is to do is told by the scan."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npe_core.daemon.names import is_unfinished
from npe_core.daemon.tracker import Stamp


class Watcher:
    """Watches one folder, as long as there is one, and follows it when it is mounted anew."""

    def __init__(self, folder: Path, wake: Callable[[], None], renamed: Callable[[str, Stamp], None]) -> None:
        """``wake`` is called after every change, ``renamed`` with a file that had a temporary name: name and stamp."""
        self._folder, self._wake, self._renamed = folder, wake, renamed
        self._observer: Any = None
        self._place: tuple[int, int] | None = None

    def follow(self) -> None:
        """Begins to watch, or begins anew where the folder is another one than before."""
        try:
            status = self._folder.stat()
        except OSError:
            self.stop()
            return
        place = status.st_dev, status.st_ino
        if place != self._place:
            self.stop()
            self._place = place
            self._start()

    def _start(self) -> None:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        watcher = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type in ("opened", "closed_no_write"):  # the scan itself causes these
                    return
                if event.event_type == "moved" and is_unfinished(Path(os.fsdecode(event.src_path)).name):
                    after = Path(os.fsdecode(event.dest_path))
                    with contextlib.suppress(OSError):  # it may have been taken already
                        watcher._renamed(after.name, Stamp.of(after.lstat()))
                watcher._wake()

        observer = Observer()
        try:
            observer.schedule(Handler(), str(self._folder), recursive=False)
            observer.start()
        except OSError:  # no more watches to be had, or a file system without: the scan sees all, a second later
            return
        self._observer = observer

    def stop(self) -> None:
        """Ends watching."""
        if self._observer is not None:
            with contextlib.suppress(OSError, KeyError):
                self._observer.stop()
            self._observer.join(timeout=5)
        self._observer = self._place = None
