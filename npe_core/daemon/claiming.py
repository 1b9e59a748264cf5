"""Inputs out of the inbox, and back to it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.claimed import LARGEST_FILE
from npe_core.daemon.files import Files, same_content, stamp_of
from npe_core.daemon.folders import Folders
from npe_core.daemon.journal import REPORT, Record, stored
from npe_core.daemon.names import with_ending
from npe_core.daemon.tracker import Stamp


def take_inputs(files: Files, record: Record, stamps: dict[str, Stamp], inbox: Path, claim: Path) -> bool:
    """Moves the inputs into the folder of their claim, the photo last; whether each was the file that was looked at."""
    return all(_take(files, inbox / name, claim / stored(name), stamps[name]) for name in record.parcel)


def _take(files: Files, source: Path, target: Path, stamp: Stamp) -> bool:
    try:
        if stamp_of(source) != stamp:
            return False
        files.take(source, target, LARGEST_FILE)
    except FileNotFoundError:
        return False
    now = stamp_of(target)
    return now is not None and now.size == stamp.size


def is_known(folders: Folders, record: Record) -> bool:
    """Whether the same bytes are being worked on, or their result still lies in the outbox."""
    known = [_whole(state / record.id) for state in (folders.run, folders.out)]
    done = _whole(folders.done / record.id)
    return any(known) or (done is not None and _is_in_outbox(done, folders.outbox))


def _is_in_outbox(done: Record, outbox: Path) -> bool:
    """Whether the photo is there, and the report beside it tells of this job: other jobs use the same names."""
    names = {file == REPORT: outbox / name for file, name in done.published.items()}
    if names.keys() != {True, False} or stamp_of(names[False]) is None:
        return False
    return journal.read_object(names[True]).get("job") == journal.label(done)


def _whole(folder: Path) -> Record | None:
    """The record of a job's folder that has all its inputs, whatever they are called."""
    record = journal.load(folder)
    return record if record is not None and all((folder / stored(name)).exists() for name in record.inputs) else None


def return_inputs(files: Files, folder: Path, record: Record, inbox: Path) -> str:
    """Moves the inputs of a job back to the inbox, the photo last; all under another NAME where theirs is taken.

    Returns the NAME.
    """
    left = [name for name in record.parcel if os.path.lexists(folder / stored(name))]
    for number in itertools.count():
        ending = f"~{number}" if number else ""
        stem = with_ending(record.stem, ending) if number else record.stem
        names = {name: stem + name[len(record.stem) :] for name in left}
        taken = any(
            os.path.lexists(inbox / new) and not same_content(folder / stored(old), inbox / new)
            for old, new in names.items()
        )
        if not taken:
            break
    files.give({folder / stored(old): new for old, new in names.items()}, inbox)
    return stem
