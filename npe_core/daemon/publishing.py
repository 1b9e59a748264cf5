"""A result appears in the outbox, whole and under names that were free."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.files import Files, read_small, same_content
from npe_core.daemon.journal import REPORT, Record
from npe_core.daemon.names import with_ending
from npe_core.filenames import printable


def show(files: Files, job: Claimed, outbox: Path) -> Record:
    """The report appears first and the photo last; names that were taken meanwhile are chosen anew."""
    record = job.record
    if any(_is_taken(job.result / file, outbox / name) for file, name in record.published.items()):
        record = choose_names(files, job, outbox)
    whole = {job.result / file: name for file, name in record.published.items() if (job.result / file).exists()}
    files.give(whole, outbox)
    return record


def _is_taken(file: Path, target: Path) -> bool:
    return file.exists() and os.path.lexists(target) and not same_content(file, target)


def choose_names(files: Files, job: Claimed, outbox: Path) -> Record:
    """Writes down under which names the result will appear; the report tells that of the photo."""
    whole = [path.name for path in job.result.iterdir() if not path.name.startswith(".")]
    shown = sorted(whole, key=lambda name: name != REPORT)
    suffixes = {file: Path(file).suffix for file in shown}
    for stem in _stems(job.record):
        names = {file: stem + suffix for file, suffix in suffixes.items()}
        if not any(os.path.lexists(outbox / name) for name in names.values()):
            break
    record = replace(job.record, published=names)
    if REPORT in names:
        report = json.loads(read_small(job.result / REPORT, journal.LIMIT))
        report["output"] = printable(names[shown[-1]])
        files.write(job.result / REPORT, journal.as_json(report))
    journal.save(files, job.folder, record)
    return record


def _stems(record: Record) -> Iterator[str]:
    """NAME, and what it becomes where that is taken."""
    yield record.stem
    for more in itertools.chain([""], (f"-{number}" for number in itertools.count(2))):
        ending = f"~{record.id[-12:]}{more}"
        yield with_ending(record.stem, ending)
