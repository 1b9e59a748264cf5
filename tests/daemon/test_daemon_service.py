"""The loop around the spool: batches, errors, pauses, bursts, stopping; with a quick worker and real folders."""

import errno
import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from daemon_stubs import QUICK, StubWorker, drop, names

from npe_core.daemon.files import Files
from npe_core.daemon.log import set_up
from npe_core.daemon.names import sort_out
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.status import metrics_text, read_status, report_lines
from npe_core.daemon.tracker import Tracker, scan
from npe_core.daemon.work import DeviceLost
from npe_core.errors import EnvironmentFault, InputError, WeightsError


def reason_of(folders, stem):
    (job,) = (job for job in folders.failed.iterdir() if job.name.startswith(f"{stem}-"))
    return json.loads((job / "reason.json").read_text())


def test_what_is_dropped_comes_out_and_the_inputs_are_kept(folders, serve):
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", suffix=".jpg", mask=None, parameters=b"{}")
    drop(folders.inbox, "alone", mask=None)
    code, service = serve()
    assert code == 0 and service.status.since_start.done == 2
    assert names(folders.outbox) == ["a.json", "a.png", "b.jpg", "b.json"]
    assert names(folders.inbox) == ["alone.png"] and service.status.state == "stopped"
    kept = sorted(name for job in folders.done.iterdir() for name in names(job))
    assert kept == ["a.mask.png", "a.png", "b.jpg", "b.json"]
    assert json.loads((folders.outbox / "a.json").read_text())["output"] == "a.png"


def test_the_same_bytes_twice_are_one_job_until_the_result_is_fetched(folders, serve):
    worker = StubWorker()
    for _ in range(2):
        drop(folders.inbox)
        serve(worker)
    assert worker.edits == [["a"]] and names(folders.outbox) == ["a.json", "a.png"] and not names(folders.inbox)
    for name in names(folders.outbox):
        (folders.outbox / name).unlink()
    drop(folders.inbox)
    serve(worker)
    assert worker.edits == [["a"], ["a"]] and names(folders.outbox) == ["a.json", "a.png"]
    assert len(list(folders.done.iterdir())) == 1


def test_the_same_name_with_other_bytes_is_another_job_and_nothing_is_overwritten(folders, serve):
    (folders.outbox / "a.png").write_bytes(b"precious")
    for photo in (b"1", b"2"):
        drop(folders.inbox, photo=photo)
        serve()
    drop(folders.inbox, suffix=".jpg")
    serve()
    found = names(folders.outbox)
    assert (folders.outbox / "a.png").read_bytes() == b"precious" and len(found) == 7
    assert sum(name.startswith("a~") and name.endswith(".png") for name in found) == 2
    for name in found:
        if name.endswith(".json"):
            assert (folders.outbox / json.loads((folders.outbox / name).read_text())["output"]).exists()


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


def test_no_memory_is_tried_again_and_then_told(folders, serve):
    fail = [EnvironmentFault("cuda:0 ran out of memory on a single picture.")] * 2
    drop(folders.inbox, "lucky")
    code, _ = serve(StubWorker(lambda job: fail.pop() if fail else job.content))
    assert code == 0 and names(folders.outbox) == ["lucky.json", "lucky.png"]
    drop(folders.inbox, "heavy")
    code, _ = serve(StubWorker(lambda job: EnvironmentFault("cuda:0 ran out of memory on a single picture.")))
    assert code == 1 and reason_of(folders, "heavy")["code"] == "no-memory"


def test_jobs_that_wait_go_together(folders, serve):
    for number in range(20):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())
    gate = threading.Event()
    worker = StubWorker(edit=lambda job: gate.wait(0.3) or job.content)
    serve(worker, batch=8)
    assert len(names(folders.outbox)) == 40
    assert max(map(len, worker.edits)) > 1 and len(worker.edits) < 20
    assert sorted(stem for batch in worker.edits for stem in batch) == [f"a{number:02}" for number in range(20)]


def test_claims_are_bounded(folders, serve):
    most = []
    for number in range(30):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())

    def look(job):
        most.append(30 - len(names(folders.inbox)) // 2 - len(names(folders.outbox)) // 2)

    serve(StubWorker(read=look), batch=2, most_claimed=6)
    assert max(most) <= 6 and len(names(folders.outbox)) == 60


def test_an_edit_that_takes_too_long_is_cut_off_and_told(folders, serve):
    class Slow(StubWorker):
        def edit(self, jobs, keep_going):
            try:
                while True:
                    keep_going()
                    time.sleep(0.01)
            except Exception as error:
                return [error for _ in jobs]

    drop(folders.inbox)
    code, _ = serve(Slow(), time_limit=0.05)
    assert code == 1 and reason_of(folders, "a")["code"] == "time-limit" and reason_of(folders, "a")["attempts"] == 3


def test_a_lost_device_ends_the_process_and_the_job_is_still_there(folders, serve):
    drop(folders.inbox)

    def lose(job):
        raise DeviceLost("CUDA error: an illegal memory access was encountered")

    code, _ = serve(StubWorker(lose))
    assert code == 4 and len(list(folders.run.iterdir())) == 1 and not names(folders.failed)
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_daemon_whose_thread_died_does_not_live_on_blind(folders, serve):
    class Short(StubWorker):
        def edit(self, jobs, keep_going):
            return []

    drop(folders.inbox)
    code, _ = serve(Short())
    assert code == 4 and len(list(folders.run.iterdir())) == 1


def test_a_file_that_is_too_large_is_not_read(folders, serve, monkeypatch):
    from npe_core.daemon import spool

    read = []
    monkeypatch.setattr(spool, "LARGEST_FILE", 3)
    drop(folders.inbox, photo=b"four", mask=b"one")
    serve(StubWorker(read=lambda job: read.append(job.record.oversize)))
    assert read == ["a.png"]


def test_a_file_that_is_written_to_while_it_is_read_goes_back(folders, serve):
    from npe_core.daemon.work import StillWritten

    tries = []

    def read(job):
        tries.append(job.record.attempts)
        if len(tries) < 5:
            raise StillWritten

    drop(folders.inbox)
    code, _ = serve(StubWorker(read=read))
    assert code == 0 and tries == [1] * 5  # and it never counts against the job


# --- pauses --------------------------------------------------------------------------------------------------------


def test_missing_weights_pause_and_touch_nothing(folders, serve):
    class Bare(StubWorker):
        def load(self):
            raise WeightsError("There are no weights.")

    drop(folders.inbox)
    code, service = serve(Bare())
    assert code == 3 and names(folders.inbox) == ["a.mask.png", "a.png"]
    assert service.status.paused == {"models": "There are no weights."}


def test_a_nearly_full_disk_stops_claiming(folders, serve):
    drop(folders.inbox)
    code, service = serve(least_free=1 << 60)
    assert code == 4 and names(folders.inbox) == ["a.mask.png", "a.png"]
    assert "nearly full" in service.status.paused["space"] and "--least-free" in service.status.paused["space"]


def test_a_file_that_its_owner_alone_may_read_stops_nobody_else(folders, serve, monkeypatch):
    """Root may read everything, so the system's answer is put in its place."""
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", photo=b"other")
    answer = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "a.png" and answer(path, mode))
    code, service = serve()
    assert code == 0 and names(folders.outbox) == ["b.json", "b.png"]
    assert names(folders.inbox) == ["a.mask.png", "a.png"] and not service.status.paused
    (waiting,) = service.status.waiting
    assert waiting["files"] == ["a"] and "Permission denied" in waiting["why"] and "chmod g+rw" in waiting["why"]


class FailingFiles(Files):
    """A disk that refuses some calls for a while."""

    def __init__(self, code, fails):
        self.code, self.fails = code, fails

    def _refuse(self, target):
        if self.fails(target):
            raise OSError(self.code, os.strerror(self.code), str(target))

    def give(self, files, folder):
        for name in files.values():
            self._refuse(folder / name)
        super().give(files, folder)

    def move_folder(self, source, target):
        self._refuse(target)
        super().move_folder(source, target)


def test_a_read_only_outbox_keeps_the_finished_work(folders, serve):
    """chmod means nothing to root, so the system's answer is put in its place."""
    refusing = [True]
    files = FailingFiles(errno.EROFS, lambda target: refusing[0] and target.parent == folders.outbox)
    worker = StubWorker()
    drop(folders.inbox)
    code, service = serve(worker, files)
    assert code == 4 and not names(folders.outbox) and "Read-only" in service.status.paused["outbox"]
    assert len(list(folders.out.iterdir())) == 1
    refusing[0] = False
    assert serve(worker, files)[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]
    assert worker.edits == [["a"]]  # the models ran once


def test_a_pause_ends_by_itself_and_costs_no_attempt(folders):
    failures = [True, True]

    def write(job):
        if failures:
            failures.pop()
            raise OSError(errno.ENOSPC, "No space left on device")

    drop(folders.inbox)
    seen = []
    service = Service(folders, StubWorker(write=write), Settings(**{**QUICK, "once": False}),
                      show=lambda status: seen.append(dict(status.paused)))  # fmt: skip
    from npe_core.daemon import pauses

    pauses._SHORTEST, before = 0.05, pauses._SHORTEST
    try:
        thread = threading.Thread(target=service.run)
        thread.start()
        wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"])
    finally:
        pauses._SHORTEST = before
        service.stop()
        thread.join(10)
    assert any("disk" in paused for paused in seen) and seen[-1] == {}
    (record,) = folders.done.glob("*/.job.json")
    assert json.loads(record.read_text())["attempts"] == 1


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def running(folders):
    """A daemon in a thread, stopped at the end."""
    started = []

    def start(worker=None, **settings):
        service = Service(folders, worker or StubWorker(), Settings(**{**QUICK, "once": False, **settings}))
        thread = threading.Thread(target=service.run)
        thread.start()
        started.append((service, thread))
        return service, thread

    yield start
    for service, thread in started:
        service.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_an_inbox_that_goes_away_and_comes_back(folders, running):
    service, _ = running(events=True)
    wait_for(lambda: service.status.state == "idle")
    folders.inbox.rename(folders.inbox.with_name("unmounted"))
    wait_for(lambda: "inbox" in service.status.paused)
    folders.inbox.mkdir()
    drop(folders.inbox)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"] and not service.status.paused)


def test_events_wake_the_loop_long_before_the_next_scan(folders, running):
    service, _ = running(events=True, interval=30)
    wait_for(lambda: service.status.state == "idle")
    time.sleep(0.3)
    drop(folders.inbox)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"], 5)


def test_a_file_that_grows_slowly_is_not_touched_before_it_is_whole(folders, running):
    running(settle=0.4)
    (folders.inbox / "a.mask.png").write_bytes(b"mask")
    with (folders.inbox / "a.png").open("wb", buffering=0) as file:
        for letter in b"slowly growing":
            file.write(bytes([letter]))
            time.sleep(0.1)
            assert (folders.inbox / "a.png").exists()
    wait_for(lambda: list(folders.done.glob("*/a.png")))
    (kept,) = folders.done.glob("*/a.png")
    assert kept.read_bytes() == b"slowly growing"


def test_a_renamed_file_is_taken_at_once(folders, running):
    service, _ = running(settle=60.0, events=True)
    wait_for(lambda: service.status.state == "idle")
    for name in ("a.mask.png", "a.png"):
        (folders.inbox / f"{name}.part").write_bytes(b"whole")
        (folders.inbox / f"{name}.part").rename(folders.inbox / name)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"], 5)


def test_stopping_in_the_middle_gives_back_what_is_not_done(folders, running):
    started = threading.Event()

    class Long(StubWorker):
        def edit(self, jobs, keep_going):
            started.set()
            try:
                while True:
                    keep_going()
                    time.sleep(0.01)
            except Exception as error:
                return [error for _ in jobs]

    for number in range(5):
        drop(folders.inbox, f"a{number}", photo=str(number).encode())
    service, thread = running(Long(), batch=1, grace=0.2, settle=0.0)
    assert started.wait(5)
    service.stop()
    thread.join(10)
    assert not thread.is_alive() and len(names(folders.inbox)) == 10 and not list(folders.run.iterdir())
    assert not names(folders.failed) and service.status.state == "stopped"


def test_a_burst_of_ten_thousand_pairs_is_paired_in_one_look():
    """In memory where the system has a place for it: 20,000 files on a busy disk take longer than all other tests."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as inbox:
        for number in range(10_000):
            for ending in (".png", ".mask.png"):
                os.close(os.open(f"{inbox}/{number}{ending}", os.O_CREAT | os.O_WRONLY))
        tracker = Tracker(0.0)
        start = time.process_time()  # the machine may be busy with other things
        stamps = scan(Path(inbox))
        found = sort_out(stamps, tracker.look(stamps))
        seconds = time.process_time() - start
    assert len(found.ready) == 10_000 and not found.waiting
    assert seconds < 2, seconds


def test_a_small_disk_that_fills_up(tmp_path):
    """A real full disk, where mounting is allowed."""
    from npe_core.daemon.folders import Folders

    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)], capture_output=True
        ).returncode
    ):
        pytest.skip("mounting is not allowed here")
    try:
        folders = Folders.of(tmp_path / "inbox", tmp_path / "outbox")
        folders.prepare()
        drop(folders.inbox)

        def fill_up(job):
            (job.job.result / "huge").write_bytes(bytes(600_000))

        service = Service(folders, StubWorker(write=fill_up), Settings(**QUICK))
        assert service.run() == 4 and "disk" in service.status.paused and not names(folders.outbox)
        assert Service(folders, StubWorker(), Settings(**QUICK)).run() == 0
        assert names(folders.outbox) == ["a.json", "a.png"]
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_old_inputs_are_removed_when_that_is_wanted(folders, serve):
    drop(folders.inbox)
    serve()
    (job,) = folders.done.iterdir()
    os.utime(job, (0, 0))
    serve(keep_days=30)
    assert not list(folders.done.iterdir()) and names(folders.outbox) == ["a.json", "a.png"]


def test_names_of_all_kinds(folders, serve):
    stems = [
        "-rf",
        "with space",
        "quote'\"$(x)",
        "ümläut",
        "日本",
        "reason",
        "job",
        "a" * 246,
        os.fsdecode(b"caf\xe9"),
        "tab\t",
    ]
    for number, stem in enumerate(stems):
        drop(folders.inbox, stem, photo=str(number).encode(), parameters=b"{}" if len(stem) < 100 else None)
    code, _ = serve()
    assert code == 0
    assert names(folders.outbox) == sorted(stem + end for stem in stems for end in (".png", ".json"))


def test_a_failed_job_called_reason_keeps_its_own_json(folders, serve):
    drop(folders.inbox, "reason", parameters=b'{"own": 1}')
    serve(StubWorker(lambda job: InputError("no")))
    (job,) = folders.failed.iterdir()
    assert names(job) == ["reason.input.json", "reason.json", "reason.mask.png", "reason.png"]
    assert json.loads((job / "reason.json").read_text())["reason"] == "no"


# --- what it tells -------------------------------------------------------------------------------------------------


def test_status_tells_what_waits_and_what_failed(folders, serve):
    drop(folders.inbox, "bad")
    drop(folders.inbox, "alone", mask=None)
    serve(StubWorker(lambda job: InputError("No face was found in bad.png.")))
    told = read_status(folders)
    assert told["daemon"] == "not running" and told["waiting"][0]["files"] == ["alone.png"]
    assert told["failed"][0]["reason"] == "No face was found in bad.png."
    lines = "\n".join(report_lines(told))
    assert "waits for alone.mask.png or alone.json" in lines and "(bad-input): No face" in lines


def test_the_metrics_are_what_prometheus_reads(folders, serve, tmp_path):
    drop(folders.inbox)
    _, service = serve(metrics=tmp_path / "npe.prom")
    text = (tmp_path / "npe.prom").read_text()
    assert "\nnpe_jobs_done_total 1\n" in text and text == metrics_text(service.status)
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or (
            float(line.split()[1]) >= 0 and line.split()[0].isidentifier()
        )


def test_the_log_is_one_object_a_line_with_the_job(folders, serve):
    import io

    stream = io.StringIO()
    set_up(as_json=True, stream=stream)
    drop(folders.inbox)
    serve()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    events = [(row["event"], row.get("job", "")[:2]) for row in rows]
    assert events == [("started", ""), ("claimed", "a-"), ("done", "a-"), ("stopped", "")]
    assert rows[2]["seconds"] == 0.1
