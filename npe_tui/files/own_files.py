"""The files that this session wrote: it may write over them as long as they hold what it put there."""

from __future__ import annotations

import hashlib
from pathlib import Path


class OwnFiles:
    """Remembers files by their content, so that what another program wrote meanwhile is never taken for its own."""

    def __init__(self) -> None:
        self._written: dict[Path, bytes] = {}
        """Absolute path -> digest."""

    def note(self, path: Path) -> None:
        """This file was just written. One that cannot be read is nobody's."""
        try:
            self._written[path.absolute()] = _digest(path)
        except OSError:
            self._written.pop(path.absolute(), None)

    def untouched(self, path: Path) -> bool:
        """Whether the file is there and holds what was written to it."""
        try:
            return self._written.get(path.absolute()) == _digest(path)
        except OSError:
            return False


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
