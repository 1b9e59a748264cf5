"""The way back into the photo: exact outside the mask, faithful inside, nothing beyond the crop's border."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.editor.paste import paste, paste_guide, seam_width
from npe_core.editor.share import Share
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

RNG = np.random.default_rng(4)
NOISE = RNG.integers(0, 256, (90, 110, 3), np.uint8)


def crop_at(scale, degrees, middle, size):
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    linear = np.array([[a, -b], [b, a]])
    return FaceCrop(np.column_stack([linear, middle - linear @ [size / 2, size / 2]]), size)


def places_in(crop, photo):
    """(H, W, 2): where the centres of a photo's pixels lie in the crop."""
    x, y = np.meshgrid(np.arange(photo.shape[1]) + 0.5, np.arange(photo.shape[0]) + 0.5)
    return transform(inverse(crop.matrix), np.stack([x, y], axis=-1))


def flat(crop, *values):
    """(size, size) float32 maps of one value each; with the first one as a picture."""
    base, *maps = (np.full((crop.size, crop.size), value, np.float32) for value in values)
    return np.repeat(base[..., None], 3, axis=2), *maps


def pasted(photo, mask, crop, base, weight, fade, texture=None, guide=None, steps=255):
    """After so many ``steps`` every mask above 0 has joined."""
    image = photo.copy()
    texture = np.zeros_like(fade) if texture is None else texture
    paste(image, photo if guide is None else guide, mask, crop, base, weight, fade, texture, steps)
    return image


def everywhere(photo):
    return np.full(photo.shape[:2], 255, np.uint8)


@st.composite
def crops(draw):
    middle = draw(st.floats(-20, 130)), draw(st.floats(-20, 110))
    return crop_at(draw(st.floats(0.1, 6)), draw(st.floats(-180, 180)), middle, draw(st.integers(8, 48)))


@given(crops(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_pixels_outside_mask_and_crop_are_equal(crop, seed):
    rng = np.random.default_rng(seed)
    base = rng.uniform(-300, 500, (crop.size, crop.size, 3)).astype(np.float32)
    weight, fade, texture = rng.random((3, crop.size, crop.size), np.float32)
    mask = rng.integers(0, 256, (90, 110), np.uint8) * (rng.random((90, 1)) > 0.6)
    before, guide = NOISE.copy(), rng.integers(0, 256, NOISE.shape, np.uint8)
    image = pasted(NOISE, mask, crop, base, weight, fade, texture, guide)
    assert np.array_equal(NOISE, before) and image.dtype == np.uint8
    places = places_in(crop, NOISE)
    outside = ((places < -1e-6) | (places > crop.size + 1e-6)).any(axis=-1)
    kept = outside | (mask == 0)
    assert np.array_equal(image[kept], NOISE[kept])


@given(crops())
@settings(deadline=None)
def test_a_full_mask_covers_the_crop_and_ends_at_its_border(crop):
    white = np.full_like(NOISE, 255)
    image = pasted(white, everywhere(white), crop, *flat(crop, 0, 0, 1))
    places = places_in(crop, NOISE)
    distance = np.minimum(places, crop.size - places).min(axis=-1)
    clear = np.abs(distance) > 1e-6
    assert np.array_equal(image[clear] == 0, np.stack([distance > 0] * 3, axis=-1)[clear])


@given(crops(), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_the_photo_as_its_own_guide_is_the_photo(crop, fade, texture):
    """A weight of 1 keeps all of the guide, whatever the crop's place, turn and size."""
    image = pasted(NOISE, everywhere(NOISE), crop, *flat(crop, 0, 1, fade, texture))
    assert np.array_equal(image, NOISE)


@given(crops(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_guide_comes_as_it_is_as_far_as_the_crop_counts(crop, seed):
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 256, (90, 110), np.uint8) * (rng.random((90, 1)) > 0.6)
    guide = np.where(mask[..., None] > 0, rng.integers(0, 256, NOISE.shape, np.uint8), NOISE)
    whole, third, fade = NOISE.copy(), NOISE.copy(), np.ones((crop.size, crop.size), np.float32)
    paste_guide(whole, guide, mask, crop, fade)
    paste_guide(third, guide, mask, crop, fade / 3)
    places = places_in(crop, NOISE)
    distance = np.minimum(places, crop.size - places).min(axis=-1)
    inside, outside = distance > 1e-6, distance < -1e-6
    assert np.array_equal(whole[inside], guide[inside]) and np.array_equal(whole[outside], NOISE[outside])
    assert np.array_equal(third[inside], np.rint(NOISE[inside] * (2 / 3) + guide[inside] / 3))
    assert np.array_equal(third[outside], NOISE[outside])


@pytest.mark.parametrize(("middle", "marked"), [((50, 40), 0), ((500, 40), 255)])
def test_an_empty_mask_and_a_crop_beside_the_photo_change_nothing(middle, marked):
    crop = crop_at(1.3, 20, middle, 32)
    mask = np.full(NOISE.shape[:2], marked, np.uint8)
    assert np.array_equal(pasted(NOISE, mask, crop, *flat(crop, 0, 0, 1)), NOISE)


def test_an_aligned_photo_is_edited_pixel_for_pixel():
    photo, edited = RNG.integers(0, 256, (2, 512, 512, 3), np.uint8)
    fade = RNG.random((512, 512), np.float32)
    image = pasted(photo, everywhere(photo), FaceCrop.centred(512, 512), edited.astype(np.float32), 0 * fade, fade)
    expected = np.rint(photo + fade[..., None] * (edited.astype(np.float32) - photo))
    assert np.array_equal(image, expected.astype(np.uint8))


@pytest.mark.parametrize(("scale", "degrees"), [(0.4, 0), (1.7, 32), (5.0, -70)])
def test_what_is_drawn_in_the_crop_lands_in_its_place(scale, degrees):
    crop = crop_at(scale, degrees, (250.0, 240.0), 96)

    def disc(x, y):
        return np.clip((0.3 - np.hypot(x / 96 - 0.5, y / 96 - 0.5)) / 0.1 + 0.5, 0, 1)

    fade = disc(*(np.indices((96, 96)) + 0.5)[::-1]).astype(np.float32)
    photo = np.zeros((500, 500, 3), np.uint8)
    image = pasted(photo, everywhere(photo), crop, *flat(crop, 200, 0)[:2], fade)
    places = places_in(crop, photo)
    expected = disc(places[..., 0], places[..., 1])
    expected[((places < 0) | (places > 96)).any(axis=-1)] = 0
    error = np.abs(image[..., 1] - 200 * expected)
    assert error.max() < 24 and error.mean() < 0.8


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_the_seam_rises_inwards_within_its_width(scale):
    crop = crop_at(scale, 30, (300.0, 300.0), 512)
    photo, mask = np.zeros((600, 600, 3), np.uint8), np.zeros((600, 600), np.uint8)
    mask[280:330, 250:] = 80  # however weak: the mask has had its say in the diffusion
    levels = pasted(photo, mask, crop, *flat(crop, 255, 0, 1))[305, :, 0].astype(int)
    width = seam_width(crop)
    inside = levels[250 : 250 + width]
    assert levels[249] == 0 and inside[0] > 0 and (np.diff(inside) >= 0).all()
    assert (levels[250 + width : 300] == 255).all()


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_where_the_mask_is_too_faint_for_the_last_call_the_guide_shows_the_more_the_fainter_it_is(steps):
    crop = crop_at(1, 0, (256.0, 256.0), 512)
    photo, guide = np.zeros((512, 512, 3), np.uint8), np.full((512, 512, 3), 100, np.uint8)
    mask = np.broadcast_to((np.arange(512) // 2).astype(np.uint8), (512, 512))
    image = pasted(photo, mask, crop, *flat(crop, 200, 0, 1), guide=guide, steps=steps)[256, :, 0]
    expected = np.rint(100 + 100 * np.minimum(mask[256] * (steps / 255), 1))
    inside = slice(2 + seam_width(crop), None)
    assert np.array_equal(image[inside], expected[inside])


def test_a_fill_fades_into_its_own_soft_edge_and_flat_paint_into_the_photo():
    """The guide is 100 under the mask; the model made 200 of it. In between lie the guide, or the photo (0)."""
    crop = crop_at(1, 0, (256.0, 256.0), 512)
    photo, mask = np.zeros((512, 512, 3), np.uint8), np.zeros((512, 512), np.uint8)
    mask[:, 250:] = 255
    guide = np.where(mask[..., None] > 0, np.uint8(100), photo)
    fill, paint = (pasted(photo, mask, crop, *flat(crop, 200, 0, 1, own), guide=guide)[99, :, 0] for own in (1, 0))
    assert fill[249] == paint[249] == 0 and fill[260] == paint[260] == 200
    assert 100 < fill[250] < 125 and 0 < paint[250] < 50


def test_the_squares_that_are_worked_on_are_not_seen(monkeypatch):
    """With a seam of 8 pixels, and edges of the mask everywhere."""
    crop, rng = crop_at(3, 20, (110.0, 200.0), 512), np.random.default_rng(5)
    photo, guide = rng.integers(0, 256, (2, 400, 220, 3), np.uint8)
    mask = (rng.random((400, 220)) > 0.003) * np.uint8(255)
    base, weight, fade, texture = flat(crop, 200, 0.3, 0.8, 0.5)
    results = []
    for side in (192, 10000):
        monkeypatch.setattr("npe_core.editor.paste._TILE", side)
        results.append(pasted(photo, mask, crop, base, weight, fade, texture, guide))
    assert seam_width(crop) == 8 and np.array_equal(*results)


def test_the_edge_of_the_photo_is_no_edge_of_the_mask():
    crop = crop_at(1, 0, (256.0, 256.0), 512)
    photo = np.zeros((512, 512, 3), np.uint8)
    assert (pasted(photo, everywhere(photo), crop, *flat(crop, 255, 0, 1)) == 255).all()


def test_a_small_mask_in_a_large_face_costs_little():
    photo, mask = np.zeros((4000, 6000, 3), np.uint8), np.zeros((4000, 6000), np.uint8)
    mask[1900:2200, 2900:3200] = 255
    crop = crop_at(7, 10, (3000, 2000), 512)
    maps = flat(crop, 9, 0, 1, 0)
    paste(photo, photo, mask, crop, *maps, 4)
    tracemalloc.start()
    try:
        paste(photo, photo, mask, crop, *maps, 4)
        assert tracemalloc.get_traced_memory()[1] < 20e6  # a few for each of up to four threads
    finally:
        tracemalloc.stop()
    assert (photo[2000:2100, 3000:3100] == 9).all()


def test_a_hole_within_what_counts_wholly_is_seen():
    crop, values = FaceCrop.centred(64, 64, size=64), np.ones((64, 64), np.float32)
    assert Share(crop, values).in_part((20, 20, 44, 44)) is None
    values[30:34, 30:34] = 0
    part = Share(crop, values).in_part((20, 20, 44, 44))
    assert part is not None and part[12, 12] == 0 and part[2, 2] == 1
