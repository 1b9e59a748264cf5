"""A canvas as bytes, for autosave: paint, mask and what was asked for; neither the picture nor the history."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np

from npe_core.canvas.boxes import box_of, window
from npe_core.errors import InputError

_FORMAT = 1


def fingerprint(image: np.ndarray) -> str:
    """sha256 of the pixels and the shape of a picture."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).data).hexdigest()


def pack(image: np.ndarray, planes: np.ndarray, asked: dict[str, Any]) -> bytes:
    """The planes (5, H, W) and what they came from as an .npz without pickles; only the box not empty is stored."""
    box = box_of(np.any(planes, axis=0)) or (0, 0, 0, 0)
    head = {"format": _FORMAT, "image": fingerprint(image), "box": box, "asked": asked}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, head=np.array(json.dumps(head)), planes=window(planes, box))
    return buffer.getvalue()


def unpack(image: np.ndarray, state: bytes) -> tuple[np.ndarray, dict[str, Any]]:
    """What was given to ``pack``. Raises InputError if the bytes are damaged or belong to another picture."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            head = json.loads(str(arrays["head"]))
            stored = arrays["planes"]
        if head["format"] != _FORMAT:
            raise InputError(f"This saved canvas has format {head['format']}; this version reads {_FORMAT}.")
        if head["image"] != fingerprint(image):
            raise InputError("This saved canvas belongs to another picture; open the picture that it was made on.")
        planes = np.zeros((5, *image.shape[:2]), np.uint8)
        target = window(planes, tuple(head["box"]))
        if stored.shape != target.shape or stored.dtype != np.uint8:
            raise ValueError(f"planes of {stored.dtype} {stored.shape} in a box of {target.shape}")
        target[:] = stored
        return planes, dict(head["asked"])
    except InputError:
        raise
    except Exception as error:  # there is no end to what numpy and zipfile raise for bytes that were changed
        raise damaged(error) from error


def damaged(error: Exception) -> InputError:
    """What is raised for bytes that are no canvas."""
    return InputError(f"This saved canvas is damaged ({error}); start from the picture again.")
