"""Several looks at one face as one map."""

import cv2
import numpy as np
import pytest

from npe_core.canvas.boxes import cut
from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.looks import CLOSE, CLOSE_DOWN, close_look
from npe_core.editor.region_map import Look, RegionMap, agreed, likeliest, mix_in
from npe_core.faces import FaceCrop
from npe_core.regions import REGIONS, region_by_name

SIDE = 64
HAIR = region_by_name("hair").id


def sure(crop, region):
    """A look that sees one region everywhere."""
    levels = np.zeros((len(REGIONS), crop.size, crop.size), np.uint8)
    levels[region] = 255
    return Look(crop, levels)


@pytest.mark.parametrize("turn", [0, 20])
def test_a_closer_look_has_half_a_say_where_it_sees_and_none_elsewhere(turn):
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    crop = FaceCrop(np.array([[3 * cos, -3 * sin, 40], [3 * sin, 3 * cos, 90]]), SIDE)
    both = agreed(sure(crop, 4), sure(close_look(crop), 5))
    assert both.crop == crop and np.abs(both.levels.sum(axis=0, dtype=int) - 255).max() <= 1
    place = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    across, down = np.abs(place)[None], np.abs(place - CLOSE_DOWN)[:, None]
    outside = np.maximum(across, down) > CLOSE / 2 + 2 / SIDE
    deep = np.maximum(across, down) < 0.8 * CLOSE / 2
    assert (both.levels[4][outside] == 255).all()
    assert np.abs(both.levels[4][deep] - 127.5).max() <= 0.5
    assert np.abs(both.levels[5][deep] - 127.5).max() <= 0.5


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_it_tells_how_a_face_lies(quarters):
    """In a photo turned clockwise by so many quarters."""
    photo = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarters]
    corner = (np.array([1 - cos + sin, 1 - cos - sin]) * SIDE) / 2
    crop = FaceCrop(np.array([[cos, -sin, corner[0]], [sin, cos, corner[1]]]), SIDE)
    assert np.array_equal(crop.extract(np.rot90(photo, -quarters).copy()), photo)
    face = RegionMap.of(FaceChoice((crop,)), [(sure(crop, 1),)], (SIDE, SIDE)).face_at(5, 5)
    assert np.cos(face.turn - quarters * np.pi / 2) == pytest.approx(1) and face.side == pytest.approx(SIDE)


def test_a_look_fades_into_the_wider_one_where_the_photo_goes_on():
    """The wider look sees hair, the face's crop skin; its left side is the photo's border, where nothing goes on."""
    crop = FaceCrop.from_box((0, 100, 200, 300), SIDE)
    wide = FaceCrop.from_box((-70, 30, 270, 370), SIDE)
    regions = RegionMap.of(FaceChoice((crop,)), [(sure(wide, HAIR), sure(crop, 1))], (400, 400))
    skin = regions.probability(1, (0, 0, 400, 400))
    down = skin[100:300, 100]
    assert down[:4].max() < 0.2 and down[100] == 1  # 0 at the border, 1 in the middle
    assert down[20] == pytest.approx(0.5, abs=0.06) and down[44:156].min() > 0.97  # halfway at a tenth of the side
    assert skin[200, :150].min() > 0.97 and (skin[:95] == 0).all()


@pytest.fixture(scope="module")
def speckled():
    """A look in which patches of three regions meet, turned and three times as coarse as the photo."""
    rng = np.random.default_rng(5)
    seen = cv2.GaussianBlur(rng.random((SIDE, SIDE, 3)), (0, 0), 3)
    seen = np.moveaxis(np.exp(40 * seen), -1, 0)
    levels = np.zeros((len(REGIONS), SIDE, SIDE), np.uint8)
    levels[[0, 1, 7]] = np.rint(255 * seen / seen.sum(axis=0))
    cos, sin = np.cos(0.3), np.sin(0.3)
    return Look(FaceCrop(3 * np.array([[cos, -sin, 6], [sin, cos, -4]]), SIDE), levels)


def test_the_likeliest_is_the_largest_of_the_interpolated_probabilities(speckled):
    size = 230, 200
    box = speckled.crop.box(size)
    interpolated = np.array([speckled.crop.to_box(plane, box, amounts=True) for plane in speckled.levels]).astype(int)
    found, expected = likeliest(speckled, size), interpolated.argmax(axis=0)
    assert set(np.unique(expected)) == {0, 1, 7}
    runner_up, best = np.sort(interpolated, axis=0)[-2:]
    clear = (best - runner_up > 3) | (best == 0)  # both round, each in its own way
    assert clear.mean() > 0.9 and (found == expected)[clear].mean() > 0.999  # the rest are borders of the look


def test_looks_are_mixed_as_if_every_pixel_of_every_region_were(speckled):
    """Against the formula, in float32, without leaving out what is 0."""
    levels = np.zeros((len(REGIONS), 180, 180), np.uint8)
    levels[2], levels[7, :50] = 55, 200
    share = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    expected, place = levels.astype(np.float32), speckled.crop.box((180, 180))
    amount = speckled.crop.to_box(share, place)
    for own, closer in zip(expected, speckled.levels, strict=True):
        part = own[cut(place)]
        part += amount * (speckled.crop.to_box(closer.astype(np.float32), place) - part)
    mix_in(levels, speckled.levels, speckled.crop, share)
    assert np.abs(levels - expected).max() < 1.6  # two roundings, and the fixed point of the interpolation


@pytest.mark.parametrize("known", ["neck", "attire"])
def test_bare_skin_between_neck_and_neckline_is_no_background(known):
    """What is taken for background below a neck is neck; below clothes, between strands and at the sides it stays."""
    background, neck, attire, around = (region_by_name(n).id for n in ("background", "neck", "attire", known))
    ids = np.full((200, 200), background, np.uint8)
    ids[20:100, 60:140] = HAIR
    ids[100:120, 80:120] = neck
    ids[120:, 30:170] = attire
    ids[120:130, 70:130] = around
    chest, arm, strands, aside = np.s_[130:170, 75:125], np.s_[150:180, 40:60], np.s_[60:118, 70:80], np.s_[140:, 160:]
    ids[chest] = ids[arm] = ids[strands] = ids[aside] = background
    ids[100:120, 62:70] = HAIR
    levels = np.where(np.arange(len(REGIONS))[:, None, None] == ids, 255, 0).astype(np.uint8)
    whole = FaceCrop.centred(200, 200, size=200)
    regions = RegionMap.of(FaceChoice((whole,)), [(Look(whole, levels),)], (200, 200))
    free = regions.probability(background, (0, 0, 200, 200))
    assert (regions.ids[chest] == (neck if known == "neck" else background)).all()
    assert (free[chest] == (0 if known == "neck" else 1)).all()
    assert all((regions.ids[place] == background).all() and free[place].all() for place in (arm, strands, aside))
