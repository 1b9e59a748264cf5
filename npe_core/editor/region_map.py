"""What the segmenter says about a photo, at the photo's own size, without holding 11 maps of it in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.editor.framing import FaceChoice, distance_to, fade_at_borders
from npe_core.faces import FaceCrop
from npe_core.faces.resample import Box
from npe_core.regions import LEGEND, REGIONS


@dataclass(frozen=True, eq=False)
class Look:
    """One square of the photo as the segmenter saw it."""

    crop: FaceCrop
    """As large as the probabilities."""
    probabilities: np.ndarray
    """(11, S, S) float32"""


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Region ids of the chosen faces; what lies beyond their looks, or is another face's, is background."""

    ids: np.ndarray
    """(H, W) uint8 region ids of the photo."""
    choice: FaceChoice
    looks: tuple[tuple[Look, ...], ...]
    """For each chosen face its looks, the widest first."""

    @classmethod
    def of(cls, choice: FaceChoice, looks: list[tuple[Look, ...]], photo_size: tuple[int, int]) -> RegionMap:
        """Bring the looks to a photo of ``photo_size`` (width, height)."""
        ids = np.zeros((photo_size[1], photo_size[0]), np.uint8)
        regions = cls(ids, choice, tuple(looks))
        for face in regions.looks:
            x0, y0, x1, y1 = box = face[0].crop.box(photo_size)
            best = np.full((y1 - y0, x1 - x0), 1e-6, np.float32)
            found = np.zeros((y1 - y0, x1 - x0), np.uint8)
            for region in REGIONS:
                likely = regions.probability(region.id, box, (face,))
                found[likely > best] = region.id
                np.maximum(best, likely, out=best)
            part = ids[y0:y1, x0:x1]
            np.copyto(part, found, where=found > 0)
        return regions

    def probability(self, region: int, box: Box, faces: tuple[tuple[Look, ...], ...] | None = None) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how likely each pixel of a box (x0, y0, x1, y1) of the photo is that region."""
        photo_size = self.ids.shape[1], self.ids.shape[0]
        total = np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        for face in self.looks if faces is None else faces:
            likely = np.zeros_like(total)
            for number, look in enumerate(face):
                seen = look.crop.to_box(look.probabilities[region], box)
                if number == 0:
                    likely = seen
                else:  # the closer look counts, and fades into the wider one at its border
                    share = look.crop.to_box(fade_at_borders(look.crop, photo_size), box)
                    likely += share * (seen - likely)
            np.maximum(total, likely, out=total)
        if self.choice.others:
            total[self._belongs_to_others(box)] = 0
        return total

    def _belongs_to_others(self, box: Box) -> np.ndarray:
        """(h, w) bool: nearer to the middle of another face, in units of the faces' own sizes."""
        columns, rows = np.arange(box[0], box[2]) + 0.5, np.arange(box[1], box[3]) + 0.5
        own, others = (
            np.min([distance_to(crop, columns[None], rows[:, None]) for crop in crops], axis=0)
            for crops in (self.choice.crops, self.choice.others)
        )
        return others < own

    def overlay(self, image: np.ndarray, opacity: float = 0.55) -> np.ndarray:
        """(H, W, 3) uint8: the legend's colours over the photo, for looking at."""
        tint = LEGEND[self.ids].astype(np.float32)
        mixed = image + (tint - image) * np.where(self.ids > 0, opacity, 0.0)[..., None]
        return np.rint(mixed).astype(np.uint8)
