"""Files that appear whole or not at all, whoever else writes to the same name, and what dead writers left."""

import errno
import json
import os
import threading
import time

import pytest

from npe_core import renaming
from npe_core.daemon.files import Files
from npe_core.daemon.names import is_hidden, is_unfinished, part_of
from npe_core.errors import EnvironmentFault
from npe_core.files import is_temporary, publish_new, replace, replace_file, temporary_beside, write_new
from npe_core.models.weights import Entry, read_manifest, write_manifest
from npe_core.photo import write_atomically


def at_once(*works):
    """Runs each in a thread of its own; returns what they raised."""
    errors = []

    def run(work):
        try:
            work()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "manifest.json"

    def write(kind):
        for _ in range(60):
            write_manifest({kind: Entry(kind, f"{kind}.safetensors", "0" * 64, {}, {})}, tmp_path)
            assert len(read_manifest(tmp_path)) == 1  # whole, whoever was last

    assert at_once(lambda: write("denoiser"), lambda: write("segmenter")) == []
    assert len(json.loads(path.read_text())["models"]) == 1 and list(tmp_path.iterdir()) == [path]


def test_two_writers_of_a_status_do_not_meet(tmp_path):
    path = tmp_path / "status.json"
    contents = [bytes([letter]) * 5000 for letter in b"ab"]

    def write(content):
        for _ in range(150):
            replace(path, content, durable=False)
            assert path.read_bytes() in contents

    assert at_once(*(lambda content=content: write(content) for content in contents)) == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_name_is_no_input_of_the_watch_folder(tmp_path):
    name = temporary_beside(tmp_path / "ana.png").name
    assert is_temporary(name) and is_hidden(name) and is_unfinished(name) and part_of(name) is None
    assert not any(map(is_temporary, ("ana.png", ".ana.png.part", ".npe-notes.png", "ana.part")))


@pytest.mark.parametrize("write", [replace, write_new])
def test_what_fails_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path, monkeypatch, write):
    def fail(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "a"
    if write is replace:
        path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write(path, b"new")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([b"old"] if write is replace else [])


def replace_large(path, content):
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


def overwrite(path, content):
    write_atomically(path, content, force=True)


@pytest.mark.parametrize("write", [replace, replace_large, write_new, write_atomically, overwrite])
def test_what_a_killed_writer_left_goes_when_nobody_can_be_at_it_any_more(tmp_path, write):
    old, young = temporary_beside(tmp_path / "a"), temporary_beside(tmp_path / "a")
    for path in (old, young, tmp_path / ".other.part"):
        path.write_bytes(b"half a checkpoint")
    for path in (old, tmp_path / ".other.part"):
        os.utime(path, (time.time() - 7200,) * 2)
    write(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a", tmp_path / ".other.part", young])


@pytest.mark.parametrize("missing", [(), ("rename_new",), ("rename_new", "link")])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_publishing_never_replaces_whatever_the_file_system_can(tmp_path, monkeypatch, missing, kind):
    """Neither what was there before, nor what comes between a look and the last call: that is where the look ends."""

    def refused(*arguments, **options):
        raise OSError(errno.EPERM, "not on this file system")

    for call in missing:
        refusal = OSError(errno.EINVAL, "no such rename")
        if call == "rename_new":
            monkeypatch.setattr(renaming, "rename_new", lambda *_, refusal=refusal: (_ for _ in ()).throw(refusal))
        else:
            monkeypatch.setattr(os, "link", refused)

    def make(name):
        path = tmp_path / name
        if kind == "file":
            path.write_bytes(name.encode())
        else:
            path.mkdir()
            (path / "inside").write_bytes(name.encode())
        return path

    def content(path):
        return (path if kind == "file" else path / "inside").read_bytes()

    target = tmp_path / "target"
    publish_new(make("first"), target)
    assert content(target) == b"first"
    with pytest.raises(FileExistsError):
        publish_new(make("second"), target)
    assert content(target) == b"first" and content(tmp_path / "second") == b"second"


def test_two_that_give_files_into_one_folder_elsewhere_do_not_meet(tmp_path, monkeypatch):
    """As a daemon and ``npe retry`` do with an inbox on another file system."""

    def elsewhere(source, target):
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
        rename(source, target)

    rename = renaming.rename_new
    monkeypatch.setattr(renaming, "rename_new", elsewhere)
    inbox = tmp_path / "inbox"
    inbox.mkdir()

    def give(who):
        folder = tmp_path / who
        folder.mkdir()
        for number in range(40):
            (folder / str(number)).write_bytes(f"{who} {number}".encode() * 2000)
            Files().give({folder / str(number): f"{who}-{number}"}, inbox)

    assert at_once(lambda: give("daemon"), lambda: give("retry")) == []
    assert len(list(inbox.iterdir())) == 80
    assert all(path.read_bytes() == path.name.replace("-", " ").encode() * 2000 for path in inbox.iterdir())


@pytest.mark.parametrize(("code", "end"), [
    (errno.ENOSPC, "No space left on device. Free some space."), (errno.EDQUOT, "Free some space."),
    (errno.EFBIG, "File too large (beyond what ulimit -f or the file system allows)."), (errno.EROFS, "file system."),
])  # fmt: skip
def test_what_the_system_refuses_to_write_is_a_fault_of_the_machine(tmp_path, code, end):
    with pytest.raises(EnvironmentFault) as caught, replace_file(tmp_path / "a"):
        raise OSError(code, os.strerror(code))
    assert str(caught.value).startswith(f"{tmp_path / 'a'} cannot be written: ") and str(caught.value).endswith(end)
