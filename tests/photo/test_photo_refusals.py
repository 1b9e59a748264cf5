"""What cannot be edited is refused in one or two lines, before it costs anything."""

import io
import os
import resource
import struct
import threading
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, features

from npe_core.daemon.blame import Blame, blame_for
from npe_core.errors import EnvironmentFault, InputError, OutOfMemory
from npe_core.photo import Photo
from npe_core.photo.opening import open_picture


def refusal(path, **options):
    with pytest.raises(InputError) as caught:
        Photo.open(path, **options)
    message = str(caught.value)
    assert os.fspath(path).split("/")[-1].split("\0")[0][:20] in message
    assert message.count("\n") <= 1
    return message


def test_paths_that_are_no_picture(tmp_path):
    assert "no file" in refusal(tmp_path / "missing.png")
    assert "folder" in refusal(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "0 bytes" in refusal(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("not a picture " * 20)
    assert "known format" in refusal(tmp_path / "text.png")
    assert "cannot be opened" in refusal(tmp_path / ("long" * 100))
    assert "cannot be opened" in refusal(str(tmp_path / "nul\0"))
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be opened" in refusal(tmp_path / "loop")


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "regular file" in refusal(tmp_path / "pipe.png")


def test_permission_denied(tmp_path, monkeypatch, photo_file):
    path = photo_file("a.png")

    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    assert "permission denied" in refusal(path)


def test_a_machine_without_file_descriptors_is_not_the_photos_fault(photo_file):
    """The daemon would move good jobs to the failed ones."""
    path = photo_file("a.png")
    Photo.open(path)  # its decoder is loaded now
    limits, held = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(EnvironmentFault, match="Too many open files") as caught:
            Photo.open(path)
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert blame_for(caught.value) is Blame.INSTALLATION


def test_what_fails_beside_the_decoding_is_not_the_files_damage(photo_file):
    path = photo_file("a.png")
    with pytest.raises(KeyError), open_picture(path, lambda size: None, 1e6):
        {}["a mistake of our own"]
    with pytest.raises(OutOfMemory, match="Not enough memory"), open_picture(path, lambda size: None, 1e6):
        raise MemoryError


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path):
    with pytest.raises(InputError) as caught:
        Photo.open(tmp_path / "a\x1b[31m.png")
    assert "\x1b" not in str(caught.value)


def test_formats_beyond_the_list_are_refused(photo_file):
    for name in ("a.ppm", "a.ico", "a.tga"):
        assert "known format" in refusal(photo_file(name))


@pytest.mark.parametrize(("suffix", "length"), [("jpg", 20), ("png", 12), ("tif", 60), ("gif", 10)])
def test_what_begins_as_a_picture_and_has_no_whole_header_is_called_damaged(tmp_path, photo_file, suffix, length):
    whole = photo_file(f"a.{suffix}").read_bytes()
    (tmp_path / "part").write_bytes(whole[:length])
    message = refusal(tmp_path / "part")
    assert "is damaged" in message and "known format" not in message


@pytest.mark.parametrize("tags", [{50706: b"\1\4\0\0"}, {254: 1, 330: 8}], ids=["DNG", "NEF"])
def test_raw_photos_are_not_taken_for_the_preview_that_they_begin_with(tmp_path, tags):
    Image.new("RGB", (160, 120)).save(tmp_path / "raw.tif", tiffinfo=tags)
    (tmp_path / "raw.tif").rename(tmp_path / "raw.dng")
    assert "raw photo" in refusal(tmp_path / "raw.dng")


def test_a_tiff_with_a_preview_beside_it_is_a_photo(tmp_path):
    Image.new("RGB", (160, 120)).save(tmp_path / "a.tif", tiffinfo={254: 0, 330: 8})
    assert Photo.open(tmp_path / "a.tif").size == (160, 120)


def test_bomb_is_refused_from_the_header_in_no_time(tmp_path):
    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(90001 * 40))
    parts = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    tracemalloc.start()
    started = time.monotonic()
    assert "30000x30000 = 900 megapixels; the limit is 64" in refusal(tmp_path / "bomb.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - started < 1
    assert peak < 20e6
    # With the limit raised Pillow's own limit is not in the way, and it shows that there are no such pixels.
    assert "pixel data end after 0% of the picture" in refusal(tmp_path / "bomb.png", max_megapixels=901)


def test_limits_are_exact(photo_file):
    path = photo_file("a.png", np.zeros((100, 100, 3), np.uint8))
    assert Photo.open(path, max_megapixels=0.01).size == (100, 100)
    assert "= 0.01 megapixels; the limit is 0.009" in refusal(path, max_megapixels=0.009)
    assert Photo.open(photo_file("b.png", np.zeros((64, 64, 3), np.uint8))).size == (64, 64)
    for shape in ((63, 500, 3), (500, 63, 3), (24, 24, 3)):
        assert "at least 64" in refusal(photo_file("c.png", np.zeros(shape, np.uint8)))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_animations_and_pages_are_refused(make, photo_file, name):
    frames = [Image.fromarray(np.roll(make.smooth(), shift, axis=1)) for shift in (0, 20, 40)]
    message = refusal(photo_file(name, frames[0], save_all=True, append_images=frames[1:]))
    assert ("3 pages" if name == "a.tif" else "3 frames") in message


@pytest.mark.parametrize("name", ["a.jpg", "p.jpg", "a.png", "a.webp", "a.tif", "a.bmp", "a.gif"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused_never_half_grey(photo_file, name, part):
    noise = np.random.default_rng(0).integers(0, 256, (72, 96, 3), dtype=np.uint8)
    options = {"compression": "tiff_lzw"} if name == "a.tif" else {"progressive": True} if name == "p.jpg" else {}
    path = photo_file(name, noise, **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    refusal(path)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("interlaced", [0, 1])
def test_png_data_must_fill_the_picture(tmp_path, bits, interlaced):
    width, height = 67, 70
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    needed = 0
    for x, y, across, down in passes if interlaced else [(0, 0, 1, 1)]:
        columns, rows = len(range(x, width, across)), len(range(y, height, down))
        needed += rows * (1 + (columns * bits + 7) // 8)
    for missing in (0, 1):
        header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, interlaced)
        parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(needed - missing))), (b"IEND", b"")]
        chunks = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts]
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
        if missing:
            assert "pixel data end" in refusal(tmp_path / "a.png")
        else:
            assert Photo.open(tmp_path / "a.png").size == (width, height)


def test_a_wrong_checksum_is_found(photo_file):
    path = photo_file("a.png", compress_level=0)  # stored: only the checksums can tell
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 500] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def long_text(megabytes):
    """(name, body) of the PNG chunks that may be compressed, inflating to so many MiB."""
    text = zlib.compress(b"edit " * (megabytes * (1 << 20) // 5))
    yield b"zTXt", b"History\0\0" + text
    yield b"iTXt", b"History\0\1\0\0\0" + text
    profile = zlib.compress(bytes(megabytes << 20))
    yield b"iCCP", b"profile\0\0" + profile


@pytest.mark.parametrize("number", range(3))
def test_a_png_with_a_long_text_or_profile_is_no_damaged_photo(make, tmp_path, number):
    for megabytes in (2, 17):
        chunk = list(long_text(megabytes))[number]
        (tmp_path / f"{megabytes}.png").write_bytes(make.png_of(make.smooth(), 2, chunk, bits=8))
    assert Photo.open(tmp_path / "2.png").size == (96, 72)
    message = refusal(tmp_path / "17.png")
    assert "more text or a larger profile" in message and "damaged" not in message


@pytest.mark.parametrize("bits", [12, 16])
def test_a_jpeg_of_more_bits_is_not_called_damaged(photo_file, bits):
    """As of medical pictures; libjpeg is built for 8, and to copy it again is no help."""
    path = photo_file("a.jpg", comment=b"\xff\xc0 within a segment")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"\xff\xc0")
    content[at : at + 5] = b"\xff" + content[at : at + 4] + bytes([bits])  # with a byte to fill up
    path.write_bytes(content)
    told = f"is a JPEG of {bits} bits per channel, which cannot be read. Export it with 8, or as PNG or TIFF with 16."
    assert told in refusal(path)
    path.write_bytes(content[: at + 3])
    assert "is damaged: it begins as JPEG," in refusal(path)


@pytest.mark.parametrize(("kind", "content"), [
    ("JPEG-LS", b"\xff\xd8\xff\xe8\x00\x04ab\xff\xf7\x00\x0b\x08\x00\x40\x00\x40\x01"),
    ("JPEG 2000", b"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    ("JPEG 2000", b"\xff\x4f\xff\x51\x00\x2f"),
    ("JPEG XL", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
    ("JPEG XL", b"\xff\x0a\xf8\x1f"),
    ("JPEG XR", b"II\xbc\x01\x20\x00"),
])  # fmt: skip
def test_relatives_of_jpeg_are_refused_by_their_names(tmp_path, kind, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content + bytes(100))
    assert f"is a {kind} picture, which cannot be read. Convert it to PNG." in refusal(path)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_damaged_avif_is_not_called_unknown(photo_file):
    path = photo_file("a.avif")
    path.write_bytes(path.read_bytes()[:100])
    assert "is damaged: it begins as AVIF," in refusal(path)


def _files():
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 256, (66, 70, 3), dtype=np.uint8))
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "Cam", 6
    for name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"):
        buffer = io.BytesIO()
        options = {"exif": tags} if name in ("JPEG", "PNG", "WEBP", "TIFF") else {}
        picture.save(buffer, name, **options)
        yield buffer.getvalue()


FILES = list(_files())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.sampled_from(FILES),
    changes=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_any_damage_gives_a_photo_or_an_input_error(tmp_path, content, changes):
    damaged = bytearray(content)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    try:
        photo = Photo.open(path)
    except InputError as error:
        assert str(error).count("\n") <= 1
    else:
        assert photo.image.shape[2] == 3


def test_pillow_settings_survive_threads_and_errors(tmp_path, photo_file):
    import warnings

    good, before = photo_file("a.png"), (Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, list(warnings.filters))
    (tmp_path / "bad.png").write_bytes(good.read_bytes()[:300])

    def work():
        for path in (good, tmp_path / "bad.png") * 5:
            try:
                Photo.open(path)
            except InputError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, list(warnings.filters)) == before
