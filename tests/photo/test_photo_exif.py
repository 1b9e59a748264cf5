"""EXIF survives upright and without its thumbnail, or a note says that it cannot."""

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metadata_parts import NOTE, directory
from PIL import Image, ImageOps, PngImagePlugin

from npe_core.photo import Photo, exif

LOST = "damaged entries of the EXIF block cannot be written into a TIFF and are not kept"


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_exif_patch_changes_four_things_only(make, order):
    block = make.exif_block(order=order)
    assert exif.read_orientation(block) == 6
    patched = exif.made_upright(block, (72, 96))
    assert exif.read_orientation(patched) == 1
    assert len(patched) == len(block) - len(b"\xff\xd8 old thumbnail \xff\xd9")
    assert b"thumbnail" not in patched
    assert patched.index(NOTE) == block.index(NOTE)
    assert sum(a != b for a, b in zip(patched, block, strict=False)) <= 5  # orientation, width, height, link to IFD1
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + patched)
    assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (72, 96)
    assert not tags.get_ifd(0x0201)


def test_a_thumbnail_in_the_middle_of_an_exif_block_goes_too(make):
    """It shows the photo before the edit; what stands behind it stays where it is, for offsets count on it."""
    block = make.exif_block(behind=b"TAIL")
    patched = exif.made_upright(block, (72, 96))
    assert b"thumbnail" not in patched and len(patched) == len(block) and patched.index(b"TAIL") == block.index(b"TAIL")


@pytest.mark.parametrize("where", ["header", "first", "second"])
def test_a_thumbnail_that_lies_over_a_directory_is_damage(make, photo_file, where):
    """To clear it would clear all that the block says, without a word."""
    block = make.exif_block()
    first = 8
    second = struct.unpack_from("<I", block, first + 2 + 12 * 4)[0]
    (field,) = (second + 2 + 12 * k + 8 for k in range(2) if block[second + 2 + 12 * k :][:2] == b"\x01\x02")
    damaged = bytearray(block)
    struct.pack_into("<I", damaged, field, {"header": 0, "first": first, "second": second}[where])
    photo = Photo.open(photo_file("a.png", exif=bytes(damaged)))
    assert photo.notes == ("the EXIF block is damaged and is not kept",)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_uncompressed_thumbnail_goes_too(photo_file, tmp_path, order):
    """In two strips, with what is not the thumbnail's between them and behind (EXIF 2.32, 4.5.6)."""
    first, second, strips = 8, 26, 80  # IFD0 of one entry, IFD1 of three with two numbers each behind it

    def entry(tag, kind, count, *value):
        return struct.pack(order + "HHI" + {3: "HH", 4: "I"}[kind], tag, kind, count, *value)

    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", first)
    block += struct.pack(order + "H", 1) + entry(0x0112, 3, 1, 1, 0) + struct.pack(order + "I", second)
    block += struct.pack(order + "H", 3) + entry(0x0103, 3, 1, 1, 0) + entry(0x0111, 4, 2, second + 42)
    block += entry(0x0117, 3, 2, 10, 12) + struct.pack(order + "I", 0)
    block += struct.pack(order + "2I", strips, strips + 14) + bytes(4)
    block += b"old pixels" + b"KEPT" + b"older pixels" + b"TAIL"
    path = photo_file("in.jpg", exif=b"Exif\0\0" + block)
    assert b"pixels" in path.read_bytes()
    Photo.open(path).save(tmp_path / "out.jpg")
    saved = (tmp_path / "out.jpg").read_bytes()
    assert b"pixels" not in saved and b"KEPT" in saved and b"TAIL" in saved


@pytest.mark.parametrize(
    ("kind", "count", "value", "read"),
    [
        (3, 1, b"\6\0\0\0", 6),
        (3, 1, b"\0\0\0\0", None),
        (3, 1, b"\x09\0\0\0", None),
        (3, 2, b"\6\0\0\0", 6),
        (8, 1, b"\6\0\0\0", 6),
        (9, 1, b"\6\0\0\0", 6),
        (9, 1, b"\xff\xff\xff\xff", None),
        (3, 3, b"\6\0\0\0", None),  # where three numbers lie
        (2, 1, b"\6\0\0\0", None),
    ],
)
def test_an_orientation_is_one_number_from_1_to_8(kind, count, value, read):
    block = directory((0x0112, kind, count, value), (0x0128, 3, 1, b"\2\0\0\0"))
    assert exif.read_orientation(block) == read
    upright = exif.made_upright(block, (72, 96))  # whatever it was: the rest of the block is not lost for it
    assert exif.read_orientation(upright) == 1 and upright[22:] == block[22:]


def test_a_size_of_an_odd_kind_becomes_a_plain_number(make):
    block = bytearray(make.exif_block())
    at = block.index(struct.pack("<HHI", 0xA002, 4, 1))
    struct.pack_into("<HI", block, at + 2, 1, 1)  # BYTE
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + exif.made_upright(bytes(block), (70000, 96)))
    assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (70000, 96)


def test_a_link_beyond_the_end_of_a_block_costs_the_link_alone(make):
    whole = make.exif_block()
    field = 8 + 2 + 4 * 12
    block = bytearray(whole)
    struct.pack_into("<I", block, field, len(block) + 100)
    upright = exif.made_upright(bytes(block), (72, 96))
    assert upright[field : field + 4] == bytes(4)
    assert exif.read_orientation(upright) == 1 and upright[field + 4 :].count(NOTE) == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"II*\0\x08\0\0\0" + tail),
    start=st.integers(0, 250),
    value=st.binary(min_size=1, max_size=4),
)
def test_damaged_exif_never_crashes(make, content, start, value):
    block = bytearray(make.exif_block())
    block[start : start + len(value)] = value
    for candidate in (content, bytes(block)):
        assert exif.read_orientation(candidate) in (None, *range(1, 9))
        exif.read_resolution(candidate)
        try:
            upright = exif.made_upright(candidate, (100, 100))
            assert exif.read_resolution(exif.with_resolution(upright, (300, 72.5))) == (300, 72.5)
        except ValueError:
            continue


@pytest.mark.parametrize("source", ["in.jpg", "in.png", "in.webp", "in.tif"])
@pytest.mark.parametrize("target", ["out.jpg", "out.png", "out.webp", "out.tif"])
def test_exif_survives_and_is_upright(make, photo_file, tmp_path, source, target):
    if source == "in.tif":
        tags = Image.Exif()
        tags.load(b"Exif\0\0" + make.exif_block())
        path = photo_file(source, exif=tags)
    else:
        path = photo_file(source, exif=b"Exif\0\0" + make.exif_block())
    orientation, make_tag, latitude, note = make.tags_of(path)
    assert (orientation, make_tag, latitude) == (6, "Cam", (51, 28, 0))
    photo = Photo.open(path)
    photo.save(tmp_path / target)
    assert make.tags_of(tmp_path / target) == (1, make_tag, latitude, note)
    with Image.open(tmp_path / target) as picture:
        assert picture.size == photo.size == (72, 96)
        assert ImageOps.exif_transpose(picture).size == (72, 96)
    assert Photo.open(tmp_path / target).size == (72, 96)
    assert b"thumbnail" not in (tmp_path / target).read_bytes()


def test_exif_as_old_programs_put_it_into_a_png_is_kept_as_exif_alone(make, photo_file, tmp_path):
    """As text it would go on showing the photo before the edit, and turn it once more."""
    block = b"Exif\0\0" + make.exif_block()
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    photo = Photo.open(photo_file("a.png", pnginfo=text))
    assert photo.size == (72, 96)
    photo.save(tmp_path / "b.png")
    orientation, made_by, latitude, _ = make.tags_of(tmp_path / "b.png")
    assert (orientation, made_by, latitude) == (1, "Cam", (51, 28, 0))
    with Image.open(tmp_path / "b.png") as picture:
        assert not [key for key in picture.info if key.startswith("Raw profile")]


@pytest.mark.parametrize(("length", "noted"), [(65527, 0), (65528, 1)])
def test_exif_fills_a_segment_of_a_jpeg_to_the_last_byte(make, photo_file, tmp_path, length, noted):
    photo = Photo.open(photo_file("a.png", exif=make.exif_block().ljust(length, b"\0")))
    assert len(photo.save(tmp_path / "b.jpg")) == noted
    assert make.tags_of(tmp_path / "b.jpg")[1] == (None if noted else "Cam")


def test_a_tiff_is_compressed_unless_it_holds_exif_of_a_camera(make, photo_file, tmp_path):
    for name, options, compression in (("a.png", {}, "tiff_lzw"), ("c.png", {"exif": make.exif_block()}, "raw")):
        Photo.open(photo_file(name, **options)).save(tmp_path / f"{compression}.tif")
        with Image.open(tmp_path / f"{compression}.tif") as picture:
            assert picture.info["compression"] == compression


def test_damaged_exif_is_noted(photo_file):
    photo = Photo.open(photo_file("a.jpg", exif=b"Exif\0\0II*\0\xff\xff\0\0damaged"))
    assert photo.notes == ("the EXIF block is damaged and is not kept",)


def test_an_entry_that_pillow_passes_over_is_a_note_and_no_warning_of_python(photo_file, tmp_path):
    """A directory of GPS that ends early: warnings are errors here, and lines on the terminal elsewhere."""
    block = directory((0x010F, 2, 4, b"Cam\0"), (0x8825, 4, 1, struct.pack("<I", 38))) + struct.pack("<H", 3) + bytes(4)
    notes = Photo.open(photo_file("in.jpg", exif=b"Exif\0\0" + block)).save(tmp_path / "out.tif")
    assert notes == (LOST,)
    with Image.open(tmp_path / "out.tif") as picture:
        assert picture.getexif()[0x010F] == "Cam"


@pytest.mark.parametrize("kind", [3, 4, 6, 8, 9, 11])  # SHORT, LONG, SBYTE, SSHORT, SLONG, FLOAT
def test_texts_that_are_stored_as_numbers_cost_themselves_alone_in_a_tiff(photo_file, tmp_path, kind):
    """Over one of them Pillow's writer fails the whole file."""
    odd = 0x010E, 0x010F, 0x0132, 0x8298  # description, make, date, copyright
    block = directory(*((tag, kind, 1, struct.pack("<I", 1)) for tag in odd), (0x0110, 2, 4, b"Cam\0"))
    notes = Photo.open(photo_file("in.jpg", exif=b"Exif\0\0" + block)).save(tmp_path / "out.tif")
    with Image.open(tmp_path / "out.tif") as picture:
        tags = dict(picture.getexif())
    assert notes == (LOST,) and tags[0x0110] == "Cam" and not tags.keys() & odd


@pytest.mark.parametrize("kind", [2, 3, 4])  # ASCII, SHORT, LONG, which is what it should be
def test_where_the_interoperability_directory_lay_is_not_told_in_a_tiff(photo_file, tmp_path, kind):
    """It is a place in the block."""
    first = directory((0x0110, 2, 4, b"Cam\0"), (0x8769, 4, 1, struct.pack("<I", 38)))
    inner = directory((0x8827, 3, 1, struct.pack("<I", 400)), (0xA005, kind, 1, struct.pack("<I", 65)))[8:]
    photo = Photo.open(photo_file("in.jpg", exif=b"Exif\0\0" + first + inner))
    assert photo.save(tmp_path / "out.tif") == ()
    with Image.open(tmp_path / "out.tif") as picture:
        assert picture.getexif()[0x0110] == "Cam"
        assert picture.getexif().get_ifd(0x8769) == {0x8827: 400}


def test_storage_tags_of_a_camera_do_not_reach_a_tiff(make, photo_file, tmp_path):
    tags = Image.Exif()
    tags[0x0100], tags[0x0101], tags[0x0103], tags[0x010F] = 4000, 3000, 6, "Cam"
    Photo.open(photo_file("a.jpg", exif=tags)).save(tmp_path / "b.tif")
    with Image.open(tmp_path / "b.tif") as picture:
        assert picture.size == (96, 72)
        assert picture.getexif()[0x010F] == "Cam"
