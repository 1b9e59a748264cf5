"""Features of faces as they are painted and compared: what an editor that does nothing, or all, would get."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from npe_core.editor import Editor
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.regions import region_by_name
from npe_core.training.checkpoint import export_weights
from npe_core.training.evaluation.faces import LabelledFace
from npe_core.training.evaluation.features import (
    FEATURES,
    TIMESTEPS,
    feature_table,
    mask_of,
    measure_features,
    painted_anew,
    window_around,
)
from npe_core.training.evaluation.subject import weights_with

SIDE = 128


def face_with(*boxes):
    """A face of noise; boxes are (region, x0, y0, x1, y1)."""
    ids = np.zeros((SIDE, SIDE), np.uint8)
    for region, x0, y0, x1, y1 in boxes:
        ids[y0:y1, x0:x1] = region_by_name(region).id
    return LabelledFace(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8), ids)


EYES = ("eyes", 30, 50, 50, 60), ("eyes", 80, 50, 100, 60)
FACE = face_with(*EYES, ("lips", 50, 90, 80, 100), ("mouth", 55, 94, 75, 96))


def editor_that(makes):
    """An editor whose result is what ``makes`` of photo and canvas."""
    return SimpleNamespace(
        engine=SimpleNamespace(image_size=128),
        choose=lambda photo, aligned: None,
        edit=lambda photo, canvas, **how: SimpleNamespace(image=makes(photo, canvas)),
    )


def test_an_editor_that_gives_back_the_paint_gets_the_numbers_of_the_paint():
    sheets = {}
    numbers = measure_features(editor_that(lambda photo, canvas: canvas.guide.copy()), [FACE, FACE], sheets)
    assert set(numbers) == {"eyes", "mouth"}, "this face has no nose"
    for own in numbers.values():
        assert own["faces"] == 2 and own["paint"]["rmse"] > 0.1
        assert all(own[str(t)] == own["paint"] for t in TIMESTEPS)
    assert sheets["features"].shape == (2 * 128, 8 * 128, 3)  # two features a row, two rows


def test_an_editor_that_knew_the_face_is_perfect():
    numbers = measure_features(editor_that(lambda photo, canvas: photo.image), [FACE], {})
    assert all(own[str(t)] == {"rmse": 0.0} for own in numbers.values() for t in TIMESTEPS)
    assert "RMSE" in feature_table(numbers) and feature_table(numbers).count("\n") == 1 + len(numbers)


def test_a_denoiser_of_another_side_is_measured_without_super_resolution(tmp_path):
    config = DenoiserConfig(image_size=64, base=8, mults=(1,), attention=())
    run = tmp_path / "64.safetensors"
    export_weights(run, Denoiser(config).state_dict(), dataclasses.asdict(config), 1)
    with weights_with("denoiser", run, "long") as folder:
        numbers = measure_features(Editor("cpu", folder), [face_with(EYES[0])], {})
    assert numbers["eyes"]["faces"] == 1 and all(numbers["eyes"][str(t)]["rmse"] > 0 for t in TIMESTEPS)


def test_the_mask_holds_the_regions_and_what_is_near_them():
    y, x = np.nonzero(mask_of(FACE, FEATURES["mouth"]))
    assert (x.min(), x.max(), y.min(), y.max()) == (47, 82, 87, 102)  # 0.03 of 128 is 3 whole pixels
    assert mask_of(face_with(("nose", 60, 60, 62, 62)), ("nose",)) is None


def test_paint_is_a_few_flat_colours_inside_the_mask():
    marked = mask_of(FACE, FEATURES["eyes"])
    paint = painted_anew(FACE.image, marked, torch.Generator().manual_seed(0))
    assert paint.shape == FACE.image.shape
    assert 2 <= len(np.unique(paint[marked > 0], axis=0)) <= 6


@pytest.mark.parametrize("box", [(0, 0, 10, 10), (100, 50, 128, 60), (0, 0, 128, 128)])
def test_the_window_is_a_square_inside_the_picture(box):
    marked = np.zeros((SIDE, SIDE), np.uint8)
    marked[box[1] : box[3], box[0] : box[2]] = 255
    x0, y0, x1, y1 = window_around(marked)
    assert x1 - x0 == y1 - y0 == 48 and min(x0, y0) >= 0 and max(x1, y1) <= SIDE
    assert abs((x0 + x1) - (box[0] + box[2])) <= 2 or x0 == 0 or x1 == SIDE
