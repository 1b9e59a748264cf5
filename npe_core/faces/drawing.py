"""A picture that shows which face has which number."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from npe_core.faces.face import Face

_LINE, _SHADE = (255, 212, 0), (0, 0, 0)


def draw_faces(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """A copy of (H, W, 3) uint8 RGB with the box, the number (from 1, in the order given) and the landmarks of each."""
    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    thick = max(2, round(max(image.shape[:2]) / 500))
    for number, face in enumerate(faces, start=1):
        pen.rectangle([value + thick for value in face.box], outline=_SHADE, width=thick)
        pen.rectangle(face.box, outline=_LINE, width=thick)
        for x, y in face.landmarks:
            pen.ellipse((x - thick, y - thick, x + thick, y + thick), fill=_LINE)
        font = ImageFont.load_default(max(14, thick * 8, round(face.height / 5)))
        corner = (max(face.box[0], 0) + 3 * thick, max(face.box[1], 0) + 2 * thick)
        pen.text(corner, str(number), fill=_LINE, font=font, stroke_width=max(1, thick // 2), stroke_fill=_SHADE)
    return np.asarray(canvas).copy()
