"""The suffixes of picture files. Only they are told by names: what is read goes by its content."""

from __future__ import annotations

OUTPUT_FORMATS: dict[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
}
"""Of what is written: suffix -> format, as Pillow calls it."""

INPUT_SUFFIXES = (*OUTPUT_FORMATS, ".gif", ".heic", ".heif", ".hif", ".avif")
"""Of files that are taken for photos where there are others too: in the watch folder, in the terminal's browser."""
