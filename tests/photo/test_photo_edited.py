"""The promise of the project: what the mask does not cover stays bit for bit, however often one edits."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms

from npe_core.photo import Photo


def independently(samples, profile, back=False):
    """uint8 samples -> sRGB (or back) by plain ImageCms."""
    theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    srgb = ImageCms.createProfile("sRGB")
    source, target = (srgb, theirs) if back else (theirs, srgb)
    picture = ImageCms.profileToProfile(
        Image.fromarray(samples), source, target, ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    return np.asarray(picture)


def native(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def wide_file(make, photo_file):
    """Samples that reach beyond sRGB, in a profile with the primaries of Display P3 and gamma 1.8."""
    noise = np.random.default_rng(5).integers(0, 256, (72, 96, 3), dtype=np.uint8)
    return photo_file("wide.png", noise, icc_profile=make.icc_profile())


def test_the_view_is_srgb(make, wide_file):
    photo = Photo.open(wide_file)
    assert np.array_equal(photo.image, independently(native(wide_file), make.icc_profile()))
    assert np.abs(photo.image.astype(int) - native(wide_file)).max() > 20  # or the profile would not test anything
    assert photo.notes == ()


def test_an_srgb_profile_changes_nothing(make, photo_file):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo.open(photo_file("a.png", icc_profile=srgb))
    assert np.array_equal(photo.image, make.smooth())


def test_edits_go_into_the_files_own_profile(make, wide_file, tmp_path):
    photo = Photo.open(wide_file)
    image = photo.image.copy()
    mask = np.zeros(image.shape[:2], bool)
    mask[10:30, 20:60] = True
    image[mask] = (153, 51, 0)
    image[40:50, 40:50] = 0  # not in the mask: must not arrive
    photo.edited(image, mask, {}).save(tmp_path / "out.png")
    saved, expected = native(tmp_path / "out.png"), native(wide_file).copy()
    expected[mask] = independently(image, make.icc_profile(), back=True)[mask]
    assert np.array_equal(saved, expected)
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.info["icc_profile"] == make.icc_profile()
    again = Photo.open(tmp_path / "out.png")
    assert np.abs(again.image[mask].astype(int) - (153, 51, 0)).max() <= 2
    assert np.array_equal(again.image, photo.edited(image, mask, {}).image)


def test_colours_beyond_srgb_fade_out_instead_of_jumping(wide_file):
    photo = Photo.open(wide_file)
    image = np.clip(photo.image.astype(int) + 1, 0, 255).astype(np.uint8)  # the smallest of edits
    faint = photo.edited(image, np.full(image.shape[:2], 0.01), {})
    full = photo.edited(image, np.ones(image.shape[:2]), {})
    jump = np.abs(faint._native.astype(int) - photo._native)
    assert jump.max() <= 6
    assert np.abs(full._native.astype(int) - photo._native).max() > 20


@settings(max_examples=60, deadline=None)
@given(
    mask=hnp.arrays(np.float32, (9, 11), elements=st.sampled_from([0.0, 0.0, 1e-6, 0.5, 1.0])),
    image=hnp.arrays(np.uint8, (9, 11, 3)),
    start=hnp.arrays(np.uint8, (9, 11, 3)),
)
def test_the_mask_decides_pixel_by_pixel(mask, image, start):
    edited = Photo.from_array(start).edited(image, mask, {"seed": 7})
    assert np.array_equal(edited.image, np.where(mask[..., None] > 0, image, start))
    assert edited.parameters == {"seed": 7}


def test_unchanged_colours_keep_their_samples_even_inside_the_mask(wide_file):
    photo = Photo.open(wide_file)
    same = photo.edited(photo.image, np.ones(photo.image.shape[:2], bool), {})
    assert np.array_equal(same._native, photo._native)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tiff"])
@pytest.mark.parametrize("profile", [False, True])
def test_ten_chained_edits_leave_the_rest_alone(make, photo_file, tmp_path, name, profile):
    noise = np.random.default_rng(8).integers(0, 256, (72, 96, 4), dtype=np.uint8)
    options = {"icc_profile": make.icc_profile()} if profile else {}
    path = photo_file("start.png", noise, exif=make.exif_block(orientation=8), **options)
    upright = np.rot90(noise, 1)
    touched = np.zeros(upright.shape[:2], bool)
    rng = np.random.default_rng(9)
    for turn in range(10):
        photo = Photo.open(path)
        top, left = rng.integers(0, 60), rng.integers(0, 40)
        mask = np.zeros(touched.shape, np.float32)
        mask[top : top + 12, left : left + 9] = rng.random()
        path = tmp_path / f"{turn}{name}"
        photo.edited(rng.integers(0, 256, photo.image.shape, dtype=np.uint8), mask, {"turn": turn}).save(path)
        touched |= mask > 0
    with Image.open(path) as picture:
        final = np.asarray(picture.convert("RGBA"))
    assert np.array_equal(final[~touched], upright[~touched])
    assert np.array_equal(final[..., 3], upright[..., 3])
    assert not np.array_equal(final[touched], upright[touched])
    assert Photo.open(path).parameters == {"turn": 9}


def test_edited_leaves_the_first_photo_alone_and_checks_shapes(make):
    photo = Photo.from_array(make.smooth())
    mask = np.ones((72, 96), bool)
    photo.edited(255 - make.smooth(), mask, {})
    assert np.array_equal(photo.image, make.smooth())
    for image, wrong in ((make.smooth(90, 72), mask), (make.smooth(), mask.T), (make.smooth().astype(float), mask)):
        with pytest.raises(ValueError, match="must be"):
            photo.edited(image, wrong, {})
    with pytest.raises((ValueError, TypeError)):
        photo.edited(make.smooth(), mask, {"not JSON": float("nan")})


@pytest.mark.parametrize("turn", [
    lambda image: image[..., ::-1].copy()[..., ::-1],
    lambda image: image.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    lambda image: np.asfortranarray(image),
    lambda image: np.dstack([image, image])[..., :3],
], ids=["channels reversed", "channels first", "columns first", "of six channels"])  # fmt: skip
@pytest.mark.parametrize("profile", [False, True])
def test_an_image_may_lie_in_memory_in_any_order(make, photo_file, turn, profile):
    photo = Photo.open(photo_file("a.png", icc_profile=make.icc_profile() if profile else None))
    image = 255 - photo.image
    mask = np.zeros(image.shape[:2], np.float32)
    mask[10:40, 20:60] = 1
    assert np.array_equal(turn(image), image)
    assert np.array_equal(photo.edited(turn(image), mask)._native, photo.edited(image, mask)._native)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.5, np.uint8(255)])
def test_a_mask_of_other_values_is_refused(make, value):
    photo = Photo.from_array(make.smooth())
    mask = np.zeros((72, 96), value.dtype if isinstance(value, np.uint8) else np.float32)
    mask[70, 5] = value  # in the last rows
    with pytest.raises(ValueError, match=r"mask must be bool or float in 0\.\.1, not (uint8|float32)"):
        photo.edited(255 - photo.image, mask)


def test_a_broken_profile_is_noted_and_dropped(make, photo_file, tmp_path):
    for number, broken in enumerate((b"not a profile", make.icc_profile()[:200], make.icc_profile()[:300])):
        photo = Photo.open(photo_file("a.png", icc_profile=broken))
        assert np.array_equal(photo.image, make.smooth())
        assert "profile is broken" in photo.notes[0] or "no way back" in photo.notes[0]
        photo.save(tmp_path / f"{number}.png")
        with Image.open(tmp_path / f"{number}.png") as picture:
            assert "icc_profile" not in picture.info


def test_grey_profiles_are_converted(make, photo_file):
    grey = make.smooth()[..., 0]
    photo = Photo.open(photo_file("a.png", grey, icc_profile=make.icc_profile(b"GRAY", gamma=1.0)))
    linear = grey / 255
    expected = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(photo.image - expected[..., None]).max() < 3
    assert any("grey colour profile" in note for note in photo.notes)


def test_a_profile_of_another_space_is_ignored(make, photo_file):
    photo = Photo.open(photo_file("a.png", icc_profile=make.icc_profile(b"GRAY")))
    assert np.array_equal(photo.image, make.smooth())
    assert "GRAY" in photo.notes[0]


@pytest.mark.parametrize("wide", [False, True])
def test_a_given_copy_becomes_the_same_photo(make, photo_file, wide):
    photo = Photo.open(photo_file("a.png", icc_profile=make.icc_profile() if wide else None))
    mask = np.zeros(photo.image.shape[:2], np.float32)
    mask[20:50, 30:60] = 0.7
    changed = photo.image.copy()
    changed[mask > 0] = 255 - changed[mask > 0]
    copied, kept = photo.edited(changed, mask), photo.edited(changed.copy(), mask, given=True)
    assert np.array_equal(copied.image, kept.image) and np.array_equal(copied._native, kept._native)
    assert np.array_equal(kept._native[mask == 0], photo._native[mask == 0])
    with pytest.raises(ValueError, match="read-only"):
        kept.image[:] = 0


def test_an_enlarged_photo_keeps_what_its_file_said(make, photo_file, tmp_path):
    """Four times as large: the dimensions in the EXIF block follow, the turn stays undone, all else is as it was."""
    picture = Image.fromarray(make.smooth())
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    path = photo_file("in.png", picture, exif=make.exif_block(), icc_profile=make.icc_profile(), dpi=(300, 150))
    photo = Photo.open(path)
    large = np.asarray(Image.fromarray(photo.image).resize((288, 384), Image.Resampling.BICUBIC))
    enlarged = photo.enlarged(large)
    assert enlarged.size == (288, 384) and enlarged.alpha.shape == (384, 288)
    error = np.abs(enlarged.image.astype(int) - large)
    assert error.max() <= 8 and error.mean() < 0.5  # there and back through the file's profile
    reference = np.kron(photo.alpha.astype(float), np.ones((4, 4)))
    assert np.abs(enlarged.alpha - reference)[8:-8, 8:-8].max() < 8  # a gradient of 3.5 levels a pixel
    assert enlarged.save(tmp_path / "out.png") == ()
    assert make.tags_of(tmp_path / "out.png") == (1, *make.tags_of(path)[1:])
    with Image.open(tmp_path / "out.png") as found:
        assert found.info["icc_profile"] == make.icc_profile()
        assert tuple(map(round, found.info["dpi"])) == (150, 300)  # the picture was turned
        tags = found.getexif().get_ifd(0x8769)
        assert (tags[0xA002], tags[0xA003]) == (288, 384)
    for wrong in (large[:-1], large[:, :288:2], photo.image[:40]):
        with pytest.raises(ValueError, match="whole number of times"):
            photo.enlarged(wrong)
