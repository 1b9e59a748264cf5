"""Records, reports and files that somebody changed in the daemon's folders stop nobody, and lead nowhere else."""

import json
import shutil

import pytest
from daemon_stubs import StubWorker, drop, left_in_run, names, reason_of
from waiting import wait_for

from npe_core.daemon import journal, pauses
from npe_core.daemon.files import Files
from npe_core.daemon.names import sort_out
from npe_core.daemon.tracker import scan
from npe_core.errors import InputError


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


def test_a_link_put_in_place_of_a_file_is_not_followed(folders, spool, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"photo")
    drop(folders.inbox)
    stamps = scan(folders.inbox)
    (folders.inbox / "a.png").unlink()
    (folders.inbox / "a.png").symlink_to(secret)
    assert spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps) is None
    assert (folders.inbox / "a.png").is_symlink() and secret.read_bytes() == b"photo"


@pytest.mark.parametrize("evil", ["../../etc/passwd", "/etc/passwd", "..", "a/b", "a\0b", "", 7])
def test_a_record_that_was_tampered_with_names_no_file_outside(folders, spool, evil):
    job = folders.run / "a-000000000000"
    job.mkdir()
    record = {"stem": "a", "inputs": {"a.png": "photo"}, "published": {"photo.png": evil}}
    (job / journal.JOURNAL).write_bytes(journal.as_json(record))
    assert spool.recover() == []
    assert names(folders.failed) == ["a-000000000000"]
