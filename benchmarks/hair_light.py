"""How chroma, hue and contrast go with lightness within the hair of labelled portraits: what region fills imitate.

    python benchmarks/hair_light.py --data celebamask256/train.zip

Prints, for portraits by the mean lightness of their hair, medians over the portraits: chroma at other lightness as a
share of the chroma at that mean, in brackets what ``npe_core/canvas/light.py`` makes of it; the turn of the hue in
degrees; and how far the 2nd and the 98th percentile of lightness lie from the mean.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from npe_core.canvas.light import CHROMA
from npe_core.colour import srgb_to_lab
from npe_core.regions import region_by_name
from npe_core.report import markdown
from npe_core.training.reading import read_pairs

SIZE = 256
CLASSES = (0, 15, 30, 45, 60, 75)
"""L* from which on the hair of a portrait belongs to the next row."""
OFFSETS = (-40, -30, -20, -10, 10, 20, 30)
HALF = 5
MARGIN = 3
"""Pixels at the border of the hair that are left out, and show what lies beside it too."""
LEAST_PIXELS, LEAST_CHROMA = 2500, 6.0


@dataclass(frozen=True)
class Portrait:
    """The hair of one."""

    mean: float
    ends: np.ndarray
    """(2,) the 2nd and the 98th percentile of L*, less the mean"""
    chroma: np.ndarray
    """(offsets,) NaN where hardly any hair is so light"""
    imitated: np.ndarray
    turn: np.ndarray
    """degrees"""


def of_portrait(lab: np.ndarray) -> Portrait | None:
    """From the hair's pixels (N, 3) L*a*b*; None where the hair has no colour to speak of."""
    mean = float(lab[:, 0].mean())
    own = colour_at(lab, mean)
    if abs(own) < LEAST_CHROMA or np.isnan(own):
        return None
    ratios = np.array([colour_at(lab, mean + offset) for offset in OFFSETS]) / own
    imitated = np.interp(mean + np.array(OFFSETS), *CHROMA) / np.interp(mean, *CHROMA)
    ends = np.percentile(lab[:, 0], (2, 98)) - mean
    return Portrait(mean, ends, np.abs(ratios), imitated, np.degrees(np.angle(ratios)))


def colour_at(lab: np.ndarray, light: float) -> complex:
    """The mean a* + i b* of the pixels about so light, NaN where there are few."""
    there = lab[np.abs(lab[:, 0] - light) < HALF]
    return complex(*there[:, 1:].mean(axis=0)) if len(there) >= 50 else complex(np.nan)


def table(portraits: list[Portrait]) -> str:
    rows = []
    for start, end in zip(CLASSES, (*CLASSES[1:], 101), strict=True):
        group = [portrait for portrait in portraits if start <= portrait.mean < end]
        cells = []
        for column in range(len(OFFSETS)):
            those = [portrait for portrait in group if not np.isnan(portrait.chroma[column])]
            values = [(one.chroma[column], one.imitated[column], one.turn[column]) for one in those]
            cells.append("{:.2f} ({:.2f}), {:+.0f}°".format(*np.median(values, axis=0)) if len(values) > 2 else "")
        low, high = np.median([portrait.ends for portrait in group], axis=0)
        rows.append([f"from {start}", str(len(group)), *cells, f"{low:+.0f}, {high:+.0f}"])
    return markdown(["mean L*", "portraits", *(f"{offset:+d}" for offset in OFFSETS), "2 %, 98 %"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="pairs of aligned portraits and region ids")
    images, ids, _ = read_pairs(parser.parse_args().data, SIZE)
    portraits = []
    for image, mask in zip(images, ids, strict=True):
        hair = (mask.numpy() == region_by_name("hair").id).astype(np.uint8)
        inner = cv2.erode(hair, None, iterations=MARGIN, borderValue=0) > 0
        if inner.sum() >= LEAST_PIXELS:
            portraits.append(of_portrait(srgb_to_lab(image.permute(1, 2, 0).numpy()[inner])))
    print(table([portrait for portrait in portraits if portrait is not None]))


if __name__ == "__main__":
    main()
