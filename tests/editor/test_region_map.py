"""Several looks at one face as one map."""

import numpy as np
import pytest

from npe_core.editor.framing import CLOSE, CLOSE_DOWN, close_look
from npe_core.editor.region_map import Look, agreed
from npe_core.faces import FaceCrop
from npe_core.regions import REGIONS

SIDE = 64


def sure(crop, region):
    """A look that sees one region everywhere."""
    probabilities = np.zeros((len(REGIONS), crop.size, crop.size), np.float32)
    probabilities[region] = 1
    return Look(crop, probabilities)


@pytest.mark.parametrize("turn", [0, 20])
def test_a_closer_look_has_half_a_say_where_it_sees_and_none_elsewhere(turn):
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    crop = FaceCrop(np.array([[3 * cos, -3 * sin, 40], [3 * sin, 3 * cos, 90]]), SIDE)
    both = agreed(sure(crop, 4), sure(close_look(crop), 5))
    assert both.crop == crop and np.allclose(both.probabilities.sum(axis=0), 1, atol=1e-5)
    place = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    across, down = np.abs(place)[None], np.abs(place - CLOSE_DOWN)[:, None]
    outside = np.maximum(across, down) > CLOSE / 2 + 2 / SIDE
    deep = np.maximum(across, down) < 0.8 * CLOSE / 2
    assert np.array_equal(both.probabilities[4][outside], np.ones(outside.sum(), np.float32))
    assert np.allclose(both.probabilities[4][deep], 0.5, atol=1e-5)
    assert np.allclose(both.probabilities[5][deep], 0.5, atol=1e-5)
