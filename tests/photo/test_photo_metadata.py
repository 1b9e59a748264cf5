"""All kinds of metadata beside each other: what is stripped, what a format has no place for, texts and comments."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from metadata_parts import NOTE, PARAMETERS, RECORDS, resolution
from PIL import Image, PngImagePlugin

from npe_core.photo import Photo, iptc, png_data


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


@pytest.mark.parametrize("deep", [False, True])
def test_how_a_png_says_its_colours_are_meant_stays_in_png(make, tmp_path, deep):
    """PQ by its code points, and a gamma of 1: a viewer that goes by them would show other colours without."""
    said = {b"cICP": bytes([9, 16, 0, 1]), b"sRGB": b"\1", b"gAMA": (100000).to_bytes(4, "big")}
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
    assert dict(kept) == said and len(kept) == 3
    Photo.open(source).save(tmp_path / "bare.png", metadata="strip")
    assert said.items() <= dict(png_data.chunks(io.BytesIO((tmp_path / "bare.png").read_bytes()))).items()


P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


@pytest.mark.parametrize(("said", "noted"), [
    ({b"cICP": bytes([9, 16, 0, 1])}, True),
    ({b"cICP": bytes([12, 13, 0, 1])}, False),  # a profile says it
    ({b"cICP": bytes([1, 13, 0, 1]), b"gAMA": struct.pack(">I", 100000)}, False),  # cICP is above gAMA
    ({b"gAMA": struct.pack(">I", 100000)}, True),
    ({b"gAMA": struct.pack(">I", 100000), b"sRGB": b"\0"}, False),
    ({b"gAMA": struct.pack(">I", 45455), b"cHRM": struct.pack(">8I", *SRGB)}, False),
    ({b"gAMA": struct.pack(">I", 45455), b"cHRM": struct.pack(">8I", *P3)}, True),
    ({b"cICP": b"?", b"gAMA": bytes(5), b"cHRM": bytes(36)}, False),
], ids=["PQ", "P3", "sRGB first", "linear", "linear and sRGB", "sRGB", "primaries of P3", "damaged"])  # fmt: skip
def test_what_a_png_says_of_its_colours_is_not_dropped_without_a_word(make, tmp_path, said, noted):
    picture = io.BytesIO()
    Image.fromarray(make.smooth()).save(picture, "PNG")
    parts = list(png_data.chunks(picture))
    (tmp_path / "in.png").write_bytes(png_data.joined([parts[0], *said.items(), *parts[1:]]))
    photo = Photo.open(tmp_path / "in.png")
    for name in ("JPEG", "WebP", "TIFF"):
        notes = photo.save(tmp_path / f"out.{name}")
        assert notes == ((f"{name.upper()} has no place for what the photo says of its colours: "
                          "they are taken as sRGB",) if noted else ())  # fmt: skip
    assert photo.save(tmp_path / "out.png") == ()


def test_a_profile_says_more_than_the_chunks_beside_it(make, photo_file, tmp_path):
    said = PngImagePlugin.PngInfo()
    said.add(b"gAMA", struct.pack(">I", 100000))
    photo = Photo.open(photo_file("a.png", pnginfo=said, icc_profile=make.icc_profile()))
    assert photo.save(tmp_path / "out.jpg") == ()


def test_what_was_converted_to_srgb_is_no_longer_called_linear(make, photo_file, tmp_path):
    said = PngImagePlugin.PngInfo()
    said.add(b"gAMA", struct.pack(">I", 100000))
    profile = make.icc_profile(b"GRAY", gamma=1.0)
    photo = Photo.open(photo_file("a.png", make.smooth()[..., 0], pnginfo=said, icc_profile=profile))
    assert any("converted to sRGB" in note for note in photo.notes)
    photo.save(tmp_path / "out.png")
    assert b"gAMA" not in dict(png_data.chunks(io.BytesIO((tmp_path / "out.png").read_bytes())))
    broken = Photo.open(photo_file("b.png", make.smooth()[..., 0], pnginfo=said, icc_profile=b"broken"))
    broken.save(tmp_path / "kept.png")
    assert b"gAMA" in dict(png_data.chunks(io.BytesIO((tmp_path / "kept.png").read_bytes())))  # the samples are its own


def test_what_jpeg_has_no_room_for_is_noted(make, photo_file, tmp_path):
    photo = Photo.open(photo_file("a.png", exif=make.exif_block() + bytes(70000)))
    notes = photo.edited(photo.image, np.ones((96, 72), bool), {"a": "x" * 70000}).save(tmp_path / "b.jpg")
    assert ["EXIF block is too long" in notes[0], "XMP packet" in notes[1]] == [True, True]
    assert Photo.open(tmp_path / "b.jpg").size == photo.size


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


def test_a_comment_that_no_jpeg_can_hold_is_noted(photo_file, tmp_path):
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "long " * 14_000)
    photo = Photo.open(photo_file("a.png", pnginfo=said))
    assert photo.save(tmp_path / "b.jpg") == ("the comment is too long for JPEG and is not kept",)


def test_texts_of_a_png_stay_as_they_are(make, tmp_path):
    """Several of a keyword, in another language, compressed, and behind the pixels."""
    texts = [
        (b"tEXt", b"Keyword\0one"),
        (b"tEXt", b"Keyword\0two"),
        (b"iTXt", b"Title\0\0\0de\0Titel\0Hallo \xc3\xa4"),
        (b"zTXt", b"History\0\0" + zlib.compress(b"edit " * 1000)),
        (b"tEXt", b"Comment\0first"),
    ]
    last = (b"tEXt", b"Comment\0last")
    parts = list(png_data.chunks(io.BytesIO(make.png_of(make.smooth(), 2, *texts[1:], last, bits=8))))
    source = tmp_path / "in.png"
    source.write_bytes(png_data.joined([*parts[:-1], texts[0], parts[-1]]))
    photo = Photo.open(source)
    assert photo.notes == () and photo.save(tmp_path / "out.png") == ()
    found = list(png_data.chunks(io.BytesIO((tmp_path / "out.png").read_bytes())))
    assert sorted(chunk for chunk in found if chunk in texts) == sorted(texts)
    assert [name for name, body in found if b"last" in body] == [b"iTXt"]
    assert "no place for the text comments" in photo.save(tmp_path / "out.jpg")[0]
    with Image.open(tmp_path / "out.jpg") as picture:
        assert picture.info["comment"] == b"last"


def test_what_of_a_png_is_not_kept_is_named(make, tmp_path):
    chunks = [(b"caBX", b"C2PA"), (b"sBIT", b"\5\6\5"), (b"bKGD", bytes(6)), (b"cLLI", bytes(8)), (b"oFFs", bytes(9))]
    (tmp_path / "in.png").write_bytes(make.png_of(make.smooth(), 2, *chunks, bits=8))
    credentials, others = Photo.open(tmp_path / "in.png").notes
    assert "content credentials (C2PA) are not kept" in credentials
    assert others == "chunks of the PNG are not kept: cLLI, oFFs"


def test_what_of_a_jpeg_is_not_kept_is_named(photo_file, tmp_path):
    def segment(marker, body):
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body

    path_of_photoshop = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 2000, 0, 4) + b"PATH"
    whole = photo_file("a.jpg").read_bytes()
    beside = segment(0xFE, b"one") + segment(0xFE, b"two") + segment(0xED, path_of_photoshop)
    beside += segment(0xEB, b"JP\0\1\0\0\0\1jumbc2pa") + segment(0xE2, b"FPXR\0rest")
    (tmp_path / "b.jpg").write_bytes(whole[:2] + beside + whole[2:])
    assert Photo.open(tmp_path / "b.jpg").notes == (
        "the content credentials (C2PA) are not kept: an edited photo cannot bear their signature",
        "only the last of the 2 comments is kept",
        "the paths of Photoshop are not kept",
        "the FlashPix data are not kept",
    )
    assert Photo.open(tmp_path / "a.jpg").notes == ()
