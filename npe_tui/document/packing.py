"""An enhanced picture as bytes, for the autosave: from paint that was changed since, it could not be made again."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import TYPE_CHECKING

import numpy as np

from npe_core.canvas.boxes import box_of, cut
from npe_core.errors import InputError
from npe_tui.document.results import Made

if TYPE_CHECKING:
    from npe_core.photo import Photo
    from npe_tui.document.document import EditDocument

_FORMAT = 1
_FAST = 1
"""Of zlib: noise hardly gets smaller by more, which takes three times as long."""
_PLANES = {"image": (np.uint8, 3), "guide": (np.uint8, 3), "levels": (np.uint8, 1), "reached": (np.float32, 1)}
"""What is stored one after the other: type and values of a pixel."""


class Packed:
    """The enhanced picture of a document, packed once: of a large photo that takes a second."""

    def __init__(self, document: EditDocument) -> None:
        self._document = document
        self._made: Made | None = None
        self._packed = b""

    def __call__(self) -> bytes:
        """Nothing where it is in a file or can be made again, or where memory is too small. From one thread."""
        made = self._document.made
        if made is None or made.saved_as is not None or not self._document.stale:
            self._made, self._packed = None, b""
        elif made is not self._made:
            self._made, self._packed = None, b""
            with contextlib.suppress(MemoryError):  # the paint is kept without it
                self._made, self._packed = made, pack(made)
        return self._packed


def pack(made: Made) -> bytes:
    """Of picture, guide and mask only the box that is marked: beyond it they are the photo's."""
    result, box = made.result, box_of(made.levels) or (0, 0, 0, 0)
    where = cut(box)
    head = {
        "format": _FORMAT,
        "box": box,
        "parameters": result.parameters,
        "faces": result.faces,
        "face_numbers": result.face_numbers,
        "seconds": result.seconds,
        "warnings": result.warnings,
    }
    planes = result.image[where], made.guide[where], made.levels[where], result.reached[where]
    body = b"".join(
        np.ascontiguousarray(plane, kind).tobytes() for plane, (kind, _) in zip(planes, _PLANES.values(), strict=True)
    )
    return json.dumps(head).encode() + b"\n" + zlib.compress(body, _FAST)


def unpack(photo: Photo, packed: bytes) -> Made:
    """What was packed of an edit of the same photo. Raises InputError for damage."""
    from npe_core.editor import EditResult

    told, _, body = packed.partition(b"\n")
    try:
        head = json.loads(told)
        if head["format"] != _FORMAT:
            raise InputError(f"This enhanced picture has format {head['format']}; this version reads {_FORMAT}.")
        image, guide, levels, reached = _planes(photo.image, tuple(head["box"]), zlib.decompress(body))
        result = EditResult(
            photo=photo.edited(image, reached, head["parameters"]),
            reached=reached,
            parameters=head["parameters"],
            faces=head["faces"],
            face_numbers=tuple(head["face_numbers"]),
            seconds=head["seconds"],
            warnings=tuple(head["warnings"]),
        )
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise InputError(f"The enhanced picture that was kept is damaged ({error}).") from error
    return Made(result, guide, levels)


def _planes(photo: np.ndarray, box: tuple[int, ...], body: bytes) -> list[np.ndarray]:
    """Picture, guide, mask, and where the picture may differ from the photo, in its size."""
    x0, y0, x1, y1 = box
    pixels, start, found = (y1 - y0) * (x1 - x0), 0, []
    for kind, values in _PLANES.values():
        stored = np.frombuffer(body, kind, pixels * values, start)
        whole = photo.copy() if values == 3 else np.zeros(photo.shape[:2], kind)
        whole[y0:y1, x0:x1] = stored.reshape(y1 - y0, x1 - x0, *photo.shape[2:][: values // 3])
        found.append(whole)
        start += stored.nbytes
    return found
