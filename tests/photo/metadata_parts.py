"""What the tests of metadata share: parts of it to put into photos, and the resolution that is read."""

import struct

NOTE = b"MAKERNOTE offsets count from the block's start"
PARAMETERS = {
    "regions": {"hair": "#993300"},
    "timestep": 350,
    "note": 'é <&> " ]]> \u202e \U0001f600',
    "steps": [1, 2.5],
}
RECORDS = b"".join(
    b"\x1c\x02" + bytes([kind, 0, len(text)]) + text
    for kind, text in ((120, b"A portrait"), (25, b"face"), (80, b"Zoe."))
)


def directory(*entries, order="<"):
    """An EXIF block of one directory; entries are tag, kind, count and the four bytes of the value."""
    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    return block + b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries) + bytes(4)


def resolution(picture):
    """What Pillow reads, of a WebP from its EXIF block, rounded."""
    tags = picture.getexif()
    return tuple(map(round, picture.info.get("dpi") or (tags.get(0x011A, 0), tags.get(0x011B, 0))))
