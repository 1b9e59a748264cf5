"""An edited photo -> the bytes of a file in one of the output formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from npe_core.photo import colour_profile, deep_colour, exif, iptc, png_data, tiff_tags, xmp
from npe_core.photo.deep_colour import Deep
from npe_core.photo.jpeg_source import JpegSource
from npe_core.photo.metadata import PARAMETERS_KEY, Metadata
from npe_core.photo.opening import pillow_settings

QUALITY = 95
"""Of JPEG and WebP where the source gives no better advice."""

_JPEG_SEGMENT = 65533
_JPEG_XMP = _JPEG_SEGMENT - 29
_TIFF_XMP_TAG = 700


@dataclass(frozen=True)
class Content:
    """All that goes into a file."""

    rgb: np.ndarray
    """(H, W, 3) uint8 in ``profile``."""
    alpha: np.ndarray | None
    deep: Deep | None
    """The file's samples in 16 bits, not edited yet."""
    profile: bytes | None
    metadata: Metadata
    parameters: dict[str, Any] | None
    source: JpegSource | None
    """The JPEG that it was read from."""
    lossless: bool
    """Whether the source was, so that a WebP should be."""


def encode(content: Content, format: str) -> tuple[bytes, list[str]]:
    """(file, notes about what the format cannot carry); ``format`` is one of Pillow's names in ``ENCODERS``."""
    notes: list[str] = []
    if content.deep is not None and format not in deep_colour.FORMATS:
        notes.append(f"{format} is written with 8 bits per channel, the photo has 16")
    if format != "PNG" and content.profile is None and not png_data.is_srgb(content.metadata.colour):
        notes.append(f"{format} has no place for what the photo says of its colours: they are taken as sRGB")
    buffer = BytesIO()
    ENCODERS[format](content, buffer, notes)
    return buffer.getvalue(), notes


def _picture(content: Content) -> Image.Image:
    if content.alpha is None:
        return Image.fromarray(content.rgb)
    return Image.fromarray(np.dstack([content.rgb, content.alpha]))


def _opaque(content: Content, rgb: np.ndarray, format: str, notes: list[str]) -> Image.Image:
    """The picture on white, for formats without alpha."""
    if content.alpha is None or (content.alpha == 255).all():
        return Image.fromarray(rgb)
    notes.append(f"{format} has no transparency: transparent parts are put on white")
    weight = content.alpha[..., None].astype(np.float32) / 255
    return Image.fromarray(np.rint(rgb * weight + 255 * (1 - weight)).astype(np.uint8))


def _present(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _as_text(parameters: dict[str, Any]) -> str:
    return json.dumps(parameters, separators=(",", ":"))


def _packet(content: Content, notes: list[str]) -> bytes | None:
    """The XMP packet with the parameters in it."""
    if content.parameters is None:
        return content.metadata.xmp
    text = _as_text(content.parameters)
    packet = xmp.with_parameters(content.metadata.xmp, text)
    if packet is None:
        notes.append("the XMP packet is not readable and is replaced by one with the edit parameters")
        packet = xmp.with_parameters(None, text)
    return packet


def _png(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    text = PngImagePlugin.PngInfo()
    for name, body in (*content.metadata.colour, *content.metadata.text):
        text.add(name, body)
    if content.metadata.comment:
        text.add_itxt("Comment", content.metadata.comment.decode("utf-8", "replace"))
    if content.metadata.xmp:
        text.add_itxt("XML:com.adobe.xmp", content.metadata.xmp.decode("utf-8", "replace"))
    if content.parameters is not None:
        text.add_itxt(PARAMETERS_KEY, json.dumps(content.parameters, ensure_ascii=False, separators=(",", ":")))
    options = _present(icc_profile=content.profile, exif=content.metadata.exif, dpi=content.metadata.dpi)
    _records_lost(content, "PNG", notes)
    if content.deep is None:
        options["compress_level"] = 3  # half the time of 6, same size
        _picture(content).save(buffer, "PNG", pnginfo=text, **options)
        return
    around = BytesIO()
    Image.new("RGB", (1, 1)).save(around, "PNG", pnginfo=text, **options)
    buffer.write(deep_colour.png(content.deep.at_levels(content.rgb), around.getvalue()))


def _webp(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    block, dpi = content.metadata.exif, content.metadata.dpi
    if dpi is not None:
        try:
            block = exif.with_resolution(block, dpi)
        except ValueError:
            notes.append("the EXIF block is damaged and cannot take the resolution, which is not kept")
    options = _present(icc_profile=content.profile, exif=block, xmp=_packet(content, notes), quality=QUALITY)
    if content.lossless:
        options |= {"lossless": True, "quality": 75}  # of the search, not of the picture
    _text_lost(content, "WebP", notes, comment=True)
    _records_lost(content, "WebP", notes)
    _picture(content).save(buffer, "WEBP", exact=True, **options)


def _jpeg(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    metadata = content.metadata
    options = _present(icc_profile=content.profile, dpi=metadata.dpi)
    if metadata.exif and len(metadata.exif) + len(exif.PREFIX) > _JPEG_SEGMENT:
        notes.append("the EXIF block is too long for JPEG and is not kept")
    elif metadata.exif:
        options["exif"] = exif.PREFIX + metadata.exif
    if metadata.comment and len(metadata.comment) > _JPEG_SEGMENT:
        notes.append("the comment is too long for JPEG and is not kept")
    elif metadata.comment:
        options["comment"] = metadata.comment
    packet = _packet(content, notes)
    if packet and len(packet) > _JPEG_XMP:
        packet = xmp.without_padding(packet)
    if packet and len(packet) > _JPEG_XMP:
        packet = None if content.parameters is None else xmp.with_parameters(None, _as_text(content.parameters))
        if packet and len(packet) <= _JPEG_XMP:
            notes.append("the XMP packet is too long for JPEG: of it only the edit parameters are kept")
        else:
            packet = None
            notes.append("the XMP packet is too long for JPEG and is not kept")
    if packet:
        options["xmp"] = packet
    if metadata.iptc:
        segment = iptc.jpeg_segment(metadata.iptc)
        if segment is None:
            notes.append("the IPTC records are too long for JPEG and are not kept")
        else:
            options["extra"] = segment
    _text_lost(content, "JPEG", notes)
    if content.source is not None:
        try:
            content.source.write(content.rgb, buffer, **options)
            return
        except (OSError, ValueError):  # tables that libjpeg reads but does not write
            buffer.seek(0)
            buffer.truncate()
    picture = _opaque(content, content.rgb, "JPEG", notes)
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0, **options)


def _tiff(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    with pillow_settings(None) as warned:
        _write_tiff(content, buffer, notes)
    passed_over = any(warning.filename == TiffImagePlugin.__file__ for warning in warned)
    if passed_over and tiff_tags.SOME_LOST not in notes:
        notes.append(tiff_tags.SOME_LOST)


def _write_tiff(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    block = content.metadata.exif
    tags, lost = tiff_tags.tags_of(block) if block else (Image.Exif(), [])
    notes += lost
    packet = _packet(content, notes)
    if packet:
        tags[_TIFF_XMP_TAG] = packet
    if content.metadata.iptc:
        tags[iptc.TIFF_TAG] = content.metadata.iptc
    _text_lost(content, "TIFF", notes, comment=True)
    options = _present(icc_profile=content.profile, dpi=content.metadata.dpi)
    if content.deep is None:
        _picture(content).save(buffer, "TIFF", compression=tiff_tags.compression(tags), exif=tags, **options)
        return
    twice = BytesIO()
    samples = deep_colour.doubled(content.deep.at_levels(content.rgb))
    Image.fromarray(samples).save(twice, "TIFF", compression="raw", exif=tags, **options)
    buffer.write(deep_colour.tiff(twice.getvalue()))


def _bmp(content: Content, buffer: BytesIO, notes: list[str]) -> None:
    rgb = content.rgb
    if not colour_profile.is_srgb(content.profile):
        rgb = colour_profile.to_srgb(rgb, content.profile)
        notes.append("BMP carries no colour profile: colours are converted to sRGB")
    metadata = content.metadata
    said = metadata.exif or metadata.xmp or metadata.iptc or metadata.comment or metadata.text
    if said or content.parameters is not None:
        notes.append("BMP carries no metadata: EXIF, XMP, IPTC and the edit parameters are not kept")
    _opaque(content, rgb, "BMP", notes).save(buffer, "BMP", **_present(dpi=metadata.dpi))


def _text_lost(content: Content, format: str, notes: list[str], comment: bool = False) -> None:
    if content.metadata.text or (comment and content.metadata.comment):
        notes.append(f"{format} has no place for the text comments, which are not kept")


def _records_lost(content: Content, format: str, notes: list[str]) -> None:
    if content.metadata.iptc:
        notes.append(f"{format} has no place for the IPTC records, which are not kept")


ENCODERS: dict[str, Callable[[Content, BytesIO, list[str]], None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
}
