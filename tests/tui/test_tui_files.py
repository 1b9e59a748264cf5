"""What lies on disk, as the editor lists, shows and completes it: folders, small pictures, typed paths."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npe_tui.files import places
from npe_tui.files.thumbnails import entries_of, thumbnail
from npe_tui.widgets.path_field import complete


def test_the_browser_lists_photos_then_folders(tmp_path):
    for name in ("b.PNG", "a.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    assert [entry.title for entry in entries_of(tmp_path)] == ["a.jpg", "b.PNG", "more/", "../"]


def test_a_link_that_cannot_be_followed_hides_nothing_beside_it(tmp_path):
    """As one into somebody else's folder, but refused to root as well: its target has too long a name."""
    (tmp_path / "aaa").symlink_to("x" * 300)
    (tmp_path / "ana.png").touch()
    assert [entry.title for entry in entries_of(tmp_path)] == ["ana.png", "../"]
    assert complete(f"{tmp_path}/a") == f"{tmp_path}/ana.png"


def test_what_is_no_regular_file_is_neither_listed_nor_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none")
    (tmp_path / "a.png").touch()
    assert [entry.title for entry in entries_of(tmp_path)] == ["a.png", "../"]
    program = f"from npe_tui.files.thumbnails import *; print(thumbnail(Path({str(tmp_path / 'pipe.png')!r}), 20, 20))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "None\n", done.stderr


WAITS = """
import asyncio, time
from npe_tui.aside import aside

async def main():
    print(await aside(lambda: 7))
    try:
        await aside(lambda: 1 / 0)
    except ZeroDivisionError:
        print("told")
    await asyncio.wait([asyncio.ensure_future(aside(lambda: time.sleep(600)))], timeout=0.2)

asyncio.run(main())
"""


def test_the_end_waits_for_no_file_that_never_answers():
    done = subprocess.run([sys.executable, "-c", WAITS], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("7\ntold\n", "", 0)


def test_thumbnails_are_upright_and_keep_the_shape(tmp_path):
    picture = Image.fromarray(np.full((60, 120, 3), (200, 10, 10), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    picture.save(tmp_path / "turned.jpg", exif=exif)
    small, size = thumbnail(tmp_path / "turned.jpg", 20, 20)
    assert small.shape == (20, 10, 3) and size == (60, 120)
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "wide.jpg", exif=exif)
    small, size = thumbnail(tmp_path / "wide.jpg", 20, 20)
    assert small.shape == (10, 20, 3) and size == (120, 60)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    assert thumbnail(tmp_path / "broken.png", 20, 20) is None
    picture.save(tmp_path / "page.eps")  # whose decoder would start Ghostscript
    (tmp_path / "page.eps").rename(tmp_path / "page.jpg")
    with Image.open(tmp_path / "page.jpg") as page:
        assert page.format == "EPS"
    assert thumbnail(tmp_path / "page.jpg", 20, 20) is None


RACE = """
import sys, threading, time
from pathlib import Path
from npe_tui.files.thumbnails import thumbnail

def opened():
    import npe_core.photo

reading = threading.Thread(target=opened)
reading.start()
time.sleep(float(sys.argv[2]))
small, size = thumbnail(Path(sys.argv[1]), 20, 20)
reading.join()
print(size)
"""


@pytest.mark.parametrize("seconds", ["0.002", "0.02"])
def test_a_small_picture_may_be_asked_for_while_another_thread_imports_what_opens_it(photo_file, seconds):
    """The one met a half-made module of the other, and the editor ended with an ImportError."""
    done = subprocess.run([sys.executable, "-c", RACE, photo_file, seconds], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_paths_are_completed(tmp_path):
    (tmp_path / "portrait.png").touch()
    (tmp_path / "pot").mkdir()
    assert complete(f"{tmp_path}/por") == f"{tmp_path}/portrait.png"
    assert complete(f"{tmp_path}/pot") == f"{tmp_path}/pot/"
    assert complete(f"/somewhere/{tmp_path}/por") == f"/somewhere/{tmp_path}/portrait.png"
    assert complete(f"{tmp_path}/x") is None and complete("") is None
    assert complete("~nobody-of-this-name/p") is None and complete("a\0/b") is None


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("samples/.", "samples/.later/"),
        ("samples/./a", "samples/./ana.png"),
        ("samples/./.", "samples/./.later/"),
        ("samples/..", None),
        ("samples/../s", "samples/../samples/"),
        (".", ".hidden.png"),
        ("./", "./samples/"),
        ("..", None),
        ("~/s", "~/samples/"),
        ("~/.", "~/.hidden.png"),
    ],
)
def test_a_path_with_dots_becomes_what_is_there(tmp_path, monkeypatch, typed, proposed):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "samples" / ".later").mkdir(parents=True)
    for name in ("samples/ana.png", ".hidden.png"):
        (tmp_path / name).touch()
    assert complete(typed) == proposed


@pytest.mark.parametrize(
    "text",
    [
        "{0}/a b.png",
        " {0}/a b.png\n",
        "/somewhere/{0}/a b.png",
        "'{0}/a b.png'",
        '"{0}/a b.png"',
        "{0}/a\\ b.png",
        "file://{0}/a%20b.png",
    ],
)
def test_a_path_is_understood_as_terminals_write_it(tmp_path, text):
    assert places.meant(text.format(tmp_path)) == tmp_path / "a b.png"


def test_a_path_that_a_shell_would_read_otherwise_is_that_of_the_file_which_is_there(tmp_path):
    for name in ("it's.png", "'quoted'.png", "back\\slash.png", "two words.png"):
        (tmp_path / name).touch()
        assert places.meant(str(tmp_path / name)) == tmp_path / name
    assert places.meant("new name's.png") == Path("new name's.png")
    assert places.meant("~/new.png") == Path.home() / "new.png"
    assert places.meant("/somewhere/~/new.png") == Path.home() / "new.png"
