"""A disk that takes nothing while the real engine works: it is no job's fault, nor that of the models."""

import errno
import json
import os
import subprocess

import pytest
from daemon_stubs import QUICK, names
from real_work import FEW, png, put, spot

from npe_core import files
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.spool import Spool
from npe_core.daemon.work import EditWorker


@pytest.mark.parametrize("fault", ["mount", "access"])
def test_an_outbox_that_becomes_read_only_before_a_job_is_read_is_no_fault_of_the_models(
    folders, worker, portrait, monkeypatch, fault
):
    """A real read-only file system, where mounting is allowed; else, as chmod means nothing to root, its answer."""
    spool, refused = Spool(folders), []

    def read_only(job):
        if fault == "access":
            access = os.access
            monkeypatch.setattr(os, "access", lambda path, mode: path != job.result and access(path, mode))
        else:
            refused.append(
                mount("--bind", folders.outbox, folders.outbox) or mount("-o", "remount,bind,ro", folders.outbox)
            )
        return EditWorker.read(worker, job)

    put(folders, "a", portrait.read_bytes(), mask=png(spot()), json=FEW)
    monkeypatch.setattr(worker, "read", read_only)
    service = Service(folders, worker, Settings(**QUICK))
    try:
        code = service.run()
    finally:
        if fault == "mount":
            subprocess.run(["umount", str(folders.outbox)], check=False)
    if any(refused):
        pytest.skip("mounting is not allowed here")
    assert code == 4 and list(service.status.paused) == ["outbox"]
    assert "The outbox cannot be written to" in service.status.paused["outbox"]
    assert not names(folders.failed) and len(spool._jobs(folders.run)) == 1


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode


def test_a_disk_that_fills_up_while_a_photo_is_written_pauses_as_disk(folders, worker, work, portrait, monkeypatch):
    create = files.create

    def create_small(path, content):
        if content.startswith(b"\x89PNG"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        create(path, content)

    put(folders, "a", portrait.read_bytes(), mask=png(spot()), json=FEW)
    monkeypatch.setattr(files, "create", create_small)
    service = Service(folders, worker, Settings(**QUICK))
    assert service.run() == 4 and list(service.status.paused) == ["disk"] and not names(folders.failed)
    assert service._pauses.needed > 100_000, "it waits for room for the whole photo"
    (record,) = folders.run.glob("*/.job.json")
    assert json.loads(record.read_text())["attempts"] == 0
