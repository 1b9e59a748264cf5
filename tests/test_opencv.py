"""What OpenCV is when it is asked for by ``opencv()``."""

import cv2
import numpy as np
import pytest

from npe_core.opencv import opencv

PIXEL = np.zeros((1, 1), np.uint8)


def test_too_little_memory_is_a_memory_error_as_everywhere():
    with pytest.raises(cv2.error) as own:
        cv2.resize(PIXEL, (2**30, 2**22))
    assert own.value.code == cv2.Error.StsNoMem
    with pytest.raises(MemoryError, match="Failed to allocate"):
        opencv().resize(PIXEL, (2**30, 2**22))


def test_other_errors_stay_those_of_opencv():
    with pytest.raises(cv2.error, match="Assertion"):
        opencv().resize(PIXEL, (0, 0))


def test_the_rest_is_the_module_itself():
    assert opencv().INTER_AREA == cv2.INTER_AREA
    assert opencv().error is cv2.error
    assert np.array_equal(opencv().resize(PIXEL + 7, (3, 2), interpolation=cv2.INTER_AREA), np.full((2, 3), 7))
