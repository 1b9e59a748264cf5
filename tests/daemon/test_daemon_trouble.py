"""Edits that fail, take too long or lose the device: each job gets what it deserves, and the others are done."""

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time

import pytest
from daemon_stubs import EndlessWorker, StubWorker, drop, names
from waiting import PATIENCE, wait_for

from npe_core.daemon import journal, pauses
from npe_core.daemon.blame import Blame, blame_for, of_writing
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.files import Files
from npe_core.daemon.names import sort_out
from npe_core.daemon.pipeline import Pipeline
from npe_core.daemon.retry import find_failed, retry
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.daemon.worker import DeviceLost, NotWritten, Read, StillWritten, Stopping, TimeUp
from npe_core.errors import EnvironmentFault, InputError, NoSpace, OutOfMemory, UsageError, WeightsError


def reason_of(folders, stem):
    (job,) = (job for job in folders.failed.iterdir() if job.name.startswith(f"{stem}-"))
    return json.loads((job / "reason.json").read_text())


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


def test_a_batch_that_fails_is_over_before_its_jobs_are_tried_alone(tmp_path):
    """What it held would be held meanwhile, and each new error would seem to have come of it."""
    tried = []

    class Failing(StubWorker):
        def edit(self, jobs, keep_going):
            tried.append((len(jobs), sys.exception()))
            raise RuntimeError("out of memory" if len(jobs) > 1 else "a bug")

    pipeline = Pipeline(Failing(), lambda: None)
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "ab"])
    finally:
        pipeline.close()
    assert tried == [(2, None), (1, None), (1, None)]
    assert [(str(error), error.__context__) for error in errors] == [("a bug", None)] * 2


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


def test_an_edit_that_takes_too_long_is_cut_off_and_told(folders, serve):
    drop(folders.inbox)
    code, _ = serve(EndlessWorker(), time_limit=0.05)
    assert code == 1 and reason_of(folders, "a")["code"] == "time-limit" and reason_of(folders, "a")["attempts"] == 3


def test_who_hangs_costs_those_in_its_batch_no_attempt(tmp_path):
    class Hanging(StubWorker):
        def edit(self, jobs, keep_going):
            found = [job.job.folder.name for job in jobs]
            try:
                while "slow" in found:
                    keep_going()
                    time.sleep(0.01)
            except TimeUp as error:  # as the editor does: each drops out by itself
                return [error for _ in jobs]
            return found

    pipeline = Pipeline(Hanging(), lambda: None, time_limit=0.05)
    try:
        outcomes = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in ("good", "slow", "fine")])
    finally:
        pipeline.close()
    assert (outcomes[0], type(outcomes[1]), outcomes[2]) == ("good", TimeUp, "fine")


def test_a_batch_has_the_time_of_all_its_jobs_and_each_alone_its_own(tmp_path):
    now, allowed = [0.0], []

    class Slow(StubWorker):
        def edit(self, jobs, keep_going):
            began = now[0]
            try:
                while True:
                    keep_going()
                    now[0] += 1
            finally:
                allowed.append((len(jobs), now[0] - began - 1))

    pipeline = Pipeline(Slow(), lambda: None, time_limit=10, clock=lambda: now[0])
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "abc"])
    finally:
        pipeline.close()
    assert allowed == [(3, 30), (1, 10), (1, 10), (1, 10)] and all(isinstance(error, TimeUp) for error in errors)


def test_who_would_be_tried_alone_is_given_back_when_the_daemon_ends(tmp_path):
    class Ending(StubWorker):
        def edit(self, jobs, keep_going):
            pipeline.stop()
            raise TimeUp("too slow")

    pipeline = Pipeline(Ending(), lambda: None)
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "ab"])
    finally:
        pipeline.close()
    assert [type(error) for error in errors] == [Stopping, Stopping]


def test_the_room_of_a_photo_is_free_again_when_it_is_written(tmp_path):
    class Large(StubWorker):
        def read(self, job):
            return Read(job, 12.0)

        def write(self, job, outcome, folder):
            pass

        def edit(self, jobs, keep_going):
            return ["edited" for _ in jobs]

    pipeline = Pipeline(Large(), lambda: None, megapixels=48)
    done = []
    try:
        for number in range(5):
            pipeline.submit(Claimed(tmp_path / str(number), None))
        wait_for(lambda: done.extend(pipeline.take()) or len(done) == 5)
    finally:
        pipeline.close()
    assert all(finished.error is None for finished in done)


def test_a_lost_device_ends_the_process_and_the_job_is_still_there(folders, serve):
    drop(folders.inbox)

    def lose(job):
        raise DeviceLost("CUDA error: an illegal memory access was encountered")

    code, _ = serve(StubWorker(lose))
    assert code == 4 and len(list(folders.run.iterdir())) == 1 and not names(folders.failed)
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]


LOSING = """
from pathlib import Path
import sys, time
from npe_core.daemon.folders import Folders
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.worker import DeviceLost, Read

class Losing:
    shares_batches = True
    def load(self): return "salt", "cuda:0"
    def read(self, job): return Read(job, megapixels=12.0)
    def edit(self, jobs, keep_going): time.sleep(0.5); raise DeviceLost("CUDA error: unspecified launch failure")
    def write(self, *job): pass

folders = Folders.of(Path(sys.argv[1]), Path(sys.argv[2]))
sys.exit(Service(folders, Losing(), Settings(settle=0, interval=0.1, least_free=0)).run())
"""


def test_the_process_ends_though_more_photos_wait_than_find_room(folders):
    for number in range(12):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())
    words = [sys.executable, "-c", LOSING, str(folders.inbox), str(folders.outbox)]
    ended = subprocess.run(words, timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == 4 and "Traceback" not in ended.stderr, ended.stderr


class Starts(Files):
    """Notes how many jobs were in flight when each was first begun; it may refuse the first of their folders."""

    def __init__(self, refuses):
        self.in_flight, self.service, self.refuses = {}, None, refuses

    def make_folder(self, path):
        if self.refuses and path.name == journal.RESULT:
            self.refuses = False
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        super().make_folder(path)

    def write(self, path, content, durable=True):
        if path.name == journal.JOURNAL:
            self.in_flight.setdefault(json.loads(content)["stem"], self.service._pipeline.in_flight)
        super().write(path, content, durable)


def left_in_run(folders, attempts):
    """What a daemon left that died: NAME -> how often it had tried that job."""
    spool = Spool(folders)
    for stem in attempts:
        drop(folders.inbox, stem, photo=stem.encode())
    stamps = scan(folders.inbox)
    for group in sort_out(stamps, set(stamps)).ready:
        spool.count_attempt(spool.claim(group, stamps), attempts[group.stem])


@pytest.mark.parametrize("refuses", [False, True])
def test_who_died_before_runs_alone_also_when_its_start_was_refused_once(folders, running, monkeypatch, refuses):
    """Beside no other that died, nor before or after one that is new; those may run together."""
    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    left_in_run(folders, {"a": 1, "b": 1, "c": 0, "d": 0, "e": 1})
    files, known = Starts(refuses), threading.Event()

    class Waiting(StubWorker):
        def load(self):
            assert known.wait(PATIENCE)
            return super().load()

    files.service, _ = running(Waiting(), files=files)
    known.set()
    wait_for(lambda: files.service.status.since_start.done == 5)
    assert list(files.in_flight.items()) == [("a", 0), ("b", 0), ("c", 0), ("d", 1), ("e", 0)]
    assert [json.loads(path.read_text())["attempts"] for path in sorted(folders.done.glob("*/.job.json"))] == [
        2,
        2,
        1,
        1,
        2,
    ]


def test_a_job_in_the_spool_that_somebody_took_away_stops_nobody(folders, serve, running, monkeypatch):
    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    left_in_run(folders, {"a": 1, "b": 0})

    class Clearing(Files):
        def make_folder(self, path):
            if path.name == journal.RESULT and path.parent.name.startswith("a-"):
                shutil.rmtree(path.parent)
            super().make_folder(path)

    service, _ = running(files=Clearing())
    wait_for(lambda: service.status.since_start.done == 1 and not service.status.paused and not service.status.claimed)
    assert names(folders.outbox) == ["b.json", "b.png"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_daemon_whose_thread_died_does_not_live_on_blind(folders, serve):
    class Short(StubWorker):
        def edit(self, jobs, keep_going):
            return []

    drop(folders.inbox)
    code, _ = serve(Short())
    assert code == 4 and len(list(folders.run.iterdir())) == 1


def test_stopping_in_the_middle_gives_back_what_is_not_done(folders, running):
    worker = EndlessWorker()
    for number in range(5):
        drop(folders.inbox, f"a{number}", photo=str(number).encode())
    service, thread = running(worker, batch=1, grace=0.2, settle=0.0)
    assert worker.started.wait(PATIENCE)
    service.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive() and len(names(folders.inbox)) == 10 and not list(folders.run.iterdir())
    assert not names(folders.failed) and service.status.state == "stopped"


@pytest.mark.parametrize("own", [None, b'{"own": 1}'])
def test_a_failed_job_called_reason_keeps_its_own_json(folders, serve, own):
    drop(folders.inbox, "reason", parameters=own)
    serve(StubWorker(lambda job: InputError("no")))
    (job,) = folders.failed.iterdir()
    inside, outside = (["reason.json.input"], ["reason.json"]) if own else ([], [])
    assert names(job) == ["reason.json", *inside, "reason.mask.png", "reason.png"]
    assert json.loads((job / "reason.json").read_text())["reason"] == "no"
    assert retry(folders, job) == ("", []) and names(folders.inbox) == [*outside, "reason.mask.png", "reason.png"]
    assert own is None or (folders.inbox / "reason.json").read_bytes() == own


def test_a_job_whose_name_others_have_by_now_goes_back_beside_them(folders, serve):
    drop(folders.inbox, "ana", parameters=b"{}")
    serve(StubWorker(lambda job: InputError("no face")))
    (job,) = folders.failed.iterdir()
    (folders.inbox / "ana.json").write_bytes(b'{"face": 2}')
    assert retry(folders, job) == ("ana~1", [])
    assert names(folders.inbox) == ["ana.json", "ana~1.json", "ana~1.mask.png", "ana~1.png"]


@pytest.mark.parametrize("folder", ["done", "failed"])
def test_a_folder_that_somebody_cleared_away_is_made_again(folders, serve, folder):
    drop(folders.inbox, "a")
    serve()
    shutil.rmtree(getattr(folders, folder), ignore_errors=True)
    drop(folders.inbox, "b", photo=b"other")

    def edit(job):
        shutil.rmtree(getattr(folders, folder), ignore_errors=True)
        return InputError("no face") if folder == "failed" else job.content

    code, service = serve(StubWorker(edit))
    assert code == (1 if folder == "failed" else 0) and not service.status.paused and not names(folders.inbox)
    assert len(list(getattr(folders, folder).iterdir())) == 1


def test_what_people_left_with_a_failed_job_outlives_its_next_failure(folders, serve):
    """The same bytes fail under the same name; sent back by `npe retry`, or dropped once more."""

    def refuse():
        return serve(StubWorker(lambda job: InputError("no face")))

    drop(folders.inbox, "ana", parameters=b"{}")
    refuse()
    (job,) = folders.failed.iterdir()
    (job / "by hand.psd").write_bytes(b"hours of work")
    (job / "tries").mkdir()
    (job / "tries" / "1.png").write_bytes(b"first")
    assert retry(folders, job) == ("", ["by hand.psd", "tries"])
    refuse()
    (job / "ana.json").write_bytes(b'{"face": 2}')  # corrected, and not sent back
    drop(folders.inbox, "ana", parameters=b"{}")
    refuse()
    assert [path.name for path in folders.failed.iterdir()] == [job.name]
    assert names(job) == ["ana.json", "ana.mask.png", "ana.png", "ana~2.json", "by hand.psd", "reason.json", "tries"]
    assert (job / "by hand.psd").read_bytes() == b"hours of work" and (job / "tries" / "1.png").exists()
    assert (job / "ana.json").read_bytes() == b"{}" and (job / "ana~2.json").read_bytes() == b'{"face": 2}'


def test_the_folder_that_cannot_be_written_to_is_the_one_that_is_named(folders, serve, monkeypatch):
    """chmod means nothing to root, so the system's answers are put in its place."""
    access = os.access

    class Refused(Files):
        def move_folder(self, source, target):
            if target.is_relative_to(folders.failed):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(source), None, str(target))
            super().move_folder(source, target)

    monkeypatch.setattr(os, "access", lambda path, mode: path != folders.failed and access(path, mode))
    drop(folders.inbox, "bad")
    code, service = serve(StubWorker(lambda job: InputError("no")), files=Refused())
    told = " ".join(service.status.paused.values())
    assert code == 4 and "The folder for failed jobs cannot be written to: Permission denied" in told
    assert str(folders.spool) not in told


@pytest.mark.parametrize(
    "change", [{"digests": []}, {"written": 1}, {"attempts": "3"}, {"oversize": None}, {"id": "../a"}]
)
def test_a_record_that_somebody_changed_stops_nobody(folders, serve, change):
    refuse = StubWorker(lambda job: InputError("No face was found in a.png."))
    drop(folders.inbox)
    serve(refuse)
    record = next(folders.failed.glob("*/.job.json"))
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    drop(folders.inbox)
    drop(folders.inbox, "b", photo=b"another")
    assert serve(refuse)[0] == 1 and reason_of(folders, "b")["code"] == reason_of(folders, "a")["code"] == "bad-input"


def test_a_report_that_nests_too_deeply_stops_nobody(folders, serve):
    drop(folders.inbox)
    serve()
    (folders.outbox / "a.json").write_text("[" * 200_000)
    drop(folders.inbox)
    assert serve()[0] == 0 and sum(name.endswith(".png") for name in names(folders.outbox)) == 2


def test_what_to_do_can_be_pasted_into_a_shell(folders, serve):
    drop(folders.inbox, "-my photo's")
    serve(StubWorker(lambda job: OutOfMemory("no memory")), attempts=1)
    (job,) = folders.failed.iterdir()
    said = json.loads((job / "reason.json").read_text())["what_to_do"]
    words = shlex.split(said.partition("npe retry ")[2].rstrip("."))
    assert words == ["--", job.name] and find_failed(folders, words[1]) == job
