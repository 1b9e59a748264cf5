"""Sheets: pictures side by side."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

STUDY = ("original", "painted", "noised", "restored without mask", "restored with mask")
"""The columns of a timestep study."""
STUDY_GAP = 4
"""White pixels between its tiles."""


def grid(images: np.ndarray, columns: int, gap: int = 0) -> np.ndarray:
    """(N, H, W, 3) uint8 -> one picture of rows of ``columns``, with ``gap`` white pixels between the tiles."""
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = image
    return sheet


def tile_of(sheet: np.ndarray, row: int, column: int, rows: int, columns: int, gap: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: one tile of a sheet that ``grid`` made with that gap."""
    down, across = (sheet.shape[0] + gap) // rows, (sheet.shape[1] + gap) // columns
    top, left = row * down, column * across
    return sheet[top : top + down - gap, left : left + across - gap]


def with_headings(sheet: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...]) -> np.ndarray:
    """The sheet with words above its columns and to the left of its rows; (H', W', 3) uint8."""
    left, top = 72, 28
    picture = Image.new("RGB", (sheet.shape[1] + left, sheet.shape[0] + top), "white")
    picture.paste(Image.fromarray(sheet), (left, top))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(16)
    for i, word in enumerate(columns):
        draw.text((left + (i + 0.5) * sheet.shape[1] / len(columns), top / 2), word, "black", font, anchor="mm")
    for i, word in enumerate(rows):
        draw.text((left / 2, top + (i + 0.5) * sheet.shape[0] / len(rows)), word, "black", font, anchor="mm")
    return np.asarray(picture)
