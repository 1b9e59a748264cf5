"""A state machine over the spool: whatever is dropped, killed, failed or retried, an input is in one place."""

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest
from daemon_stubs import drop, everything, names, result_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from limits import largest_file

from npe_core import renaming
from npe_core.daemon import journal
from npe_core.daemon.failed import failed_jobs
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import sort_out
from npe_core.daemon.retry import retry
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan


class Dead(BaseException):
    """The process ends here."""


class Mortal(Files):
    """Files that die before the change of a chosen number."""

    def __init__(self):
        self.left = None

    def _count(self):
        if self.left is not None:
            if self.left == 0:
                raise Dead
            self.left -= 1


def mortal(name):
    def call(self, *arguments):
        self._count()
        return getattr(Files, name)(self, *arguments)

    return call


for _name in ("make_folder", "write", "rename", "move_folder", "take", "give", "remove_folder"):
    setattr(Mortal, _name, mortal(_name))


class WatchFolder(RuleBasedStateMachine):
    """People drop files, a daemon works and dies."""

    def __init__(self):
        super().__init__()
        self._root = tempfile.TemporaryDirectory()
        self.root = Path(self._root.name)
        self.folders = Folders.of(self.root / "inbox", self.root / "outbox")
        self.folders.prepare()
        self.inputs = set()
        self.number = 0
        self.start()

    def teardown(self):
        self._root.cleanup()

    def start(self):
        self.spool = Spool(self.folders, Mortal())
        self.jobs = self.spool.recover()

    def live(self, work, lives):
        """Does something that a death may cut off; then a new process starts."""
        self.spool.files.left = lives
        try:
            work()
        except Dead:
            self.start()
        finally:
            self.spool.files.left = None

    @rule(stem=st.sampled_from("ab"), ending=st.sampled_from([".png", ".mask.png", ".json"]))
    def drop_one(self, stem, ending):
        target = self.folders.inbox / (stem + ending)
        if not target.exists():
            self.number += 1
            content = f"input {self.number}".encode()
            target.write_bytes(content)
            self.inputs.add(content)

    @rule(lives=st.none() | st.integers(0, 8))
    def claim(self, lives):
        stamps = scan(self.folders.inbox)

        def work():
            for group in sort_out(stamps, set(stamps)).ready:
                job = self.spool.claim(group, stamps)
                if job is not None:
                    self.jobs.append(job)

        self.live(work, lives)

    @precondition(lambda self: self.jobs)
    @rule(lives=st.none() | st.integers(0, 12), fails=st.booleans())
    def run(self, lives, fails):
        job = self.jobs.pop(0)

        def work():
            folder = self.spool.new_result(job)
            counted = self.spool.count_attempt(job)
            if fails:
                self.spool.fail(counted, b"{}")
                return
            (folder / "photo.png").write_bytes(result_of(job.record.id.encode()))
            (folder / journal.REPORT).write_bytes(b"{}")
            self.spool.publish(self.spool.commit(counted))

        self.live(work, lives)

    @precondition(lambda self: self.jobs)
    @rule(lives=st.none() | st.integers(0, 5))
    def give_back(self, lives):
        job = self.jobs.pop(0)
        self.live(lambda: self.spool.give_back(job), lives)

    @precondition(lambda self: failed_jobs(self.folders))
    @rule()
    def retry(self):
        retry(self.folders, failed_jobs(self.folders)[0])

    @precondition(lambda self: names(self.folders.outbox))
    @rule()
    def fetch(self):
        (self.folders.outbox / names(self.folders.outbox)[0]).unlink()

    @rule()
    def restart(self):
        self.start()

    @invariant()
    def every_input_is_in_exactly_one_place(self):
        found = everything(self.root)
        for content in self.inputs:
            assert len(found.get(content, [])) == 1, (content, found.get(content))

    @invariant()
    def the_spool_holds_the_jobs_that_are_known_and_no_more(self):
        assert {job.folder.name for job in self.jobs} == {path.name for path in self.folders.run.iterdir()}
        assert not list(self.folders.tmp.iterdir()) and not list(self.folders.out.iterdir())


TestWatchFolder = WatchFolder.TestCase
TestWatchFolder.settings = settings(
    max_examples=int(os.environ.get("NPE_EXAMPLES", "25")), stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture
def spool(folders):
    return Spool(folders)


def claim_all(spool):
    stamps = scan(spool.folders.inbox)
    return [spool.claim(group, stamps) for group in sort_out(stamps, set(stamps)).ready]


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


def test_what_a_step_builds_on_is_on_the_disk_before_it(folders, serve, monkeypatch):
    """After a power cut a name may be there without its bytes, unless they were flushed before it was given."""
    flushed, moves = [], []

    def moving(call):
        def called(source, target, *more, **options):
            source, target = Path(source), Path(target)
            files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
            inodes = {path.stat().st_ino for path in files if path.name != ".journal"}
            call(source, target, *more, **options)
            moves.append((target, inodes, len(flushed)))

        return called

    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(os, "rename", moving(os.rename))
    monkeypatch.setattr(renaming, "rename_new", moving(renaming.rename_new))
    drop(folders.inbox)
    assert serve()[0] == 0
    at = {parent: [move for move in moves if move[0].parent == parent] for parent in (folders.run, folders.outbox)}
    assert len(at[folders.run]) == 1 and len(at[folders.outbox]) == 2
    for _, inodes, before in (*at[folders.run], *at[folders.outbox]):
        assert inodes and inodes <= set(flushed[:before])
    (done,) = (before for target, _, before in moves if target.parent == folders.done)
    shown = max(before for _, _, before in at[folders.outbox])
    assert folders.outbox.stat().st_ino in flushed[shown:done], "inputs are put away before the result has its name"


def test_the_only_other_name_of_a_copy_goes_when_its_own_is_on_the_disk(tmp_path, apart, monkeypatch):
    source, target = tmp_path / "inbox" / "a.png", tmp_path / "claim" / "a.png"
    for folder in (source.parent, target.parent):
        folder.mkdir()
    source.write_bytes(b"photo")
    calls, folder = [], target.parent.stat().st_ino

    def noted(name):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *paths, **options: calls.append(name) or call(*paths, **options))

    def flushed(descriptor):
        calls.append("flush the folder" if os.fstat(descriptor).st_ino == folder else "flush the bytes")

    noted("rename")
    noted("unlink")
    monkeypatch.setattr(os, "fsync", flushed)
    Files().take(source, target, 1 << 20)
    assert calls[-4:] == ["flush the bytes", "rename", "flush the folder", "unlink"]
    assert target.read_bytes() == b"photo" and not source.exists()


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


def test_a_link_put_in_place_of_a_file_is_not_followed(folders, spool, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"photo")
    drop(folders.inbox)
    stamps = scan(folders.inbox)
    (folders.inbox / "a.png").unlink()
    (folders.inbox / "a.png").symlink_to(secret)
    assert spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps) is None
    assert (folders.inbox / "a.png").is_symlink() and secret.read_bytes() == b"photo"


def test_an_inbox_on_another_file_system(tmp_path):
    """Rename does not reach there; the copy is whole before the original goes."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    with tempfile.TemporaryDirectory(dir=shm) as elsewhere:
        folders = Folders.of(Path(elsewhere), tmp_path / "outbox")
        folders.prepare()
        spool = Spool(folders)
        drop(folders.inbox)
        (job,) = claim_all(spool)
        assert not names(folders.inbox) and job.input("photo").read_bytes() == b"photo"
        spool.give_back(job)
        assert names(folders.inbox) == ["a.mask.png", "a.png"] and not list(folders.run.iterdir())


@pytest.mark.parametrize("missing", [(), ("rename_new",), ("rename_new", "link")])
def test_a_file_is_given_whatever_the_file_system_can_and_takes_nobodys_place(tmp_path, monkeypatch, missing):
    def refused(*arguments, **options):
        raise OSError(errno.EINVAL, "not on this file system")

    for call in missing:
        monkeypatch.setattr(renaming if call == "rename_new" else os, call, refused)
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    for content in (b"first", b"first", b"second"):
        (tmp_path / "photo").write_bytes(content)
        if content == b"second":
            with pytest.raises(OSError, match=r"exists|not on this"):
                Files().give({tmp_path / "photo": "a"}, outbox)
            assert (tmp_path / "photo").read_bytes() == b"second"
        else:
            Files().give({tmp_path / "photo": "a"}, outbox)
            assert not (tmp_path / "photo").exists()
        assert (outbox / "a").read_bytes() == b"first" and len(list(outbox.iterdir())) == 1


@pytest.mark.parametrize("evil", ["../../etc/passwd", "/etc/passwd", "..", "a/b", "a\0b", "", 7])
def test_a_record_that_was_tampered_with_names_no_file_outside(folders, spool, evil):
    job = folders.run / "a-000000000000"
    job.mkdir()
    record = {"stem": "a", "inputs": {"a.png": "photo"}, "published": {"photo.png": evil}}
    (job / journal.JOURNAL).write_bytes(journal.as_json(record))
    assert spool.recover() == []
    assert names(folders.failed) == ["a-000000000000"]


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
