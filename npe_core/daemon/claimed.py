"""A job that has been taken out of the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from npe_core.daemon.files import stamp_of
from npe_core.daemon.journal import RESULT, Record, stored

LARGEST_FILE = 512 << 20
"""Bytes of an input that are read or copied at most; a larger one fails unread, or stays in an inbox elsewhere."""


@dataclass(frozen=True)
class Claimed:
    """A job in ``run/`` or ``out/``."""

    folder: Path
    record: Record

    @property
    def result(self) -> Path:
        """Where its result is put together."""
        return self.folder / RESULT

    def input(self, role: str) -> Path | None:
        """The file of a role, if there is one."""
        return next((self.folder / stored(n) for n, r in self.record.inputs.items() if r == role), None)

    def is_as_claimed(self) -> bool:
        """Whether the inputs are there, and nobody has written to them since they were claimed."""
        written = self.record.written
        found = {name: stamp_of(self.folder / stored(name)) for name in self.record.inputs}
        return all(
            stamp is not None and written.get(name) == [stamp.size, stamp.mtime_ns] for name, stamp in found.items()
        )
