"""The measures, as pure functions of arrays."""

from __future__ import annotations

import numpy as np

from npe_core.colour import srgb_to_lab
from npe_core.regions import REGIONS
from npe_core.training.reading import UNKNOWN


def confusion(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(11, 11) int64: pixels by true region (rows) and predicted region (columns).

    Both are uint8 ids of the same shape; pixels whose truth is UNKNOWN do not count.
    """
    known = truth != UNKNOWN
    pairs = truth[known].astype(np.int64) * len(REGIONS) + predicted[known]
    return np.bincount(pairs, minlength=len(REGIONS) ** 2).reshape(len(REGIONS), len(REGIONS))


def iou(matrix: np.ndarray) -> np.ndarray:
    """(C,) intersection over union of each region of a confusion matrix; nan for regions absent from the truth."""
    right, true, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return np.where(true > 0, right / np.maximum(true + said - right, 1), np.nan)


def f1(matrix: np.ndarray) -> np.ndarray:
    """(C,) F1 (Dice) of each region of a confusion matrix; nan for regions absent from the truth."""
    right, true, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return np.where(true > 0, 2 * right / np.maximum(true + said, 1), np.nan)


def foreground_mean(values: np.ndarray) -> float:
    """Mean over the regions but background, those that are nan left out; nan if all are."""
    there = values[1:][~np.isnan(values[1:])]
    return float(there.mean()) if len(there) else float("nan")


def luma(image: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 RGB -> (...) float64 Y of ITU-R BT.601 in 16..235, as super-resolution papers measure it."""
    return 16 + image.astype(np.float64) @ (np.array([65.481, 128.553, 24.966]) / 255)


def psnr_y(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of the luma of two (H, W, 3) uint8 pictures, peak 255; inf for equal ones."""
    error = float(np.square(luma(a) - luma(b)).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def cie76(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(..., 3) uint8 sRGB -> (...) distances in L*a*b* to a colour; about 2.3 is just noticeable."""
    request = srgb_to_lab(np.array(colour, np.uint8))
    return np.asarray(np.linalg.norm(srgb_to_lab(image) - request, axis=-1))
