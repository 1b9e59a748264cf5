"""Texture for what was made anew, without paint or with: against textures whose strength is known."""

import cv2
import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.editor.heal import heal
from npe_core.faces import FaceCrop
from npe_core.photo import Photo

SIDE = 512
CELL = SIDE // 128


def fine(picture: np.ndarray) -> np.ndarray:
    """What is finer than a cell, of one channel."""
    x = picture[..., 0].astype(np.float32)
    return x - cv2.GaussianBlur(x, (0, 0), CELL / 2)


def grainy(strength: float, level: float = 150) -> np.ndarray:
    """(512, 512, 3) uint8: grey, a little lighter to the right, with grain of this standard deviation."""
    grain = np.random.default_rng(3).normal(0, strength, (SIDE, SIDE, 1))
    light = np.linspace(-15, 15, SIDE)[None, :, None]
    return np.clip(np.rint(level + light + grain), 0, 255).astype(np.uint8).repeat(3, axis=2)


def disc(radius: int, centre: tuple[int, int] = (256, 256)) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.hypot(x - centre[0], y - centre[1]) < radius


def smoothed(photo: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The photo as wax in a place: what an edit leaves of it."""
    return np.where(where[..., None], cv2.GaussianBlur(photo, (0, 0), 8), photo)


def healed(image: np.ndarray, photo: np.ndarray, where: np.ndarray, kept: float = 0.0) -> np.ndarray:
    result = image.copy()
    crop = FaceCrop.centred(SIDE, SIDE)
    heal(result, photo, where * np.uint8(255), where, [crop], [np.full((512, 512), kept, np.float32)])
    return result


@pytest.mark.parametrize("radius", [12, 40, 90])
@pytest.mark.parametrize("strength", [5, 12])
def test_it_is_as_strong_inside_as_around_and_nothing_else_changes(radius, strength):
    photo, where = grainy(strength), disc(radius)
    result = healed(smoothed(photo, where), photo, where)
    inner = disc(radius - 5)
    assert 0.75 < fine(result)[inner].std() / fine(photo).std() < 1.2
    assert np.array_equal(result[~where], photo[~where])
    assert abs(float(result[inner].mean()) - float(photo[inner].mean())) < 1


def test_a_large_mask_is_as_strong_throughout():
    """It is worked on in squares: where they met was an edge, and in the middle nothing was near enough to take."""
    photo, where = grainy(10), np.zeros((SIDE, SIDE), bool)
    where[70:460, 80:470] = True
    inner = np.s_[78:452, 88:462]
    grain = fine(healed(smoothed(photo, where), photo, where))
    for across in (grain[inner], grain[inner].T):
        assert across.std(axis=0).min() > 0.65 * fine(photo).std()
    patches = grain[80:448, 90:458].reshape(46, 8, 46, 8).std(axis=(1, 3))
    assert patches.min() > 0.55 * fine(photo).std()


def test_what_has_nothing_like_it_nearby_takes_it_from_farther_around_the_mask():
    """Skin whose upper end lies between hair: it was wax down to a straight line, below which there was grain."""
    y, x = np.mgrid[:SIDE, :SIDE]
    where = (x > 130) & (x < 380) & (y > 60) & (y < 400)
    skin = where | (y > 390)
    photo = np.where(skin[..., None], grainy(10), grainy(10, level=30))
    result = healed(np.where(where[..., None], np.uint8(150), photo), photo, where)
    upper, lower = (fine(result)[rows, 180:330].std() for rows in (slice(90, 160), slice(310, 380)))
    assert 0.7 * fine(grainy(10)).std() < upper < 1.2 * lower
    grain = fine(result)[90:160, 180:330]
    shifts = range(CELL, 12 * CELL)
    again = max(np.corrcoef(grain[:, :-shift].ravel(), grain[:, shift:].ravel())[0, 1] for shift in shifts)
    assert again < 0.25  # the same marks side by side


def test_a_mask_is_healed_up_to_the_border_of_the_picture():
    """Which is 2 pixels short of a whole cell."""
    photo = grainy(10)[:-2, :-2].copy()
    where = disc(40, centre=(SIDE, SIDE))[:-2, :-2]
    result = smoothed(photo, where)
    heal(
        result,
        photo,
        where * np.uint8(255),
        where,
        [FaceCrop.from_box((0, 0, SIDE, SIDE))],
        [np.zeros((512, 512), np.float32)],
    )
    assert min(fine(result)[-30:, -2:].std(), fine(result)[-2:, -30:].std()) > 0.7 * fine(photo).std()


def test_a_picture_narrower_than_a_cell_stays_as_it_is():
    photo = grainy(10)[:3].copy()
    where = np.zeros(photo.shape[:2], bool)
    where[:, 100:300] = True
    result = photo.copy()
    heal(
        result,
        photo,
        where * np.uint8(255),
        where,
        [FaceCrop.from_box((0, 0, SIDE, SIDE))],
        [np.zeros((512, 512), np.float32)],
    )
    assert np.array_equal(result, photo)


def test_what_the_result_has_counts():
    """Half of the variance is there: the other half is added, not all of it."""
    photo, where = grainy(12), disc(40)
    other = np.random.default_rng(8).normal(0, 12 / 2**0.5, (SIDE, SIDE, 1))
    image = np.clip(np.rint(smoothed(photo, where) + where[..., None] * other), 0, 255).astype(np.uint8)
    result = healed(image, photo, where)
    assert 0.85 < fine(result)[disc(35)].std() / fine(photo).std() < 1.15
    assert np.array_equal(healed(image, photo, where, kept=1.0), image)


@pytest.mark.parametrize(("count", "radius", "level"), [(60, 3, 60), (250, 1, 110)], ids=["moles", "freckles"])
def test_spots_beside_it_are_not_taken_along(count, radius, level):
    photo, where = grainy(4), disc(40)
    for x, y in np.random.default_rng(5).integers(30, SIDE - 30, (count, 2)):
        cv2.circle(photo, (int(x), int(y)), radius, (level,) * 3, -1)
    photo[disc(48)] = grainy(4)[disc(48)]
    result = healed(smoothed(photo, where), photo, where)
    assert result[where].min() > 128
    assert fine(result)[disc(35)].std() > 0.6 * fine(grainy(4)).std()


def test_none_comes_from_what_is_unlike_or_marked():
    where = disc(40)
    wall = grainy(12, level=60)
    image = np.where(where[..., None], np.uint8(230), wall)
    assert np.array_equal(healed(image, wall, where), image)  # a white disc on a dark wall
    everything = np.ones_like(where)
    flat = np.full_like(wall, 60)
    assert np.array_equal(healed(flat, wall, everything), flat)


def test_a_spot_on_grainy_skin_leaves_no_wax(editor, portrait):
    """The whole way: what is re-imagined on a photo with grain has grain, and beside it no pixel moves."""
    image = Photo.open(portrait).image
    grain = np.random.default_rng(1).normal(0, 9, (*image.shape[:2], 1))
    photo = Photo.from_array(np.clip(np.rint(image + grain), 0, 255).astype(np.uint8))
    canvas = Canvas(photo.image)
    where = disc(16, centre=(190, 300))
    canvas.select(where.astype(np.float32))
    edited = editor.edit(photo, canvas, seed=1).photo.image
    ring = disc(40, centre=(190, 300)) & ~where
    assert fine(edited)[disc(12, centre=(190, 300))].std() > 0.75 * fine(photo.image)[ring].std()
    assert np.array_equal(edited[~where], photo.image[~where])


def test_a_strong_texture_beside_it_is_no_strength_to_aim_at():
    """Folds along a quarter of the mask's edge, ten times as strong as the grain."""
    photo, where = grainy(4), disc(40)
    folds = np.zeros((SIDE, SIDE), np.float32)
    folds[190:214] = 40 * (np.mgrid[:24, :SIDE][1] // 6 % 2) - 20
    photo = np.clip(photo + folds[..., None], 0, 255).astype(np.uint8)
    result = healed(smoothed(grainy(4), where) * where[..., None] + photo * ~where[..., None], photo, where)
    assert 0.75 < fine(result)[disc(35)].std() / fine(grainy(4)).std() < 1.3


def test_paint_on_a_grainy_photo_is_no_wax(editor, portrait, monkeypatch):
    """The whole way, strongly: of skin colour, of one that nothing has, and a tint, which keeps the photo's own."""
    image = Photo.open(portrait).image
    grain = np.random.default_rng(1).normal(0, 9, (*image.shape[:2], 1))
    photo = Photo.from_array(np.clip(np.rint(image + grain), 0, 255).astype(np.uint8))
    canvas, shares = Canvas(photo.image), []
    places = (190, 300), (320, 300), (256, 160)
    for place, colour, tint in zip(places, ((214, 160, 140), (50, 90, 180), (150, 70, 70)), (0, 0, 1), strict=True):
        paint = np.broadcast_to(np.array(colour, np.uint8), photo.image.shape)
        canvas.paint_image(paint, disc(20, centre=place).astype(np.float32), tint=bool(tint))

    def spy(*arguments):
        crops, kept = arguments[-2:]
        whole = crops[0].to_box(kept[0], (0, 0, SIDE, SIDE))
        shares.extend(float(whole[y, x]) for x, y in places)
        heal(*arguments)

    monkeypatch.setattr("npe_core.editor.underway.heal", spy)
    edited = editor.edit(photo, canvas, timestep=450, seed=1, upscale=False).photo.image
    for place in places[:2]:
        ring = disc(40, centre=place) & ~disc(20, centre=place)
        assert 0.65 < fine(edited)[disc(15, centre=place)].std() / fine(photo.image)[ring].std() < 1.2
    assert max(shares[:2]) < 0.1 and shares[2] > 0.9
    assert np.array_equal(edited[canvas.mask == 0], photo.image[canvas.mask == 0])
