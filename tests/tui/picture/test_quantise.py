"""Colour depths: nearest steps, palettes, and dithering whose mean is the colour."""

import cv2
import numpy as np
import pytest
from code_colours import colours_of
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from npe_core.colour import srgb_to_lab
from npe_core.errors import UsageError
from npe_tui.picture.depth import Depth, choose_depth
from npe_tui.picture.quantise import ANSI_PALETTE, black_and_white, plain, quantise

BY_POSITION = (Depth.XTERM, Depth.ANSI, Depth.GREY, Depth.MONO)


def flat(colour, size=16):
    return np.broadcast_to(np.float32(colour), (size, size, 3))


def test_true_colour_loses_nothing():
    every = np.arange(256**2, dtype=np.uint32).reshape(256, 256)
    image = np.stack([every >> 8, every & 255, 255 - (every & 255)], axis=-1).astype(np.uint8)
    assert np.array_equal(colours_of(quantise(image.astype(np.float32), Depth.TRUE), Depth.TRUE), image)


def test_five_bits_are_the_nearest_of_32_steps():
    values = np.arange(256)
    image = np.repeat(values[None, :, None], 3, axis=2).astype(np.float32)
    shown = colours_of(quantise(image, Depth.FIVE), Depth.FIVE)[0, :, 0].astype(float)
    steps = np.rint(np.arange(32) * 255 / 31)
    nearest = np.abs(values[:, None] - steps).min(axis=1)
    assert set(shown) == set(steps)
    assert np.abs(shown - values).max() <= nearest.max() + 0.5
    assert np.abs(shown - values).mean() <= nearest.mean() + 0.05
    assert abs((shown - values).mean()) < 0.1


def test_256_colours_mix_to_the_colour():
    colours = np.random.default_rng(0).integers(0, 256, (200, 3))
    shown = [colours_of(quantise(flat(colour, 4), Depth.XTERM), Depth.XTERM).mean(axis=(0, 1)) for colour in colours]
    error = np.array(shown) - colours
    assert np.abs(error).max() < 48 and np.abs(error).mean() < 8
    assert np.abs(error.mean(axis=1)).mean() < 5
    for natural in [(224, 172, 150), (96, 64, 40), (190, 70, 80), (20, 18, 22)]:  # skin, hair, lips, night
        mixed = colours_of(quantise(flat(natural), Depth.XTERM), Depth.XTERM).mean(axis=(0, 1))
        assert np.abs(mixed - natural).max() < 20


@pytest.mark.parametrize(("depth", "off", "uneven"), [(Depth.XTERM, 4.2, 12.0), (Depth.ANSI, 10.5, 25.0)])
def test_portraits_are_no_chequer_of_hues(portrait, depth, off, uneven):
    """On four of them, dark and fair: how far from the photo for an eye that blurs a dot (CIE 1976), and how much the
    hue (a*, b*) of a dot differs from those around it, by their mean squares: some 4 in the photos themselves."""

    def lab(image, sigma=0.0):
        return srgb_to_lab(cv2.GaussianBlur(image / np.float32(255), (0, 0), sigma) if sigma else image)

    distances, variances = [], []
    for name in ("ana", "ben", "clara", "dora"):
        with Image.open(portrait.with_name(f"{name}.png")) as picture:
            image = np.asarray(picture.convert("RGB").resize((60, 60), Image.Resampling.BOX))
        shown = colours_of(quantise(image.astype(np.float32), depth), depth)
        distances.append(np.linalg.norm(lab(shown, 1.0) - lab(image, 1.0), axis=-1).mean())
        hues = lab(shown)[..., 1:]
        variances.append((cv2.blur(hues**2, (3, 3)) - cv2.blur(hues, (3, 3)) ** 2).sum(axis=-1).mean())
    assert np.mean(distances) < off
    assert np.mean(variances) ** 0.5 < uneven


@given(st.integers(0, 255))
def test_greys_mix_to_the_grey(value):
    shown = colours_of(quantise(flat((value,) * 3), Depth.GREY), Depth.GREY)
    assert abs(shown.mean() - value) < 2
    assert (shown == shown[..., :1]).all()


def test_more_light_is_more_lit_dots():
    lit = [int(quantise(flat((value,) * 3), Depth.MONO).sum()) for value in range(0, 256, 5)]
    assert lit == sorted(lit) and lit[0] == 0 and lit[-1] == 256


@pytest.mark.parametrize("depth", [Depth.ANSI, Depth.XTERM])
def test_colours_of_the_palette_stay_what_they_are(depth):
    corners = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
    for colour in corners:
        assert (colours_of(quantise(flat(colour), depth), depth) == colour).all()


def test_codes_are_of_the_palette():
    image = np.random.default_rng(0).uniform(0, 255, (64, 64, 3)).astype(np.float32)
    assert quantise(image, Depth.ANSI).max() < 16
    assert set(np.unique(quantise(image, Depth.XTERM))) <= set(range(16, 256)), "a theme may change the first 16"
    assert set(np.unique(quantise(image, Depth.GREY))) <= {16, *range(231, 256)}
    assert set(np.unique(quantise(image, Depth.MONO))) == {0, 1}


@pytest.mark.parametrize("depth", list(Depth))
@settings(max_examples=20)
@given(st.integers(0, 20), st.integers(0, 20))
def test_a_part_is_the_same_as_in_the_whole(depth, x, y):
    image = np.random.default_rng(1).uniform(0, 255, (30, 30, 3)).astype(np.float32)
    whole = quantise(image, depth)
    assert np.array_equal(quantise(image[y : y + 9, x : x + 7], depth, (x, y)), whole[y : y + 9, x : x + 7])


def test_around_the_picture_nothing_is_dithered():
    assert plain((18, 19, 20), Depth.TRUE) == 0x121314 == plain((18, 19, 20), Depth.FIVE)
    assert plain((18, 18, 18), Depth.XTERM) == 233 == plain((18, 18, 18), Depth.GREY)
    assert plain((18, 18, 18), Depth.ANSI) == 0 == plain((200, 200, 200), Depth.MONO)


def test_marks_are_black_and_white_at_every_depth():
    for depth in Depth:
        black, white = colours_of(np.array(black_and_white(depth), np.uint32), depth)
        assert black.tolist() == [0, 0, 0] and white.tolist() == [255, 255, 255]
    assert ANSI_PALETTE[15].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("system", "no_colour", "environment", "depth"),
    [
        ("truecolor", False, {"COLORTERM": "truecolor", "TERM": "xterm-256color"}, Depth.TRUE),
        ("truecolor", False, {"COLORTERM": "truecolor", "SSH_CONNECTION": "1 2 3 4"}, Depth.FIVE),
        ("truecolor", False, {"COLORTERM": "truecolor", "SSH_TTY": "/dev/pts/3"}, Depth.FIVE),
        ("256", False, {"TERM": "xterm-256color"}, Depth.XTERM),
        ("256", False, {"TERM": "screen-256color", "SSH_TTY": "/dev/pts/3"}, Depth.XTERM),
        ("standard", False, {"TERM": "linux"}, Depth.ANSI),
        ("standard", False, {"TERM": "vt220"}, Depth.MONO),
        ("standard", False, {"TERM": "xterm-mono"}, Depth.MONO),
        ("truecolor", False, {"TERM": "vt100", "COLORTERM": "truecolor"}, Depth.TRUE),
        (None, False, {"TERM": "dumb"}, Depth.MONO),
        ("truecolor", True, {"COLORTERM": "truecolor"}, Depth.GREY),
        ("256", True, {"TERM": "xterm-256color"}, Depth.GREY),
        ("standard", True, {"TERM": "linux"}, Depth.MONO),
    ],
)
def test_what_the_terminal_can_do(system, no_colour, environment, depth):
    assert choose_depth(colour_system=system, no_colour=no_colour, environment=environment) is depth
    for asked in Depth:
        assert choose_depth(asked.value, colour_system=system, no_colour=no_colour, environment=environment) is asked


def test_a_depth_that_is_none_names_those_there_are():
    with pytest.raises(UsageError, match=r"'24bit'.*auto, true, 5bit, 256, 16, grey, mono"):
        choose_depth("24bit", environment={})
