"""What HEIC and AVIF say of their samples in boxes that Pillow does not tell of: colours, and bits per channel."""

import io
import re
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, features

from npe_core.photo import Photo, heif_boxes, png_data

P3, BT2020, UNSPECIFIED = 12, 9, 2
SRGB, PQ, HLG = 13, 16, 18


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def colr(primaries, curve):
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, curve, 6, 0x80))


def av1c(bits):
    return box(b"av1C", bytes([0x81, 0, {8: 0, 10: 0x40, 12: 0x60}[bits], 0]))


def heif(*properties, own=(), version=0, wide=False):
    """A file of two items, of which the second is the photo; ``own`` are the numbers of its properties, from 1."""
    number, index = ">H" if version == 0 else ">I", "H" if wide else "B"
    essential = 0x8000 if wide else 0x80
    items = b"".join(
        struct.pack(number, item) + struct.pack(f">B{len(its)}{index}", len(its), *(one | essential for one in its))
        for item, its in ((1, (1, 2)), (2, own))
    )
    ipma = box(b"ipma", bytes([version, 0, 0, wide]), struct.pack(">I", 2), items)
    pitm = box(b"pitm", bytes([version, 0, 0, 0]), struct.pack(number, 2))
    meta = box(b"meta", bytes(4), pitm, box(b"iprp", box(b"ipco", *properties), ipma))
    return io.BytesIO(box(b"ftyp", b"avif", bytes(4)) + struct.pack(">I4sQ", 1, b"free", 20) + b"long" + meta)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("wide", [False, True])
def test_the_properties_of_the_photo_not_of_other_items(version, wide):
    """As of a gain map, or a depth map, beside it."""
    every = colr(1, SRGB), av1c(8), colr(P3, PQ), av1c(12)
    file = heif(*every, own=(3, 4), version=version, wide=wide)
    assert heif_boxes.colour(file) == ((b"cICP", bytes([P3, PQ, 0, 1])),) and heif_boxes.av1_bits(file) == 12


def test_of_a_photo_that_consists_of_tiles_those_of_the_tiles():
    file = heif(colr(P3, SRGB), av1c(10), box(b"ispe", bytes(12)), own=(3,))
    assert heif_boxes.colour(file) == ((b"cICP", bytes([P3, SRGB, 0, 1])),) and heif_boxes.av1_bits(file) == 10


def test_damaged_boxes_say_nothing():
    whole = heif(colr(P3, PQ), av1c(12), own=(1, 2)).getvalue()
    for end in range(len(whole)):
        heif_boxes.colour(io.BytesIO(whole[:end]))
    for at in range(len(whole)):
        for value in (0, 1, 255):
            file = io.BytesIO(whole[:at] + bytes([value]) + whole[at + 1 :])
            for name, body in heif_boxes.colour(file):
                assert name == b"cICP" and len(body) == 4
            assert heif_boxes.av1_bits(file) in (8, 10, 12, None)


@pytest.fixture
def avif(photo_file):
    """avif(primaries, curve, ...): the path of an AVIF that says these codes, which Pillow cannot write."""
    if not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")

    def write(primaries, curve, **options):
        path = photo_file("a.avif", **options)
        head, matrix = re.split(b"nclx....", path.read_bytes(), maxsplit=1, flags=re.DOTALL)
        path.write_bytes(head + b"nclx" + struct.pack(">HH", primaries, curve) + matrix)
        return path

    return write


@pytest.mark.parametrize(("curve", "named"), [(PQ, "PQ"), (HLG, "HLG")])
def test_hdr_is_not_taken_as_srgb_without_a_word(avif, tmp_path, curve, named):
    photo = Photo.open(avif(BT2020, curve))
    assert photo.notes == (f"the colours are HDR ({named}): the models take them as sRGB, and see them pale",)
    assert photo.save(tmp_path / "out.png") == ()
    with (tmp_path / "out.png").open("rb") as file:
        assert dict(png_data.chunks(file))[b"cICP"] == bytes([BT2020, curve, 0, 1])
    notes = photo.save(tmp_path / "out.jpg")
    assert notes == ("JPEG has no place for what the photo says of its colours: they are taken as sRGB",)


@pytest.mark.parametrize("curve", [SRGB, UNSPECIFIED])
def test_display_p3_by_code_points_is_as_by_a_profile(avif, photo_file, tmp_path, curve):
    photo = Photo.open(avif(P3, curve))
    plain = Image.open(photo_file("plain.avif"))
    assert photo.notes == () and np.abs(photo.image.astype(int) - np.asarray(plain)).max() > 5
    for name in ("out.png", "out.jpg"):
        assert photo.save(tmp_path / name) == ()
        with Image.open(tmp_path / name) as picture:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert ImageCms.getProfileName(profile).strip() == "Display P3"


@pytest.mark.parametrize(("primaries", "curve"), [(1, SRGB), (1, 1), (UNSPECIFIED, UNSPECIFIED)])
def test_srgb_by_any_name_needs_no_word(avif, tmp_path, primaries, curve):
    photo = Photo.open(avif(primaries, curve))
    assert photo.notes == () and photo.save(tmp_path / "out.jpg") == photo.save(tmp_path / "out.png") == ()
    with (tmp_path / "out.png").open("rb") as file:
        assert b"cICP" not in dict(png_data.chunks(file))


def test_a_profile_says_more_than_the_codes_beside_it(make, avif, tmp_path):
    photo = Photo.open(avif(BT2020, PQ, icc_profile=make.icc_profile()))
    assert photo.notes == () and photo.save(tmp_path / "out.jpg") == ()
    photo.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.info["icc_profile"] == make.icc_profile()
    with (tmp_path / "out.png").open("rb") as file:
        assert b"cICP" not in dict(png_data.chunks(file))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("bits", [10, 12])
def test_more_than_8_bits_of_an_avif_are_reduced_with_a_note(make, tmp_path, bits):
    samples = make.smooth()[..., ::-1].astype(np.uint16) << (bits - 8)
    if not cv2.imwrite(str(tmp_path / "a.avif"), samples, [cv2.IMWRITE_AVIF_DEPTH, bits]):
        pytest.skip("this OpenCV writes no AVIF")
    photo = Photo.open(tmp_path / "a.avif")
    assert photo.notes == (f"{bits}-bit input is edited and saved at 8 bits per channel",)
    assert np.abs(photo.image.astype(int) - make.smooth()).mean() < 4
