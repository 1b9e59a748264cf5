"""Paint that tints, against its closed form: the paint's colour on average, the photo's own light in detail."""

import cv2
import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.tint import KEPT
from npe_core.colour import lab_to_srgb, lightness_of, luminance_of, parse_colour, srgb_to_lab, srgb_to_linear
from npe_core.errors import UsageError

SIZE = (120, 160)
CENTRE = (80.0, 60.0)


def grey_of(lightness: np.ndarray) -> np.ndarray:
    lab = np.dstack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)])
    return np.rint(255 * lab_to_srgb(lab)).astype(np.uint8)


def texture(mean: float, amplitude: float = 8.0) -> np.ndarray:
    """A grey picture of strands, three pixels each, about a mean L*."""
    strand = np.sin(2 * np.pi * np.arange(SIZE[1]) / 3)
    return grey_of(np.broadcast_to(mean + amplitude * strand, SIZE).astype(np.float32))


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    return np.hypot(x - CENTRE[0], y - CENTRE[1]) < radius


def lab_under(canvas: Canvas, where: np.ndarray) -> np.ndarray:
    return srgb_to_lab(canvas.guide)[where]


@pytest.mark.parametrize("colour", ["#2050d0", "#d06070", "#8b5a30", "#808080"])
@pytest.mark.parametrize("mean", [40.0, 60.0])
def test_a_disc_has_the_paints_colour_on_average_but_for_a_third_of_the_light(colour, mean):
    canvas = Canvas(texture(mean))
    canvas.stroke([CENTRE], colour, radius=40, hardness=1, tint=True)
    paint = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    shown = lab_under(canvas, disc(38)).mean(axis=0)
    assert shown[0] == pytest.approx((1 - KEPT) * paint[0] + KEPT * mean, abs=0.5)
    if colour != "#808080":
        assert np.arctan2(shown[2], shown[1]) == pytest.approx(np.arctan2(paint[2], paint[1]), abs=0.15)
    assert np.hypot(*shown[1:]) == pytest.approx(np.hypot(*paint[1:]), rel=0.25, abs=0.5)


@pytest.mark.parametrize("colour", ["#2050d0", "#c09040"])
def test_the_texture_under_it_is_the_photos_to_a_level(colour):
    image = texture(50)
    canvas = Canvas(image)
    canvas.stroke([(20, 60), (140, 60)], colour, radius=30, hardness=1, tint=True)

    def fine(picture: np.ndarray) -> np.ndarray:
        lightness = srgb_to_lab(picture)[..., 0]
        return lightness - cv2.GaussianBlur(lightness, (0, 0), 3)

    inner = np.s_[45:75, 40:120]
    assert fine(image)[inner].std() > 5
    assert np.abs(fine(canvas.guide)[inner] - fine(image)[inner]).max() < 1


def test_beside_an_edge_the_paint_is_as_light_as_far_from_it():
    """Hair on a bright wall, and the paint on either of them; no nearer to the one than to the other."""
    lightness = np.full((400, 600), 20, np.float32)
    lightness[:, 300:] = 90
    canvas = Canvas(grey_of(lightness))
    canvas.select(np.ones(canvas.size, bool), "#407040", tint=True)
    shown = srgb_to_lab(canvas.guide)[200, :, 0]
    assert np.abs(shown[:298] - shown[0]).max() < 3 and np.abs(shown[302:] - shown[-1]).max() < 3
    assert shown[-1] - shown[0] == pytest.approx(70 * KEPT, abs=2)
    assert np.abs(shown[0] - shown + (shown[-1] - shown)[::-1]).max() < 3


def test_in_more_light_paint_is_no_more_colourful_and_in_less_it_is_the_paint_with_less_light():
    paint = srgb_to_lab(np.array(parse_colour("#703828"), np.uint8))
    bright, dark = Canvas(grey_of(np.full(SIZE, 90, np.float32))), Canvas(grey_of(np.full(SIZE, 5, np.float32)))
    for canvas in (bright, dark):
        canvas.select(np.ones(SIZE, bool), "#703828", tint=True)
    light = srgb_to_lab(bright.guide[0, 0])
    assert light[0] > paint[0] + 15
    assert np.hypot(*light[1:]) == pytest.approx(np.hypot(*paint[1:]), rel=0.1)
    less = srgb_to_linear(dark.guide[0, 0]) / srgb_to_linear(np.array(parse_colour("#703828"), np.uint8))
    assert less.max() < 0.6 and np.ptp(less) < 0.06


def test_flat_light_gives_flat_paint_and_what_is_not_painted_is_the_photos():
    image = np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    canvas = Canvas(image)
    canvas.stroke([CENTRE], "#2050d0", radius=20, tint=True)
    outside = canvas.levels == 0
    assert outside.sum() > 10_000 and np.array_equal(canvas.guide[outside], image[outside])
    flat = Canvas(np.full((*SIZE, 3), 99, np.uint8))
    flat.stroke([CENTRE], "#2050d0", radius=20, tint=True)
    assert len(np.unique(flat.guide[flat.levels == 255], axis=0)) == 1


@pytest.mark.parametrize("light", [0, 255])
@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ff0000", "#000010", "#808080"])
def test_black_and_white_photos_stay_within_the_gamut(light, colour):
    canvas = Canvas(np.full((*SIZE, 3), light, np.uint8))
    with np.errstate(all="raise"):
        canvas.select(np.ones(SIZE, bool), colour, tint=True)
    paint = srgb_to_lab(np.array(parse_colour(colour), np.uint8))[0]
    shown = srgb_to_lab(canvas.guide)
    assert np.abs(shown[..., 0] - ((1 - KEPT) * paint + KEPT * (light / 2.55))).max() < 0.5
    if len(set(parse_colour(colour))) == 1:
        assert np.ptp(canvas.guide, axis=-1).max() == 0  # grey stays grey


def test_stroke_mask_and_picture_of_one_colour_tint_alike():
    image = np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    stroke, mask, picture = Canvas(image), Canvas(image), Canvas(image)
    stroke.stroke([(10, 10), CENTRE, (150, 110)], "#8b2500", radius=9, hardness=1, tint=True)
    mask.select(stroke.mask, "#8b2500", tint=True)
    paint = np.broadcast_to(np.array([0x8B, 0x25, 0x00], np.uint8), (*SIZE, 3))
    picture.paint_image(paint, stroke.mask, tint=True)
    assert np.array_equal(stroke.guide, mask.guide)
    assert np.abs(picture.guide.astype(int) - mask.guide).max() <= 1  # the table of a colour is as fine as that
    flat = Canvas(image)
    flat.select(stroke.mask, "#8b2500")
    assert np.abs(flat.guide.astype(int) - mask.guide).max() > 30


def test_the_colour_of_a_pixel_does_not_depend_on_the_stroke():
    image = np.random.default_rng(6).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    once, dragged = Canvas(image), Canvas(image)
    once.stroke([(5, 60), (150, 60)], "#2e6f9e", radius=8, hardness=0.5, tint=True)
    dragged.begin_stroke("#2e6f9e", 8, 0.5, tint=True)
    for x in range(5, 151, 5):
        dragged.extend_stroke([(x, 60)])
    assert np.array_equal(once.levels, dragged.levels) and np.array_equal(once.guide, dragged.guide)


def test_undo_redo_eraser_and_saving():
    image = np.random.default_rng(7).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    canvas = Canvas(image)
    canvas.stroke([CENTRE], "#20a040", radius=15, tint=True)
    tinted = canvas.guide.copy()
    canvas.stroke([CENTRE], "#a02040", radius=10, opacity=0.5)  # flat paint over it
    both = canvas.guide.copy()
    assert canvas.undo() and np.array_equal(canvas.guide, tinted)
    assert canvas.redo() and np.array_equal(canvas.guide, both)
    assert np.array_equal(Canvas.restore(image, canvas.save_state()).guide, both)
    canvas.erase([CENTRE], radius=20, hardness=1)
    assert np.array_equal(canvas.guide, image)
    canvas.stroke([CENTRE], "#20a040", radius=15, tint=True)  # of the photo, not of the paint before
    assert np.array_equal(canvas.guide, tinted)


def test_a_tint_needs_a_colour():
    canvas = Canvas(np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(UsageError, match="colour"):
        canvas.stroke([CENTRE], None, 5, tint=True)
    with pytest.raises(UsageError, match="colour"):
        canvas.select(np.ones(SIZE, bool), tint=True)
    assert not canvas.levels.any()


def test_lightness_and_luminance():
    lightness = np.linspace(0, 100, 201)
    assert np.allclose(lightness_of(luminance_of(lightness)), lightness)
    assert luminance_of(np.array([50.0]))[0] == pytest.approx(0.18419, abs=1e-5)  # CIE 15
