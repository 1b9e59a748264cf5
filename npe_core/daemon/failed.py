"""The failed jobs, and whose they are: daemons with outboxes side by side put theirs into one folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from npe_core.daemon import journal
from npe_core.daemon.folders import Folders
from npe_core.filenames import printable


def failed_jobs(folders: Folders) -> list[Path]:
    """The folders of failed jobs, by name; not those of another daemon."""
    return [folder for folder in _all_failed(folders) if owner_of(folders, folder) is None]


def failed_elsewhere(folders: Folders) -> dict[Path, Folders]:
    """The folders of the jobs of other daemons that lie among ours -> theirs."""
    owners = {folder: owner_of(folders, folder) for folder in _all_failed(folders)}
    return {folder: owner for folder, owner in owners.items() if owner is not None}


def _all_failed(folders: Folders) -> list[Path]:
    try:
        with os.scandir(folders.failed) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    ours = (journal.JOURNAL, journal.REASON)
    return sorted(path for path in found if any(os.path.lexists(path / name) for name in ours))


def owner_of(folders: Folders, job: Path) -> Folders | None:
    """The folders of the other daemon whose job it is.

    None for our own, for one whose reason.json does not say, and for one whose outbox is none any more: nobody else
    would ever send that back.
    """
    reason = journal.read_object(job / journal.REASON)
    inbox, outbox = reason.get("inbox"), reason.get("outbox")
    if not (isinstance(inbox, str) and isinstance(outbox, str)):
        return None
    try:
        there = Path(os.path.realpath(folders.failed))
        other = Folders(Path(os.path.realpath(there / inbox)), Path(os.path.realpath(there / outbox)), folders.failed)
    except ValueError:  # no name that a file can have
        return None
    is_ours = other.outbox == Path(os.path.realpath(folders.outbox))
    return None if is_ours or not os.path.isdir(other.spool) else other  # noqa: PTH112  Path.is_dir() may raise


def reason_of(folder: Path) -> dict[str, Any]:
    """Why a job failed."""
    reason = journal.read_object(folder / journal.REASON)
    return {"job": printable(folder.name), "code": reason.get("code", "unknown"), "reason": reason.get("reason", "")}
