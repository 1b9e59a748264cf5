"""Similarities: Umeyama's fit, inverses, and the squares of a photo that crops stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_core.errors import UsageError
from npe_core.faces import Face, FaceCrop
from npe_core.faces.alignment import TEMPLATE, umeyama
from npe_core.faces.resample import inside_square, inverse, scale_of, transform

COORDINATES = st.floats(-5000, 5000)


@st.composite
def similarities(draw: st.DrawFn) -> np.ndarray:
    scale, angle = draw(st.floats(0.05, 20)), draw(st.floats(-np.pi, np.pi))
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, draw(COORDINATES)], [b, a, draw(COORDINATES)]])


@given(similarities(), st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=9))
def test_inverse_undoes(matrix: np.ndarray, points: list[tuple[float, float]]) -> None:
    there = transform(matrix, np.array(points))
    assert np.allclose(transform(inverse(matrix), there), points, rtol=0, atol=1e-6)
    homogeneous = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    assert np.allclose(inverse(matrix), homogeneous, rtol=1e-9, atol=1e-7)


@given(similarities(), st.integers(0, 2**32 - 1), st.integers(2, 20))
def test_umeyama_finds_the_similarity_that_was_applied(matrix: np.ndarray, seed: int, count: int) -> None:
    source = np.random.default_rng(seed).normal(size=(count, 2))
    found = umeyama(source, transform(matrix, source))
    assert np.allclose(found, matrix, rtol=1e-9, atol=1e-9 * (1 + np.abs(matrix).max()))


@given(st.integers(0, 2**32 - 1))
def test_umeyama_is_the_least_squares_solution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    # The same problem as a linear one in a, b, tx, ty.
    x, y = source.T
    one, zero = np.ones(5), np.zeros(5)
    system = np.vstack([np.column_stack([x, -y, one, zero]), np.column_stack([y, x, zero, one])])
    a, b, tx, ty = np.linalg.lstsq(system, target.T.ravel(), rcond=None)[0]
    assert np.allclose(umeyama(source, target), [[a, -b, tx], [b, a, ty]], atol=1e-9)


def test_umeyama_does_not_mirror() -> None:
    mirrored = TEMPLATE * [-1, 1]
    assert np.linalg.det(umeyama(TEMPLATE, mirrored)[:, :2]) > 0


def test_umeyama_refuses_a_single_point() -> None:
    with pytest.raises(ValueError, match="all the same"):
        umeyama(np.ones((5, 2)), TEMPLATE)


def face_at(matrix: np.ndarray) -> Face:
    """The face whose landmarks are those of the template in a 512 crop that lies at ``matrix``."""
    landmarks = transform(matrix, TEMPLATE * 512)
    middle, side = landmarks.mean(axis=0), 512 * scale_of(matrix)
    box = (middle[0] - 0.27 * side, middle[1] - 0.4 * side, middle[0] + 0.27 * side, middle[1] + 0.33 * side)
    return Face(box, landmarks, 0.9)


@given(similarities())
def test_aligned_crop_lies_where_its_landmarks_say(matrix: np.ndarray) -> None:
    crop = FaceCrop.aligned(face_at(matrix))
    assert np.allclose(crop.matrix, matrix, rtol=1e-9, atol=1e-6)
    assert crop.scale == pytest.approx(scale_of(matrix))
    small = FaceCrop.aligned(face_at(matrix), size=128)
    assert np.allclose(small.corners(), crop.corners(), atol=1e-6)


def test_framing_is_that_of_the_training_pictures() -> None:
    eyes = TEMPLATE[:2]
    assert eyes[:, 1].mean() == pytest.approx(0.47, abs=0.01)
    assert eyes[1, 0] - eyes[0, 0] == pytest.approx(0.25, abs=0.015)
    assert np.allclose(TEMPLATE[[1, 0, 2, 4, 3]] * [-1, 1] + [1, 0], TEMPLATE)


ALL_BUT_ONE_PLACE = np.array([[300.0, 300], [301, 301], [302, 302], [300, 300], [301, 301]])


@pytest.mark.parametrize("landmarks", [ALL_BUT_ONE_PLACE, TEMPLATE * 9000])
def test_landmarks_that_cannot_be_are_not_followed(landmarks: np.ndarray) -> None:
    crop = FaceCrop.aligned(Face((200, 200, 400, 470), landmarks, 0.8))
    assert 300 < crop.scale * 512 < 450
    assert np.allclose(crop.matrix[0, 1], 0)
    assert np.linalg.norm(crop.corners().mean(axis=0) - [300, 335]) < 40


@given(COORDINATES, COORDINATES, st.floats(1, 3000), st.floats(1, 3000), st.integers(16, 1024))
def test_from_box_is_the_square_around_its_middle(x: float, y: float, w: float, h: float, size: int) -> None:
    crop = FaceCrop.from_box((x, y, x + w, y + h), size)
    corners = crop.corners()
    assert np.allclose(corners.mean(axis=0), [x + w / 2, y + h / 2], atol=1e-6)
    assert np.allclose(corners[2] - corners[0], max(x + w - x, y + h - y), atol=1e-6)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (9, 5, 5, 9), (0, 0, float("nan"), 5), (0, 0, float("inf"), 5)])
def test_from_box_refuses_a_box_without_an_area(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match="no area"):
        FaceCrop.from_box(box)


@pytest.mark.parametrize(
    "matrix", [np.eye(3), [[1, 0, 0], [0, 2, 0]], [[1, 0, 0], [0, -1, 0]], np.full((2, 3), np.nan)]
)
def test_only_similarities_are_crops(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError):
        FaceCrop(np.array(matrix, float))


def test_matrix_cannot_be_changed_afterwards() -> None:
    matrix = np.eye(2, 3)
    crop = FaceCrop(matrix)
    matrix[0, 2] = 7
    assert crop.matrix[0, 2] == 0
    with pytest.raises(ValueError):
        crop.matrix[0, 2] = 7


@given(similarities(), st.integers(1, 400), st.integers(1, 400))
def test_box_holds_exactly_the_pixels_that_the_crop_touches(matrix: np.ndarray, width: int, height: int) -> None:
    crop = FaceCrop(np.column_stack([matrix[:, :2] / 10, matrix[:, 2] / 20]), 64)
    x0, y0, x1, y1 = crop.box((width, height))
    assert 0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height
    centres_inside = inside_square(inverse(crop.matrix), 64, width, height)
    centres_inside[y0:y1, x0:x1] = False
    assert not centres_inside.any()
    low, high = crop.corners().min(axis=0), crop.corners().max(axis=0)
    if x1 > x0 and y1 > y0:
        assert x0 + 1 > low[0] and y0 + 1 > low[1] and x1 - 1 < high[0] and y1 - 1 < high[1]


@given(similarities(), st.integers(1, 60), st.integers(1, 60), st.floats(1, 100))
def test_inside_square_asks_the_pixel_centres(matrix: np.ndarray, width: int, height: int, side: float) -> None:
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] / 50])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    places = transform(matrix, np.stack([x, y], axis=-1))
    distance = np.minimum(places, side - places).min(axis=-1)
    inside = inside_square(matrix, side, width, height)
    clear = np.abs(distance) > 1e-6
    assert np.array_equal(inside[clear], (distance > 0)[clear])


def test_resized_is_the_same_square() -> None:
    crop = FaceCrop.from_box((10, 20, 310, 320), 512)
    same = crop.resized(round(crop.size * crop.scale))
    assert same.size == 300 and same.scale == pytest.approx(1)
    assert np.allclose(same.corners(), crop.corners())
