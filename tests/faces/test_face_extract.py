"""The way from the photo into the crop, against closed forms and an independent reference in numpy."""

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from npe_core.errors import UsageError
from npe_core.faces import FaceCrop
from npe_core.faces.resample import transform

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def crop_at(scale: float, degrees: float, middle: tuple[float, float], size: int) -> FaceCrop:
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    linear = np.array([[a, -b], [b, a]])
    return FaceCrop(np.column_stack([linear, middle - linear @ [size / 2, size / 2]]), size)


def places_of(crop: FaceCrop) -> np.ndarray:
    """(size, size, 2) photo coordinates of the centres of a crop's pixels."""
    x, y = np.meshgrid(np.arange(crop.size) + 0.5, np.arange(crop.size) + 0.5)
    return transform(crop.matrix, np.stack([x, y], axis=-1))


def smooth(x: np.ndarray, y: np.ndarray, period: float) -> np.ndarray:
    """(..., 3) float in 30..225: three waves of at least ``period`` pixels."""
    waves = [np.sin(x / period * 6 + y / period * 2), np.cos(y / period * 5), np.sin((x - y) / period * 4)]
    return 127.5 + 97 * np.stack(waves, axis=-1)


def smooth_photo(width: int, height: int, period: float) -> np.ndarray:
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.rint(smooth(x, y, period)).astype(np.uint8)


@pytest.mark.parametrize("degrees", [0, 32, -147])
@pytest.mark.parametrize(
    ("scale", "size"), [(0.21, 512), (1, 200), (1.3, 200), (1.99, 128), (2.6, 96), (4.4, 64), (9.7, 32)]
)
def test_values_are_those_of_the_place(scale: float, size: int, degrees: float) -> None:
    period = 40 * max(scale, 1)
    photo = smooth_photo(600, 560, period)
    crop = crop_at(scale, degrees, (301.3, 277.8), size)
    x, y = np.moveaxis(places_of(crop), -1, 0)
    assert (min(x.min(), y.min()) > 5) and x.max() < 595 and y.max() < 555
    error = np.abs(crop.extract(photo) - smooth(x, y, period))
    # Averaging over a pixel lowers a wave of 40/6 * 2 pi = 42 pixels by under 0.2 %; the rest is rounding, twice.
    assert error.max() < 2.6 and error.mean() < 0.6


def bilinear(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Reference: bilinear interpolation, the picture going on as its mirror image."""
    margin = 64
    padded = np.pad(image.astype(np.float64), margin, mode="symmetric")
    x, y = np.moveaxis(places - 0.5 + margin, -1, 0)
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    u, v = x - j, y - i
    top = padded[i, j] * (1 - u) + padded[i, j + 1] * u
    return top * (1 - v) + (padded[i + 1, j] * (1 - u) + padded[i + 1, j + 1] * u) * v


@pytest.mark.parametrize("degrees", [0, 32, 90])
@pytest.mark.parametrize("scale", [0.11, 0.5, 1])
def test_maps_are_interpolated_linearly(scale: float, degrees: float) -> None:
    region = np.random.default_rng(3).random((50, 60), np.float32)
    crop = crop_at(scale, degrees, (31.2, 22.9), 90 if scale < 1 else 40)
    error = np.abs(crop.extract(region) - bilinear(region, places_of(crop)))
    assert error.max() < 0.035  # coordinates are rounded to 1/32 pixel
    assert error.mean() < 0.008


@pytest.mark.parametrize("scale", [0.3, 1.7, 2.5, 6.0])
def test_maps_stay_in_their_range(scale: float) -> None:
    mask = (np.random.default_rng(1).random((300, 300)) > 0.5).astype(np.float32)
    values = crop_at(scale, 20, (150, 150), 40).extract(mask)
    assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1


def test_eleven_channels_are_each_as_one() -> None:
    maps = np.random.default_rng(2).random((80, 90, 11), np.float32)
    crop = crop_at(1.4, 25, (45, 40), 32)
    together = crop.extract(maps)
    assert together.shape == (32, 32, 11)
    for channel in (0, 3, 4, 10):
        alone = crop.extract(np.ascontiguousarray(maps[..., channel]))
        assert np.allclose(together[..., channel], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("degrees", [0, 17, 45])
@pytest.mark.parametrize("scale", [2.2, 3.3, 5.9])
def test_a_checkerboard_becomes_grey(scale: float, degrees: float) -> None:
    board = ((np.indices((700, 700)).sum(axis=0) % 2) * 255).astype(np.uint8)
    crop = crop_at(scale, degrees, (350, 350), 80)
    assert np.abs(crop.extract(np.stack([board] * 3, axis=-1)) - 127.5).max() < 0.07 * 127.5


@pytest.mark.parametrize("degrees", [0, 30])
@pytest.mark.parametrize("scale", [3.0, 7.5, 15.0])
def test_a_zone_plate_does_not_alias(scale: float, degrees: float) -> None:
    n = 1600
    x, y = np.meshgrid(np.arange(n) + 0.5 - n / 2, np.arange(n) + 0.5 - n / 2)
    radius = np.hypot(x, y)
    plate = np.rint(127.5 + 127.5 * np.cos(np.pi * radius**2 / n)).astype(np.uint8)  # radius / n cycles per pixel
    size = int(1000 / scale)
    crop = crop_at(scale, degrees, (n / 2, n / 2), size)
    place = places_of(crop) - n / 2
    frequency = np.hypot(*np.moveaxis(place, -1, 0)) / n * scale  # cycles per pixel of the crop
    contrast = np.abs(crop.extract(plate) - 127.5)
    too_fine = (frequency > 0.85) & (np.hypot(*np.moveaxis(place, -1, 0)) < 0.4 * n)
    assert too_fine.sum() > 200
    assert np.sqrt((contrast[too_fine] ** 2).mean()) < 0.06 * 127.5
    assert np.sqrt((contrast[frequency < 0.25] ** 2).mean()) > 0.5 * 127.5


@pytest.mark.parametrize("degrees", [0, 11])
@pytest.mark.parametrize(("scale", "size"), [(1.05, 320), (1.6, 220), (2.2, 180), (2.8, 140), (3.9, 100), (7.5, 52)])
def test_a_reduced_photo_is_as_by_lanczos(scale: float, size: int, degrees: float) -> None:
    with Image.open(SAMPLES / "ben.png") as portrait:
        photo = np.asarray(portrait.convert("RGB"))
    crop = crop_at(scale, degrees, (photo.shape[1] / 2, photo.shape[0] / 2), size)
    places = (places_of(crop.resized(round(2 * scale + 1) * size)) - 0.5).astype(np.float32)
    seen = cv2.remap(photo, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    expected = np.asarray(Image.fromarray(seen).resize((size, size), Image.Resampling.LANCZOS))
    error = crop.extract(photo).astype(np.float64) - expected
    assert 10 * np.log10(255**2 / (error**2).mean()) > 42.5  # dB; 1.9 levels


@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_an_aligned_photo_of_the_right_size_is_its_own_crop(channels: tuple[int, ...]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (512, 512, *channels), np.uint8)
    assert np.array_equal(FaceCrop.centred(512, 512).extract(photo).reshape(photo.shape), photo)


def test_centred_is_the_middle_square() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (301, 200, 3), np.uint8)
    assert np.array_equal(FaceCrop.centred(200, 301, 200).extract(photo), photo[50:250])


@given(st.integers(1, 12), st.integers(1, 12), st.integers(-25, 20), st.integers(-25, 20), st.integers(3, 30))
@settings(deadline=None)
def test_outside_lies_the_mirror_image(width: int, height: int, left: int, top: int, side: int) -> None:
    photo = np.random.default_rng(9).integers(0, 256, (height, width, 3), np.uint8)
    crop = FaceCrop(np.array([[1.0, 0, left], [0, 1, top]]), side)
    x0, y0, x1, y1 = crop.box((width, height))
    if x0 == x1 or y0 == y1:
        with pytest.raises(UsageError, match="outside"):
            crop.extract(photo)
    elif side**2 > 16 * width * height:
        with pytest.raises(UsageError, match="far larger"):
            crop.extract(photo)
    else:
        padded = np.pad(photo, ((60, 60), (60, 60), (0, 0)), mode="symmetric")
        assert np.array_equal(crop.extract(photo), padded[top + 60 : top + 60 + side, left + 60 : left + 60 + side])


def test_a_box_outside_the_photo_is_named_with_the_photos_size() -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    with pytest.raises(UsageError, match=r"50x50 pixels from \(600, 15\), lies outside the photo, which has 400x300"):
        FaceCrop.from_box((600, 20, 650, 60)).extract(photo)


def test_size_chooses_the_resolution() -> None:
    photo = smooth_photo(640, 640, 200)
    crop = crop_at(1, 12, (320, 320), 256)
    half = crop.extract(photo, size=128)
    means = crop.extract(photo).reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
    assert half.shape == (128, 128, 3)
    assert np.abs(half - means).max() < 2


def test_a_result_may_be_written_to() -> None:
    photo = smooth_photo(300, 300, 100)
    for scale in (0.5, 1, 2.5):
        crop_at(scale, 0, (150, 150), 60).extract(photo)[0, 0] = 0


def test_a_small_face_in_a_large_photo_costs_little() -> None:
    photo = np.zeros((4000, 6000, 3), np.uint8)
    crop = crop_at(0.5, 10, (3000, 2000), 512)
    crop.extract(photo)
    tracemalloc.start()
    try:
        crop.extract(photo)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()
