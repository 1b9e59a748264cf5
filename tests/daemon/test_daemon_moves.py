"""How files change their places: flushed before, whatever the file system can, and over to another one."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from daemon_stubs import claim_all, drop, names

from npe_core import renaming
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders
from npe_core.daemon.spool import Spool


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
