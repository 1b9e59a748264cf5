"""The spool: what is claimed and what is not, which id a job has, and under which name its result appears."""

import json
import os

import pytest
from daemon_stubs import claim_all, drop, names
from limits import largest_file

from npe_core.daemon import journal
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import sort_out
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan


def edited(spool):
    """A job that was dropped, with its result."""
    drop(spool.folders.inbox)
    (job,) = claim_all(spool)
    spool.new_result(job)
    (job.result / "photo.png").write_bytes(b"edited")
    (job.result / journal.REPORT).write_bytes(b"{}")
    return job


def test_the_id_depends_on_bytes_parameters_and_weights(folders, spool):
    seen = set()
    for photo, mask, parameters, weights in [
        (b"1", b"m", None, "w"), (b"2", b"m", None, "w"), (b"1", b"n", None, "w"), (b"1", b"m", b"{}", "w"),
        (b"1", b"m", None, "x"), (b"m", b"1", None, "w"),
    ]:  # fmt: skip
        drop(folders.inbox, photo=photo, mask=mask, parameters=parameters)
        spool.salt = weights
        (job,) = claim_all(spool)
        assert job.record.id.startswith("a-") and len(job.record.id) == 2 + 12
        seen.add(job.record.id)
    assert len(seen) == 6


def test_long_names_that_begin_alike_are_jobs_of_their_own(folders, serve):
    """A folder's name has room for the first 200 bytes; the same bytes under another NAME are another job."""
    stems = [205 * "L" + end for end in ("1", "2", "3")]
    for stem in stems:
        drop(folders.inbox, stem, photo=b"the same")
    assert serve()[0] == 0 and not names(folders.inbox)
    assert names(folders.outbox) == sorted(f"{stem}{suffix}" for stem in stems for suffix in (".json", ".png"))


def test_the_same_bytes_are_no_new_job_while_their_result_waits_to_be_published(folders, spool):
    spool.commit(edited(spool))
    drop(folders.inbox)
    assert claim_all(spool) == [None] and not names(folders.inbox)


def test_a_name_that_somebody_takes_before_the_result_appears_is_left_to_them(folders, spool):
    committed = spool.commit(edited(spool))
    (folders.outbox / "a.png").write_bytes(b"precious")
    other = f"a~{committed.record.id[-12:]}"
    assert spool.publish(committed).record.published == {"photo.png": f"{other}.png", "report.json": f"{other}.json"}
    assert names(folders.outbox) == ["a.png", f"{other}.json", f"{other}.png"]
    assert (folders.outbox / "a.png").read_bytes() == b"precious"
    assert json.loads((folders.outbox / f"{other}.json").read_text())["output"] == f"{other}.png"


def test_an_input_that_is_written_to_in_place_is_not_as_claimed(folders, spool):
    """Of the same size too: its time tells."""
    drop(folders.inbox)
    (job,) = claim_all(spool)
    assert job.is_as_claimed()
    mask = job.input("mask")
    before = mask.stat()
    mask.write_bytes(b"MASK")
    os.utime(mask, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not job.is_as_claimed()


def test_there_is_room_for_a_result_only_if_there_is_for_its_report_too(folders, spool):
    with largest_file(400_000):
        spool.try_writing(400_000 - (64 << 10))
        with pytest.raises(OSError, match="too large"):
            spool.try_writing(400_000 - (64 << 10) + 1)
    assert not list(folders.trash.iterdir())


def test_a_file_that_changed_since_it_was_looked_at_is_not_claimed(folders, spool):
    drop(folders.inbox)
    stamps = scan(folders.inbox)
    (folders.inbox / "a.mask.png").write_bytes(b"longer mask")
    assert spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps) is None
    assert names(folders.inbox) == ["a.mask.png", "a.png"]


def test_a_file_that_grows_while_it_is_moved_is_not_claimed(folders):
    class Growing(Files):
        def take(self, source, target, limit):
            super().take(source, target, limit)
            with target.open("ab") as file:  # who writes to it has it open, wherever it lies
                file.write(b" and the rest")

    drop(folders.inbox)
    assert claim_all(Spool(folders, Growing())) == [None]
    assert names(folders.inbox) == ["a.mask.png", "a.png"]


def test_the_same_bytes_under_another_suffix_are_one_job(tmp_path):
    folders = Folders.of(tmp_path / "inbox", tmp_path / "outbox")
    folders.prepare()
    spool, claimed = Spool(folders), []
    for photo, parameters in (("ana.jpg", "ana.json"), ("ana.JPG", "ana.json"), ("ana.jpeg", "ana.JSON")):
        (folders.inbox / photo).write_bytes(b"photo")
        (folders.inbox / parameters).write_bytes(b"{}")
        stamps = scan(folders.inbox)
        claimed.append(spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps))
    assert claimed[0] is not None and claimed[1:] == [None, None]
    assert not list(folders.inbox.iterdir())
