"""Every kind of file becomes the same upright RGB, or a note says why not quite."""

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from npe_core.errors import InputError
from npe_core.photo import Photo

LOSSLESS = [("a.png", {}), ("a.webp", {"lossless": True, "exact": True}), ("a.tif", {}), ("a.bmp", {})]


@pytest.mark.parametrize(("name", "options"), LOSSLESS)
def test_lossless_files_open_exactly(make, photo_file, name, options):
    photo = Photo.open(photo_file(name, **options))
    assert np.array_equal(photo.image, make.smooth())
    assert photo.size == (96, 72)
    assert photo.alpha is None
    assert photo.notes == ()
    assert photo.parameters is None


def test_lossy_files_open_as_pillow_decodes_them(photo_file):
    for name in ("a.jpg", "b.webp"):
        path = photo_file(name, quality=90)
        with Image.open(path) as picture:
            assert np.array_equal(Photo.open(path).image, np.asarray(picture.convert("RGB")))


def test_content_decides_not_the_suffix(make, photo_file):
    path = photo_file("a.jpg", format="PNG")
    assert np.array_equal(Photo.open(path).image, make.smooth())


@pytest.mark.parametrize("orientation", range(0, 10))
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.jpg"])
def test_orientation_is_applied_as_pillow_does(make, photo_file, name, orientation):
    options = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {"lossless": True} if name == "a.webp" else {}
    tags = Image.Exif()
    tags[0x0112] = orientation
    path = photo_file(name, exif=tags, **options)
    with Image.open(path) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture))
    photo = Photo.open(path)
    assert np.array_equal(photo.image, upright)
    assert photo.size == ((72, 96) if 5 <= orientation <= 8 else (96, 72))


def test_orientation_turns_alpha_too(make, photo_file):
    rgba = np.dstack([make.smooth(), make.smooth()[..., 0]])
    tags = Image.Exif()
    tags[0x0112] = 6
    photo = Photo.open(photo_file("a.png", rgba, exif=tags))
    assert np.array_equal(photo.alpha, np.rot90(rgba[..., 3], -1))


def test_grey_and_one_bit(make, photo_file):
    grey = make.smooth()[..., 0]
    for name in ("a.png", "a.tif", "a.bmp"):
        photo = Photo.open(photo_file(name, grey))
        assert np.array_equal(photo.image, np.dstack([grey] * 3))
        assert photo.notes == ("a grey photo becomes RGB",)
    bits = Photo.open(photo_file("b.png", Image.fromarray(grey > 128)))
    assert np.array_equal(bits.image[..., 1], np.where(grey > 128, 255, 0))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_of_any_depth(make, tmp_path, bits):
    samples = np.arange(72 * 96).reshape(72, 96) % (1 << bits)
    path = tmp_path / "a.png"
    path.write_bytes(make.png_of(samples, 0, (b"tRNS", b"\0\1"), bits=bits))
    photo = Photo.open(path)
    assert np.array_equal(photo.alpha, np.where(samples == 1, 0, 255))
    assert np.array_equal(photo.image[..., 0], samples * 255 // ((1 << bits) - 1))


def test_grey_with_alpha(make, photo_file):
    grey, alpha = make.smooth()[..., 0], make.smooth()[..., 1]
    photo = Photo.open(photo_file("a.png", Image.fromarray(np.dstack([grey, alpha]), "LA")))
    assert np.array_equal(photo.image[..., 2], grey)
    assert np.array_equal(photo.alpha, alpha)


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_palette_with_and_without_transparency(make, photo_file, name):
    picture = Image.fromarray(make.smooth()).quantize(16)
    plain = Photo.open(photo_file(name, picture))
    assert np.array_equal(plain.image, np.asarray(picture.convert("RGB")))
    assert plain.alpha is None
    assert "palette" in plain.notes[0]
    see_through = Photo.open(photo_file("t" + name, picture, transparency=3))
    index = np.asarray(picture)
    assert np.array_equal(see_through.alpha, np.where(index == 3, 0, 255))
    assert np.array_equal(see_through.image[index != 3], plain.image[index != 3])


def test_one_transparent_colour(make, photo_file):
    rgb = make.smooth()
    rgb[10:20, 10:20] = (1, 2, 3)
    photo = Photo.open(photo_file("a.png", rgb, transparency=(1, 2, 3)))
    assert np.array_equal(photo.alpha == 0, (rgb == (1, 2, 3)).all(axis=-1))
    assert np.array_equal(photo.image, rgb)


def test_colour_under_transparent_pixels_is_kept(make, photo_file):
    rgba = np.dstack([make.smooth(), np.zeros((72, 96), np.uint8)])
    assert np.array_equal(Photo.open(photo_file("a.png", rgba)).image, make.smooth())


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_is_not_inverted(photo_file, name):
    cmyk = np.zeros((72, 96, 4), np.uint8)
    cmyk[:, :48] = (0, 200, 200, 20)  # ink for a red
    photo = Photo.open(photo_file(name, Image.fromarray(cmyk, "CMYK")))
    assert photo.image[:, 60:].min() > 245  # no ink is white
    red, green, blue = photo.image[36, 20].astype(int)
    assert red > 200
    assert green < 70
    assert blue < 70
    assert photo.notes == ("CMYK converted to RGB",)


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_a_profile_of_another_space_is_ignored_with_a_note(make, photo_file, mode):
    """As of the RGB picture that it was; grey and RGB have a note of their own."""
    samples = np.full((72, 96, len(mode)), 100, np.uint8)
    photo = Photo.open(photo_file("a.tif", Image.fromarray(samples, mode), icc_profile=make.icc_profile()))
    assert photo.notes == (f"{mode} converted to RGB; its colour profile is for RGB and was ignored",)
    assert np.array_equal(photo.image, Photo.open(photo_file("b.tif", Image.fromarray(samples, mode))).image)


def test_ycbcr_and_lab_tiff(make, photo_file):
    assert np.abs(Photo.open(photo_file("a.tif", Image.fromarray(make.smooth()).convert("YCbCr"))).image.astype(int)
                  - make.smooth()).max() <= 3  # fmt: skip
    lab = np.zeros((72, 96, 3), np.uint8)
    lab[..., 0] = 255
    lab[:, 48:, 0] = 0
    photo = Photo.open(photo_file("b.tif", Image.fromarray(lab, "LAB")))
    assert photo.image[:, :48].min() > 250
    assert photo.image[:, 48:].max() < 5


def test_float_and_32_bit_are_declined(photo_file):
    for dtype in (np.float32, np.int32):
        with pytest.raises(InputError, match="Export it with 8 or 16 bits"):
            Photo.open(photo_file("a.tif", np.zeros((72, 96), dtype)))


def test_first_picture_of_a_camera_mpo(make, photo_file):
    other = Image.fromarray(255 - make.smooth())
    path = photo_file("a.jpg", format="MPO", save_all=True, append_images=[other], quality=100, subsampling=0)
    photo = Photo.open(path)
    assert np.abs(photo.image.astype(int) - make.smooth()).max() < 8
    assert "2 pictures" in photo.notes[0]


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif(make, photo_file):
    tags = Image.Exif()
    tags[0x0112] = 6
    photo = Photo.open(photo_file("a.avif", exif=tags, quality=95))
    assert photo.size == (72, 96)
    assert np.abs(photo.image.astype(int) - np.rot90(make.smooth(), -1)).mean() < 4


def test_heic_with_the_extra(make, photo_file):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    tags = Image.Exif()
    tags[0x0112] = 6
    photo = Photo.open(photo_file("a.heic", exif=tags.tobytes(), quality=95))
    assert photo.size == (72, 96)
    assert np.abs(photo.image.astype(int) - np.rot90(make.smooth(), -1)).mean() < 4


def test_heic_without_the_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(InputError, match=r"pip install 'neural-photo-editor\[heic\]'"):
        Photo.open(tmp_path / "a.heic")


def test_arrays_are_read_only_and_from_array_copies(make):
    image = make.smooth()
    photo = Photo.from_array(image)
    image[:] = 0
    assert np.array_equal(photo.image, make.smooth())
    with pytest.raises(ValueError, match="read-only"):
        photo.image[0, 0] = 1
    for wrong in (image[..., 0], image.astype(np.float32), image[..., :2]):
        with pytest.raises(ValueError, match="uint8"):
            Photo.from_array(wrong)
