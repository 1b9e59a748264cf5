"""kill -9 at every system call that changes a file, and at pairs of them: nothing is lost, doubled or half-written."""

import collections
import errno
import os
import random

import pytest
from crashing import count_calls, die_at, in_a_process
from daemon_stubs import QUICK, StubWorker, drop, everything, names, result_of

from npe_core import renaming
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import sort_out
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.files import is_temporary

INPUTS = (b"photo", b"mask", b'{"seed": 1}')
RESULT = result_of(b'{"seed": 1}' + b"mask" + b"photo")
SHARE = float(os.environ.get("NPE_SOAK", "0"))
"""Of the pairs of kills that are tried: NPE_SOAK=1 takes all (a quarter of an hour), 0.25 a fourth drawn anew."""


def folders_in(root):
    made = Folders.of(root / "inbox", root / "outbox")
    made.prepare()
    return made


def daemon(folders, **settings):
    assert Service(folders, StubWorker(), Settings(**{**QUICK, **settings})).run() in (0, 1)


def killed_at(folders, number):
    """A daemon that dies at that call; None lets it live, and it needs no process of its own."""
    if number is None:
        daemon(folders)
        return

    def work():
        die_at(number)
        daemon(folders)

    assert in_a_process(work) in (0, -9)


def check_nothing_is_lost(root):
    """In whatever state the folders are: all inputs are there, and the outbox shows whole results only."""
    found = everything(root)
    for content in INPUTS:
        assert content in found, content
    for name in names(root / "outbox"):
        whole = (root / "outbox" / name).read_bytes()
        assert whole == RESULT if name.endswith(".png") else whole.startswith(b"{") and whole.endswith(b"}\n")


def fetch(folders, fetched):
    """Somebody takes away at once what is there, and counts what it was."""
    for name in names(folders.outbox):
        fetched[name] += 1
        (folders.outbox / name).unlink()


def check_done_once(root):
    found = everything(root)
    for content in INPUTS:
        assert len(found[content]) == 1 and ".done" in str(found[content][0])
    assert names(root / "outbox") == ["a.json", "a.png"] and len(found[RESULT]) == 1
    assert not [path for path in root.rglob("*") if is_temporary(path.name)]
    check_spool_is_empty(root)


def check_spool_is_empty(root):
    for state in ("tmp", "run", "out", "trash"):
        assert not list((root / "outbox" / ".spool" / state).iterdir())
    assert not names(root / "inbox") and not list((root / "failed").iterdir())


def dropped(root):
    folders = folders_in(root)
    drop(folders.inbox, parameters=INPUTS[2])
    return folders


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """How many calls that change files one job takes."""
    folders = dropped(tmp_path_factory.mktemp("count"))
    count = count_calls(lambda: daemon(folders))
    check_done_once(folders.inbox.parent)
    return count


def test_kill_9_at_every_step(tmp_path, steps):
    assert steps > 30
    for number in range(steps):
        root = tmp_path / str(number)
        root.mkdir()
        folders = dropped(root)
        killed_at(folders, number)
        check_nothing_is_lost(root)
        killed_at(folders, None)
        check_done_once(root)


def test_kill_9_while_files_are_copied_from_another_file_system_and_back(tmp_path, apart):
    """At single steps and at pairs: the second death may hit the way back. What was cut off is taken for no input."""
    folders = dropped(tmp_path)
    count = count_calls(lambda: daemon(folders))
    check_done_once(tmp_path)
    single = [(number,) for number in range(random.randrange(2), count, 2)]
    for moments in [*single, *{(random.randrange(count), random.randrange(count)) for _ in range(6)}]:
        root = tmp_path / "-".join(map(str, moments))
        root.mkdir()
        folders = dropped(root)
        for moment in moments:
            killed_at(folders, moment)
            check_nothing_is_lost(root)
        killed_at(folders, None)
        check_done_once(root)


def killed_and_fetched(root, *moments):
    """A daemon that dies at each of these calls; after each the results are taken away. Returns what was fetched."""
    root.mkdir()
    folders, fetched = dropped(root), collections.Counter()
    for moment in (*moments, None):
        killed_at(folders, moment)
        fetch(folders, fetched)
    found = everything(root)
    assert all(len(found[content]) == 1 and ".done" in str(found[content][0]) for content in INPUTS), moments
    assert RESULT not in found and not names(folders.inbox) and not names(folders.failed), moments
    check_spool_is_empty(root)
    return fetched


def test_what_is_fetched_between_a_crash_and_the_restart_does_not_come_again(tmp_path, steps):
    for number in range(steps):
        assert killed_and_fetched(tmp_path / str(number), number) == {"a.json": 1, "a.png": 1}, number


def test_without_a_rename_that_never_replaces_a_result_comes_at_least_once(tmp_path, monkeypatch):
    """As on NFS: who dies between the link and the removal of its source cannot know later that it was fetched."""

    def refused(source, target):
        raise OSError(errno.EINVAL, "there is no such rename here")

    monkeypatch.setattr(renaming, "rename_new", refused)
    folders = dropped(tmp_path)
    twice, count = 0, count_calls(lambda: daemon(folders))
    half = count // 2  # what is taken in, of which a few moments will do, and what is published
    for number in (*random.sample(range(half), 5), *range(half, count)):
        fetched = killed_and_fetched(tmp_path / str(number), number)
        assert set(fetched) == {"a.json", "a.png"}
        twice += fetched.total() - 2
    assert twice == 5  # at the calls between a file's link and the removal of its source, and at no others


def test_kill_9_at_pairs_of_steps(tmp_path, steps):
    """Some pairs that are drawn anew each time, or as many as NPE_SOAK says; of every other the results are fetched."""
    pairs = [(first, second) for first in range(steps) for second in range(steps)]
    for first, second in random.sample(pairs, max(12, round(SHARE * len(pairs)))):
        root = tmp_path / f"{first}-{second}"
        if (first + second) % 2:
            assert killed_and_fetched(root, first, second) == {"a.json": 1, "a.png": 1}, (first, second)
            continue
        root.mkdir()
        folders = dropped(root)
        killed_at(folders, first)
        killed_at(folders, second)
        check_nothing_is_lost(root)
        killed_at(folders, None)
        check_done_once(root)


def test_kill_9_while_a_failed_job_is_put_away(tmp_path):
    from npe_core.errors import InputError

    def refuse(job):
        raise InputError("no")

    def work(folders, number):
        die_at(number)
        Service(folders, StubWorker(read=refuse), Settings(**QUICK)).run()

    for number in range(random.randrange(2), 60, 2):
        root = tmp_path / str(number)
        root.mkdir()
        folders = dropped(root)
        in_a_process(lambda folders=folders, number=number: work(folders, number))
        check_nothing_is_lost(root)
        Service(folders, StubWorker(read=refuse), Settings(**QUICK)).run()
        (job,) = folders.failed.iterdir()
        assert names(job) == ["a.json", "a.mask.png", "a.png", "reason.json"] and not names(folders.inbox)


def claim(folders, number=None):
    """Takes in what was dropped; a claim with a number dies at that call."""
    stamps = scan(folders.inbox)
    (group,) = sort_out(stamps, set(stamps)).ready
    if number is not None:
        die_at(number)
    Spool(folders).claim(group, stamps)


def test_kill_9_while_a_job_called_reason_is_taken_in(tmp_path):
    """Its JSON has another name inside the spool, for that of why a job failed; it comes back under its own."""
    ends = set()
    for number in range(12):
        root = tmp_path / str(number)
        root.mkdir()
        folders = folders_in(root)
        drop(folders.inbox, "reason", parameters=INPUTS[2])
        ends.add(in_a_process(lambda folders=folders, number=number: claim(folders, number)))
        if not Spool(folders).recover():
            assert names(folders.inbox) == ["reason.json", "reason.mask.png", "reason.png"], number
            assert (folders.inbox / "reason.json").read_bytes() == INPUTS[2]
    assert ends == {0, -9}


def test_kill_9_while_a_job_is_given_back(tmp_path):
    """Whatever is a job afterwards has all its inputs; what is none is in the inbox again, once."""

    def give_back(folders, number):
        spool = Spool(folders)
        (job,) = spool.recover()
        die_at(number)
        spool.give_back(job)

    ends = set()
    for number in range(20):
        root = tmp_path / str(number)
        root.mkdir()
        folders = dropped(root)
        claim(folders)
        ends.add(in_a_process(lambda folders=folders, number=number: give_back(folders, number)))
        check_nothing_is_lost(root)
        jobs = Spool(folders).recover()
        assert names(folders.inbox) == ([] if jobs else ["a.json", "a.mask.png", "a.png"]), number
        found = everything(root)
        assert all(job.is_as_claimed() for job in jobs) and all(len(found[content]) == 1 for content in INPUTS), number
    assert ends == {0, -9}


def test_a_job_that_kills_the_process_is_put_away_after_three_attempts_and_hits_nobody_else(tmp_path):
    folders = folders_in(tmp_path)
    for stem in ("good1", "good2", "killer"):
        drop(folders.inbox, stem, photo=stem.encode())

    def kill(job):
        if job.record.stem == "killer":
            os.kill(os.getpid(), 9)

    for _ in range(4):
        in_a_process(lambda: Service(folders, StubWorker(read=kill), Settings(**QUICK)).run())
    assert [name.split("-")[0] for name in names(folders.failed)] == ["killer"]
    assert names(folders.outbox) == ["good1.json", "good1.png", "good2.json", "good2.png"]
    reason = (next(folders.failed.iterdir()) / "reason.json").read_text()
    assert '"crashed"' in reason and "died 3 times" in reason


def test_the_name_is_used_again_while_a_claim_is_undone(tmp_path, steps):
    for number in range(random.randrange(4), steps, 4):
        root = tmp_path / str(number)
        root.mkdir()
        folders = dropped(root)
        killed_at(folders, number)
        if names(folders.inbox):  # not claimed yet, or not all of it
            continue
        drop(folders.inbox, photo=b"other photo", mask=b"other mask")
        killed_at(folders, None)
        found = everything(root)
        for content in (*INPUTS, b"other photo", b"other mask"):
            assert len(found.get(content, [])) == 1, (number, content, found.get(content))
        assert not names(folders.failed)
