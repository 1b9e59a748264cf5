"""What is taken out of the inbox, and when: events, files that grow, names of all kinds, bursts."""

import errno
import os
import tempfile
import time
from pathlib import Path

import pytest
from daemon_stubs import QUICK, StubWorker, drop, names
from waiting import wait_for

from npe_core.daemon import claiming, files, intake, journal, spool
from npe_core.daemon.files import Files, copy
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import sort_out
from npe_core.daemon.pauses import Pauses
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.tracker import Tracker, scan
from npe_core.daemon.worker import StillWritten


def test_claims_are_bounded(folders, serve):
    most = []
    for number in range(30):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())

    def look(job):
        most.append(30 - len(names(folders.inbox)) // 2 - len(names(folders.outbox)) // 2)

    serve(StubWorker(read=look), batch=2, most_claimed=6)
    assert max(most) <= 6 and len(names(folders.outbox)) == 60


def test_a_file_that_is_too_large_is_not_read(folders, serve, monkeypatch):
    read = []
    monkeypatch.setattr(spool, "LARGEST_FILE", 3)
    drop(folders.inbox, photo=b"four", mask=b"one")
    serve(StubWorker(read=lambda job: read.append(job.record.oversize)))
    assert read == ["a.png"]


def test_a_file_that_is_too_large_is_not_copied_from_another_file_system(folders, serve, monkeypatch, apart):
    monkeypatch.setattr(claiming, "LARGEST_FILE", 5)
    copied = []
    monkeypatch.setattr(files, "copy", lambda source, target: copied.append(source.name) or copy(source, target))
    drop(folders.inbox, "huge", photo=b"longer", mask=None, parameters=b"{}")
    drop(folders.inbox, "small")
    code, service = serve()
    assert code == 1 and names(folders.outbox) == ["small.json", "small.png"] and "huge.png" not in copied
    assert names(folders.inbox) == ["huge.json", "huge.png"] and not service.status.paused
    (waiting,) = service.status.waiting
    assert waiting["files"] == ["huge.png"] and "the limit" in waiting["why"]


def test_a_disk_that_is_full_in_the_middle_of_a_copy_leaves_one_file(folders, serve, monkeypatch, apart):
    def full(source, target):
        target.write_bytes(source.read_bytes()[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    drop(folders.inbox)
    with monkeypatch.context() as broken:
        broken.setattr(files, "copy", full)
        for _ in range(2):
            code, service = serve()
            assert code == 4 and "disk" in service.status.paused
    assert names(folders.inbox) == ["a.mask.png", "a.png"] and (folders.inbox / "a.png").read_bytes() == b"photo"
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"] and not names(folders.inbox)


def test_the_fault_of_an_outbox_whose_name_begins_as_the_inbox_is_no_files_fault(tmp_path):
    folders = Folders.of(tmp_path / "npe", tmp_path / "npe-out")
    folders.prepare()
    drop(folders.inbox)

    class Denied(Files):
        def make_folder(self, path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    service = Service(folders, StubWorker(), Settings(**QUICK), Denied())
    assert service.run() == 4 and "outbox" in service.status.paused and not service.status.waiting


def test_a_file_that_is_written_to_while_it_is_read_goes_back(folders, serve):
    tries = []

    def read(job):
        tries.append(job.record.attempts)
        if len(tries) < 5:
            raise StillWritten

    drop(folders.inbox)
    code, _ = serve(StubWorker(read=read))
    assert code == 0 and tries == [1] * 5  # and it never counts against the job


@pytest.mark.parametrize("refused", ["a.png", "a.mask.png"])
def test_a_file_that_its_owner_alone_may_read_stops_nobody_else(folders, serve, monkeypatch, caplog, refused):
    """Root may read everything, so the system's answer is put in its place."""
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", photo=b"other")
    answer = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != refused and answer(path, mode))
    code, service = serve()
    assert code == 1 and names(folders.outbox) == ["b.json", "b.png"]
    assert names(folders.inbox) == ["a.mask.png", "a.png"] and not service.status.paused
    (waiting,) = service.status.waiting
    assert waiting["files"] == [refused] and "Permission denied" in waiting["why"] and "chmod g+rw" in waiting["why"]
    (told,) = (record.fields for record in caplog.records if record.getMessage() == "refused")
    assert told == {"job": "a", "file": refused, "why": waiting["why"]}
    monkeypatch.undo()
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png", "b.json", "b.png"]


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ESTALE, errno.EIO])
def test_a_file_that_the_system_does_not_let_go_of_stops_nobody_else(folders, serve, monkeypatch, code):
    """It is the oldest and would be tried first each time."""
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", photo=b"other")
    take = Files.take

    def refusing(self, source, target, largest):
        if source.name == "a.png":
            raise OSError(code, os.strerror(code), str(source), None, str(target))
        take(self, source, target, largest)

    monkeypatch.setattr(Files, "take", refusing)
    ended, service = serve()
    assert ended == 1 and names(folders.outbox) == ["b.json", "b.png"] and not service.status.paused
    (waiting,) = service.status.waiting
    assert waiting["files"] == ["a.png"] and os.strerror(code) in waiting["why"]


@pytest.fixture
def unreadable(monkeypatch):
    """A file of this name is on a disk with errors: every read of it fails, as those of that file of the system do."""

    def fail(name):
        whole = files.open_regular

        def opened(path):
            return os.open("/proc/self/mem", os.O_RDONLY) if path.name == name else whole(path)

        for module in (files, journal):
            monkeypatch.setattr(module, "open_regular", opened)

    return fail


@pytest.mark.parametrize("refused", ["a.png", "a.mask.png"])
def test_a_file_that_cannot_be_read_stops_nobody_else(folders, serve, unreadable, refused):
    """The system does not say which file it was; and it is the oldest, which would be tried first each time."""
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", photo=b"other")
    os.utime(folders.inbox / "a.png", (0, 0))
    unreadable(refused)
    code, service = serve()
    assert code == 1 and names(folders.outbox) == ["b.json", "b.png"] and not service.status.paused
    assert names(folders.inbox) == ["a.mask.png", "a.png"]
    (waiting,) = service.status.waiting
    assert waiting["files"] == [refused] and "cannot be read or moved: Input/output error" in waiting["why"]


def test_a_file_that_cannot_be_copied_from_another_file_system_stops_nobody_else(folders, serve, unreadable, apart):
    drop(folders.inbox, "a")
    drop(folders.inbox, "b", photo=b"other")
    unreadable("a.png")
    code, service = serve()
    assert code == 1 and names(folders.outbox) == ["b.json", "b.png"] and not service.status.paused
    assert names(folders.inbox) == ["a.mask.png", "a.png"]
    assert [waiting["files"] for waiting in service.status.waiting] == [["a.png"]]


def test_a_refusal_is_told_once_and_tried_again_ever_more_rarely(folders, monkeypatch, caplog):
    """Unless somebody changes the rights: then at once. Nothing of the job is moved before all of it may be read."""
    drop(folders.inbox)
    now, refusing, answer, moved = [0.0], [True], os.access, []
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (refusing[0] and path.name == "a.png") and answer(path, mode)
    )
    monkeypatch.setattr(Files, "take", lambda self, *paths: moved.append(paths))
    arguments = (spool.Spool(folders), Pauses(), lambda: None, 0.0, 1.0, False, lambda: now[0])
    door = intake.Intake(*arguments)

    def tries(looks):
        """The times at which it is tried."""
        found = []
        for _ in range(looks):
            now[0] += 10
            door.look()
            if door.is_open:
                found.append(now[0])
                door.claim()
        return found

    first, *others = tries(800)
    assert [later - first for later in others] == [30, 90, 210, 450, 930, 1890, 3810, 7410]
    assert not moved and len(door.refused) == 1 and [record.getMessage() for record in caplog.records] == ["refused"]
    (folders.inbox / "a.png").chmod(0o640)
    refusing[0] = False
    tries(1)
    assert moved and not door.refused


def test_an_inbox_that_is_read_only_is_told_as_such_and_not_by_the_file(folders, serve, monkeypatch):
    drop(folders.inbox)
    found = os.statvfs(folders.inbox)
    parts = [*list(found)[:8], found.f_flag | os.ST_RDONLY, *list(found)[9:]]
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(parts))
    code, service = serve()
    assert code == 4 and "Read-only" in service.status.paused["inbox"] and not service.status.waiting
    monkeypatch.undo()
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]


def test_a_file_that_becomes_readable_before_the_end_is_no_failure(folders, serve, monkeypatch):
    for stem in ("a", "b"):
        drop(folders.inbox, stem, photo=stem.encode())
    refusals, answer = ["a.png"], os.access

    def access(path, mode):
        if Path(path).name not in refusals:
            return answer(path, mode)
        refusals.remove(Path(path).name)
        return False

    def edit(job):
        wait_for(lambda: not names(folders.inbox))  # until the other one has been taken in
        return job.content

    monkeypatch.setattr(os, "access", access)
    monkeypatch.setattr(intake, "_AGAIN", 0.0)
    assert serve(StubWorker(edit))[0] == 0 and not refusals
    assert names(folders.outbox) == ["a.json", "a.png", "b.json", "b.png"]


def test_a_temporary_file_that_was_left_behind_keeps_no_job(folders, serve):
    drop(folders.inbox)
    left = folders.inbox / "a.json.part"
    left.write_bytes(b"{")
    os.utime(left, (0, 0))
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"] and names(folders.inbox) == ["a.json.part"]


def test_a_fault_of_the_spool_is_not_told_as_one_of_the_inbox(folders):
    """A claim that a dead process began cannot be undone; what lies in the inbox is seen all the same."""

    class Failing(Files):
        def move_folder(self, source, target):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(source))

    folders.prepare()
    (folders.tmp / "0").mkdir()
    (folders.tmp / "0" / "a.png").write_bytes(b"begun")
    drop(folders.inbox)
    paused = Pauses()
    door = intake.Intake(spool.Spool(folders, Failing()), paused, lambda: None, 0.0, 0.1, events=False)
    door.look()
    assert list(paused.reasons) == ["outbox"] and [group.stem for group in door.inbox.ready] == ["a"]


def test_events_wake_the_loop_long_before_the_next_scan(folders, running):
    service, _ = running(events=True, interval=3600)
    wait_for(lambda: service.status.state == "idle")
    drop(folders.inbox)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"])


def test_a_file_that_grows_slowly_is_not_touched_before_it_is_whole(folders, running):
    settle, longest = 1.0, 0.0  # seconds: for how long the file stood still at most
    running(settle=settle)
    drop(folders.inbox, photo=None)
    with (folders.inbox / "a.png").open("wb", buffering=0) as file:
        last = time.monotonic()
        for letter in b"slowly growing":
            file.write(bytes([letter]))
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            time.sleep(0.1)
            is_there = (folders.inbox / "a.png").exists()
            longest = max(longest, time.monotonic() - last)
            assert is_there or longest >= settle  # unless it was the whole machine that stood still
    wait_for(lambda: list(folders.done.glob("*/a.png")))
    (kept,) = folders.done.glob("*/a.png")
    assert kept.read_bytes() == b"slowly growing"


def test_a_renamed_file_is_taken_at_once(folders, running):
    service, _ = running(settle=3600, events=True)
    wait_for(lambda: service.status.state == "idle")
    for name in ("a.mask.png", "a.png"):
        (folders.inbox / f"{name}.part").write_bytes(b"whole")
        (folders.inbox / f"{name}.part").rename(folders.inbox / name)
    wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"])


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
