"""Freckles and moles: what counts as one, and that it looks like one; on pictures whose light and grain are known."""

import cv2
import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.colour import LUMA
from npe_core.editor.specks import Specks, lay
from npe_core.faces import FaceCrop
from npe_core.photo import Photo

SIDE = 512
CROPS = [FaceCrop.centred(SIDE, SIDE)]
CELL = SIDE // 128
BROWN = np.array([120, 75, 55], np.uint8)


def disc(radius: float, x: float = 256, y: float = 256) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(columns - x, rows - y) < radius


def skin(strength: float = 0, light: np.ndarray | float = 1.0) -> np.ndarray:
    """(512, 512, 3) uint8: of one colour under ``light``, with grey grain of this standard deviation."""
    grain = np.random.default_rng(3).normal(0, strength, (SIDE, SIDE, 1)) if strength else 0
    colour = np.multiply.outer(np.broadcast_to(light, (SIDE, SIDE)), [205, 165, 145])
    return np.clip(np.rint(colour + grain), 0, 255).astype(np.uint8)


def laid(photo: np.ndarray, where: np.ndarray, paint: np.ndarray = BROWN, reached: np.ndarray | None = None):
    image, guide = photo.copy(), np.where(where[..., None], paint, photo)
    specks = Specks.of(where, CROPS)
    if specks is not None:
        lay(image, photo, guide, where if reached is None else reached, specks, CROPS)
    return image


def deviation(picture: np.ndarray, where: np.ndarray) -> float:
    return float((picture @ LUMA)[where].std())


SHAPES = {
    "freckle": (disc(2.5), 1),
    "mole": (disc(7), 1),
    "three that touch": (disc(4) | disc(4, 262, 260) | disc(4, 256, 266), 1),
    "two": (disc(3) | disc(3, 300, 300), 2),
    "iris": (disc(13), 0),
    "frame of glasses": (disc(40) & ~disc(37), 0),
    "stroke": ((np.abs(np.mgrid[:SIDE, :SIDE] - 256) < [[[3]], [[30]]]).all(axis=0), 0),
}


@pytest.mark.parametrize(("where", "pieces"), SHAPES.values(), ids=SHAPES)
def test_what_is_a_speck(where, pieces):
    specks = Specks.of(where, CROPS)
    assert (0 if specks is None else np.unique(specks.labels[specks.share > 0]).size) == pieces


def test_as_small_as_the_denoiser_sees_it():
    """The same disc in a face of twice and of half the size."""
    assert Specks.of(disc(13), [FaceCrop.from_box((0, 0, 2 * SIDE, 2 * SIDE))]) is not None
    assert Specks.of(disc(7), [FaceCrop.from_box((128, 128, 384, 384))]) is None


def test_between_speck_and_none_there_is_no_step():
    shares = [0.0 if (specks := Specks.of(disc(r), CROPS)) is None else specks.share.max() for r in range(8, 14)]
    assert shares[0] == 1 and shares[-1] == 0 and (np.diff(shares) <= 0).all()
    assert sum(0 < share < 1 for share in shares) >= 2


@pytest.mark.parametrize("radius", [2.5, 4.5, 7])
def test_it_keeps_its_colour_and_has_a_soft_edge_inwards(radius):
    photo, where = skin(), disc(radius)
    image = laid(photo, where)
    assert np.array_equal(image[~where], photo[~where])
    assert np.abs(image[256, 256].astype(int) - BROWN).max() <= 2
    across = image[256, 256 : 256 + int(radius) + 2, 0].astype(int)
    edge = across[np.flatnonzero(where[256, 256:])[-1]]
    assert (np.diff(across) >= 0).all() and BROWN[0] + 40 < edge < photo[0, 0, 0]
    darker = (photo.astype(float) - image)[where].mean() / (photo.astype(float) - BROWN)[where].mean()
    assert 0.5 < darker < 0.85


def test_only_what_is_reached_changes():
    photo, where = skin(5), disc(7)
    reached = where & (np.mgrid[:SIDE, :SIDE][1] < 256)
    image = laid(photo, where, reached=reached)
    changed = (image != photo).any(axis=2)
    assert changed[reached].mean() > 0.9 and not changed[~reached].any()


@pytest.mark.parametrize("strength", [4, 10])
def test_it_has_the_grain_of_the_photo(strength):
    photo, where = skin(strength), disc(8)
    assert 0.7 < deviation(laid(photo, where), disc(4)) / deviation(photo, disc(60) & ~where) < 1.2


def test_the_light_falls_on_it_as_around():
    light = np.linspace(0.4, 1.1, SIDE)[None, :]
    steep = laid(skin(light=np.clip((light - 0.75) * 8 + 0.75, 0.4, 1.1)), disc(8))[256]
    flat = laid(skin(light=light), disc(8))[256]
    left, right = (steep[x].astype(float).mean() for x in (252, 260))
    assert right > 1.1 * left and abs(flat[260].astype(float).mean() - flat[252].mean()) < 3


def test_a_spot_under_it_does_not_come_back():
    photo, spot, dab = skin(2), disc(3), disc(8)
    photo[spot] = 60
    covered = laid(photo, dab, paint=np.array([205, 165, 145], np.uint8))
    middle = (covered @ LUMA)[spot].mean() - (skin() @ LUMA)[0, 0]
    assert abs(middle) < 6 < (skin() @ LUMA)[0, 0] - (photo @ LUMA)[spot].mean()


def test_a_tint_has_its_texture_already():
    photo, where = skin(10), disc(8)
    tint = np.clip(photo.astype(int) - [60, 70, 70], 0, 255).astype(np.uint8)
    assert np.abs(laid(photo, where, paint=tint).astype(int) - tint)[disc(3)].max() <= 4


def test_the_squares_that_are_worked_on_are_not_seen(monkeypatch):
    """Moles across their edges, each half in another light."""
    light = np.interp(np.mgrid[:SIDE, :SIDE][1], [140, 180, 240, 280], [0.5, 1, 1, 0.6])
    where = np.any([disc(8, x, y) for x in (128, 160, 256, 384) for y in (128, 256, 300)], axis=0)
    results = []
    for side in (32, 128):
        monkeypatch.setattr("npe_core.editor.heal.BLOCK", side)
        results.append(laid(skin(5, light), where).astype(int))
    assert np.abs(results[0] - results[1]).max() <= 1


def test_a_picture_narrower_than_a_cell_stays_as_it_is():
    photo, where = skin()[:3].copy(), np.zeros((3, SIDE), bool)
    where[:, 100:104] = True
    specks, image = Specks.of(where, CROPS), photo.copy()
    assert specks is not None
    lay(image, photo, photo, where, specks, CROPS)
    assert np.array_equal(image, photo)


@pytest.mark.parametrize("timestep", [100, 400])
def test_painted_freckles_are_there_at_any_strength(editor, portrait, timestep):
    photo = Photo.open(portrait)
    places = [(180, 300), (200, 290), (210, 310), (320, 300), (340, 290), (310, 315)]
    where = np.any([disc(2 + number % 3, x, y) for number, (x, y) in enumerate(places)], axis=0)
    canvas = Canvas(photo.image)
    canvas.paint_image(np.broadcast_to(BROWN, photo.image.shape), where.astype(np.float32))
    edited = editor.edit(photo, canvas, timestep=timestep, seed=1, upscale=False).photo.image
    asked, got = (photo.image.astype(float) - x for x in (canvas.guide, edited))
    labels = cv2.connectedComponents(where.view(np.uint8))[1]
    kept = [got[labels == n].mean() / asked[labels == n].mean() for n in range(1, len(places) + 1)]
    assert min(kept) > 0.4
    assert np.array_equal(edited[~where], photo.image[~where])
