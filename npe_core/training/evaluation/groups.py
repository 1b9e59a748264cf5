"""Groups of labelled faces by what the labels themselves say: how light the skin is, glasses, and where the face looks.

For aligned crops: eyes level, at 47 % of the height, 25 % of the side apart.
"""

from __future__ import annotations

import numpy as np

from npe_core.colour import srgb_to_lab
from npe_core.regions import region_by_name

ATTIRE, NOSE, SKIN = (region_by_name(name).id for name in ("attire", "nose", "skin"))

LIGHT, DARK = 41.0, 10.0
"""Degrees of ITA above which skin is light and below which it is dark (Chardon et al. 1991, six classes as three)."""
EYE_BAND = (0.40, 0.54, 0.28, 0.72)
"""Top, bottom, left and right of the place of the eyes, as shares of the side."""
GLASSES_SHARE = 0.1
"""Share of that place which attire covers when there are glasses; a thin rim is labelled with what is behind it."""
EYE_DISTANCE = 0.25
"""Share of the side."""
TURNED = 0.08
"""Eye distances by which the nose lies off the middle in a face that looks aside."""


def groups_of(image: np.ndarray, ids: np.ndarray) -> dict[str, str]:
    """image (S, S, 3) uint8 and its labels (S, S) -> its group by ``skin``, ``glasses`` and ``pose``."""
    groups = {"glasses": "glasses" if glasses_share(ids) > GLASSES_SHARE else "none"}
    if bool((ids == SKIN).any()):
        angle = typology_angle(image[ids == SKIN])
        groups["skin"] = "light" if angle > LIGHT else "dark" if angle < DARK else "medium"
    if bool((ids == NOSE).any()):
        groups["pose"] = "turned" if nose_offset(ids) > TURNED else "frontal"
    return groups


def typology_angle(skin: np.ndarray) -> float:
    """Individual typology angle of pixels (N, 3) uint8: atan2(L* - 50, b*) of their median, in degrees.

    As the photo shows the skin: dim or coloured light counts too.
    """
    lightness, _, yellow = np.median(srgb_to_lab(skin), axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def glasses_share(ids: np.ndarray) -> float:
    """Share of the place of the eyes that is labelled attire."""
    side = len(ids)
    top, bottom, left, right = (round(share * side) for share in EYE_BAND)
    return float((ids[top:bottom, left:right] == ATTIRE).mean())


def nose_offset(ids: np.ndarray) -> float:
    """How far the middle of the nose lies beside that of the picture, in eye distances."""
    columns = np.nonzero(ids == NOSE)[1]
    return float(abs((columns.mean() + 0.5) / ids.shape[1] - 0.5) / EYE_DISTANCE)
