"""The way of a job through the daemon, with a quick worker and real folders."""

import json
import os

from daemon_stubs import StubWorker, drop, names
from waiting import wait_for


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
