"""A worker that is quick, and what tests of the watch folder drop, claim and look for."""

import hashlib
import json
import threading
import time
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.files import Files
from npe_core.daemon.names import sort_out
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.daemon.worker import Read
from npe_core.files import is_temporary

QUICK = {"settle": 0.0, "interval": 0.1, "events": False, "once": True, "least_free": 0}


class StubWorker:
    """Does as an engine does, in no time: the result is a digest of the inputs."""

    shares_batches = True

    def __init__(self, edit=None, read=None, write=None):
        self.edits = []
        self._edit, self._read, self._write = edit, read, write

    def load(self):
        return "weights", "stub"

    def read(self, job):
        if self._read is not None:
            self._read(job)
        return Read(job, 0.01, b"".join(path.read_bytes() for path in sorted(job.folder.iterdir()) if path.is_file()
                                        and not path.name.startswith(".")))  # fmt: skip

    def edit(self, jobs, keep_going):
        self.edits.append([job.job.record.stem for job in jobs])
        return [self._edit(job) if self._edit is not None else job.content for job in jobs]

    def write(self, job, outcome, folder):
        if self._write is not None:
            self._write(job)
        files = Files()
        files.write(folder / f"photo{Path(job.job.record.photo).suffix}", result_of(outcome))
        files.write(
            folder / journal.REPORT,
            journal.as_json({"job": job.job.record.id, "output": "", "seconds": {"total": 0.1}}),
        )


class EndlessWorker(StubWorker):
    """An edit of its goes on until it is told to stop."""

    def __init__(self):
        super().__init__()
        self.started = threading.Event()

    def edit(self, jobs, keep_going):
        self.started.set()
        try:
            while True:
                keep_going()
                time.sleep(0.01)
        except Exception as error:
            return [error for _ in jobs]


def result_of(content: bytes) -> bytes:
    """What the stub makes of the joined inputs."""
    return b"edited " + hashlib.sha256(content).hexdigest().encode()


def drop(inbox, stem="a", photo=b"photo", mask=b"mask", parameters=None, suffix=".png"):
    """A job's files, the photo last."""
    for ending, content in ((".mask.png", mask), (".json", parameters), (suffix, photo)):
        if content is not None:
            (inbox / (stem + ending)).write_bytes(content)


def claim_all(spool):
    """The jobs that are whole in the inbox, claimed: each the Claimed that it became, or None."""
    stamps = scan(spool.folders.inbox)
    return [spool.claim(group, stamps) for group in sort_out(stamps, set(stamps)).ready]


def left_in_run(folders, attempts):
    """What a daemon left that died: NAME -> how often it had tried that job."""
    spool = Spool(folders)
    for stem in attempts:
        drop(folders.inbox, stem, photo=stem.encode())
    stamps = scan(folders.inbox)
    for group in sort_out(stamps, set(stamps)).ready:
        spool.count_attempt(spool.claim(group, stamps), attempts[group.stem])


def names(folder):
    """The visible files of a folder."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def reason_of(folders, stem):
    """What is said of the failed job of that NAME."""
    (job,) = (job for job in folders.failed.iterdir() if job.name.startswith(f"{stem}-"))
    return json.loads((job / "reason.json").read_text())


def everything(root):
    """Content -> where it lies, for all files that are no records of the daemon's own."""
    found = {}
    for path in sorted(root.rglob("*")):
        own = path.name in (journal.JOURNAL, "lock", "status.json", "reason.json") or is_temporary(path.name)
        if path.is_file() and not own:
            found.setdefault(path.read_bytes(), []).append(path)
    return found
