"""Pictures made in code: no image is committed."""

import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

WIDTH, HEIGHT = 96, 72

XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" tiff:Orientation="6"><dc:title>caf\xc3\xa9</dc:title>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>" + b" " * 200 + b'<?xpacket end="w"?>'
)


def smooth(width=WIDTH, height=HEIGHT):
    """(H, W, 3) uint8 with every corner different, and smooth enough for JPEG."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.rint(np.stack([30 + 200 * x, 40 + 180 * y, 60 + 120 * x * y], axis=-1)).astype(np.uint8)


def png_of(samples, colour_type, *chunks, bits=16):
    """A PNG from (H, W[, C]) samples of so many bits: what Pillow cannot write."""
    height, width = samples.shape[:2]
    rows = samples.astype(">u2").reshape(height, -1)
    if bits <= 8:
        ones = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        rows = np.packbits(ones.reshape(height, -1), axis=-1)

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    body = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(*c) for c in chunks), chunk(b"IDAT", zlib.compress(body))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def exif_block(orientation=6, thumbnail=b"\xff\xd8 old thumbnail \xff\xd9", order="<", behind=b""):
    """IFD0 (make, orientation, Exif, GPS), an Exif IFD with dimensions and a maker note, and IFD1 with a thumbnail.

    ``behind`` is what a writer left after it.
    """

    def entry(tag, kind, count, value):
        return struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")

    def long(value):
        return struct.pack(order + "I", value)

    def short(value):
        return struct.pack(order + "H", value)

    note = b"MAKERNOTE offsets count from the block's start"
    gps = [entry(1, 2, 2, b"N\0"), entry(2, 5, 3, b"GPS!")]
    ifd0_at, exif_at = 8, 8 + 2 + 4 * 12 + 4
    gps_at = exif_at + 2 + 3 * 12 + 4
    ifd1_at = gps_at + 2 + 2 * 12 + 4
    data_at = ifd1_at + 2 + 2 * 12 + 4
    latitude = struct.pack(order + "6I", 51, 1, 28, 1, 0, 1)
    gps[1] = entry(2, 5, 3, long(data_at))
    note_at = data_at + len(latitude)
    thumbnail_at = note_at + len(note)

    def ifd(entries, following=0):
        return short(len(entries)) + b"".join(entries) + long(following)

    first = [entry(0x010F, 2, 4, b"Cam\0"), entry(0x0112, 3, 1, short(orientation))]
    first += [entry(0x8769, 4, 1, long(exif_at)), entry(0x8825, 4, 1, long(gps_at))]
    inner = [entry(0x927C, 7, len(note), long(note_at)), entry(0xA002, 4, 1, long(7)), entry(0xA003, 3, 1, short(5))]
    second = [entry(0x0201, 4, 1, long(thumbnail_at)), entry(0x0202, 4, 1, long(len(thumbnail)))]
    magic = b"II*\0" if order == "<" else b"MM\0*"
    parts = [
        magic,
        long(ifd0_at),
        ifd(first, ifd1_at),
        ifd(inner),
        ifd(gps),
        ifd(second),
        latitude,
        note,
        thumbnail,
        behind,
    ]
    return b"".join(parts)


def tags_of(path):
    """What plain Pillow reads of a file: (orientation, make, GPS latitude, maker note)."""
    with Image.open(path) as picture:
        tags = picture.getexif()
        gps, inner = tags.get_ifd(ExifTags.IFD.GPSInfo), tags.get_ifd(ExifTags.IFD.Exif)
        latitude = tuple(float(part) for part in gps.get(2, ()))
        return tags.get(0x0112, 1), tags.get(0x010F), latitude, inner.get(0x927C)


@pytest.fixture
def make(icc_profile):
    """The helpers above, for test modules."""

    class Make:
        pass

    for helper in (smooth, png_of, exif_block, tags_of):
        setattr(Make, helper.__name__, staticmethod(helper))
    Make.icc_profile = staticmethod(icc_profile)
    Make.XMP = XMP
    return Make


@pytest.fixture
def photo_file(tmp_path):
    """Saves an array or a Pillow picture under a name with plain Pillow."""

    def save(name, picture=None, **options):
        path = tmp_path / name
        picture = smooth() if picture is None else picture
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        picture.save(path, **options)
        return path

    return save
