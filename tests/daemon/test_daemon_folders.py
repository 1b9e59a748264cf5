"""The daemon's folders: which are refused, which are made, and what is told of one that cannot be used."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from daemon_stubs import StubWorker, drop, names

from npe_core.cli.app import run
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders, remedy
from npe_core.daemon.service import Service
from npe_core.errors import InputError


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


@pytest.mark.parametrize("below", ["inbox", "inbox/out"])
def test_an_outbox_in_the_inbox_is_refused(at, tmp_path, below, capsys):
    before = set(tmp_path.rglob("*"))
    assert run(["watch", *at, "--outbox", str(tmp_path / below), "--failed", str(tmp_path / "f"), "--once"]) == 2
    assert "lies in the inbox" in capsys.readouterr().err and set(tmp_path.rglob("*")) == before
    link = tmp_path / "looks-outside"
    link.symlink_to(tmp_path / below)
    assert run(["watch", *at, "--outbox", str(link), "--failed", str(tmp_path / "f"), "--once"]) == 2


def test_an_inbox_that_is_a_link_in_a_circle_is_no_bug(tmp_path, capsys):
    (tmp_path / "inbox").symlink_to(tmp_path / "inbox")
    assert run(["watch", "--inbox", str(tmp_path / "inbox"), "--outbox", str(tmp_path / "outbox"), "--once"]) == 4
    assert "is not a folder, or a link to none" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["inbox", "outbox", "failed"])
def test_a_folder_that_everybody_can_write_to_is_refused(at, tmp_path, folder, capsys):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder).chmod(0o777)
    assert run(["watch", *at, "--once"]) == 4
    err = capsys.readouterr().err
    assert "writable for everybody" in err and "--allow-world-writable" in err
    (tmp_path / folder).chmod(0o1777)
    Folders.of(tmp_path / "inbox", tmp_path / "outbox").prepare()
    assert all(stat.S_IMODE((tmp_path / "outbox/.spool" / name).stat().st_mode) == 0o700 for name in ("tmp", "run"))


def test_folders_that_it_makes_are_not_refused_under_any_umask(tmp_path):
    folders = Folders.of(tmp_path / "inbox", tmp_path / "outbox")
    before = os.umask(0)
    try:
        folders.prepare()
    finally:
        os.umask(before)
    made = [folders.inbox, folders.outbox, folders.failed, folders.done]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o775] * 4


def test_an_inbox_that_cannot_be_made(tmp_path, capsys):
    assert run(["watch", "--inbox", str(tmp_path / "no/such/inbox"), "--outbox", str(tmp_path / "out"), "--once"]) == 4
    assert "no/such/inbox" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_an_outbox_that_takes_nothing_is_told_by_its_own_name(tmp_path, capsys):
    failed = ["--failed", str(tmp_path / "failed")]
    assert run(["watch", "--inbox", str(tmp_path / "in"), "--outbox", "/proc/self/task", *failed, "--once"]) == 4
    told = capsys.readouterr().err
    assert "The folder /proc/self/task cannot be used: " in told and ".spool" not in told


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EACCES, "Let the daemon's user read it and write to it"), (errno.EROFS, "Mount it so that it can be"),
     (errno.ENOENT, "create it")],
)  # fmt: skip
def test_what_is_to_be_done_about_a_folder_goes_by_what_the_system_says(code, words):
    assert words in remedy(OSError(code, os.strerror(code)))


def test_folders_that_it_makes_are_told(at, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Service, "run", lambda service: 0)
    (tmp_path / "outbox").rmdir()
    assert run(["watch", *at, "--once", "--log", "json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(row["event"], row["folder"]) for row in told] == [
        ("made the folder", str(tmp_path / "outbox")),
        ("made the folder", str(tmp_path / "failed")),
    ]
    assert run(["watch", *at, "--once", "--log", "json"]) == 0 and not capsys.readouterr().err
