"""A file appears under its name whole or not at all, and never instead of another one."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from npe_core import files, renaming
from npe_core.errors import EnvironmentFault, UsageError
from npe_core.photo import OUTPUT_FORMATS, Photo, check_output, write_atomically


@pytest.fixture
def photo(make):
    return Photo.from_array(make.smooth())


def only(folder, *names):
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("suffix", [*OUTPUT_FORMATS, ".PNG", ".JpEg"])
def test_the_suffix_chooses_the_format(photo, tmp_path, suffix):
    photo.save(tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as picture:
        assert picture.format == OUTPUT_FORMATS[suffix.lower()] == check_output(tmp_path / f"new{suffix}")
        assert np.abs(np.asarray(picture).astype(int) - photo.image).max() <= (4 if picture.format == "JPEG" else 0)
    assert only(tmp_path, f"out{suffix}")


@pytest.mark.parametrize("name", ["out", "out.heic", "out.png.txt", "png", ".png"])
def test_unknown_suffixes_name_the_supported_ones(photo, tmp_path, name):
    with pytest.raises(UsageError, match=r"\.png, \.jpg, \.jpeg, \.webp, \.tif, \.tiff, \.bmp"):
        photo.save(tmp_path / name)
    assert only(tmp_path)


def test_gif_points_to_png(photo, tmp_path):
    with pytest.raises(UsageError, match=r"256 colours.*\.png"):
        photo.save(tmp_path / "out.gif")


def test_sizes_beyond_a_format(make, tmp_path):
    wide = Photo.from_array(np.zeros((64, 16384, 3), np.uint8))
    with pytest.raises(UsageError, match=r"16383 pixels.*\.png"):
        wide.save(tmp_path / "out.webp")
    wide.save(tmp_path / "out.jpg")


def test_an_existing_file_needs_force(photo, tmp_path):
    (tmp_path / "out.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match="--force"):
        photo.save(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes() == b"mine"
    photo.save(tmp_path / "out.png", force=True)
    assert Photo.open(tmp_path / "out.png").size == photo.size
    (tmp_path / "dangling.png").symlink_to("nowhere")
    with pytest.raises(UsageError, match="--force"):
        photo.save(tmp_path / "dangling.png")


def test_the_input_is_never_written_even_with_force(photo_file, tmp_path):
    path = photo_file("in.png")
    before = path.read_bytes()
    photo = Photo.open(path)
    (tmp_path / "link.png").symlink_to(path)
    os.link(path, tmp_path / "hard.png")
    (tmp_path / "sub").mkdir()
    for same in (path, tmp_path / "link.png", tmp_path / "hard.png", tmp_path / "sub" / ".." / "in.png"):
        with pytest.raises(UsageError, match="is an input"):
            photo.save(same, force=True)
        with pytest.raises(UsageError, match="is an input"):
            check_output(same, force=True, inputs=[path])
    assert path.read_bytes() == before


def test_folders_and_devices_are_not_replaced(photo, tmp_path):
    (tmp_path / "dir.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "null.png").symlink_to("/dev/null")
    for name in ("dir.png", "pipe.png", "null.png"):
        with pytest.raises(UsageError, match="not a file"):
            photo.save(tmp_path / name, force=True)


def test_folders_that_cannot_be_written(photo, tmp_path):
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path / "missing" / "out.png", "no folder"),
        (tmp_path / "file" / "out.png", "not a folder"),
    ):
        with pytest.raises(EnvironmentFault, match=words) as caught:
            photo.save(path)
        assert str(caught.value).count("\n") <= 1
    assert only(tmp_path, "file")


def test_a_name_that_is_too_long_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UsageError, match="too long"):
        check_output(tmp_path / ("n" * 300 + ".png"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_a_read_only_file_system(photo):
    with pytest.raises(EnvironmentFault, match="/proc/self"):
        photo.save("/proc/self/out.png")


@pytest.mark.parametrize(("flags", "why"), [(0, "Permission denied"), (1, "Read-only file system")])
def test_permission_bits_and_how_a_disk_is_mounted_are_asked_early(photo, tmp_path, monkeypatch, flags, why):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags), raising=False)
    monkeypatch.setattr(os, "ST_RDONLY", 1, raising=False)
    with pytest.raises(EnvironmentFault, match=rf"cannot be written to: {why}\. Choose"):
        check_output(tmp_path / "out.png")


@pytest.mark.parametrize(("module", "call"), [(os, "fsync"), (renaming, "rename_new"), (os, "link")])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failing_disk_leaves_nothing_behind(photo, tmp_path, monkeypatch, module, call, code):
    def fail(*_args, **_options):
        raise OSError(code, os.strerror(code))

    if call == "link":
        without_such_a_rename(monkeypatch)
    monkeypatch.setattr(module, call, fail)
    with pytest.raises(EnvironmentFault, match="could not be written" if code == errno.EIO else "No space"):
        photo.save(tmp_path / "out.png")
    assert only(tmp_path)


def test_a_limit_of_the_system_is_named_and_keeps_the_file_that_force_would_replace(photo, tmp_path):
    """A real one, in a process of its own."""
    (tmp_path / "out.bmp").write_bytes(b"mine")
    script = (
        "import resource, sys, numpy as np\n"
        "from npe_core.photo import Photo\n"
        "from npe_core.errors import EnvironmentFault\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "try: Photo.from_array(np.zeros((99, 99, 3), np.uint8)).save(sys.argv[1], force=True)\n"
        "except EnvironmentFault as error: print(error); sys.exit(4)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "out.bmp"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (4, "")
    assert "ulimit -f" in done.stdout and "Raise the limit" in done.stdout and "disk full" not in done.stdout
    assert only(tmp_path, "out.bmp")
    assert (tmp_path / "out.bmp").read_bytes() == b"mine"


def test_a_file_that_appears_meanwhile_is_left_alone(photo, tmp_path, monkeypatch):
    write = files.create

    def write_slowly(temporary, content):
        write(temporary, content)
        (tmp_path / "out.png").write_bytes(b"somebody was faster")

    monkeypatch.setattr(files, "create", write_slowly)
    with pytest.raises(UsageError, match="exists already"):
        photo.save(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes() == b"somebody was faster"
    assert only(tmp_path, "out.png")


def test_of_many_writers_one_wins(tmp_path):
    results = []

    def write(number):
        try:
            write_atomically(tmp_path / "out.png", bytes([number]) * 100000)
            results.append(number)
        except UsageError:
            results.append(None)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [number for number in results if number is not None]
    assert (tmp_path / "out.png").read_bytes() == bytes([winner]) * 100000
    assert only(tmp_path, "out.png")


def without_such_a_rename(monkeypatch):
    """As on systems that are not Linux, and on NFS."""

    def unsupported(_source, _target):
        raise OSError(errno.ENOSYS, "no such rename")

    monkeypatch.setattr(renaming, "rename_new", unsupported)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("taken", [False, True])
def test_file_systems_that_cannot_rename_without_replacing(photo, tmp_path, monkeypatch, taken, links):
    link = os.link

    def last_moment(source, target, **options):
        if taken:
            (tmp_path / "out.png").write_bytes(b"mine")
        if not links:
            raise OSError(errno.EPERM, "no links here")
        link(source, target, **options)

    without_such_a_rename(monkeypatch)
    monkeypatch.setattr(os, "link", last_moment)
    if taken:
        with pytest.raises(UsageError, match="exists already"):
            photo.save(tmp_path / "out.png")
        assert (tmp_path / "out.png").read_bytes() == b"mine"
    else:
        photo.save(tmp_path / "out.png")
        assert np.array_equal(Photo.open(tmp_path / "out.png").image, photo.image)
    assert only(tmp_path, "out.png")


def test_the_temporary_name_is_hidden_and_in_the_same_folder(photo, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append([path.name for path in tmp_path.iterdir()]))
    photo.save(tmp_path / "out.png")
    (name,) = seen[0]
    assert name.startswith(".")
    assert name.endswith(".part")


def test_the_umask_decides_the_mode(photo, tmp_path):
    before = os.umask(0o027)
    try:
        photo.save(tmp_path / "out.png")
    finally:
        os.umask(before)
    assert (tmp_path / "out.png").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_to_jpeg_keeps_tables_and_subsampling(photo_file, tmp_path, subsampling, progressive):
    path = photo_file("in.jpg", quality=73, subsampling=subsampling, progressive=progressive)
    Photo.open(path).save(tmp_path / "out.jpg")
    with Image.open(path) as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == subsampling
        assert bool(after.info.get("progressive")) == progressive
        assert np.abs(np.asarray(after).astype(int) - np.asarray(before)).max() <= 8


@pytest.mark.parametrize("marker", ["adobe", "ids"])
def test_a_jpeg_of_red_green_and_blue_stays_one(photo_file, tmp_path, marker):
    """Its tables are of colours: in brightness and colour difference they are far too coarse, or too fine."""
    rng = np.random.default_rng(0)
    smooth = np.clip(np.cumsum(rng.normal(0, 3, (96, 96, 3)), axis=1) + 128, 0, 255).astype(np.uint8)
    source = tmp_path / "rgb.jpg"
    Image.fromarray(smooth).save(source, quality=80, keep_rgb=True)
    if marker == "ids":  # without Adobe's segment the names of the components say it
        content = source.read_bytes()
        at = content.index(b"\xff\xee")
        source.write_bytes(content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :])
    photo = Photo.open(source)
    photo.save(tmp_path / "out.jpg")
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (source, tmp_path / "out.jpg"))
    assert np.abs(before - after).max() <= 2 and np.abs(before - after).mean() < 0.1


def test_what_is_overwritten_is_read_by_nobody_else_than_before(photo_file, tmp_path):
    photo = Photo.open(photo_file("in.png"))
    target = tmp_path / "mine.png"
    target.write_bytes(b"")
    target.chmod(0o600)
    photo.save(target, force=True)
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("suffix", [".jpe", ".jfif"])
def test_other_suffixes_of_jpeg(photo_file, tmp_path, suffix):
    Photo.open(photo_file("in.png")).save(tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as picture:
        assert picture.format == "JPEG"


def test_other_sources_become_good_jpegs(make, photo_file, tmp_path):
    Photo.open(photo_file("in.png")).save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as picture:
        assert JpegImagePlugin.get_sampling(picture) == 0
    Photo.open(photo_file("grey.jpg", make.smooth()[..., 0], quality=80)).save(tmp_path / "grey-out.jpg")
    with Image.open(tmp_path / "grey-out.jpg") as picture:
        assert picture.mode == "RGB"
        assert np.abs(np.asarray(picture).astype(int) - make.smooth()[..., :1]).max() <= 8


@pytest.mark.parametrize("name", ["out.jpg", "out.bmp"])
def test_alpha_goes_onto_white_with_a_warning(make, tmp_path, name):
    alpha = np.zeros((72, 96), np.uint8)
    alpha[:, 48:] = 255
    photo = Photo.from_array(make.smooth(), alpha)
    assert "put on white" in photo.save(tmp_path / name)[0]
    with Image.open(tmp_path / name) as picture:
        assert np.asarray(picture)[:, :40].min() > 245
        assert np.abs(np.asarray(picture)[:, 56:].astype(int) - make.smooth()[:, 56:]).max() < 6
    assert Photo.from_array(make.smooth(), np.full((72, 96), 255, np.uint8)).save(tmp_path / ("opaque-" + name)) == ()


@pytest.mark.parametrize(("options", "exact"), [({"lossless": True}, True), ({"quality": 80}, False)])
def test_webp_is_as_lossless_as_its_source(photo_file, tmp_path, options, exact):
    photo = Photo.open(
        photo_file("in.webp", np.random.default_rng(0).integers(0, 256, (72, 96, 3), np.uint8), **options)
    )
    photo.save(tmp_path / "out.webp")
    with Image.open(tmp_path / "out.webp") as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), photo.image) == exact


def test_bmp_gets_srgb_and_notes(make, photo_file, tmp_path):
    photo = Photo.open(photo_file("in.png", icc_profile=make.icc_profile(), exif=make.exif_block(orientation=1)))
    notes = photo.save(tmp_path / "out.bmp")
    assert "no colour profile" in notes[0]
    assert "no metadata" in notes[1]
    with Image.open(tmp_path / "out.bmp") as picture:
        assert np.array_equal(np.asarray(picture), photo.image)


def test_metadata_choice_is_checked(photo, tmp_path):
    with pytest.raises(UsageError, match="'keep' or 'strip'"):
        photo.save(tmp_path / "out.png", metadata="some")
