"""How much of a mask an edit reaches, against the strength of the crops at every pixel."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from npe_core.editor.framing import fade_at_borders, strength_at
from npe_core.editor.reach import out_of_reach, within_reach
from npe_core.faces import FaceCrop
from npe_core.photo import Photo

SIZE = 420, 300
CROPS = [FaceCrop.from_box((20, 30, 180, 190), 128), FaceCrop.from_box((130, 90, 330, 290), 128)]
FADES = [fade_at_borders(crop, SIZE) for crop in CROPS]


@pytest.fixture
def levels():
    rng = np.random.default_rng(8)
    some = rng.integers(0, 256, SIZE[::-1], np.uint8)
    some[rng.random(SIZE[::-1]) < 0.3] = 0
    some[120:160] = 0
    return some


def exactly(levels):
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return levels / 255 * np.max([strength_at(crop, points, SIZE) for crop in CROPS], axis=0).reshape(levels.shape)


def test_the_mask_fades_as_the_crops_do(levels):
    reached = within_reach(levels, CROPS, FADES)
    error = np.abs(reached[:, :] - exactly(levels))
    assert error.max() < 0.07 and error.mean() < 0.004  # crop pixels are up to 1.6 of the photo's, fades 8 of them
    assert not reached[:, :][levels == 0].any() and reached.dtype == np.float32
    inside = np.s_[110:120, 150:160]
    assert np.array_equal(reached[inside], (levels[inside] / 255).astype(np.float32))


def test_parts_are_parts_of_the_whole(levels):
    reached = within_reach(levels, CROPS, FADES)
    whole = reached[:, :]
    for part in (np.s_[0:64, :], np.s_[70:71, 5:300], np.s_[200:290, 140:150], np.s_[295:300, 400:420]):
        assert np.allclose(reached[part], whole[part], rtol=0, atol=1e-6)


def test_what_is_painted_later_does_not_count(levels):
    reached, before = within_reach(levels, CROPS, FADES), within_reach(levels.copy(), CROPS, FADES)
    levels[:] = 255
    assert np.array_equal(reached[:, :], before[:, :])


@pytest.mark.parametrize("box", [(0, 0, 420, 300), (40, 40, 160, 160), (60, 150, 260, 250), (150, 0, 420, 80)])
def test_what_is_out_of_reach(levels, box):
    x0, y0, x1, y1 = box
    mask = np.zeros_like(levels)
    mask[y0:y1, x0:x1] = levels[y0:y1, x0:x1]
    expected = 1 - exactly(mask).sum() / (mask / 255).sum()
    assert out_of_reach(mask, CROPS) == pytest.approx(expected, abs=1e-6)  # a photo as small as this is seen in full


def test_of_a_large_photo_places_are_enough():
    mask = np.zeros((3000, 4200), np.uint8)
    mask[200:1900, 100:1300] = 200
    crop = FaceCrop.from_box((200, 300, 1800, 1900), 512)
    y, x = np.nonzero(mask[::3, ::3])
    reached = strength_at(crop, np.stack([x, y], axis=1) * 3.0 + 1.5, (4200, 3000))
    assert out_of_reach(mask, [crop]) == pytest.approx(1 - reached.mean(), abs=0.003)


def test_a_small_mark_on_a_large_photo_is_not_overlooked():
    mask = np.zeros((3000, 4200), np.uint8)
    mask[2901:2903, 4001] = 255
    assert out_of_reach(mask, [FaceCrop.from_box((200, 300, 1800, 1900), 512)]) == 1


def test_a_photo_with_a_profile_is_edited_by_the_parts_of_a_mask(levels, tmp_path):
    rng = np.random.default_rng(2)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    wide = bytearray(profile.tobytes())
    at = wide.index(b"rXYZ", 132)  # the tag's place in the table: its red becomes redder
    start = int.from_bytes(wide[at + 4 : at + 8], "big") + 8
    wide[start : start + 4] = round(0.52 * 65536).to_bytes(4, "big")
    picture = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (*levels.shape, 3), np.uint8)).save(picture, "PNG", icc_profile=bytes(wide))
    (tmp_path / "wide.png").write_bytes(picture.getvalue())
    photo = Photo.open(tmp_path / "wide.png")
    image = 255 - photo.image
    reached = within_reach(levels, CROPS, FADES)
    by_parts, at_once = photo.edited(image, reached), photo.edited(image, reached[:, :])
    assert np.array_equal(by_parts.image, at_once.image)
    assert not np.array_equal(by_parts.image, photo.image)
    assert np.array_equal(by_parts.image[reached[:, :] == 0], photo.image[reached[:, :] == 0])
