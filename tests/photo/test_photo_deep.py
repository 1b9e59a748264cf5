"""Pictures of 16 bits a channel keep them. The files come from the tests' own writer, OpenCV reads what was saved."""

import threading
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from npe_core.photo import Photo
from npe_core.photo.deep_colour import Deep, read
from npe_core.photo.samples import native_samples

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
CHANNELS = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGBA: 4}


def noise(channels, seed=1):
    return np.random.default_rng(seed).integers(0, 65536, (72, 96, channels), dtype=np.uint16)


def as_rgb(deep):
    """(rgb, alpha or None) of (H, W, 1 to 4) samples."""
    channels = deep.shape[2]
    rgb = np.repeat(deep[..., :1], 3, axis=-1) if channels < 3 else deep[..., :3]
    return rgb, deep[..., -1] if channels in (2, 4) else None


def saved(path):
    """(rgb, alpha or None) uint16 of a file."""
    samples = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert samples.dtype == np.uint16
    return samples[..., 2::-1], samples[..., 3] if samples.shape[2] == 4 else None


def same(found, wanted):
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.fixture
def deep_file(make, tmp_path):
    """A file with 16 bits a channel under ``name``, from (H, W, C) samples."""

    def save(name, deep, *chunks):
        colour_type = {count: kind for kind, count in CHANNELS.items()}[deep.shape[2]]
        path = tmp_path / name
        if path.suffix == ".png":
            path.write_bytes(make.png_of(deep, colour_type, *chunks))
        else:
            cv2.imwrite(str(path), deep[..., [2, 1, 0, 3][: deep.shape[2]]] if deep.shape[2] > 1 else deep)
        return path

    return save


@pytest.mark.parametrize(
    ("name", "channels"), [("a.png", 1), ("a.png", 2), ("a.png", 3), ("a.png", 4), ("a.tif", 1), ("a.tif", 3)]
)
@pytest.mark.parametrize("out", ["out.png", "out.tif"])
def test_it_is_seen_with_8_bits_and_saved_with_16(deep_file, tmp_path, name, channels, out):
    deep = noise(channels)
    photo = Photo.open(deep_file(name, deep))
    rgb, alpha = as_rgb(deep)
    assert np.array_equal(photo.image, np.rint(rgb / 257).astype(np.uint8))
    assert (photo.alpha is None) == (alpha is None)
    assert alpha is None or np.array_equal(photo.alpha, np.rint(alpha / 257).astype(np.uint8))
    assert not any("bit" in note for note in photo.notes)
    assert photo.save(tmp_path / out) == ()
    assert same(saved(tmp_path / out), (rgb, alpha))
    with Image.open(tmp_path / out) as picture:  # another decoder of the same file, of the upper byte
        assert np.array_equal(np.asarray(picture)[..., :3], rgb >> 8)


@pytest.mark.parametrize("out", ["out.png", "out.tif"])
def test_an_edit_moves_what_it_changed_and_nothing_else(deep_file, tmp_path, out):
    deep = noise(3)
    photo = Photo.open(deep_file("a.png", deep))
    mask = np.zeros((72, 96), np.float32)
    mask[20:50, 30:70] = 1
    image = photo.image.copy()
    image[20:50, 30:70] = np.random.default_rng(2).integers(0, 256, (30, 40, 3))
    image[25:30] = photo.image[25:30]  # under the mask, but left as it was
    photo.edited(image, mask).save(tmp_path / out)
    found, _ = saved(tmp_path / out)
    changed = (image != photo.image).any(axis=-1)
    assert np.array_equal(found[~changed], deep[~changed])
    assert np.abs(found / 257.0 - image).max() <= 0.5
    again = Photo.open(tmp_path / out)
    assert np.array_equal(again.image, image)
    undone = again.edited(photo.image, mask)
    undone.save(tmp_path / ("again" + out))
    found, _ = saved(tmp_path / ("again" + out))
    assert np.array_equal(found[~changed], deep[~changed])
    assert np.abs(found.astype(int) - deep).max() <= 257


def test_levels_at_the_ends_do_not_wrap(deep_file, tmp_path):
    deep = np.zeros((72, 96, 3), np.uint16)
    deep[36:] = 65535
    deep[:, :48] += np.where(deep[:, :48] == 0, 100, -100 % 65536).astype(np.uint16)  # 100 and 65435
    photo = Photo.open(deep_file("a.png", deep))
    photo.edited(255 - photo.image, np.ones((72, 96))).save(tmp_path / "out.png")
    found, _ = saved(tmp_path / "out.png")
    assert np.abs(found / 257.0 - (255 - photo.image)).max() <= 0.5


@pytest.mark.parametrize("out", ["out.png", "out.tif"])
def test_metadata_and_profile_are_those_of_8_bits(make, deep_file, photo_file, tmp_path, out):
    options = {"dpi": (300, 300), "icc_profile": make.icc_profile(), "exif": make.exif_block()}
    shallow = Photo.open(photo_file("b.png", **options))
    around = (tmp_path / "b.png").read_bytes()
    end = around.index(b"IDAT") - 4
    deep = noise(3)
    whole = make.png_of(deep, RGB)
    pixels = whole.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(whole[:pixels] + around[33:end] + whole[pixels:])  # 33: after the header
    photo = Photo.open(tmp_path / "a.png")
    assert photo.size == (72, 96)  # turned
    parameters = {"timestep": 350}
    photo.edited(photo.image, np.zeros((96, 72)), parameters).save(tmp_path / out)
    shallow.edited(shallow.image, np.zeros((96, 72)), parameters).save(tmp_path / f"shallow{out}")
    assert np.array_equal(saved(tmp_path / out)[0], np.rot90(deep, -1))
    with Image.open(tmp_path / out) as found, Image.open(tmp_path / f"shallow{out}") as wanted:
        assert found.info["icc_profile"] == wanted.info["icc_profile"]
        assert found.info["dpi"] == wanted.info["dpi"]
    assert make.tags_of(tmp_path / out) == make.tags_of(tmp_path / f"shallow{out}")
    assert Photo.open(tmp_path / out).parameters == parameters


def test_with_a_profile_it_is_the_edit_of_8_bits(make, deep_file, photo_file, tmp_path):
    profile = make.icc_profile()
    deep = noise(3)
    photo = Photo.open(deep_file("a.png", deep, (b"iCCP", b"wide\0\0" + zlib.compress(profile))))
    shallow = Photo.open(photo_file("b.png", np.rint(deep / 257).astype(np.uint8), icc_profile=profile))
    assert np.array_equal(photo.image, shallow.image)
    mask = np.zeros((72, 96), np.float32)
    mask[20:50, 30:70] = 0.7
    photo.edited(make.smooth(), mask).save(tmp_path / "out.png")
    shallow.edited(make.smooth(), mask).save(tmp_path / "shallow.png")
    found, _ = saved(tmp_path / "out.png")
    assert np.array_equal(np.rint(found / 257), cv2.imread(str(tmp_path / "shallow.png"))[..., ::-1])
    assert np.array_equal(found[mask == 0], deep[mask == 0])
    assert Photo.open(tmp_path / "out.png").notes == ()


@pytest.mark.parametrize(("suffix", "format"), [("jpg", "JPEG"), ("webp", "WEBP"), ("bmp", "BMP")])
def test_formats_of_8_bits_say_so(deep_file, tmp_path, suffix, format):
    photo = Photo.open(deep_file("a.png", noise(3)))
    (note,) = photo.save(tmp_path / f"out.{suffix}")
    assert note == f"{format} is written with 8 bits per channel, the photo has 16"


def test_one_transparent_colour_is_matched_in_16_bits(deep_file, tmp_path):
    deep = np.full((72, 96, 3), 0x1234, np.uint16)
    deep[:30] = 0x1235  # the same in 8 bits
    photo = Photo.open(deep_file("a.png", deep, (b"tRNS", b"\x12\x34" * 3)))
    assert photo.notes == ()
    assert np.array_equal(photo.alpha == 0, deep[..., 0] == 0x1234)
    photo.save(tmp_path / "out.png")
    assert same(saved(tmp_path / "out.png"), (deep, np.where(deep[..., 0] == 0x1234, 0, 65535)))


def test_a_transparent_colour_that_only_pillow_could_tell_is_dropped_with_a_note():
    picture = Image.fromarray(np.full((72, 96, 3), 0x12, np.uint8))
    picture.info["transparency"] = (0x1234,) * 3
    other = Deep(np.full((72, 96, 3), 0x9000, np.uint16), np.zeros((72, 96), np.uint16))
    samples = native_samples(picture, 16, "a", other)
    assert samples.alpha is None
    assert any("transparent colour" in note for note in samples.notes)


def test_an_enlarged_picture_has_8_bits_and_says_so(deep_file, tmp_path):
    photo = Photo.open(deep_file("a.png", noise(3)))
    large = photo.enlarged(np.repeat(np.repeat(photo.image, 4, axis=0), 4, axis=1))
    assert large.notes == ("16-bit input is enlarged at 8 bits per channel",)
    large.save(tmp_path / "out.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)[..., ::-1], large.image)


def test_where_two_decoders_disagree_it_is_edited_with_8_bits():
    deep = noise(3)
    picture = Image.fromarray((deep >> 8).astype(np.uint8))
    assert native_samples(picture, 16, "a", Deep(deep, None)).deep is not None
    for other in (Deep(65535 - deep, None), Deep(deep[:-1], None)):
        samples = native_samples(picture, 16, "a", other)
        assert samples.deep is None
        assert samples.notes == ["16-bit input is edited and saved at 8 bits per channel"]
        assert np.array_equal(samples.rgb, deep >> 8)


def test_a_converted_grey_profile_leaves_8_bits(make, deep_file):
    picture = Image.open(deep_file("a.png", noise(1)))
    picture.info["icc_profile"] = make.icc_profile(b"GRAY")
    samples = native_samples(picture, 16, "a", Deep(np.repeat(noise(1), 3, axis=-1), None))
    assert samples.deep is None
    assert samples.notes[0] == "16-bit input is edited and saved at 8 bits per channel"
    assert "grey colour profile" in samples.notes[-1]


def test_reading_in_two_threads_leaves_the_log_of_opencv_as_it_was(deep_file, monkeypatch):
    content, level = deep_file("a.png", noise(3)).read_bytes(), cv2.utils.logging.getLogLevel()
    first, second = threading.Event(), threading.Event()
    decode = cv2.imdecode

    def overlapping(*arguments):
        """The first stays silent until the second has had time to ask for the level, and goes on before it."""
        if not first.is_set():
            first.set()
            second.wait(0.2)
        else:
            second.set()
            done.wait(10)
        return decode(*arguments)

    done = threading.Event()
    monkeypatch.setattr(cv2, "imdecode", overlapping)
    threads = [threading.Thread(target=lambda: (read(content), done.set())) for _ in range(2)]
    threads[0].start()
    assert first.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    try:
        assert cv2.utils.logging.getLogLevel() == level != cv2.utils.logging.LOG_LEVEL_SILENT
    finally:
        cv2.utils.logging.setLogLevel(level)
