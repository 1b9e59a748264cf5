"""Edits that fail: each job gets what it deserves, and the others are done."""

import errno
import os

import pytest
from daemon_stubs import StubWorker, drop, names, reason_of

from npe_core.daemon.blame import Blame, blame_for, of_writing
from npe_core.daemon.worker import DeviceLost, NotWritten, StillWritten, Stopping, TimeUp
from npe_core.errors import EnvironmentFault, InputError, NoSpace, OutOfMemory, UsageError, WeightsError


def test_a_bad_job_fails_at_once_and_the_others_are_done(folders, serve):
    def edit(job):
        if job.job.record.stem == "bad":
            return InputError("the mask is 64x64 but the photo is 128x128")
        return job.content

    for stem in ("good", "bad", "fine"):
        drop(folders.inbox, stem)
    worker = StubWorker(edit)
    code, _ = serve(worker)
    assert code == 1 and names(folders.outbox) == ["fine.json", "fine.png", "good.json", "good.png"]
    reason = reason_of(folders, "bad")
    assert (reason["code"], reason["attempts"]) == ("bad-input", 1) and "64x64" in reason["reason"]
    assert sum("bad" in batch for batch in worker.edits) == 1


def test_a_bug_in_a_batch_hits_only_the_job_that_causes_it(folders, serve):
    def edit(job):
        if job.job.record.stem == "odd":
            raise ZeroDivisionError("oops")
        return job.content

    for stem in ("good", "odd", "fine"):
        drop(folders.inbox, stem)
    code, _ = serve(StubWorker(edit))
    assert code == 1 and names(folders.outbox) == ["fine.json", "fine.png", "good.json", "good.png"]
    reason = reason_of(folders, "odd")
    assert reason["code"] == "error" and reason["reason"] == "ZeroDivisionError: oops" and reason["attempts"] == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (UsageError("WEBP holds at most 16383 pixels a side."), "bad-input"),
        (OSError("encoder error -2 when writing image file"), "error"),
        (OutOfMemory("Not enough memory to write photo.png."), "no-memory"),
    ],
)
def test_a_result_that_cannot_be_encoded_is_no_reason_to_pause(folders, serve, fault, code):
    def write(job):
        if job.job.record.stem == "odd":
            raise fault

    for stem in ("good", "odd", "fine"):
        drop(folders.inbox, stem)
    ended, service = serve(StubWorker(write=write))
    assert ended == 1 and names(folders.outbox) == ["fine.json", "fine.png", "good.json", "good.png"]
    assert reason_of(folders, "odd")["code"] == code and not service.status.paused


def test_no_memory_is_tried_again_and_then_told(folders, serve):
    fail = [OutOfMemory("cuda:0 ran out of memory on a single picture.")] * 2
    drop(folders.inbox, "lucky")
    code, _ = serve(StubWorker(lambda job: fail.pop() if fail else job.content))
    assert code == 0 and names(folders.outbox) == ["lucky.json", "lucky.png"]
    drop(folders.inbox, "heavy")
    code, _ = serve(StubWorker(lambda job: OutOfMemory("cuda:0 ran out of memory on a single picture.")))
    assert code == 1 and reason_of(folders, "heavy")["code"] == "no-memory"


@pytest.mark.parametrize(
    "said",
    ["CUDA out of memory.", "[enforce fail] DefaultCPUAllocator: can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED"],
)
def test_no_memory_outside_the_models_is_the_jobs_own_matter(folders, serve, said):
    """As the editor tells it: the device is there, so nothing is loaded anew, and the next job is done."""
    from npe_core.editor.editor import attempt

    def full():
        raise RuntimeError(said)

    class Loading(StubWorker):
        loads = 0

        def load(self):
            self.loads += 1
            return super().load()

    for stem in ("good", "heavy"):
        drop(folders.inbox, stem)
    worker = Loading(lambda job: attempt(full) if job.job.record.stem == "heavy" else job.content)
    code, service = serve(worker)
    assert code == 1 and names(folders.outbox) == ["good.json", "good.png"] and not service.status.paused
    reason = reason_of(folders, "heavy")
    assert (reason["code"], reason["attempts"], worker.loads) == ("no-memory", 3, 1)


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (StillWritten(), Blame.NOBODY),
        (Stopping(), Blame.NOBODY),
        (InputError("no face"), Blame.INPUT),
        (UsageError("sharpness"), Blame.INPUT),
        (NotWritten("full"), Blame.DISK),
        (DeviceLost("gone"), Blame.DEVICE),
        (WeightsError("missing"), Blame.INSTALLATION),
        (EnvironmentFault("no OpenCV"), Blame.INSTALLATION),
        (OutOfMemory("too large"), Blame.JOB),
        (TimeUp("too slow"), Blame.JOB),
        (MemoryError(), Blame.JOB),
        (ZeroDivisionError(), Blame.JOB),
    ],
)
def test_who_is_to_blame(error, blame):
    assert blame_for(error) is blame


@pytest.mark.parametrize(
    ("fault", "blame", "needed"),
    [
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), Blame.DISK, 0),
        (EnvironmentFault("/outbox cannot be written to."), Blame.DISK, 0),
        (NoSpace("no room", 400_000), Blame.DISK, 400_000),
        (OSError("encoder error -2 when writing image file"), Blame.JOB, None),
        (OutOfMemory("too large to be encoded"), Blame.JOB, None),
        (UsageError("WEBP holds at most 16383 pixels a side."), Blame.INPUT, None),
    ],
)
def test_who_is_to_blame_while_a_result_is_written(fault, blame, needed):
    error = of_writing(fault)
    assert blame_for(error) is blame and getattr(error, "needed", None) == needed
    assert error is fault if needed is None else error.__cause__ is fault and str(error) == str(fault)
