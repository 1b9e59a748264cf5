"""A JPEG that is written as a JPEG again: what was not edited is what it was."""

import struct

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from npe_core.photo import Photo

WIDTH, HEIGHT = 144, 96
"""Whole blocks of 16 pixels: however it is turned, blocks fall on blocks."""
RED = (176, 0, 32)


def texture(width=WIDTH, height=HEIGHT):
    """(H, W, 3) uint8 with strong colours and grain, far enough from 0 and 255 that JPEG cuts nothing off."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 5), np.cos(y / 7), np.sin((x + y) / 9)], axis=-1)
    return np.clip(128 + 45 * waves + rng.normal(0, 6, (height, width, 3)), 40, 215).astype(np.uint8)


@pytest.fixture
def jpeg(tmp_path):
    """jpeg(picture, orientation, **options) -> the path of a JPEG."""

    def write(picture, orientation=1, **options):
        tags = Image.Exif()
        tags[ExifTags.Base.Orientation] = orientation
        path = tmp_path / "in.jpg"
        Image.fromarray(picture).save(path, exif=tags, **options)
        return path

    return write


@pytest.fixture
def sampled(tmp_path):
    """sampled(picture, sampling, orientation) -> the path of a JPEG of any sampling: Pillow does not write them all."""

    def write(picture, sampling, orientation=1):
        factors = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")
        options = [cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factors]
        content = cv2.imencode(".jpg", picture[..., ::-1].copy(), options)[1].tobytes()
        tags = Image.Exif()
        tags[ExifTags.Base.Orientation] = orientation
        block = tags.tobytes()
        path = tmp_path / "in.jpg"
        path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:])
        return path

    return write


def red_corner(photo):
    """The photo with a red square in its upper left corner; where no block of 16 pixels, nor one beside it, has any."""
    width, height = photo.size
    mask = np.zeros((height, width), bool)
    mask[3:20, 5:25] = True
    image = photo.image.copy()
    image[mask] = RED
    far = np.ones((height, width), bool)
    far[:34, :34] = False  # colour is smoothed a pixel or two across the border of a block
    return photo.edited(image, mask), far


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (131, 77)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_whole_blocks_without_an_edit_come_out_bit_for_bit(jpeg, tmp_path, size, subsampling, progressive):
    photo = Photo.open(jpeg(texture(*size), subsampling=subsampling, quality=80, progressive=progressive))
    edited, far = red_corner(photo)
    edited.save(tmp_path / "out.jpg")
    again = brought_in(tmp_path)
    far[size[1] // 16 * 16 - 2 :] = far[:, size[0] // 16 * 16 - 2 :] = False
    assert np.array_equal(again[far], photo.image[far])
    inside = again[6:16, 8:22].astype(int).mean(axis=(0, 1))
    assert np.abs(inside - RED).max() < 12  # the red is there


def test_by_steps_of_one_a_few_pixels_are_rounded_and_no_more_each_time(jpeg, tmp_path):
    first = photo = Photo.open(jpeg(texture(), subsampling=2, quality=96))
    for _ in range(4):
        edited, far = red_corner(photo)
        edited.save(tmp_path / "out.jpg")
        moved = np.abs(brought_in(tmp_path).astype(int) - first.image).max(axis=-1)[far]
        assert moved.max() <= 3 and np.mean(moved > 0) < 0.1
        (tmp_path / "out.jpg").replace(tmp_path / "in.jpg")
        photo = Photo.open(tmp_path / "in.jpg")


def test_edit_after_edit_wears_nothing_off(jpeg, tmp_path):
    first = photo = Photo.open(jpeg(texture(), quality=80, subsampling=2))
    for number in range(5):
        edited, far = red_corner(photo)
        edited.save(tmp_path / f"{number}.jpg")
        photo = Photo.open(tmp_path / f"{number}.jpg")
    assert np.array_equal(photo.image[far], first.image[far])


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_jpeg_keeps_its_blocks_turned(jpeg, tmp_path, orientation):
    """Decoders round brightness alike in any direction, to a level; that much and no more differs."""
    photo = Photo.open(jpeg(texture(), orientation, quality=75, subsampling=2))
    edited, far = red_corner(photo)
    edited.save(tmp_path / "out.jpg")
    before, after = (np.asarray(Image.fromarray(x).convert("L"), int) for x in (photo.image, brought_in(tmp_path)))
    assert np.abs(before - after)[far].max() <= 2
    with Image.open(tmp_path / "in.jpg") as source, Image.open(tmp_path / "out.jpg") as written:
        for key, table in source.quantization.items():
            turned = np.reshape(table, (8, 8))
            assert list(written.quantization[key]) == (turned.T if orientation >= 5 else turned).ravel().tolist()


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (131, 77)])
@pytest.mark.parametrize("sampling", ["440", "411"])
def test_colours_shared_as_pillow_does_not_write_them_come_out_bit_for_bit(sampled, tmp_path, size, sampling):
    photo = Photo.open(sampled(texture(*size), sampling))
    edited, far = red_corner(photo)
    edited.save(tmp_path / "out.jpg")
    again = brought_in(tmp_path)
    far[:34, :66] = far[size[1] // 16 * 16 - 2 :] = far[:, size[0] // 32 * 32 - 2 :] = False
    assert np.array_equal(again[far], photo.image[far])
    inside = again[6:16, 8:22].astype(int).mean(axis=(0, 1))
    assert np.abs(inside - RED).max() < 12
    below_and_beside = np.abs(again[40:].astype(int) - photo.image[40:])
    assert below_and_beside.mean() < 1  # the blocks that the picture does not fill are its own too


@pytest.mark.parametrize("orientation", [3, 5, 6, 7, 8])
@pytest.mark.parametrize("sampling", ["444", "422", "440", "420", "411"])
def test_the_colours_of_a_turned_jpeg_stay_in_all_samplings(sampled, tmp_path, sampling, orientation):
    """Decoders smooth colour and round a little otherwise in another direction: few levels, and only once."""
    first = photo = Photo.open(sampled(texture(160, 96), sampling, orientation))  # whole blocks of 32 pixels
    for number in range(2):
        edited, far = red_corner(photo)
        far[:66, :66] = False  # colour is shared by 32 pixels at most
        edited.save(tmp_path / f"{number}.jpg")
        photo = Photo.open(tmp_path / f"{number}.jpg")
        moved = np.abs(photo.image.astype(int) - first.image).max(axis=-1)[far]
        assert moved.max() <= 4 and moved.mean() < 0.8
    with Image.open(tmp_path / "0.jpg") as written, Image.open(tmp_path / "in.jpg") as source:
        factors = source.layer[0][1:3]
        assert written.layer[0][1:3] == (factors[::-1] if orientation >= 5 else factors)
        assert [layer[1:3] for layer in written.layer[1:]] == [(1, 1), (1, 1)]


def brought_in(folder):
    return Photo.open(folder / "out.jpg").image


def test_colours_that_jpeg_cuts_off_stay_within_some_levels(jpeg, tmp_path):
    """Blocks beyond 0 and 255 are not known again: a hard edge of pure colours is the worst of them."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, 70:] = (255, 0, 255)
    photo = Photo.open(jpeg(picture, quality=75, subsampling=2))
    edited, far = red_corner(photo)
    edited.save(tmp_path / "out.jpg")
    moved = np.abs(brought_in(tmp_path).astype(int) - photo.image).max(axis=-1)
    assert moved[far].max() <= 16 and np.mean(moved[far] > 0) < 0.2


def renumbered(content, numbers, spare=()):
    """A JPEG with its tables under other numbers, and with tables that no channel uses before them (T.81, B.2.4.1)."""
    changed, at = bytearray(content), 2
    while changed[at + 1] != 0xDA:
        length = struct.unpack_from(">H", changed, at + 2)[0]
        if changed[at + 1] == 0xDB:
            for table in range(at + 4, at + 2 + length, 65):
                changed[table] = numbers[changed[table]]
        elif changed[at + 1] in (0xC0, 0xC2):
            for channel in range(changed[at + 9]):
                changed[at + 12 + 3 * channel] = numbers[changed[at + 12 + 3 * channel]]
        at += 2 + length
    tables = b"".join(b"\xff\xdb\0\x43" + bytes([number]) + bytes([1]) * 64 for number in spare)
    return bytes(changed[:2]) + tables + bytes(changed[2:])


@pytest.mark.parametrize(("numbers", "spare"), [((1, 0), ()), ((0, 1), (2,)), ((2, 3), (0,)), ((0, 3), (1, 2))])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_tables_are_those_of_the_channels_whatever_their_numbers(jpeg, tmp_path, mode, numbers, spare):
    picture = texture() if mode == "RGB" else texture()[..., 0]
    path = jpeg(picture, quality=40)
    plain, moved = path.read_bytes(), tmp_path / "moved.jpg"
    moved.write_bytes(renumbered(plain, numbers, spare))
    for source, name in ((path, "plain"), (moved, "again")):
        edited, _ = red_corner(Photo.open(source))
        edited.save(tmp_path / f"{name}.jpg")
    assert (tmp_path / "again.jpg").read_bytes() == (tmp_path / "plain.jpg").read_bytes()


def test_each_colour_may_have_a_table_of_its_own(tmp_path):
    tables = [[step] * 64 for step in (3, 9, 20)]
    Image.fromarray(texture()).save(tmp_path / "in.jpg", qtables=tables, subsampling=0)
    edited, far = red_corner(photo := Photo.open(tmp_path / "in.jpg"))
    edited.save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as written:
        assert [written.quantization[layer[3]] for layer in written.layer] == tables
    assert np.array_equal(brought_in(tmp_path)[far], photo.image[far])


def test_an_enlarged_jpeg_is_written_as_what_it_is_now(jpeg, tmp_path):
    photo = Photo.open(jpeg(texture(), quality=90, subsampling=2))
    photo.enlarged(photo.image.repeat(2, 0).repeat(2, 1)).save(tmp_path / "out.jpg")
    assert Photo.open(tmp_path / "out.jpg").size == (2 * WIDTH, 2 * HEIGHT)
