"""Writing: folders that are there before any work, files that appear whole or not at all, and faults in words."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from npe_core.errors import EnvironmentFault

NAME_ROOM = 200
"""Bytes of a photo's name that the names of files beside it begin with; most file systems allow 255 in all."""


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """Around the writing of ``path``: what the system refuses is raised as EnvironmentFault."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror or error}.") from None


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside ``path``; what is written there takes its place, whole or not at all, whether a
    process is killed or the power fails.

    Raises EnvironmentFault.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with written(path):
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Makes the new name durable; not every system can open a folder for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder that files can be written to, with those above it. Raises EnvironmentFault."""
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EnvironmentFault(f"{folder} cannot be written to. Choose another folder.")


def shortened(stem: str, room: int) -> str:
    """The longest beginning of a name that takes at most ``room`` bytes and splits no letter."""
    kept = os.fsencode(stem)[:room]
    while kept and len(kept) < len(os.fsencode(stem)):
        try:
            kept.decode("utf-8")
            break
        except UnicodeDecodeError as error:
            if error.end < len(kept) or error.reason != "unexpected end of data":
                break  # not UTF-8 to begin with: any place will do
            kept = kept[: error.start]
    return os.fsdecode(kept)
