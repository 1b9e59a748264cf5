"""Failed jobs go back to the inbox, from any shell, whether a daemon runs or not."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.claiming import return_inputs
from npe_core.daemon.failed import failed_elsewhere, failed_jobs
from npe_core.daemon.files import Files, stamp_of
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import part_of
from npe_core.errors import EnvironmentFault, InputError, UsageError
from npe_core.filenames import printable, quoted
from npe_core.spelling import hint


def find_failed(folders: Folders, job: str) -> Path:
    """The folder of a failed job, by its id or by the name of its photo.

    Raises UsageError that says whose it is if it is another daemon's, or names the nearest.
    """
    found = failed_jobs(folders)
    wanted = job.rstrip("/").rpartition("/")[2]
    named = _named(found, wanted)
    if len(named) == 1:
        return named[0]
    if named:
        several = ", ".join(printable(folder.name) for folder in named)
        raise UsageError(f"{len(named)} failed jobs have the name {quoted(wanted)}: {several}. Name one of them.")
    elsewhere = failed_elsewhere(folders)
    if theirs := _named(elsewhere, wanted):
        say = _options(elsewhere[theirs[0]])
        raise UsageError(f"The failed job {printable(theirs[0].name)} is another daemon's. Name its folders: {say}")
    known = [printable(name) for folder in found for name in (folder.name, _stem(folder))]
    said = hint(wanted, known, "`npe status` lists them.")
    raise UsageError(f"There is no failed job {quoted(wanted)} in {printable(str(folders.failed))}. {said}")


def _stem(folder: Path) -> str:
    return folder.name.rpartition("-")[0]


def _named(found: Iterable[Path], wanted: str) -> list[Path]:
    """Those that are called so, by the id or else by the name of the photo."""
    found = list(found)
    exact = [folder for folder in found if wanted in (folder.name, printable(folder.name))]
    return exact or [folder for folder in found if wanted in (_stem(folder), printable(_stem(folder)))]


def _options(folders: Folders) -> str:
    """The options that name the folders, to be pasted into a shell."""
    words = {"--inbox": folders.inbox, "--outbox": folders.outbox}
    if folders.failed != Folders.of(folders.inbox, folders.outbox).failed:
        words["--failed"] = folders.failed
    return " ".join(f"{option} {shlex.quote(printable(str(folder)))}" for option, folder in words.items())


def retry(folders: Folders, job: Path) -> tuple[str, list[str]]:
    """Moves the inputs of one failed job back to the inbox, with what people have put beside them.

    Returns the other NAME that they have there, if other files had theirs, or "", and the names of the files that mean
    nothing to the job; for their sake the folder stays. Raises InputError and EnvironmentFault.
    """
    record = journal.load(job)
    if record is None:
        raise InputError(f"{printable(str(job))} has no record of its inputs. Move them to the inbox by hand.")
    files = Files()
    try:
        known = replace(record, inputs=record.inputs | _added(job, record.stem))
        stem = return_inputs(files, job, known, folders.inbox)
        for name in (journal.REASON, journal.JOURNAL):  # the record last: with it the job can be sent back again
            files.remove(job / name)
        left = sorted(path.name for path in job.iterdir())
        if not left:
            job.rmdir()
        return stem if stem != record.stem else "", left
    except OSError as error:
        raise EnvironmentFault(
            f"{printable(job.name)} cannot go back to {printable(str(folders.inbox))}: {error.strerror}. Nothing is "
            "lost; what is not in the inbox is where it was."
        ) from None


def _added(job: Path, stem: str) -> dict[str, str]:
    """File name -> role of what lies in the job's folder by now under the name of an input."""
    parts = {path.name: part_of(path.name) for path in job.iterdir() if stamp_of(path) is not None}
    return {name: part.role for name, part in parts.items() if part is not None and part.stem == stem}
