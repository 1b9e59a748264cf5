"""One detection per face where several searches found the same one."""

from __future__ import annotations

from typing import Protocol, TypeVar

_IOU = 0.35
_WITHIN = 0.7


class Scored(Protocol):
    """What can be a double: a box (x0, y0, x1, y1) with a score."""

    @property
    def box(self) -> tuple[float, float, float, float]: ...

    @property
    def score(self) -> float: ...


T = TypeVar("T", bound=Scored)


def without_doubles(candidates: list[T]) -> list[T]:
    """Non-maximum suppression: best scores first, each kept unless a kept box overlaps it or (nearly) holds it.

    The second rule takes care of the partial faces that a fine search finds inside of a large face.
    """
    kept: list[T] = []
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.box)):
        if not any(_same(candidate.box, other.box) for other in kept):
            kept.append(candidate)
    return kept


def _same(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    common = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return common > _IOU * (sum(areas) - common) or common > _WITHIN * min(areas)
