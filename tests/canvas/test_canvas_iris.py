"""Of eyes the irises are filled: found in the picture, without pupil and reflection, also behind glasses."""

from dataclasses import dataclass

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.iris import IRIS, find_irises
from npe_core.canvas.selection import FaceScale, RegionArrays
from npe_core.colour import srgb_to_lab

Y, X = np.mgrid[:64, :64]


def eye_picture(width: float = 42, height: float = 18, tilt: float = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An eye: white, with a blue iris of radius 8 in an opening of that size, tilted by so many radians, in skin."""
    picture = np.full((64, 64, 3), (215, 170, 150), np.uint8)
    turned = ((X - 32) + 1j * (Y - 32)) * np.exp(-1j * tilt)
    eye = (2 * turned.real / width) ** 2 + (2 * turned.imag / height) ** 2 < 1
    iris = np.hypot(X - 35, Y - 32) < 8
    picture[eye] = (225, 222, 220)
    picture[eye & iris] = (70, 90, 120)
    return picture, np.where(eye, 3, 1).astype(np.uint8), eye & iris


def test_of_an_eye_the_iris_is_filled_unless_told_otherwise():
    picture, ids, iris = eye_picture()
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#2e7d32")
    taken = canvas.mask > 0.5
    assert np.count_nonzero(taken & iris) > 0.9 * np.count_nonzero(iris)
    assert np.count_nonzero(taken & ~iris) < 0.25 * np.count_nonzero(iris)
    whole = Canvas(picture, ids)
    whole.fill("eyes", "#2e7d32", whole=True)
    assert np.array_equal(whole.mask > 0, ids == 3)
    blank = Canvas(np.full_like(picture, 128), ids)
    blank.fill("eyes", "#2e7d32")
    assert np.array_equal(blank.mask > 0, ids == 3)


class TwoFaces(RegionArrays):
    """What is left of the middle belongs to one face, the rest to another."""

    def face_at(self, x, y):
        return FaceScale(int(x >= self.ids.shape[1] / 2), 256)


@pytest.mark.parametrize("apart", [4, 10])
def test_a_face_without_an_iris_to_see_gets_its_whole_eye_beside_one_that_has_one(apart):
    """``apart``: so close that the boxes around the two would overlap, and far from it."""
    picture, ids, iris = eye_picture()
    crop = np.s_[:, 10 - apart : 54 + apart]
    both = np.hstack([picture[crop], np.full_like(picture[crop], 128)])
    canvas = Canvas(both, TwoFaces(np.hstack([ids[crop], ids[crop]])))
    canvas.fill("eyes", "#2e7d32")
    seen, unseen = np.hsplit(canvas.mask, 2)
    assert np.count_nonzero(seen > 0.5) < 1.5 * np.count_nonzero(iris)
    assert np.array_equal(unseen > 0, ids[crop] == 3)
    assert (canvas.guide != both)[:, both.shape[1] // 2 :][unseen > 0].any(axis=-1).all()


@dataclass(frozen=True)
class Large(RegionArrays):
    """A face whose irises have a radius of 8."""

    turn: float = 0.0

    def face_at(self, x, y):
        return FaceScale(0, 8 / IRIS, self.turn)


@pytest.mark.parametrize("seen", [(5, 5), (12, 5)])
def test_an_eye_that_was_seen_in_part_has_the_iris_that_a_face_of_that_size_has(seen):
    """Behind glasses: of the eye only a part around the pupil was found, and all of the iris is filled, up to the lids.

    ``seen``: half as wide and high as that part; one is a little wider than the iris.
    """
    picture, _, iris = eye_picture()
    part = np.where(np.hypot((X - 34.5) / seen[0], (Y - 32) / seen[1]) < 1, 3, 1).astype(np.uint8)
    canvas = Canvas(picture, Large(part))
    canvas.fill("eyes", "#2e7d32")
    taken = canvas.mask > 0.3
    assert np.count_nonzero(taken & iris) > 0.7 * np.count_nonzero(iris)
    assert np.count_nonzero(taken & ~iris) < 0.25 * np.count_nonzero(iris)


@pytest.mark.parametrize(("tilt", "told"), [(-0.7, False), (0.0, False), (0.7, False), (1.3, True), (-2.0, True)])
def test_the_iris_of_a_narrow_eye_is_found_however_the_head_is_tilted(tilt, told):
    """``told``: how the face lies is known."""
    picture, ids, iris = eye_picture(width=31, height=17, tilt=tilt)
    canvas = Canvas(picture, Large(ids, turn=told * tilt))
    canvas.fill("eyes", "#2e7d32")
    taken = canvas.mask > 0.3
    assert np.count_nonzero(taken & iris) > 0.85 * np.count_nonzero(iris)
    assert np.count_nonzero(taken & ~iris) < 0.15 * np.count_nonzero(iris)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("whole", [True, False])
def test_a_turned_photo_is_filled_as_the_upright_one(quarters, whole):
    """Also where only a part of the eye was seen. The lids and the shadow under the upper one turn with the face."""
    picture, ids, _ = eye_picture(height=14)
    if not whole:
        ids = np.where(np.hypot((X - 34.5) / 6, (Y - 33) / 4) < 1, 3, 1).astype(np.uint8)
    grain = np.random.default_rng(2).normal(0, 4, picture.shape)  # of equal places one would be taken by chance
    picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    upright = Canvas(picture, Large(ids))
    lying = Large(np.rot90(ids, -quarters).copy(), turn=quarters * np.pi / 2)
    turned = Canvas(np.rot90(picture, -quarters).copy(), lying)
    for canvas in (upright, turned):
        canvas.fill("eyes", "#2e7d32")
    assert 0 < np.count_nonzero(upright.mask) < 250
    np.testing.assert_allclose(np.rot90(turned.mask, quarters), upright.mask, atol=0.01)


def test_a_mirrored_photo_is_filled_as_the_other_one():
    picture, ids, _ = eye_picture(width=45)
    one, other = Canvas(picture, ids), Canvas(picture[:, ::-1].copy(), ids[:, ::-1].copy())
    for canvas in (one, other):
        canvas.fill("eyes", "#2e7d32")
    np.testing.assert_allclose(other.mask[:, ::-1], one.mask, atol=0.01)


def test_an_eye_too_narrow_for_an_iris_is_filled_whole():
    """As one that the picture's border cuts."""
    picture, ids, _ = eye_picture(width=60, height=44)
    picture, ids = picture[:, 52:].copy(), ids[:, 52:].copy()
    canvas = Canvas(picture, Large(ids))
    canvas.fill("eyes", "#2e7d32")
    assert np.array_equal(canvas.mask > 0, ids == 3)


def test_right_under_the_upper_lid_its_shadow_stays():
    picture, ids, iris = eye_picture(height=12)
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#2e7d32")
    across = np.s_[31:40]
    top = int(np.flatnonzero(iris[:, 35])[0])
    assert 0.2 < canvas.mask[top, across].min() <= canvas.mask[top, across].max() < 0.5
    assert (np.diff(canvas.mask[top : top + 5, across], axis=0) >= 0).all()
    assert canvas.mask[top + 4 : top + 9, across].min() > 0.98


def test_towards_the_white_some_of_the_old_iris_stays():
    """Its dark rim: without, a light colour is a disc of paint on the eye."""
    picture, ids, _ = eye_picture(height=26)
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#2e7d32")
    distance = np.hypot(X - 35, Y - 32)
    beside = np.abs(Y - 32) < 3
    assert canvas.mask[(distance < 5) & beside].min() > 0.95
    assert 0.5 < canvas.mask[(distance > 7) & (distance < 7.6) & beside].max() < 0.75


def test_where_the_lids_were_not_seen_no_edge_is_drawn_along_them():
    side, radius = 160, 24
    y, x = np.mgrid[:side, :side]
    distance = np.hypot(x - 80, y - 80)
    picture = np.where((distance < radius)[..., None], (100, 105, 110), (200, 195, 190)).astype(np.uint8)
    soft = find_irises(picture, distance < 12, radius)
    assert soft[80, 80] > 250
    assert np.abs(np.diff(soft[:, 74:87].astype(int), axis=0)).max() < 70


def test_a_dark_iris_gets_no_specks_of_its_noise():
    """Measured by what lies around it the iris was unlit in part, and noise became black specks on the new colour."""
    picture, ids, iris = eye_picture()
    picture //= 4
    picture[iris] = np.random.default_rng(3).normal(16, 6, (np.count_nonzero(iris), 1)).clip(0, 255)
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#3a8ad0")
    distance = np.hypot(X - 35, Y - 32)
    ring = (distance > 4.5) & (distance < 7) & (Y > 29)
    before, after = (srgb_to_lab(shown[ring])[:, 0].std() for shown in (picture, canvas.guide))
    assert after < 2.5 * before


def test_a_grainy_iris_is_filled_without_holes_up_to_its_pupil():
    picture, ids, iris = eye_picture()
    distance = np.hypot(X - 35, Y - 32)
    grain = np.random.default_rng(4).normal(0, 40, (64, 64, 1))
    picture[iris] = (np.array([100, 105, 110]) + grain)[iris].clip(0, 255)
    picture[distance < 3] = (15, 12, 12)
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#2e7d32")
    assert canvas.mask[distance < 2].max() < 0.1
    assert canvas.mask[(distance > 4.5) & (distance < 5.5) & (Y > 29)].min() > 0.8


def test_an_eye_in_pieces_is_filled_the_same_each_time_and_undone_altogether():
    """Glare lies across it: the boxes around the pieces overlap, and each finds the same iris."""
    side, radius = 1024, 24
    y, x = np.mgrid[:side, :side]
    picture = np.full((side, side, 3), 200, np.uint8)
    picture[np.hypot(x - 424, y - 506) < radius] = (60, 40, 30)
    ids = np.zeros((side, side), np.uint8)
    ids[500:512, 400:414] = ids[500:512, 434:448] = 3

    class Near(RegionArrays):
        area = side**2 / 50

        def face_at(self, x, y):
            return FaceScale(0, radius / IRIS)

    first = None
    for _ in range(20):
        canvas = Canvas(picture, Near(ids))
        canvas.fill("eyes", "#2e6f9e")
        first = canvas.guide.copy() if first is None else first
        assert np.array_equal(canvas.guide, first)
        canvas.undo()
        assert not canvas.mask.any() and np.array_equal(canvas.guide, picture)


@pytest.mark.parametrize("iris_colour", [(70, 90, 120), (40, 28, 20)])
def test_pupil_and_reflection_are_left_as_they_are(iris_colour):
    picture, ids, iris = eye_picture()
    x, y = X - 35, Y - 32
    picture[iris] = iris_colour
    picture[np.hypot(x, y) < 3] = (15, 12, 12)
    picture[np.hypot(x - 4, y + 3) < 1.5] = (250, 250, 250)
    canvas = Canvas(picture, ids)
    canvas.fill("eyes", "#2e7d32")
    assert (canvas.guide == picture)[np.hypot(x, y) < 2].all()
    assert (canvas.guide == picture)[np.hypot(x - 4, y + 3) < 1].all()
    ring = (np.hypot(x, y) > 4.5) & (np.hypot(x, y) < 6) & (np.hypot(x - 4, y + 3) > 2.5) & (y > -5)
    assert (canvas.mask[ring] > 0.9).mean() > 0.9
