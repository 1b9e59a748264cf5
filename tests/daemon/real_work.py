"""Jobs for the real engine: files that make one, and what a quick edit asks for."""

import io
import json

import numpy as np
from PIL import Image

FEW = {"steps": 1, "upscale": False, "seed": 5}


def png(array, mode=None):
    stream = io.BytesIO()
    Image.fromarray(array, mode).save(stream, "PNG")
    return stream.getvalue()


def spot(value=255):
    mask = np.zeros((512, 512), np.uint8)
    mask[330:390, 200:310] = value
    return mask


def put(folders, stem, photo, **files):
    for ending, content in files.items():
        suffix = {"mask": ".mask.png", "json": ".json"}[ending]
        (folders.inbox / (stem + suffix)).write_bytes(json.dumps(content).encode() if ending == "json" else content)
    (folders.inbox / f"{stem}.png").write_bytes(photo)
