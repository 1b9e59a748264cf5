"""EXIF, XMP, comments, resolution and parameters survive, or a note says that they cannot."""

import io
import json
import struct

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps, IptcImagePlugin, PngImagePlugin, TiffImagePlugin

from npe_core.photo import Photo, exif, iptc, png_data, xmp
from npe_core.photo.metadata import parsed_parameters

NOTE = b"MAKERNOTE offsets count from the block's start"
PARAMETERS = {
    "regions": {"hair": "#993300"},
    "timestep": 350,
    "note": 'é <&> " ]]> \u202e \U0001f600',
    "steps": [1, 2.5],
}


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


def directory(*entries, order="<"):
    """An EXIF block of one directory; entries are tag, kind, count and the four bytes of the value."""
    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    return block + b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries) + bytes(4)


@pytest.mark.parametrize(
    ("kind", "count", "value", "read"),
    [
        (3, 1, b"\6\0\0\0", 6),
        (3, 1, b"\0\0\0\0", None),
        (3, 1, b"\x09\0\0\0", None),
        (3, 3, b"\6\0\0\0", None),  # where three numbers lie
        (2, 1, b"\6\0\0\0", None),
    ],
)
def test_an_orientation_is_one_number_from_1_to_8(kind, count, value, read):
    assert exif.read_orientation(directory((0x0112, kind, count, value))) == read


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


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_strip_leaves_only_profile_and_resolution(make, photo_file, tmp_path, name):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "who was there")
    text.add_itxt("XML:com.adobe.xmp", make.XMP.decode())
    path = photo_file(
        "in.png", exif=make.exif_block(), pnginfo=text, icc_profile=make.icc_profile(), dpi=(300, 150)
    )  # fmt: skip
    photo = Photo.open(path)
    edited = photo.edited(255 - photo.image, np.ones(photo.image.shape[:2], bool), PARAMETERS)
    edited.save(tmp_path / name, metadata="strip")
    content = (tmp_path / name).read_bytes()
    for private in (b"Cam\0", NOTE, b"who was there", b"caf", b"timestep", b"GPS"):
        assert private not in content
    with Image.open(tmp_path / name) as picture:
        assert picture.info["icc_profile"] == make.icc_profile()
        assert resolution(picture) == (150, 300)  # the picture was turned
        assert make.tags_of(tmp_path / name) == (1, None, (), None)
    assert Photo.open(tmp_path / name).parameters is None


@pytest.mark.parametrize("source", ["in.jpg", "in.png", "in.webp", "in.tif"])
@pytest.mark.parametrize("target", ["out.jpg", "out.png", "out.webp", "out.tif"])
@pytest.mark.parametrize("packet", [False, True])
def test_parameters_come_back_and_xmp_stays(make, photo_file, tmp_path, source, target, packet):
    options = {}
    if packet and source == "in.png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", make.XMP.decode())
        options = {"pnginfo": text}
    elif packet and source == "in.tif":
        options = {"tiffinfo": {700: make.XMP}}
    elif packet:
        options = {"xmp": make.XMP}
    photo = Photo.open(photo_file(source, **options))
    assert photo.size == (
        (72, 96) if packet else (96, 72)
    )  # the packet's tiff:Orientation counts where EXIF says nothing
    for turn, parameters in enumerate(({"old": 1}, PARAMETERS)):
        image = np.random.default_rng(0).integers(0, 256, photo.image.shape, dtype=np.uint8)
        photo = photo.edited(image, np.ones(image.shape[:2], bool), parameters)
        path = tmp_path / f"{turn}-{target}"
        photo.save(path)
        photo = Photo.open(path)
        assert photo.parameters == parameters
    with Image.open(path) as picture:
        found = picture.info.get("xmp", b"")
    assert (b"<dc:title>caf\xc3\xa9</dc:title>" in found) == packet
    assert b'tiff:Orientation="6"' not in found
    assert found.count(b"npe:parameters>") == (0 if target == "out.png" else 2)
    photo.save(tmp_path / ("again-" + target))  # without an edit the parameters stay
    assert Photo.open(tmp_path / ("again-" + target)).parameters == PARAMETERS


def resolution(picture):
    """What Pillow reads, of a WebP from its EXIF block, rounded."""
    tags = picture.getexif()
    return tuple(map(round, picture.info.get("dpi") or (tags.get(0x011A, 0), tags.get(0x011B, 0))))


def test_pillow_sees_our_parameters_where_they_belong(make, tmp_path):
    photo = Photo.from_array(make.smooth()).edited(make.smooth(), np.ones((72, 96), bool), PARAMETERS)
    photo.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert json.loads(picture.text["npe"]) == PARAMETERS
        assert isinstance(picture.text["npe"], PngImagePlugin.iTXt)
    import xml.etree.ElementTree as ElementTree

    photo.save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as picture:
        tree = ElementTree.fromstring(picture.info["xmp"])
    (found,) = tree.iter("{https://neural-photo-editor.invalid/ns/1.0/}parameters")
    assert json.loads(found.text) == PARAMETERS


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.floats(allow_nan=False, allow_infinity=False)))
)
def test_any_json_survives_the_packet(parameters):
    packet = xmp.with_parameters(None, json.dumps(parameters))
    assert parsed_parameters(xmp.read_parameters(packet)) == parameters
    assert xmp.without_parameters(xmp.with_parameters(packet, "{}")) == xmp.without_parameters(packet)


@pytest.mark.parametrize(
    "stored", ["", "[1]", "3", "null", "{", '{"a": NaN}', "[" * 100000, '{"a": "' + "x" * 300000 + '"}', "{1: 2}"]
)
def test_parameters_that_are_not_ours_are_ignored(make, photo_file, stored):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("npe", stored)
    assert Photo.open(photo_file("a.png", pnginfo=text)).parameters is None


def test_unreadable_xmp_is_replaced_with_a_note(make, photo_file, tmp_path):
    photo = Photo.open(photo_file("a.jpg", xmp=b"\xff\xfe not XMP"))
    notes = photo.edited(photo.image, np.ones((72, 96), bool), {"a": 1}).save(tmp_path / "b.jpg")
    assert "XMP packet is not readable" in notes[0]
    assert Photo.open(tmp_path / "b.jpg").parameters == {"a": 1}


def test_a_packet_loses_the_nul_that_some_programs_end_it_with(make, photo_file, tmp_path):
    Photo.open(photo_file("a.jpg", xmp=make.XMP + b"\0")).save(tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as picture:
        assert picture.info["xmp"].endswith(b'<?xpacket end="w"?>')


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


@pytest.mark.parametrize("deep", [False, True])
def test_how_a_png_says_its_colours_are_meant_stays_in_png(make, tmp_path, deep):
    """Display P3 by its code points, and a gamma of 1: a viewer that goes by them would show other colours without."""
    said = {b"cICP": bytes([12, 13, 0, 1]), b"gAMA": (100000).to_bytes(4, "big")}
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    pixels = make.smooth()
    if deep:
        _done, encoded = cv2.imencode(".png", pixels.astype(np.uint16) * 257)
        parts = list(png_data.chunks(io.BytesIO(encoded)))
    else:
        plain = io.BytesIO()
        Image.fromarray(pixels).save(plain, "PNG")
        parts = list(png_data.chunks(plain))
    source.write_bytes(png_data.joined([parts[0], *said.items(), *parts[1:]]))
    Photo.open(source).save(out)
    kept = [chunk for chunk in png_data.chunks(io.BytesIO(out.read_bytes())) if chunk[0] in said]
    assert dict(kept) == said and len(kept) == 2
    Photo.open(source).save(tmp_path / "bare.png", metadata="strip")
    assert said.items() <= dict(png_data.chunks(io.BytesIO((tmp_path / "bare.png").read_bytes()))).items()


def test_an_xmp_extension_is_missed_aloud(photo_file, tmp_path):
    """Phones store the depth of a portrait there."""
    plain = photo_file("plain.jpg")
    body = b"http://ns.adobe.com/xmp/extension/\0" + 32 * b"a" + struct.pack(">II", 3, 0) + b"xml"
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    path = tmp_path / "deep.jpg"
    path.write_bytes(plain.read_bytes()[:2] + segment + plain.read_bytes()[2:])
    assert not Photo.open(plain).notes
    assert any("extension of the XMP" in note for note in Photo.open(path).notes)


def test_what_jpeg_has_no_room_for_is_noted(make, photo_file, tmp_path):
    photo = Photo.open(photo_file("a.png", exif=make.exif_block() + bytes(70000)))
    notes = photo.edited(photo.image, np.ones((96, 72), bool), {"a": "x" * 70000}).save(tmp_path / "b.jpg")
    assert ["EXIF block is too long" in notes[0], "XMP packet" in notes[1]] == [True, True]
    assert Photo.open(tmp_path / "b.jpg").size == photo.size


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


def test_padding_gives_way_in_a_full_jpeg_packet(make, photo_file, tmp_path):
    full = make.XMP.replace(b" " * 200, b" " * (65400 - len(make.XMP)))
    photo = Photo.open(photo_file("a.jpg", xmp=full))
    assert photo.edited(photo.image, np.ones((96, 72), bool), {"a": "x" * 1000}).save(tmp_path / "b.jpg") == ()
    assert Photo.open(tmp_path / "b.jpg").parameters == {"a": "x" * 1000}


def test_texts_comments_and_resolution(make, photo_file, tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Zoë")
    text.add_itxt("Title", "顔")
    photo = Photo.open(photo_file("a.png", pnginfo=text, dpi=(300, 200)))
    assert photo.save(tmp_path / "b.png") == ()
    with Image.open(tmp_path / "b.png") as picture:
        assert (picture.text["Author"], picture.text["Title"]) == ("Zoë", "顔")
        assert tuple(map(round, picture.info["dpi"])) == (300, 200)
    assert "text comments" in photo.save(tmp_path / "b.jpg")[0]
    commented = Photo.open(photo_file("c.jpg", comment=b"caf\xe9"))
    commented.save(tmp_path / "d.jpg")
    commented.save(tmp_path / "d.png")
    with Image.open(tmp_path / "d.jpg") as picture:
        assert picture.info["comment"] == b"caf\xe9"
    with Image.open(tmp_path / "d.png") as picture:
        assert picture.text["Comment"].startswith("caf")
    for name in ("d.webp", "d.tif"):
        (note,) = commented.save(tmp_path / name)
        assert "has no place for the text comments" in note


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


@pytest.mark.parametrize("said", ["exif", "xmp", "iptc", "comment", "text", "nothing"])
def test_a_bmp_misses_each_kind_of_metadata_aloud(make, photo_file, tmp_path, said):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Zoe")
    name, options = {
        "exif": ("a.png", {"exif": make.exif_block()}),
        "xmp": ("a.jpg", {"xmp": make.XMP}),
        "iptc": ("a.jpg", {"extra": iptc.jpeg_segment(RECORDS)}),
        "comment": ("a.jpg", {"comment": b"caf"}),
        "text": ("a.png", {"pnginfo": text}),
        "nothing": ("a.jpg", {}),
    }[said]
    notes = Photo.open(photo_file(name, **options)).save(tmp_path / "b.bmp")
    assert [note.startswith("BMP carries no metadata") for note in notes] == [True] * (said != "nothing")


RECORDS = b"".join(
    b"\x1c\x02" + bytes([kind, 0, len(text)]) + text
    for kind, text in ((120, b"A portrait"), (25, b"face"), (80, b"Zoe."))
)
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


@pytest.mark.parametrize("name", ["a.tif", "a.jpg", "a.png"])
def test_unequal_resolutions_turn_with_a_sideways_photo(photo_file, tmp_path, name):
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    turned = {"tiffinfo": {ExifTags.Base.Orientation: 6}} if name == "a.tif" else {"exif": tags}
    photo = Photo.open(photo_file(name, dpi=(300, 150), **turned))
    photo.save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as picture:
        assert np.allclose(picture.info["dpi"], (150, 300), atol=0.1)


def test_iptc_records_that_are_no_bytes_are_noted(photo_file):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[iptc.TIFF_TAG] = 7
    tags.tagtype[iptc.TIFF_TAG] = 4
    photo = Photo.open(photo_file("a.tif", tiffinfo=tags))
    assert photo.notes == ("the IPTC records are damaged and are not kept",)


def test_iptc_that_no_jpeg_can_hold_is_noted(photo_file, tmp_path):
    photo = Photo.open(photo_file("a.tif", tiffinfo={iptc.TIFF_TAG: RECORDS * 2000}))
    assert photo.save(tmp_path / "b.jpg") == ("the IPTC records are too long for JPEG and are not kept",)


def test_a_comment_that_no_jpeg_can_hold_is_noted(photo_file, tmp_path):
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "long " * 14_000)
    photo = Photo.open(photo_file("a.png", pnginfo=said))
    assert photo.save(tmp_path / "b.jpg") == ("the comment is too long for JPEG and is not kept",)


def test_damaged_exif_is_noted(photo_file):
    photo = Photo.open(photo_file("a.jpg", exif=b"Exif\0\0II*\0\xff\xff\0\0damaged"))
    assert photo.notes == ("the EXIF block is damaged and is not kept",)


def test_storage_tags_of_a_camera_do_not_reach_a_tiff(make, photo_file, tmp_path):
    tags = Image.Exif()
    tags[0x0100], tags[0x0101], tags[0x0103], tags[0x010F] = 4000, 3000, 6, "Cam"
    Photo.open(photo_file("a.jpg", exif=tags)).save(tmp_path / "b.tif")
    with Image.open(tmp_path / "b.tif") as picture:
        assert picture.size == (96, 72)
        assert picture.getexif()[0x010F] == "Cam"
