"""What keeps the daemon from working pauses it, costs no job anything, and ends by itself."""

import errno
import json
import os
import subprocess
import threading
import time

import pytest
from daemon_stubs import QUICK, StubWorker, drop, names
from limits import largest_file
from waiting import PATIENCE, wait_for

from npe_core.daemon import pauses
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.status import read_status, report_lines
from npe_core.errors import EnvironmentFault, InputError, WeightsError
from npe_core.photo import write_atomically


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [(WeightsError("There are no weights."), 3), (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), 4)],
)
def test_what_keeps_the_models_from_loading_pauses_and_touches_nothing(folders, serve, fault, exit_code):
    class Bare(StubWorker):
        def load(self):
            raise fault

    drop(folders.inbox)
    code, service = serve(Bare())
    assert code == exit_code and names(folders.inbox) == ["a.mask.png", "a.png"]
    assert service.status.paused == {"models": str(fault)}


def failing_once(loads, fault):
    """An edit for which the models cannot be loaded, the first time."""

    def edit(job):
        return job.content if len(loads) > 1 else fault

    return edit


class Loading(StubWorker):
    """Counts how often the models are loaded."""

    def __init__(self, fault):
        self.loads = []
        super().__init__(failing_once(self.loads, fault))

    def load(self):
        self.loads.append(True)
        return super().load()


@pytest.mark.parametrize(
    "fault",
    [
        WeightsError("The weights of the upscaler are missing."),
        EnvironmentFault("The face detector's model is not installed."),
    ],
)
def test_what_is_missed_in_the_middle_of_an_edit_pauses_as_models(folders, serve, fault):
    drop(folders.inbox)
    code, service = serve(Loading(fault))
    assert code == fault.exit_code and service.status.paused == {"models": str(fault)}
    (record,) = folders.run.glob("*/.job.json")
    assert json.loads(record.read_text())["attempts"] == 0
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]


def test_weights_that_come_back_are_loaded_again(folders, running, monkeypatch):
    monkeypatch.setattr(pauses, "_SHORTEST", 0.05)
    for stem in ("a", "b"):
        drop(folders.inbox, stem, photo=stem.encode())
    worker = Loading(WeightsError("There are no weights."))
    service, _ = running(worker)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png", "b.json", "b.png"] and not service.status.paused)
    assert len(worker.loads) == 2


def test_a_nearly_full_disk_stops_claiming(folders, serve):
    drop(folders.inbox)
    code, service = serve(least_free=1 << 60)
    assert code == 4 and names(folders.inbox) == ["a.mask.png", "a.png"]
    assert "nearly full" in service.status.paused["space"] and "--least-free" in service.status.paused["space"]


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


def test_the_wait_grows_with_tries_not_with_the_jobs_that_failed():
    now = 0.0
    waiting = pauses.Pauses(clock=lambda: now)
    for expected in (2, 4, 8, 16, 32, 60, 60):
        for job in range(6):
            waiting.add("disk", f"The disk is full, says job {job}.")
        now += expected - 0.1
        assert not waiting.is_due("disk")
        now += 0.2
        assert waiting.is_due("disk")


def test_the_room_that_was_needed_counts_until_the_disk_has_it():
    now = pauses.Pauses()
    for needed in (100, 700, 300):
        now.add("disk", "The disk is full.", needed)
    now.add("space", "The disk is nearly full.")
    now.over("space")
    assert now.needed == 700
    now.over("disk")
    assert now.needed == 0


def test_a_pause_is_told_again_only_when_there_is_something_new_to_tell(monkeypatch):
    told, now = [], pauses.Pauses()
    monkeypatch.setattr(pauses, "log", lambda event, *_, **fields: told.append(fields["why"]))
    for free in (511, 510, 98):
        now.add("space", f"The disk is nearly full ({free} MiB free).")
    now.add("outbox", "No permission.")
    now.add("outbox", "The outbox is gone.")
    assert told == ["The disk is nearly full (511 MiB free).", "No permission.", "The outbox is gone."]
    assert now.reasons["space"] == "The disk is nearly full (98 MiB free)."


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


def test_a_pause_ends_by_itself_and_costs_no_attempt(folders, running, monkeypatch):
    failures, seen = [True, True], []

    def write(job):
        if failures:
            failures.pop()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pauses, "_SHORTEST", 0.05)
    drop(folders.inbox)
    running(StubWorker(write=write), show=lambda status: seen.append(dict(status.paused)))
    wait_for(lambda: list(folders.done.glob("*/.job.json")) and seen[-1] == {})
    assert any("disk" in paused for paused in seen) and names(folders.outbox) == ["a.json", "a.png"]
    (record,) = folders.done.glob("*/.job.json")
    assert json.loads(record.read_text())["attempts"] == 1


def test_a_disk_without_room_for_a_result_stays_paused_and_the_edit_is_not_made_again(
    folders, running, monkeypatch, caplog
):
    """Smaller files can be written all the time; the limit is one of the system."""

    class Trying(Files):
        tries = 0

        def make_folder(self, path):
            self.tries += path.parent == folders.trash
            super().make_folder(path)

    def write(job):
        write_atomically(job.job.result / "photo.png", bytes(400_000))
        (job.job.result / "photo.png").unlink()  # the stub writes its own

    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    monkeypatch.setattr(pauses, "_LONGEST", 0.1)
    states, worker, files = [], StubWorker(write=write), Trying()
    drop(folders.inbox)
    with largest_file(300_000):
        service, _ = running(worker, files=files, show=lambda status: states.append(status.state))
        wait_for(lambda: files.tries >= 4)
        why = service.status.paused["disk"]
        assert "0.4 MB needed" in why and "ulimit -f" in why and "disk full" not in why
        (job,) = folders.run.iterdir()
        assert f"The outbox {folders.outbox} has no room for the result of {job.name} (" in why
        assert "photo.png" not in why and "\n" not in why
        assert set(states[states.index("paused") :]) == {"paused"} and worker.edits == [["a"]]
    wait_for(lambda: service.status.since_start.done == 1)
    assert names(folders.outbox) == ["a.json", "a.png"] and worker.edits == [["a"], ["a"]]
    assert not service.status.paused and not list(folders.trash.iterdir())
    told = [record.getMessage() for record in caplog.records]
    assert told == ["started", "claimed", "paused", "resumed", "done"]


@pytest.mark.parametrize("state", ["done", "failed"])
def test_what_was_done_though_its_flush_was_refused_is_not_done_again(folders, running, monkeypatch, state):
    """It is where it was to go; another try would find it nowhere, and the pause would not end."""
    refused = []

    class Late(Files):
        def move_folder(self, source, target):
            super().move_folder(source, target)
            if target.parent == getattr(folders, state) and not refused:
                refused.append(target)
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))

    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    drop(folders.inbox)
    worker = StubWorker(lambda job: InputError("no face") if state == "failed" else job.content)
    service, _ = running(worker, files=Late())
    wait_for(lambda: refused and not service.status.paused and not service.status.claimed)
    assert len(list(getattr(folders, state).iterdir())) == 1 and len(worker.edits) == 1
    assert names(folders.outbox) == (["a.json", "a.png"] if state == "done" else [])
    counted = service.status.since_start
    assert (counted.done, counted.failed) == ((1, 0) if state == "done" else (0, 1))


class Full(Files):
    """A disk on which no byte can be written, while ``is_full``; names can be changed."""

    is_full = True

    def write(self, path, content, durable=True):
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        super().write(path, content, durable)


@pytest.mark.parametrize("refused", ["the result", "the record"])
def test_a_stop_on_a_full_disk_gives_back_what_is_not_done(folders, running, refused):
    """With 20 seconds of grace, which it does not take: nothing is being edited."""

    def write(job):
        files.is_full = True
        if refused == "the result":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = Full()
    files.is_full = False
    drop(folders.inbox)
    service, thread = running(StubWorker(write=write), files=files)
    wait_for(lambda: "disk" in service.status.paused and service.status.claimed)
    service.stop()
    thread.join(10)
    assert not thread.is_alive() and names(folders.inbox) == ["a.mask.png", "a.png"]
    assert not list(folders.run.iterdir()) and not list(folders.out.iterdir()) and service.status.claimed == 0


def test_a_stop_tries_once_more_though_its_time_has_not_come(folders, running, monkeypatch):
    monkeypatch.setattr(pauses, "_SHORTEST", 600.0)
    refusing = [True]
    files = FailingFiles(errno.EROFS, lambda target: refusing[0] and target.parent == folders.outbox)
    drop(folders.inbox)
    service, thread = running(files=files)
    wait_for(lambda: "outbox" in service.status.paused)
    refusing[0] = False
    service.stop()
    thread.join(PATIENCE)
    assert names(folders.outbox) == ["a.json", "a.png"] and not names(folders.inbox)


def test_a_whole_result_that_cannot_be_published_at_a_stop_stays_and_is_told(folders, running, serve):
    files = FailingFiles(errno.EROFS, lambda target: target.parent == folders.outbox)
    drop(folders.inbox)
    service, thread = running(files=files)
    wait_for(lambda: "outbox" in service.status.paused)
    service.stop()
    thread.join(10)
    assert not thread.is_alive() and len(list(folders.out.iterdir())) == 1
    assert "left over 1 in work when it ended; the next start goes on with them" in report_lines(read_status(folders))
    worker = StubWorker()
    assert serve(worker)[0] == 0 and names(folders.outbox) == ["a.json", "a.png"] and not worker.edits


def test_a_pause_at_the_door_lasts_until_something_can_be_written(folders, running, monkeypatch):
    """Jobs that cannot be taken in leave nothing to catch up with: that alone does not end their pause."""
    refusing, said = [True], []

    class Closed(Files):
        def make_folder(self, path):
            if refusing[0]:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            super().make_folder(path)

    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    monkeypatch.setattr(pauses, "_LONGEST", 0.1)
    monkeypatch.setattr(pauses, "log", lambda event, *_, **__: said.append(event))
    drop(folders.inbox)
    service, _ = running(files=Closed())
    wait_for(lambda: "outbox" in service.status.paused)
    time.sleep(0.5)
    assert said == ["paused"]
    refusing[0] = False
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"] and not service.status.paused)


def test_an_inbox_that_goes_away_and_comes_back(folders, running):
    service, _ = running(events=True)
    wait_for(lambda: service.status.state == "idle")
    folders.inbox.rename(folders.inbox.with_name("unmounted"))
    wait_for(lambda: "inbox" in service.status.paused)
    folders.inbox.mkdir()
    drop(folders.inbox)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"] and not service.status.paused)


def test_an_outbox_that_goes_away_during_an_edit_and_comes_back(folders, running, monkeypatch):
    gone, seen, begun = threading.Event(), [], threading.Event()

    def edit(job):
        begun.set()
        assert gone.wait(PATIENCE)
        return job.content

    monkeypatch.setattr(pauses, "_SHORTEST", 0.05)
    monkeypatch.setattr(pauses, "_LONGEST", 0.5)
    drop(folders.inbox)
    worker = StubWorker(edit)
    service, _ = running(worker, show=lambda status: seen.append(dict(status.paused)), least_free=1)
    assert begun.wait(PATIENCE)
    folders.outbox.rename(folders.outbox.with_name("unmounted"))
    gone.set()
    wait_for(lambda: any("is gone" in paused.get("outbox", "") for paused in list(seen)))
    assert all(not paused or list(paused) == ["outbox"] for paused in list(seen))
    folders.outbox.with_name("unmounted").rename(folders.outbox)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"] and not service.status.paused)
    assert not names(folders.failed) and not list(folders.run.iterdir())


def test_a_small_disk_that_fills_up(tmp_path):
    """A real full disk, where mounting is allowed."""
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
