"""A canvas as bytes, for autosave: paint, mask, edges of fills and what was asked for; neither the picture nor the
history."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from npe_core.canvas.boxes import Box, box_of, window
from npe_core.canvas.edges import Edge, Edges
from npe_core.errors import InputError

_FORMAT = 1


def fingerprint(image: np.ndarray) -> str:
    """sha256 of the pixels and the shape of a picture."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).data).hexdigest()


def pack(image: np.ndarray, planes: np.ndarray, edges: Edges, asked: dict[str, Any]) -> bytes:
    """The planes (5, H, W), the edges of fills and what they came from as an .npz without pickles; of the planes only
    the box not empty is stored."""
    box = box_of(np.any(planes, axis=0)) or (0, 0, 0, 0)
    head = {"format": _FORMAT, "image": fingerprint(image), "box": box, "asked": asked}
    arrays: dict[str, Any] = {"planes": window(planes, box)}
    if edges:
        head["edges"] = [(edge.region, edge.box, edge.at.size) for edge in edges]
        arrays["edges"] = np.hstack([_as_rows(edge) for edge in edges])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, head=np.array(json.dumps(head)), **arrays)
    return buffer.getvalue()


def is_of(image: np.ndarray, state: bytes) -> bool:
    """Whether it was packed on this very picture. Raises InputError if the bytes are damaged, as far as that is seen
    without all of them."""
    with _opened(state) as (head, _):
        return bool(head["image"] == fingerprint(image))


def unpack(image: np.ndarray, state: bytes) -> tuple[np.ndarray, Edges, dict[str, Any]]:
    """What was given to ``pack``. Raises InputError if the bytes are damaged or belong to another picture."""
    with _opened(state) as (head, arrays):
        if head["image"] != fingerprint(image):
            raise InputError("This saved canvas belongs to another picture; open the picture that it was made on.")
        stored = arrays["planes"]
        edges = arrays["edges"] if "edges" in head else np.empty((_ROWS, 0), np.uint8)
        planes = np.zeros((5, *image.shape[:2]), np.uint8)
        target = window(planes, tuple(head["box"]))
        if stored.shape != target.shape or stored.dtype != np.uint8:
            raise ValueError(f"planes of {stored.dtype} {stored.shape} in a box of {target.shape}")
        target[:] = stored
        return planes, _from_rows(head.get("edges", []), edges, planes), dict(head["asked"])


@contextmanager
def _opened(state: bytes) -> Iterator[tuple[dict[str, Any], Any]]:
    """The head and the arrays by name. Raises InputError for what is wrong with them, here or in the body."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            head = json.loads(str(arrays["head"]))
            if head["format"] != _FORMAT:
                raise InputError(f"This saved canvas has format {head['format']}; this version reads {_FORMAT}.")
            yield head, arrays
    except InputError:
        raise
    except Exception as error:  # there is no end to what numpy and zipfile raise for bytes that were changed
        raise damaged(error) from error


_ROWS = 13
"""Bytes of a pixel of an edge."""


def _as_rows(edge: Edge) -> np.ndarray:
    """(13, n) uint8: place in the box (4 bytes, the low one first), coverage, colour (3), planes under it (5)."""
    place = edge.at.astype("<i4").view(np.uint8).reshape(-1, 4).T
    return np.concatenate([place, edge.coverage[None], edge.colours, edge.under])


def _from_rows(told: list[tuple[str, Box, int]], rows: np.ndarray, planes: np.ndarray) -> Edges:
    """The edges of which ``_as_rows`` were joined; ``told`` is region, box and pixels of each."""
    sizes = [size for _, _, size in told]
    if rows.shape != (_ROWS, sum(sizes)) or rows.dtype != np.uint8:
        raise ValueError(f"edges of {rows.dtype} {rows.shape} for {sum(sizes)} pixels")
    edges = []
    for (region, box, _), part in zip(told, np.split(rows, np.cumsum(sizes)[:-1], axis=1), strict=False):
        at = np.ascontiguousarray(part[:4].T).view("<i4")[:, 0].astype(np.int32)
        if at.min() < 0 or at.max() >= window(planes, box)[0].size:
            raise ValueError(f"an edge of {region} beyond its box {box}")
        edges.append(Edge(region, (box[0], box[1], box[2], box[3]), at, part[4], part[5:8], part[8:]))
    return tuple(edges)


def damaged(error: Exception) -> InputError:
    """What is raised for bytes that are no canvas."""
    return InputError(f"This saved canvas is damaged ({error}); start from the picture again.")
