"""Failed jobs go back to the inbox, from any shell, whether a daemon runs or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.files import Files, stamp_of
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import part_of, shown
from npe_core.daemon.spool import return_inputs
from npe_core.daemon.status import failed_jobs
from npe_core.errors import EnvironmentFault, InputError, UsageError
from npe_core.spelling import hint


def find_failed(folders: Folders, job: str) -> Path:
    """The folder of a failed job, by its id or by the name of its photo. Raises UsageError that names the nearest."""
    found = failed_jobs(folders)
    wanted = job.rstrip("/").rpartition("/")[2]
    exact = [folder for folder in found if wanted in (folder.name, shown(folder.name))]
    stems = {folder: folder.name.rpartition("-")[0] for folder in found}
    named = exact or [folder for folder, stem in stems.items() if wanted in (stem, shown(stem))]
    if len(named) == 1:
        return named[0]
    if named:
        several = ", ".join(shown(folder.name) for folder in named)
        raise UsageError(f"{len(named)} failed jobs have the name {wanted!r}: {several}. Name one of them.")
    known = [shown(name) for folder, stem in stems.items() for name in (folder.name, stem)]
    said = hint(wanted, known, "`npe status` lists them.")
    raise UsageError(f"There is no failed job {wanted!r} in {shown(str(folders.failed))}. {said}")


def retry(folders: Folders, job: Path) -> tuple[str, list[str]]:
    """Moves the inputs of one failed job back to the inbox, with what people have put beside them.

    Returns the other NAME that they have there, if other files had theirs, or "", and the names of the files that mean
    nothing to the job; for their sake the folder stays. Raises InputError and EnvironmentFault.
    """
    record = journal.load(job)
    if record is None:
        raise InputError(f"{shown(str(job))} has no record of its inputs. Move them to the inbox by hand.")
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
            f"{shown(job.name)} cannot go back to {shown(str(folders.inbox))}: {error.strerror}. Nothing is lost; "
            "what is not in the inbox is where it was."
        ) from None


def _added(job: Path, stem: str) -> dict[str, str]:
    """File name -> role of the inputs that lie in the job's folder by now."""
    found = {}
    for path in job.iterdir():
        name = journal.REASON if path.name == journal.stored(journal.REASON) else path.name
        part = part_of(name)
        if part is not None and part.stem == stem and path.name != journal.REASON and stamp_of(path) is not None:
            found[name] = part.role
    return found
