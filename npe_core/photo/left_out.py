"""What lies in a file beside the picture and the metadata that is kept, and what to say of it."""

from __future__ import annotations

from PIL.TiffImagePlugin import TiffImageFile

from npe_core.photo import png_data
from npe_core.photo.opening import Opened

_CREDENTIALS = "the content credentials (C2PA) are not kept: an edited photo cannot bear their signature"
_CREDENTIALS_CHUNK = b"caBX"
_CREDENTIALS_TAG = 0xCD41
_PATHS = range(2000, 2999)
"""Numbers of the image resources of Photoshop that hold paths (Adobe Photoshop File Formats Specification)."""
_KEPT = (*png_data.COLOUR, *png_data.TEXTS, b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"pHYs", b"IEND")
_HINTS = (b"bKGD", b"sBIT", b"hIST", b"tIME")
"""About the samples and the time before the edit: nobody misses them."""


def notes_on(opened: Opened) -> list[str]:
    """What is not kept of a decoded picture's file, a note for each kind."""
    notes = []
    segments = getattr(opened.picture, "applist", ())  # of a JPEG
    tags = opened.picture.tag_v2 if isinstance(opened.picture, TiffImageFile) else {}
    names = [name for name, _ in opened.png_chunks()]
    signed = any(name == "APP11" and b"c2pa" in body.lower() for name, body in segments)
    if signed or _CREDENTIALS_TAG in tags or _CREDENTIALS_CHUNK in names:
        notes.append(_CREDENTIALS)
    comments = sum(name == "COM" for name, _ in segments)
    if comments > 1:
        notes.append(f"only the last of the {comments} comments is kept")
    resources = opened.picture.info.get("photoshop")
    if isinstance(resources, dict) and any(number in _PATHS for number in resources):
        notes.append("the paths of Photoshop are not kept")
    if any(name == "APP2" and body.startswith(b"FPXR\0") for name, body in segments):
        notes.append("the FlashPix data are not kept")
    unknown = dict.fromkeys(name for name in names if name not in (*_KEPT, *_HINTS, _CREDENTIALS_CHUNK))
    if unknown:
        named = ", ".join(name.decode("ascii", "replace") for name in unknown)
        notes.append(f"chunks of the PNG are not kept: {named}")
    return notes
