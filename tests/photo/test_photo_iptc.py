"""IPTC records survive in JPEG and TIFF, or a note says that they cannot."""

import struct

from metadata_parts import RECORDS
from PIL import Image, IptcImagePlugin, TiffImagePlugin

from npe_core.photo import Photo, iptc

READ = {(2, 120): b"A portrait", (2, 25): b"face", (2, 80): b"Zoe."}


def test_iptc_stays_in_jpeg_and_tiff_and_is_missed_elsewhere(photo_file, tmp_path):
    photo = Photo.open(photo_file("a.jpg", extra=iptc.jpeg_segment(RECORDS)))
    for name in ("b.jpg", "b.tif"):
        assert photo.save(tmp_path / name) == ()
        with Image.open(tmp_path / name) as picture:
            assert IptcImagePlugin.getiptcinfo(picture) == READ
    again = Photo.open(tmp_path / "b.tif")
    again.save(tmp_path / "c.jpg")
    with Image.open(tmp_path / "c.jpg") as picture:
        assert IptcImagePlugin.getiptcinfo(picture) == READ
    for name in ("b.png", "b.webp", "b.bmp"):
        assert "IPTC" in photo.save(tmp_path / name)[0]
    assert b"portrait" in (tmp_path / "b.jpg").read_bytes()
    photo.save(tmp_path / "d.jpg", metadata="strip")
    assert b"portrait" not in (tmp_path / "d.jpg").read_bytes()


def test_iptc_that_a_tiff_calls_long_is_kept(photo_file, tmp_path):
    """So Photoshop writes it."""
    padded = RECORDS + bytes(-len(RECORDS) % 4)
    path = photo_file("a.tif", tiffinfo={iptc.TIFF_TAG: padded})
    entry = struct.pack("<HHI", iptc.TIFF_TAG, 7, len(padded))  # UNDEFINED
    content = path.read_bytes()
    assert content.count(entry) == 1
    path.write_bytes(content.replace(entry, struct.pack("<HHI", iptc.TIFF_TAG, 4, len(padded) // 4)))
    photo = Photo.open(path)
    assert photo.notes == () and photo.save(tmp_path / "b.tif") == ()
    with Image.open(tmp_path / "b.tif") as picture:
        assert IptcImagePlugin.getiptcinfo(picture) == READ


def test_iptc_records_that_are_no_bytes_are_noted(photo_file):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[iptc.TIFF_TAG] = 7
    tags.tagtype[iptc.TIFF_TAG] = 4
    photo = Photo.open(photo_file("a.tif", tiffinfo=tags))
    assert photo.notes == ("the IPTC records are damaged and are not kept",)


def test_iptc_that_no_jpeg_can_hold_is_noted(photo_file, tmp_path):
    photo = Photo.open(photo_file("a.tif", tiffinfo={iptc.TIFF_TAG: RECORDS * 2000}))
    assert photo.save(tmp_path / "b.jpg") == ("the IPTC records are too long for JPEG and are not kept",)
