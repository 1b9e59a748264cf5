"""The way back: exact outside the mask, faithful inside, nothing beyond the crop's border."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_face_extract import crop_at, smooth_photo

from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

RNG = np.random.default_rng(4)
NOISE = RNG.integers(0, 256, (90, 110, 3), np.uint8)


def crop_places(crop: FaceCrop, width: int, height: int) -> np.ndarray:
    """(height, width, 2): where the centres of a photo's pixels lie in the crop."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return transform(inverse(crop.matrix), np.stack([x, y], axis=-1))


def soft_disc(size: int, radius: float = 0.3, edge: float = 0.1) -> np.ndarray:
    y, x = (np.indices((size, size)) + 0.5) / size - 0.5
    return np.clip((radius - np.hypot(x, y)) / edge + 0.5, 0, 1).astype(np.float32)


@st.composite
def crops(draw: st.DrawFn) -> FaceCrop:
    middle = draw(st.floats(-20, 130)), draw(st.floats(-20, 110))
    return crop_at(draw(st.floats(0.1, 6)), draw(st.floats(-180, 180)), middle, draw(st.integers(8, 48)))


@given(crops(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_pixels_outside_the_mask_are_equal(crop: FaceCrop, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edited = rng.integers(0, 256, (crop.size, crop.size, 3), np.uint8)
    crop_mask = rng.random((crop.size, crop.size), np.float32) * (rng.random((crop.size, 1)) > 0.6)
    before = NOISE.copy()
    image, mask = crop.paste(NOISE, edited, crop_mask.astype(np.float32))
    assert np.array_equal(NOISE, before)
    assert image.dtype == np.uint8 and mask.dtype == np.float32 and mask.min() >= 0 and mask.max() <= 1
    assert np.array_equal(image[mask == 0], NOISE[mask == 0])
    places = crop_places(crop, 110, 90)
    outside = ((places < -1e-6) | (places > crop.size + 1e-6)).any(axis=-1)
    assert (mask[outside] == 0).all()


@given(crops())
@settings(deadline=None)
def test_a_full_mask_covers_the_crop_and_ends_at_its_border(crop: FaceCrop) -> None:
    black = np.zeros((crop.size, crop.size, 3), np.uint8)
    image, mask = crop.paste(np.full_like(NOISE, 255), black, np.ones((crop.size, crop.size), np.float32))
    places = crop_places(crop, 110, 90)
    distance = np.minimum(places, crop.size - places).min(axis=-1)
    clear = np.abs(distance) > 1e-6
    assert np.array_equal(mask[clear] == 1, (distance > 0)[clear])
    assert np.array_equal(image[clear] == 0, np.stack([distance > 0] * 3, axis=-1)[clear])


def test_an_empty_mask_changes_nothing() -> None:
    crop = crop_at(1.3, 20, (50, 40), 32)
    image, mask = crop.paste(NOISE, np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.float32))
    assert np.array_equal(image, NOISE) and not mask.any()


def test_a_crop_beside_the_photo_changes_nothing() -> None:
    crop = crop_at(1.3, 20, (500, 40), 32)
    image, mask = crop.paste(NOISE, np.zeros((32, 32, 3), np.uint8), np.ones((32, 32), np.float32))
    assert np.array_equal(image, NOISE) and not mask.any()


def test_an_aligned_photo_is_edited_pixel_for_pixel() -> None:
    photo = RNG.integers(0, 256, (512, 512, 3), np.uint8)
    edited = RNG.integers(0, 256, (512, 512, 3), np.uint8)
    crop_mask = RNG.random((512, 512), np.float32) * (RNG.random((512, 512)) > 0.5)
    image, mask = FaceCrop.centred(512, 512).paste(photo, edited, crop_mask.astype(np.float32))
    assert np.array_equal(mask, crop_mask.astype(np.float32))
    expected = np.rint(photo + mask[..., None] * (edited.astype(np.float32) - photo))
    assert np.array_equal(image, expected.astype(np.uint8))
    assert np.array_equal(FaceCrop.centred(512, 512).paste(photo, photo, crop_mask.astype(np.float32))[0], photo)


@pytest.mark.parametrize("degrees", [0, 32, -100])
@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5, 4.2])
def test_pasting_what_was_cut_out_is_nearly_nothing(scale: float, degrees: float) -> None:
    photo = smooth_photo(500, 500, 60 * max(1, scale))
    crop = crop_at(scale, degrees, (251.7, 248.1), round(330 / scale))
    image, mask = crop.paste(photo, crop.extract(photo), soft_disc(crop.size))
    assert (mask == 1).sum() > 20000
    difference = np.abs(image.astype(int) - photo)
    assert difference.max() <= 3 and difference[mask > 0].mean() < 0.7


@pytest.mark.parametrize(("scale", "degrees"), [(0.4, 0), (1.7, 32), (5.0, -70)])
def test_what_is_painted_in_the_crop_lands_in_its_place(scale: float, degrees: float) -> None:
    crop = crop_at(scale, degrees, (250.0, 240.0), 96)
    photo = np.zeros((500, 500, 3), np.uint8)
    image, mask = crop.paste(photo, np.full((96, 96, 3), 200, np.uint8), soft_disc(96))
    places = crop_places(crop, 500, 500) / 96 - 0.5
    expected = np.clip((0.3 - np.hypot(*np.moveaxis(places, -1, 0))) / 0.1 + 0.5, 0, 1)
    expected[(np.abs(places) > 0.5).any(axis=-1)] = 0
    assert np.abs(mask - expected).max() < 0.12 and np.abs(mask - expected).mean() < 0.004
    assert np.abs(image[..., 1] - 200 * mask).max() <= 0.51


def test_a_mask_of_the_photo_is_never_exceeded() -> None:
    within = (RNG.random((90, 110)) > 0.5).astype(np.float32) * 0.7
    crop = crop_at(1.9, 40, (60, 45), 40)
    black, full = np.zeros((40, 40, 3), np.uint8), np.ones((40, 40), np.float32)
    image, mask = crop.paste(NOISE, black, full, within=within)
    assert (mask <= within).all() and mask.max() == np.float32(0.7)
    assert np.array_equal(image[within == 0], NOISE[within == 0])


def test_faces_are_pasted_one_after_the_other() -> None:
    image, mask = NOISE.copy(), np.zeros((90, 110), np.float32)
    left, right = crop_at(0.8, 10, (30, 40), 40), crop_at(0.9, -30, (80, 50), 40)
    for crop, value in ((left, 0), (right, 255)):
        crop.paste_into(image, mask, np.full((40, 40, 3), value, np.uint8), soft_disc(40))
    alone_left = left.paste(NOISE, np.zeros((40, 40, 3), np.uint8), soft_disc(40))
    alone_right = right.paste(NOISE, np.full((40, 40, 3), 255, np.uint8), soft_disc(40))
    assert np.array_equal(mask, np.maximum(alone_left[1], alone_right[1]))
    assert not ((alone_left[1] > 0) & (alone_right[1] > 0)).any()
    expected = np.where(alone_left[1][..., None] > 0, alone_left[0], alone_right[0])
    assert np.array_equal(image, expected)


def test_a_small_mask_in_a_large_photo_costs_little() -> None:
    photo, mask = np.zeros((4000, 6000, 3), np.uint8), np.zeros((4000, 6000), np.float32)
    crop = crop_at(5, 10, (3000, 2000), 512)
    edited, crop_mask = np.full((512, 512, 3), 9, np.uint8), soft_disc(512, 0.05)
    crop.paste_into(photo, mask, edited, crop_mask)
    tracemalloc.start()
    try:
        crop.paste_into(photo, mask, edited, crop_mask)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()
    assert 5e4 < (mask > 0).sum() < 3e5


@pytest.mark.parametrize(
    "wrong",
    [
        {"photo_image": NOISE[..., 0]},
        {"crop_image": np.zeros((31, 32, 3), np.uint8)},
        {"crop_mask": np.zeros((32, 32), np.float64)},
        {"within": np.zeros((32, 32), np.float32)},
    ],
)
def test_shapes_are_checked(wrong: dict[str, np.ndarray]) -> None:
    good = {
        "photo_image": NOISE,
        "crop_image": np.zeros((32, 32, 3), np.uint8),
        "crop_mask": np.zeros((32, 32), np.float32),
    }
    with pytest.raises(ValueError, match="must be"):
        crop_at(1, 0, (50, 50), 32).paste(**(good | wrong))


@given(crops(), st.integers(0, 255))
@settings(deadline=None)
def test_ids_come_back_by_the_nearest_pixel(crop: FaceCrop, fill: int) -> None:
    region_map = np.random.default_rng(7).integers(0, 11, (crop.size, crop.size), np.uint8)
    photo_map = crop.to_photo(region_map, (110, 90), fill)
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
    photo_map = crop.to_photo(ramps, (110, 90), fill=-1)
    assert photo_map.shape == (90, 110, 11)
    deep = ((places > 0.5) & (places < 23.5)).all(axis=-1)
    assert np.abs(photo_map[deep][:, 0] - places[deep][:, 1] / 24).max() < 0.002
    assert np.abs(photo_map[deep][:, 1] - places[deep][:, 0] / 24).max() < 0.002
    assert np.allclose(photo_map[deep][:, 2:], np.arange(9) / 9, atol=1e-5)
    outside = ((places < 0) | (places > 24)).any(axis=-1)
    assert (photo_map[outside] == -1).all()


def test_to_box_is_a_part_of_to_photo() -> None:
    crop = crop_at(2.3, 32, (60, 45), 24)
    ids = np.random.default_rng(7).integers(0, 11, (24, 24), np.uint8)
    part, whole = crop.to_box(ids, (20, 10, 90, 80)), crop.to_photo(ids, (110, 90))
    assert (part == whole[10:80, 20:90]).mean() > 0.99  # a place just between two pixels may fall to either
    assert crop.to_box(ids, (20, 10, 20, 80)).size == 0
