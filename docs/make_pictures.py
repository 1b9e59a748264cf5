"""Makes the pictures of README.md and weights/MODEL_CARD.md with the program itself, from the shipped samples.

python docs/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from npe_core.canvas import Canvas
from npe_core.editor import Editor
from npe_core.editor.sweep import sweep
from npe_core.photo import Photo
from npe_core.sheets import STUDY, grid, with_headings

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
TILE = 256

Shapes = tuple[tuple[str | None, list[tuple[int, int]]], ...]
SMILE: Shapes = (
    ("#be6062", [(196, 368), (226, 362), (256, 366), (286, 362), (314, 368), (296, 400), (256, 416), (216, 400)]),
    ("#eee8e0", [(208, 372), (256, 376), (304, 372), (286, 392), (256, 398), (226, 392)]),
)
CHIN = [(130, 330), (150, 400), (190, 450), (256, 475), (320, 450), (360, 400), (385, 330), (360, 360)]
MOUTH = [(200, 377), (225, 358), (256, 354), (290, 358), (318, 377), (290, 396), (256, 402), (225, 396)]
BEARD: Shapes = (("#281c16", [*CHIN, (320, 340), (256, 345), (200, 340), (165, 365)]), (None, MOUTH))
EDITS: tuple[tuple[str, tuple[str, str] | None, Shapes, int], ...] = (
    ("clara", ("hair", "#8b2500"), (), 200),
    ("dora", ("lips", "#b00020"), (), 200),
    ("dora", None, SMILE, 250),
    ("ben", None, BEARD, 250),
)
"""Sample, what is filled or else painted, and the timestep."""


def small(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (256, 256, 3)."""
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.LANCZOS))


def save(image: np.ndarray, name: str) -> None:
    """A JPEG in docs/images."""
    Image.fromarray(image).save(IMAGES / name, quality=90, subsampling=0, optimize=True)
    print(IMAGES / name)


def edits(editor: Editor) -> np.ndarray:
    """Two fills and two things painted by hand, a row each: original, mask, painted, edited."""
    rows = []
    for name, fill, shapes, timestep in EDITS:
        photo = Photo.open(ROOT / "samples" / f"{name}.png")
        canvas = Canvas(photo.image, editor.segment(photo))
        if fill is not None:
            canvas.fill(*fill)
        else:
            paint = painted(shapes, photo.size)
            canvas.paint_image(paint[..., :3], paint[..., 3])
        result = editor.edit(photo, canvas, timestep=timestep, seed=1)
        mask = np.repeat(np.rint(canvas.mask * 255).astype(np.uint8)[..., None], 3, axis=2)
        rows += [photo.image, mask, canvas.guide, result.image]
    return with_headings(
        grid(np.stack([small(image) for image in rows]), 4, gap=4),
        ("hair", "lips", "a smile", "a beard"),
        ("original", "mask", "painted", "edited"),
    )


def painted(shapes: Shapes, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 4) uint8: polygons, one over the other; a colour of None takes the paint away again."""
    layer = Image.new("RGBA", size)
    for colour, corners in shapes:
        ImageDraw.Draw(layer).polygon(corners, fill=colour or (0, 0, 0, 0))
    return np.asarray(layer)


def study(editor: Editor) -> np.ndarray:
    """The timestep study of one face."""
    photo = Photo.open(ROOT / "samples" / "clara.png")
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill("hair", "#993300")
    timesteps = (100, 200, 300, 400, 475)
    sheet = sweep(editor, photo, canvas, timesteps, seed=1)
    return with_headings(sheet, tuple(f"t={t}" for t in timesteps), STUDY)


def regions(editor: Editor) -> np.ndarray:
    """The samples and their regions."""
    tiles = []
    for path in sorted((ROOT / "samples").glob("*.png")):
        photo = Photo.open(path)
        tiles.append(np.concatenate([small(photo.image), small(editor.segment(photo).overlay(photo.image))], axis=1))
    return grid(np.stack(tiles), 2, gap=4)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    editor = Editor()
    Image.fromarray(painted(SMILE, (512, 512))).save(IMAGES / "smile.png", optimize=True)
    save(edits(editor), "edits.jpg")
    save(study(editor), "sweep.jpg")
    save(regions(editor), "regions.jpg")
    save(grid(editor.sample(32, seed=0), 8), "samples.jpg")


if __name__ == "__main__":
    main()
