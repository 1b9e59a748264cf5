"""What the segmenter says about a photo, at the photo's own size, without holding 11 maps of it in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.faces import FaceCrop
from npe_core.regions import LEGEND, REGIONS

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Region ids of the faces that were looked at; everything outside their crops is background."""

    ids: np.ndarray
    """(H, W) uint8 region ids of the photo."""
    crops: tuple[FaceCrop, ...]
    """Where the faces are; each as large as its probabilities."""
    probabilities: tuple[np.ndarray, ...]
    """(11, S, S) float32 a crop."""

    @classmethod
    def of(cls, crops: list[FaceCrop], probabilities: list[np.ndarray], photo_size: tuple[int, int]) -> RegionMap:
        """Bring the probabilities of the crops to a photo of ``photo_size`` (width, height)."""
        ids = np.zeros((photo_size[1], photo_size[0]), np.uint8)
        sized = tuple(crop.resized(maps.shape[-1]) for crop, maps in zip(crops, probabilities, strict=True))
        for crop, maps in zip(sized, probabilities, strict=True):
            x0, y0, x1, y1 = box = crop.box(photo_size)
            best = np.zeros((y1 - y0, x1 - x0), np.float32)
            found = np.zeros((y1 - y0, x1 - x0), np.uint8)
            for region in REGIONS:
                likely = crop.to_box(maps[region.id], box)
                found[likely > best] = region.id
                np.maximum(best, likely, out=best)
            part = ids[y0:y1, x0:x1]
            part[found > 0] = found[found > 0]
        return cls(ids, sized, tuple(probabilities))

    def probability(self, region: int, box: Box) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how likely each pixel of a box (x0, y0, x1, y1) of the photo is that region."""
        likely = np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        for crop, maps in zip(self.crops, self.probabilities, strict=True):
            np.maximum(likely, crop.to_box(maps[region], box), out=likely)
        return likely

    def overlay(self, image: np.ndarray, opacity: float = 0.55) -> np.ndarray:
        """(H, W, 3) uint8: the legend's colours over the photo, for looking at."""
        tint = LEGEND[self.ids].astype(np.float32)
        mixed = image + (tint - image) * np.where(self.ids > 0, opacity, 0.0)[..., None]
        return np.rint(mixed).astype(np.uint8)
