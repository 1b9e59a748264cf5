"""XMP and the parameters of an edit survive, or a note says that they cannot."""

import json
import struct
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metadata_parts import PARAMETERS
from PIL import Image, PngImagePlugin

from npe_core.photo import Photo, xmp
from npe_core.photo.metadata import parsed_parameters


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


def test_pillow_sees_our_parameters_where_they_belong(make, tmp_path):
    photo = Photo.from_array(make.smooth()).edited(make.smooth(), np.ones((72, 96), bool), PARAMETERS)
    photo.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert json.loads(picture.text["npe"]) == PARAMETERS
        assert isinstance(picture.text["npe"], PngImagePlugin.iTXt)
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


@pytest.mark.parametrize("rdf", [
    b'<rdf:RDF xmlns:rdf="%b"/>', b"<rdf:RDF xmlns:rdf='%b'\n/>", b'<r:RDF xmlns:r="%b"><r:Bag/></r:RDF>',
    b'<r:RDF xmlns:r = "%b" />', b'<rdf:RDF xmlns:rdf="%b"></rdf:RDF >',
])  # fmt: skip
def test_a_packet_is_kept_however_it_names_its_rdf(photo_file, tmp_path, rdf):
    namespace = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="kept">' + rdf % namespace + b"</x:xmpmeta>"
    photo = Photo.open(photo_file("a.jpg", xmp=packet))
    for name in ("b.jpg", "c.jpg"):  # over the parameters of the edit before, too
        assert photo.edited(photo.image, np.ones((72, 96), bool), PARAMETERS).save(tmp_path / name) == ()
        photo = Photo.open(tmp_path / name)
        assert photo.parameters == PARAMETERS
        with Image.open(tmp_path / name) as picture:
            written = picture.info["xmp"]
        assert b'x:xmptk="kept"' in written and written.count(b"<npe:parameters>") == 1
        tree = ElementTree.fromstring(written)
        rdf = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
        inside = [tree[0].tag, tree[0][-1].tag, tree[0][-1][0].tag]
        assert inside == [f"{rdf}RDF", f"{rdf}Description", f"{{{xmp.NAMESPACE}}}parameters"]


def test_a_packet_beyond_a_jpeg_does_not_take_the_parameters_with_it(make, photo_file, tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", make.XMP.replace(b"</dc:title>", b"long" * 20000 + b"</dc:title>").decode())
    photo = Photo.open(photo_file("a.png", pnginfo=text))
    notes = photo.edited(photo.image, np.ones((96, 72), bool), PARAMETERS).save(tmp_path / "b.jpg")
    assert notes == ("the XMP packet is too long for JPEG: of it only the edit parameters are kept",)
    assert Photo.open(tmp_path / "b.jpg").parameters == PARAMETERS
    assert photo.save(tmp_path / "c.jpg") == ("the XMP packet is too long for JPEG and is not kept",)


def test_a_packet_loses_the_nul_that_some_programs_end_it_with(make, photo_file, tmp_path):
    Photo.open(photo_file("a.jpg", xmp=make.XMP + b"\0")).save(tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as picture:
        assert picture.info["xmp"].endswith(b'<?xpacket end="w"?>')


def test_an_xmp_extension_is_missed_aloud(photo_file, tmp_path):
    """Phones store the depth of a portrait there."""
    plain = photo_file("plain.jpg")
    body = b"http://ns.adobe.com/xmp/extension/\0" + 32 * b"a" + struct.pack(">II", 3, 0) + b"xml"
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    path = tmp_path / "deep.jpg"
    path.write_bytes(plain.read_bytes()[:2] + segment + plain.read_bytes()[2:])
    assert not Photo.open(plain).notes
    assert any("extension of the XMP" in note for note in Photo.open(path).notes)


def test_padding_gives_way_in_a_full_jpeg_packet(make, photo_file, tmp_path):
    full = make.XMP.replace(b" " * 200, b" " * (65400 - len(make.XMP)))
    photo = Photo.open(photo_file("a.jpg", xmp=full))
    assert photo.edited(photo.image, np.ones((96, 72), bool), {"a": "x" * 1000}).save(tmp_path / "b.jpg") == ()
    assert Photo.open(tmp_path / "b.jpg").parameters == {"a": "x" * 1000}


STALE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
    b'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" '
    b"GCamera:MicroVideoOffset = '5000' xmlns:xmpNote=\"http://ns.adobe.com/xmp/note/\" "
    b'xmpNote:HasExtendedXMP="ABCDEF" dc:source="kept"><GCamera:MicroVideo>1</GCamera:MicroVideo>'
    b"<xmp:Thumbnails><rdf:Alt><rdf:li><xmpGImg:image>OLDPREVIEW</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"<dc:title>kept too</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_a_packet_no_longer_tells_of_what_the_file_does_not_hold(photo_file, tmp_path, name):
    photo = Photo.open(photo_file(name, xmp=STALE))
    assert photo.notes == (
        "the video of the motion photo is not kept",
        "the HDR gain map is not kept",
        "the extension of the XMP packet (depth maps, larger previews) is not kept",
    )
    photo.save(tmp_path / f"out-{name}")
    with Image.open(tmp_path / f"out-{name}") as picture:
        packet = picture.info["xmp"]
    for gone in (b"OLDPREVIEW", b"MotionPhoto", b"MicroVideo", b"hdrgm:Version", b"HasExtendedXMP", b"Thumbnails"):
        assert gone not in packet
    assert b'dc:source="kept"><dc:title>kept too</dc:title>' in packet
    ElementTree.fromstring(packet.replace(b'dc:source="kept"', b"").replace(b"dc:title", b"title"))  # still whole


def test_a_hostile_packet_takes_no_time():
    for part in (b"<xmp:Thumbnails>", b' hdrgm:V="', b"<hdrgm:V>", b" GCamera:MotionPhoto", b" hdrgm:V='", b" "):
        packet = part * (1_000_000 // len(part)) + b"x"
        started = time.monotonic()
        xmp.without_attachments(packet)
        xmp.without_padding(packet)
        xmp.with_parameters(packet, "{}")
        assert time.monotonic() - started < 5
