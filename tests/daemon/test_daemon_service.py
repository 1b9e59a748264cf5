"""The way of a job through the daemon, with a quick worker and real folders."""

import errno
import json
import os
import shutil
import time

import pytest
from daemon_stubs import StubWorker, drop, names
from waiting import PATIENCE, wait_for

from npe_core.daemon import pauses
from npe_core.daemon import service as loop
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Lock, is_held
from npe_core.daemon.status import read_status


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


def test_the_same_bytes_with_other_weights_are_another_job(folders, serve):
    class Newer(StubWorker):
        def load(self):
            return "other weights", "stub"

    for worker in (StubWorker(), Newer()):
        drop(folders.inbox)
        assert serve(worker)[0] == 0
    assert worker.edits == [["a"]] and len(list(folders.done.iterdir())) == 2


def test_a_result_that_another_job_has_followed_under_its_name_has_been_fetched(folders, serve):
    """Red lips, fetched; green lips, still there; red lips once more, which must not go by the green ones' names."""
    red, green = b'{"regions": {"lips": "#ff0000"}}', b'{"regions": {"lips": "#00ff00"}}'
    pictures = []
    for parameters in (red, green, red):
        drop(folders.inbox, mask=None, parameters=parameters)
        serve()
        new = next(name for name in names(folders.outbox) if name.endswith(".png") and name not in pictures)
        pictures.append(new)
        if len(pictures) == 1:
            first = (folders.outbox / new).read_bytes()
            for name in names(folders.outbox):
                (folders.outbox / name).unlink()
            pictures[0] = ""
    assert len(names(folders.outbox)) == 4 and (folders.outbox / pictures[2]).read_bytes() == first
    assert not names(folders.inbox)


def test_a_photo_that_was_fetched_without_its_report_is_edited_again(folders, serve):
    worker = StubWorker()
    for _ in range(2):
        drop(folders.inbox)
        serve(worker)
        (photo,) = (folders.outbox / name for name in names(folders.outbox) if name.endswith(".png"))
        photo.unlink()
    assert len(worker.edits) == 2


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


def test_jobs_that_wait_go_together(folders, serve):
    for number in range(20):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())
    read = []

    def edit(job):
        wait_for(lambda: len(read) >= len(worker.edits[0]) + 8)  # the first batch takes until others wait
        return job.content

    worker = StubWorker(edit, read=read.append)
    serve(worker, batch=8)
    assert len(names(folders.outbox)) == 40
    assert len(worker.edits[1]) > 1 and max(map(len, worker.edits)) <= 8
    assert sorted(stem for batch in worker.edits for stem in batch) == [f"a{number:02}" for number in range(20)]


def test_old_inputs_are_removed_when_that_is_wanted(folders, serve):
    drop(folders.inbox)
    serve()
    (job,) = folders.done.iterdir()
    os.utime(job, (0, 0))
    serve(keep_days=30)
    assert not list(folders.done.iterdir()) and names(folders.outbox) == ["a.json", "a.png"]


def old_jobs(folders, count):
    """Jobs that were done in 1970."""
    made = [folders.done / f"job-{number:012}" for number in range(count)]
    for folder in made:
        folder.mkdir()
        (folder / ".job.json").write_text("{}")
        os.utime(folder, (0, 0))
    return made


def test_what_is_no_jobs_is_left_among_the_old_inputs(folders, serve, tmp_path):
    """A file, a folder and a link that somebody put there; in the trash a file was in the way at every later start."""
    (folders.done / ".DS_Store").write_bytes(b"1")
    (folders.done / "mine").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".job.json").write_text("{}")
    (folders.done / "link").symlink_to(tmp_path / "elsewhere")
    (folders.trash / "0").write_bytes(b"thrown away by a former daemon")
    (job,) = old_jobs(folders, 1)
    for path in (folders.done / ".DS_Store", folders.done / "mine", folders.done / "link"):
        os.utime(path, (0, 0), follow_symlinks=False)
    for _ in range(2):
        assert serve(keep_days=30)[0] == 0
        assert not job.exists() and not list(folders.trash.iterdir())
        assert sorted(path.name for path in folders.done.iterdir()) == [".DS_Store", "link", "mine"]
    assert (tmp_path / "elsewhere" / ".job.json").exists()


def test_what_others_alone_may_remove_stops_nobody(folders, serve, caplog):
    """A folder of theirs inside that of an old job. chmod means nothing to root, so the answer is put in place."""

    class Theirs(Files):
        def remove_folder(self, path):
            if (path / "theirs").exists():
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path / "theirs" / "1.png"))
            super().remove_folder(path)

    for job in old_jobs(folders, 3)[1:2]:
        (job / "theirs").mkdir()
        os.utime(job, (0, 0))
    for stem in ("a", "b"):
        drop(folders.inbox, stem, photo=stem.encode())
        assert serve(files=Theirs(), keep_days=30)[0] == 0
        assert len(list(folders.trash.glob("*/theirs"))) == 1
    assert names(folders.outbox) == ["a.json", "a.png", "b.json", "b.png"] and len(list(folders.done.iterdir())) == 2
    told = [record.fields["why"] for record in caplog.records if record.getMessage() == "left in the trash"]
    assert len(told) == 2 and all("Permission denied" in why for why in told)


def test_thousands_of_old_inputs_keep_nobody_from_stopping_it(folders, serve, running, monkeypatch):
    class Slow(Files):
        def remove_folder(self, path):
            time.sleep(0.05)
            super().remove_folder(path)

    looks = []
    count = len(old_jobs(folders, 40))  # two seconds
    service, thread = running(files=Slow(), keep_days=30, show=lambda status: looks.append(len(names(folders.done))))
    wait_for(lambda: any(left < count for left in looks))
    service.stop()
    thread.join(PATIENCE)
    assert len(names(folders.done)) > count // 2
    monkeypatch.setattr(loop, "_CLEARED_AT_ONCE", 0.0)  # one a turn, and all of them before the end
    assert serve(keep_days=30)[0] == 0 and not names(folders.done)


def test_files_that_take_long_to_take_in_keep_nobody_from_stopping_it(folders, running, monkeypatch):
    taken, looks = [], []

    class Slow(Files):
        def take(self, source, target, most):
            time.sleep(0.05)
            taken.append(source.name)
            super().take(source, target, most)

    monkeypatch.setattr(loop, "_CLAIMED_AT_ONCE", 0.1)
    for number in range(12):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())
    service, thread = running(files=Slow(), show=lambda status: looks.append(len(taken)))
    wait_for(lambda: any(looks))
    before = len(taken)
    service.stop()
    thread.join(PATIENCE)
    assert looks[0] < 24 and len(taken) <= before + 2


@pytest.mark.parametrize("emptied", ["made again", "cleared"])
def test_an_outbox_that_was_emptied_is_begun_anew(folders, running, monkeypatch, emptied):
    """And locked, and told of by `npe status`; what lies in it is not to be covered by what it makes there."""
    monkeypatch.setattr(pauses, "_SHORTEST", 0.05)
    monkeypatch.setattr(pauses, "_LONGEST", 0.2)
    with Lock(folders) as lock:
        service, _ = running(renew=lock.renew)
        wait_for(lambda: service.status.state == "idle")
        shutil.rmtree(folders.outbox)
        wait_for(lambda: "is gone" in service.status.paused.get("outbox", ""))
        folders.outbox.mkdir()
        if emptied == "cleared":
            wait_for(lambda: folders.status.exists() and not service.status.paused)
            shutil.rmtree(folders.done)
            shutil.rmtree(folders.spool)
        drop(folders.inbox)
        wait_for(lambda: names(folders.outbox) == ["a.json", "a.png"])
        assert is_held(folders)
        wait_for(lambda: read_status(folders).get("last") == "a.png, a.json done")


def test_an_outbox_with_other_things_in_it_or_on_another_disk_is_left_alone(folders, monkeypatch):
    """It may be the place where the outbox is to be mounted."""
    with Lock(folders) as lock:
        shutil.rmtree(folders.outbox)
        assert not lock.renew()
        folders.outbox.mkdir()
        (folders.outbox / "theirs").touch()
        assert not lock.renew() and names(folders.outbox) == ["theirs"]
        (folders.outbox / "theirs").unlink()
        monkeypatch.setattr(lock, "_device", lock._device + 1)
        assert not lock.renew() and not list(folders.outbox.iterdir())
