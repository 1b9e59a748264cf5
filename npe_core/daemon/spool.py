"""The durable state of the watch folder: a job is in one folder at any time, and goes to the next by one rename.

::

    inbox/NAME.png ...          dropped by strangers
    outbox/.spool/tmp/N/        being claimed: a crash gives it back to the inbox
                  run/JOB/      claimed, waiting for its edit or in it: a crash starts it again
                  out/JOB/      edited, whole: a crash goes on with publishing
                  trash/        what is stored elsewhere and on its way out
    outbox/NAME.png, NAME.json  published
    outbox/.done/JOB/           the inputs of what was published
    failed/JOB/                 the inputs and reason.json

Only one thread calls a spool. Every method may raise OSError (disk full, read-only, folder gone); the job is then still
in one place, and the method can be called again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.claimed import LARGEST_FILE, Claimed
from npe_core.daemon.claiming import is_known, return_inputs, take_inputs
from npe_core.daemon.files import Files, require_readable, same_content, stamp_of
from npe_core.daemon.folders import Folders
from npe_core.daemon.journal import REASON, RESULT, Record, stored
from npe_core.daemon.log import log
from npe_core.daemon.names import Group
from npe_core.daemon.publishing import choose_names, show
from npe_core.daemon.tracker import Stamp
from npe_core.files import is_temporary

_RECORDS = 64 << 10
"""Bytes on the disk that a result takes besides its photo, at most: the report, the record."""

DAMAGED = {"code": "damaged", "reason": "The daemon's record of this job cannot be read (.job.json)."}


class Spool:
    """Moves jobs through the folders; see the module."""

    def __init__(self, folders: Folders, files: Files | None = None) -> None:
        self.folders, self.files = folders, files or Files()
        self.salt = ""
        """What besides the inputs decides about a result, the weights and the version: known once they are loaded."""
        self._numbers = itertools.count()

    # --- after a start --------------------------------------------------------------------------------------------

    def recover(self) -> list[Claimed]:
        """Finishes what a dead process left: claims are undone, results published. Returns the jobs to be run."""
        for rest in sorted(self.folders.trash.iterdir()):
            self._throw_away(rest)
        self._clear_up(self.folders.spool)
        self.undo_claims()
        for job in self._jobs(self.folders.out):
            self.publish(job)
        return self._jobs(self.folders.run)

    def undo_claims(self) -> None:
        """Gives back what was claimed in part, by a process that died or in an inbox that went away."""
        for folder in sorted(self.folders.tmp.iterdir()):
            self._give_back(folder)

    def _jobs(self, state: Path) -> list[Claimed]:
        """The jobs of a state; one whose record cannot be read goes to the failed ones."""
        jobs = []
        for folder in sorted(state.iterdir()):
            self._clear_up(folder)
            record = journal.load(folder)
            if record is not None:
                jobs.append(Claimed(folder, record))
            else:
                self.files.write(folder / REASON, journal.as_json(DAMAGED | self.folders.owner))
                self._retire(folder, self.folders.failed)
        return jobs

    def _clear_up(self, folder: Path) -> None:
        """Removes what a dead process was writing there."""
        for path in folder.iterdir():
            if is_temporary(path.name):
                self.files.remove(path)

    # --- claiming -------------------------------------------------------------------------------------------------

    def claim(self, group: Group, stamps: dict[str, Stamp]) -> Claimed | None:
        """Takes a group out of the inbox. None if it is gone or changed meanwhile, or is a job already."""
        record = Record.of(group)
        try:
            for name in record.parcel:  # all of them before the first is moved
                require_readable(self.folders.inbox / name)
        except FileNotFoundError:
            return None
        claim = self._fresh(self.folders.tmp)
        self.files.make_folder(claim)
        try:
            same = take_inputs(self.files, record, stamps, self.folders.inbox, claim)
            record = journal.identified(record, claim, self.salt, LARGEST_FILE) if same else record
        except OSError as error:
            self._give_back(claim)
            for name in record.parcel:  # which are in the inbox again, and known by that place
                if error.filename == str(claim / stored(name)):
                    error.filename = str(self.folders.inbox / name)
            raise
        if not same:
            self._give_back(claim)
            return None
        if is_known(self.folders, record):
            self.discard(claim)
            return None
        journal.save(self.files, claim, record)
        self.files.move_folder(claim, self.folders.run / record.id)
        return Claimed(self.folders.run / record.id, record)

    def give_back(self, job: Claimed) -> None:
        """Undoes a claim: the inputs go back to the inbox."""
        claim = self._fresh(self.folders.tmp)
        self.files.move_folder(job.folder, claim)  # first, so that a crash in the middle is no job without its inputs
        self._give_back(claim)

    def _give_back(self, folder: Path) -> None:
        record = journal.load(folder) or journal.of_files(folder)
        if record is not None:
            return_inputs(self.files, folder, record, self.folders.inbox)
        self.discard(folder)

    # --- running --------------------------------------------------------------------------------------------------

    def count_attempt(self, job: Claimed, more: int = 1) -> Claimed:
        """Durably, before the work starts; ``more=-1`` takes it back where the job is not to blame."""
        record = job.record.tried_again(more)
        journal.save(self.files, job.folder, record)
        return Claimed(job.folder, record)

    def new_result(self, job: Claimed) -> Path:
        """An empty folder for the result."""
        if job.result.exists():
            self.files.remove_folder(job.result)
        self.files.make_folder(job.result)
        return job.result

    def commit(self, job: Claimed) -> Claimed:
        """The result is whole: from here on the edit is not made again."""
        whole = self.folders.out / job.folder.name
        if not whole.exists():
            # This makes all names of the result durable, with that of the report.
            choose_names(self.files, job, self.folders.outbox)
            self.files.move_folder(job.folder, whole)
        return Claimed(whole, journal.load(whole) or job.record)

    @property
    def is_there(self) -> bool:
        """Whether the states can be looked into: where the outbox is gone, nothing is known of any job."""
        try:
            return all(state.is_dir() for state in (self.folders.tmp, self.folders.run, self.folders.out))
        except OSError:
            return False

    def try_writing(self, size: int) -> None:
        """Writes ``size`` bytes, and what goes with a result, and takes them away again. Raises OSError."""
        folder = self._fresh(self.folders.trash)  # what is left there by a crash goes at the next start
        self.files.make_folder(folder)
        try:
            self.files.write(folder / REASON, os.urandom(size + _RECORDS))  # which no file system makes smaller
        finally:
            self.files.remove_folder(folder)

    def is_whole(self, job: Claimed) -> bool:
        """Whether the job has been edited and is to be published: ``commit`` is done."""
        return (self.folders.out / job.folder.name).exists()

    def holds(self, job: Claimed) -> bool:
        """Whether the job is still in ``run`` or ``out``."""
        return any((state / job.folder.name).exists() for state in (self.folders.run, self.folders.out))

    # --- the ends -------------------------------------------------------------------------------------------------

    def publish(self, job: Claimed) -> Claimed:
        """The result appears in the outbox, the report first and the photo last, under names that were free."""
        record = show(self.files, job, self.folders.outbox)
        if job.result.exists():
            self.files.remove_folder(job.result)
        return Claimed(self._retire(job.folder, self.folders.done), record)

    def fail(self, job: Claimed, reason: bytes) -> Path:
        """The inputs go to ``failed/JOB`` with ``reason.json``. Returns that folder."""
        if job.result.exists():
            self.files.remove_folder(job.result)
        self.files.write(job.folder / REASON, reason)
        return self._retire(job.folder, self.folders.failed)

    def _retire(self, folder: Path, state: Path) -> Path:
        """To one of the last folders, where it takes the place of what came of the same bytes before.

        What people have put or changed there comes along.
        """
        target = state / folder.name
        if self.is_there:  # somebody may have cleared it away to make room
            state.mkdir(exist_ok=True)
        if os.path.lexists(target):
            self._keep_theirs(target, folder)
            self.discard(target)
        self.files.move_folder(folder, target)
        return target

    def _keep_theirs(self, old: Path, new: Path) -> None:
        """Moves from one folder of a job to another what is not stored there and not ours."""
        before = journal.load(old)
        same = {stored(name) for name in _alike(before, old)} if before is not None else set()
        for path in sorted(old.iterdir()):
            is_ours = path.name in (journal.JOURNAL, REASON, RESULT) or path.name in same or is_temporary(path.name)
            if not is_ours and not same_content(path, new / path.name):
                self.files.rename(path, _free(new / path.name))

    def discard(self, folder: Path) -> None:
        """Removes a folder whose content is stored elsewhere; a crash in the middle goes on with it."""
        doomed = self._fresh(self.folders.trash)
        self.files.move_folder(folder, doomed)
        self._throw_away(doomed)

    def _throw_away(self, rest: Path) -> None:
        """Empties the trash of one thing. What others put there may be theirs alone to remove: that stops nobody."""
        try:
            self.files.remove_folder(rest)
        except OSError as error:
            log("left in the trash", logging.WARNING, why=str(error))

    def _fresh(self, state: Path) -> Path:
        return next(path for number in self._numbers if not os.path.lexists(path := state / str(number)))

    def forget_older(self, days: float, now: float) -> Iterator[bool]:
        """Removes the inputs of jobs that were done so many days before ``now``; what is no job's is left alone.

        One folder a step, and for each whether it was removed: thousands take minutes. An OSError is raised in the
        end, when the others are done.
        """
        refused: OSError | None = None
        for folder in list(self.folders.done.iterdir()):
            is_removed = False
            try:
                if _is_job(folder) and now - folder.lstat().st_mtime > days * 86400:
                    self.discard(folder)
                    is_removed = True
            except OSError as error:
                refused = error
            yield is_removed
        if refused is not None:
            raise refused


def _is_job(folder: Path) -> bool:
    return not folder.is_symlink() and stamp_of(folder / journal.JOURNAL) is not None


def _alike(record: Record, folder: Path) -> Iterator[str]:
    """The inputs of a job whose bytes in its folder are those that were claimed."""
    for name, digest in record.digests.items():
        with contextlib.suppress(OSError):
            if journal.digest_of(folder / stored(name), LARGEST_FILE)[1] == digest:
                yield name


def _free(path: Path) -> Path:
    """The path, or one like it where nothing is."""
    numbered = (path.with_name(f"{path.stem}~{number}{path.suffix}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], numbered) if not os.path.lexists(each))
