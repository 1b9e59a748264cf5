"""The table of regions is a contract."""

import numpy as np
import pytest

from npe_core.errors import UsageError
from npe_core.regions import LEGEND, REGION_NAMES, REGIONS, region_by_name


def test_ids_and_names():
    assert REGION_NAMES == (
        "background",
        "skin",
        "brows",
        "eyes",
        "nose",
        "lips",
        "mouth",
        "hair",
        "ears",
        "neck",
        "attire",
    )
    assert [region.id for region in REGIONS] == list(range(11))


def test_the_legend_tells_the_regions_apart():
    assert LEGEND.shape == (11, 3)
    assert LEGEND.dtype == np.uint8
    assert len({tuple(colour) for colour in LEGEND.tolist()}) == 11


@pytest.mark.parametrize("name", REGION_NAMES)
def test_by_name(name):
    assert region_by_name(f" {name.upper()} ").name == name


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'hair'"):
        region_by_name("hairs")
    with pytest.raises(UsageError, match="background, skin, brows"):
        region_by_name("xyzzy")
