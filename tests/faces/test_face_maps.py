"""Maps of the crop back in the photo: ids by the nearest pixel, probabilities smoothly, nothing beyond the border."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_face_extract import crop_at

from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

PHOTO = (0, 0, 110, 90)
"""The box around all of it."""


def crop_places(crop: FaceCrop, width: int, height: int) -> np.ndarray:
    """(height, width, 2): where the centres of a photo's pixels lie in the crop."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return transform(inverse(crop.matrix), np.stack([x, y], axis=-1))


@st.composite
def crops(draw: st.DrawFn) -> FaceCrop:
    middle = draw(st.floats(-20, 130)), draw(st.floats(-20, 110))
    return crop_at(draw(st.floats(0.1, 6)), draw(st.floats(-180, 180)), middle, draw(st.integers(8, 48)))


@given(crops(), st.integers(0, 255))
@settings(deadline=None)
def test_ids_come_back_by_the_nearest_pixel(crop: FaceCrop, fill: int) -> None:
    region_map = np.random.default_rng(7).integers(0, 11, (crop.size, crop.size), np.uint8)
    photo_map = crop.to_box(region_map, PHOTO, fill)
    assert photo_map.shape == (90, 110) and photo_map.dtype == np.uint8
    places = crop_places(crop, 110, 90)
    j, i = np.moveaxis(np.clip(np.floor(places).astype(int), 0, crop.size - 1), -1, 0)
    inside = ((places >= 0) & (places <= crop.size)).all(axis=-1)
    expected = np.where(inside, region_map[i, j], fill)
    clear = (np.abs(places - np.rint(places)) > 0.02).all(axis=-1)  # not just between two pixels
    assert np.array_equal(photo_map[clear], expected[clear])


def test_probabilities_come_back_smoothly() -> None:
    crop = crop_at(2.3, 32, (60, 45), 24)
    places = crop_places(crop, 110, 90)
    i, j = np.indices((24, 24)) + 0.5
    ramps = np.stack([i / 24, j / 24] + [np.full((24, 24), k / 9) for k in range(9)], axis=-1).astype(np.float32)
    photo_map = crop.to_box(ramps, PHOTO, fill=-1)
    assert photo_map.shape == (90, 110, 11)
    deep = ((places > 0.5) & (places < 23.5)).all(axis=-1)
    assert np.abs(photo_map[deep][:, 0] - places[deep][:, 1] / 24).max() < 0.002
    assert np.abs(photo_map[deep][:, 1] - places[deep][:, 0] / 24).max() < 0.002
    assert np.allclose(photo_map[deep][:, 2:], np.arange(9) / 9, atol=1e-5)
    outside = ((places < 0) | (places > 24)).any(axis=-1)
    assert (photo_map[outside] == -1).all()


def test_a_part_of_the_photo_is_that_of_the_whole() -> None:
    crop = crop_at(2.3, 32, (60, 45), 24)
    ids = np.random.default_rng(7).integers(0, 11, (24, 24), np.uint8)
    part, whole = crop.to_box(ids, (20, 10, 90, 80)), crop.to_box(ids, PHOTO)
    assert (part == whole[10:80, 20:90]).mean() > 0.99  # a place just between two pixels may fall to either
    assert crop.to_box(ids, (20, 10, 20, 80)).size == 0
