"""The resolution survives in every format, also where EXIF alone has a place for it."""

import struct

import numpy as np
import pytest
from metadata_parts import NOTE, directory, resolution
from PIL import ExifTags, Image

from npe_core.photo import Photo, exif


def test_a_resolution_without_a_unit_is_in_inches():
    block = directory((0x011A, 5, 1, b"\x26\0\0\0"), (0x011B, 5, 1, b"\x2e\0\0\0"))
    block += struct.pack("<4I", 300, 1, 301, 2)
    assert exif.read_resolution(block) == (300, 150.5)


def test_the_directory_that_takes_a_resolution_is_one_by_the_rules():
    """At an even offset, its tags in rising order (TIFF 6.0, section 2)."""
    block = directory((0x010F, 2, 4, b"Cam\0"), (0x8769, 4, 1, b"\x26\0\0\0")) + b"\0\0\0"
    taken = exif.with_resolution(block, (300, 150))
    (start,) = struct.unpack_from("<I", taken, 4)
    (count,) = struct.unpack_from("<H", taken, start)
    tags = [struct.unpack_from("<H", taken, start + 2 + 12 * k)[0] for k in range(count)]
    assert len(block) % 2 and not start % 2 and tags == [0x010F, 0x011A, 0x011B, 0x0128, 0x8769]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_webp_says_its_resolution_in_exif(make, photo_file, tmp_path, order):
    block = make.exif_block(order=order)
    photo = Photo.open(photo_file("a.png", exif=block, dpi=(300, 150)))
    assert photo.save(tmp_path / "b.webp") == ()
    assert make.tags_of(tmp_path / "b.webp") == (1, "Cam", (51, 28, 0), NOTE)
    with Image.open(tmp_path / "b.webp") as picture:
        assert resolution(picture) == (150, 300)  # the picture was turned
        assert picture.getexif()[0x0128] == 2
        stored = picture.info["exif"].removeprefix(b"Exif\0\0")
    assert stored.index(NOTE) == block.index(NOTE)
    Photo.open(tmp_path / "b.webp").save(tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as picture:
        assert resolution(picture) == (150, 300)


def test_a_resolution_without_other_exif_and_in_centimetres(make, photo_file, tmp_path):
    Photo.open(photo_file("a.png", dpi=(299.9994, 72.5))).save(tmp_path / "b.webp")
    with Image.open(tmp_path / "b.webp") as picture:
        tags = dict(picture.getexif())
    assert {tag: pytest.approx(float(value), abs=0.02) for tag, value in tags.items()} == {282: 300, 283: 72.5, 296: 2}
    tags = Image.Exif()
    tags[0x011A], tags[0x011B], tags[0x0128] = 100.0, 50.0, 3
    Photo.open(photo_file("c.webp", exif=tags)).save(tmp_path / "d.png")
    with Image.open(tmp_path / "d.png") as picture:
        assert resolution(picture) == (254, 127)


def test_exif_that_cannot_take_the_resolution_is_noted(make, photo_file, tmp_path):
    cut = b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0"  # ends within its only entry
    photo = Photo.open(photo_file("a.png", exif=cut, dpi=(300, 300)))
    assert "cannot take the resolution" in photo.save(tmp_path / "b.webp")[0]


@pytest.mark.parametrize("name", ["a.tif", "a.jpg", "a.png"])
def test_unequal_resolutions_turn_with_a_sideways_photo(photo_file, tmp_path, name):
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    turned = {"tiffinfo": {ExifTags.Base.Orientation: 6}} if name == "a.tif" else {"exif": tags}
    photo = Photo.open(photo_file(name, dpi=(300, 150), **turned))
    photo.save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as picture:
        assert np.allclose(picture.info["dpi"], (150, 300), atol=0.1)
