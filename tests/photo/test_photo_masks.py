"""Masks and paint: numbers, not colours, and exactly the photo's size."""

import numpy as np
import pytest
from PIL import Image

from npe_core.errors import InputError
from npe_core.photo import read_mask, read_mask_or_paint, read_paint

SIZE = (96, 72)


def ramp():
    return np.linspace(0, 255, 96 * 72).astype(np.uint8).reshape(72, 96)


def test_grey_16_bit_and_one_bit(photo_file):
    mask = read_mask(photo_file("a.png", ramp()), SIZE)
    assert mask.dtype == np.float32
    assert np.array_equal(mask, ramp().astype(np.float32) / 255)
    deep = np.linspace(0, 65535, 96 * 72).astype(np.uint16).reshape(72, 96)
    assert np.allclose(read_mask(photo_file("b.png", Image.fromarray(deep)), SIZE), deep / 65535, atol=1e-6)
    assert np.array_equal(read_mask(photo_file("c.png", Image.fromarray(ramp() > 99)), SIZE), (ramp() > 99) * 1.0)


def test_colour_gives_luma_and_grey_rgb_is_exact(make, photo_file):
    mask = read_mask(photo_file("a.png"), SIZE)
    expected = np.asarray(Image.fromarray(make.smooth()).convert("L")) / 255
    assert np.abs(mask - expected).max() < 0.005
    assert np.array_equal(
        read_mask(photo_file("b.png", np.dstack([ramp()] * 3)), SIZE), ramp().astype(np.float32) / 255
    )


@pytest.mark.parametrize(
    ("colour", "said"), [((255, 0, 0), ["at most 30 %"]), ((255, 255, 255), []), ((90, 80, 100), [])]
)
def test_a_mask_painted_in_a_colour_is_told_about(photo_file, colour, said):
    spot = np.zeros((72, 96, 3), np.uint8)
    spot[20:51, 30:61] = colour
    notes: list[str] = []
    read_mask(photo_file("spot.png", spot), SIZE, notes)
    assert len(notes) == len(said)
    assert all("spot.png" in note and part in note for note, part in zip(notes, said, strict=True))


@pytest.mark.parametrize(
    ("dtype", "highest", "said"),
    [
        (np.uint8, 1, "above 1, where 255 is white"),
        (np.uint16, 255, "above 255, where 65535 is white"),
        (np.uint8, 40, None),
        (np.uint16, 65535, None),
        (np.uint8, 0, None),
    ],
)
def test_a_mask_of_ones_or_of_bytes_in_16_bits_is_told_about(photo_file, dtype, highest, said):
    spot = np.zeros((72, 96), dtype)
    spot[20:51, 30:61] = highest
    path = photo_file("spot.png", spot)
    for read in (read_mask, read_mask_or_paint):
        notes: list[str] = []
        read(path, SIZE, notes)
        assert [note for note in notes if said is None or said not in note] == []
        assert len(notes) == (said is not None)


def test_a_photo_in_the_place_of_a_mask_is_told_about(portrait):
    for path in sorted(portrait.parent.glob("*.png")):
        for read in (read_mask, read_mask_or_paint):
            notes: list[str] = []
            read(path, (512, 512), notes)
            assert len(notes) == 1 and f"{path.name}' has many colours" in notes[0], path


@pytest.mark.parametrize("tint", [(255, 255, 255), (255, 245, 220), (240, 225, 190), (220, 235, 255)])
@pytest.mark.parametrize("file", [("a.png", {}), ("a.jpg", {"quality": 10})])
def test_noise_and_the_tint_of_a_scan_are_no_colours(photo_file, tint, file):
    """A soft disc on paper of a tint, with the grain of a scanner."""
    name, options = file
    down, across = np.mgrid[-36:36, -48:48]
    disc = np.clip((30 - np.hypot(down, across)) / 8, 0, 1)[..., None]
    grain = np.random.default_rng(7).normal(0, 6, (72, 96, 3))
    notes: list[str] = []
    scan = np.clip(disc * tint + grain, 0, 255).astype(np.uint8)
    read_mask(photo_file(name, scan, **options), SIZE, notes)
    assert not notes


def test_alpha_counts_where_it_varies(make, photo_file):
    varying = np.dstack([make.smooth(), ramp()])
    assert np.array_equal(read_mask(photo_file("a.png", varying), SIZE), ramp().astype(np.float32) / 255)
    for constant in (0, 255):
        opaque = np.dstack([ramp(), ramp(), ramp(), np.full_like(ramp(), constant)])
        assert np.array_equal(read_mask(photo_file("b.png", opaque), SIZE), ramp().astype(np.float32) / 255)


def test_a_stray_pixel_that_is_not_quite_opaque_does_not_mark_all_the_rest(make, photo_file):
    alpha = np.full_like(ramp(), 255)
    alpha[5, 5] = 254
    path = photo_file("a.png", np.dstack([ramp()] * 3 + [alpha]))
    assert np.array_equal(read_mask(path, SIZE), ramp().astype(np.float32) / 255)
    assert read_mask_or_paint(path, SIZE)[0] is None
    notes = []
    read_paint(photo_file("b.png", np.dstack([make.smooth(), alpha])), SIZE, notes)
    assert "opaque everywhere" in notes[0]


def test_a_profile_does_not_change_the_numbers(make, photo_file):
    path = photo_file("a.png", ramp(), icc_profile=make.icc_profile(b"GRAY", gamma=1.0))
    assert np.array_equal(read_mask(path, SIZE), ramp().astype(np.float32) / 255)


def test_jpeg_noise_marks_nothing(photo_file):
    box = np.zeros((72, 96), np.uint8)
    box[20:51, 30:61] = 255
    mask = read_mask(photo_file("a.jpg", box, quality=85), SIZE)
    far = np.ones_like(box, bool)
    far[16:56, 24:64] = False  # beyond the blocks that hold the edge
    assert mask[far].max() == 0
    assert mask[24:48, 32:56].min() == 1


@pytest.mark.parametrize(("value", "read"), [(0, 0), (14, 0), (18, 18 / 255), (237, 237 / 255), (241, 1), (255, 1)])
def test_what_is_nearly_black_or_white_is_so_in_lossy_masks_alone(photo_file, value, read):
    flat = np.full((72, 96), value, np.uint8)  # which JPEG of this quality keeps as it is
    for name, options in (("a.jpg", {}), ("a.tif", {"compression": "jpeg"})):
        assert np.all(read_mask(photo_file(name, flat, quality=100, **options), SIZE) == np.float32(read))
    for name, options in (("a.png", {}), ("b.tif", {"compression": "tiff_lzw"})):
        assert np.all(read_mask(photo_file(name, flat, **options), SIZE) == np.float32(value / 255))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_orientation_is_applied(photo_file, name):
    tags = Image.Exif()
    tags[0x0112] = 6
    path = photo_file(name, ramp(), exif=tags)
    assert np.array_equal(read_mask(path, (72, 96)), np.rot90(ramp(), -1).astype(np.float32) / 255)
    with pytest.raises(InputError, match=r"72x96 pixels, the upright photo is 96x72"):
        read_mask(path, SIZE)


def test_sizes_are_named_before_decoding(photo_file, make):
    path = photo_file("a.png", make.smooth(200, 100))
    path.write_bytes(path.read_bytes()[:300])  # decoding would say something else
    for read in (read_mask, read_paint):
        with pytest.raises(InputError, match=r"200x100 pixels, the upright photo is 96x72") as caught:
            read(path, SIZE)
        assert str(caught.value).count("\n") <= 1


def test_paint(make, photo_file):
    rgb, alpha = read_paint(photo_file("a.png", np.dstack([make.smooth(), ramp()])), SIZE)
    assert np.array_equal(rgb, make.smooth())
    assert alpha.dtype == np.float32
    assert np.array_equal(alpha, ramp().astype(np.float32) / 255)
    wide = photo_file("b.png", np.dstack([make.smooth(), ramp()]), icc_profile=make.icc_profile())
    assert not np.array_equal(read_paint(wide, SIZE)[0], make.smooth())
    picture = Image.fromarray(make.smooth()).quantize(8)
    assert set(np.unique(read_paint(photo_file("c.png", picture, transparency=2), SIZE)[1])) == {0, 1}


def test_opaque_paint_gets_a_note(make, photo_file):
    notes = []
    read_paint(photo_file("a.png", np.dstack([make.smooth(), ramp()])), SIZE, notes)
    assert not notes
    read_paint(photo_file("b.png", np.dstack([make.smooth(), np.full_like(ramp(), 255)])), SIZE, notes)
    assert "opaque everywhere: all of the photo is edited" in notes[0]


def seen_on_transparent(colour):
    """(H, W, 4): a square of a colour, nothing around it."""
    picture = np.zeros((*ramp().shape, 4), np.uint8)
    picture[20:40, 20:40] = (*colour, 255)
    return picture


@pytest.mark.parametrize("colour", [(200, 30, 10), (250, 250, 250)])
def test_a_file_that_may_be_a_mask_or_paint(photo_file, make, colour):
    """However a program has packed it: RGBA is paint; with a palette or a transparent colour only colour is."""
    picture = seen_on_transparent(colour)
    packed = {
        "rgba": (picture, {}),
        "profile": (picture, {"icc_profile": make.icc_profile()}),
        "palette": (Image.fromarray(picture).quantize(8), {}),
        "key": (picture[..., :3], {"transparency": (0, 0, 0)}),
    }
    inside = picture[..., 3] > 0
    for name, (content, options) in packed.items():
        rgb, alpha = read_mask_or_paint(photo_file(f"{name}.png", content, **options), SIZE)
        assert np.array_equal(alpha, inside.astype(np.float32)), name
        is_paint = name in ("rgba", "profile") or colour[0] != colour[1]
        assert (rgb is not None) == is_paint, name
        if rgb is not None and name != "profile":
            assert np.abs(rgb[inside].astype(int) - colour).max() <= 2, name


def test_an_opaque_grey_rgba_is_a_mask_whatever_its_profile(photo_file, make):
    """A monitor's profile may tint grey: the numbers are meant."""
    opaque = np.dstack([ramp()] * 3 + [np.full_like(ramp(), 255)])
    for profile in (None, make.icc_profile(), b"no profile"):
        rgb, mask = read_mask_or_paint(photo_file("a.png", opaque, icc_profile=profile), SIZE)
        assert rgb is None and np.array_equal(mask, ramp().astype(np.float32) / 255)
    notes = []
    opaque[..., 1:3] = 0
    rgb, alpha = read_mask_or_paint(photo_file("b.png", opaque), SIZE, notes)
    assert rgb is not None and alpha.min() == 1 and "opaque everywhere" in notes[0]


def test_paint_without_alpha_is_refused(photo_file):
    with pytest.raises(InputError, match="no transparency"):
        read_paint(photo_file("a.png"), SIZE)


def test_masks_that_are_no_pictures(tmp_path):
    for read in (read_mask, read_paint):
        with pytest.raises(InputError, match="no file"):
            read(tmp_path / "missing.png", SIZE)
