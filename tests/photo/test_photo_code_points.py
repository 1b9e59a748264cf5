"""Colours told by code points become a profile: against published matrices, in linear light."""

import io

import numpy as np
import pytest
from PIL import Image

from npe_core.photo import Photo, code_points, colour_profile, png_data

TO_SRGB = {  # CSS Color Module Level 4, section 20
    12: [[1.2249402, -0.2249402, 0.0], [-0.0420570, 1.0420570, 0.0], [-0.0196376, -0.0786361, 1.0982736]],
    9: [[1.6604962, -0.5876564, -0.0728398], [-0.1245471, 1.1328951, -0.0083480], [-0.0181510, -0.1005973, 1.1187484]],
}


def told(primaries, curve):
    return ((b"cICP", bytes([primaries, curve, 0, 1])),)


def by_the_matrix(rgb, primaries):
    """(..., 3) uint8 -> sRGB, as floats of 0..255; NaN where sRGB has no such colour."""
    x = rgb / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) @ np.transpose(TO_SRGB[primaries])
    linear[((linear < 0) | (linear > 1)).any(axis=-1)] = np.nan
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("primaries", TO_SRGB)
@pytest.mark.parametrize("curve", [1, 6, 13, 14, 15])
def test_the_colours_are_those_of_the_published_matrix(primaries, curve):
    rgb = np.random.default_rng(1).integers(0, 256, (2000, 3), dtype=np.uint8)
    wanted = by_the_matrix(rgb, primaries)
    inside = np.isfinite(wanted).all(axis=-1)
    found = colour_profile.to_srgb(rgb[None], code_points.profile_of(told(primaries, curve)))[0]
    assert inside.sum() > 300 and np.abs(found[inside] - wanted[inside]).max() < 2
    assert np.abs(found[inside] - rgb[inside].astype(int)).max() > 20  # not as they were


@pytest.mark.parametrize("colour", [told(1, 13), told(12, 16), told(9, 18), told(12, 8), told(11, 13), told(2, 2), (),
                                    ((b"cICP", b"\x0c\x0d"),), ((b"gAMA", b"1234"),)])  # fmt: skip
def test_what_no_profile_says(colour):
    assert code_points.profile_of(colour) is None


def test_a_png_of_display_p3_is_seen_as_such_and_keeps_its_samples(make, tmp_path):
    plain = io.BytesIO()
    Image.fromarray(make.smooth()).save(plain, "PNG")
    parts = list(png_data.chunks(plain))
    (tmp_path / "in.png").write_bytes(png_data.joined([parts[0], *told(12, 13), *parts[1:]]))
    photo = Photo.open(tmp_path / "in.png")
    assert photo.notes == ()
    wanted = by_the_matrix(make.smooth(), 12)
    inside = np.isfinite(wanted)
    assert inside.mean() > 0.5 and np.abs(photo.image[inside] - wanted[inside]).max() < 2
    photo.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert np.array_equal(np.asarray(picture), make.smooth())
        assert picture.info["icc_profile"] == code_points.profile_of(told(12, 13))
