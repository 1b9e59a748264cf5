"""Large arrays of which only parts are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np

Box: TypeAlias = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in whole pixels, x1 and y1 not included."""


class Source(Protocol):
    """What can be looked at through a window: an array (H, W[, C]), or something that makes such parts of one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __getitem__(self, where: tuple[slice, slice], /) -> np.ndarray: ...


class Parts:
    """An array that is made where it is looked at: ``parts[y0:y1, x0:x1]`` gives that part of it, to read only.

    Of a large photo most is never looked at; the whole array would take time and memory for nothing.
    """

    def __init__(self, shape: tuple[int, ...], dtype: type, part: Callable[[Box], np.ndarray]) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._part = part

    def __getitem__(self, where: tuple[slice, slice]) -> np.ndarray:
        (y0, y1, down), (x0, x1, across) = (part.indices(side) for part, side in zip(where, self.shape, strict=False))
        return self._part((x0, y0, max(x0, x1), max(y0, y1)))[::down, ::across]
