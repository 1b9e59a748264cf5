"""Pictures as photo programs save them: 16 bits, turned, transparent, too small, and masks scaled with them."""

import io

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms

from npe_core.errors import InputError
from npe_core.photo import Photo
from npe_core.training.arrays import resize_masks
from npe_core.training.decoding import decode_image, decode_mask
from npe_core.training.reading import read_images, these


def saved(picture, **more):
    file = io.BytesIO()
    picture.save(file, "PNG", **more)
    return file.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def test_16_bits_of_grey_keep_their_levels():
    levels = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    image = decode_image("a.png", saved(Image.fromarray(levels)), 8)
    assert np.array_equal(image, np.rint(levels / 257).astype(np.uint8)[..., None].repeat(3, axis=2))


def test_samples_of_32_bits_are_refused():
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(file, "TIFF")
    with pytest.raises(InputError, match=r"a\.tif has samples of 32 bits"):
        decode_image("a.tif", file.getvalue(), 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_are_turned_upright(dtype, orientation):
    levels = (np.arange(16).reshape(4, 4) * (np.iinfo(dtype).max // 15)).astype(dtype)
    turn = {6: lambda a: np.rot90(a, -1), 8: np.rot90, 3: lambda a: np.rot90(a, 2), 5: np.transpose}
    turn |= {1: np.array, 2: np.fliplr, 4: np.flipud, 7: lambda a: np.rot90(a, 2).T}
    image = decode_image("a.png", saved(Image.fromarray(levels), exif=turned(orientation)), 4)
    assert np.array_equal(image[..., 0], turn[orientation](np.arange(16).reshape(4, 4) * 17))


def test_pictures_are_those_that_the_editor_sees(tmp_path):
    """A colour profile, and an orientation that XMP alone tells."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = (profile.index(tag) for tag in (b"rXYZ", b"bXYZ"))
    profile[red : red + 12], profile[blue : blue + 12] = (  # red and blue change places
        profile[red : red + 4] + profile[blue + 4 : blue + 12],
        profile[blue : blue + 4] + profile[red + 4 : red + 12],
    )
    levels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    path = tmp_path / "a.webp"
    Image.fromarray(levels).save(path, lossless=True, xmp=xmp, icc_profile=bytes(profile))
    seen = Photo.open(path).image
    assert np.abs(seen.astype(int) - np.rot90(levels, -1)[..., ::-1]).max() <= 2
    assert np.array_equal(decode_image("a.webp", path.read_bytes(), 64), seen)


@pytest.mark.parametrize("exif", [b"nonsense", b"", b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x05\0\0\0\x1a\0\0\0"])
def test_a_broken_exif_block_is_passed_over(exif):
    picture = saved(Image.new("RGB", (4, 4), (9, 9, 9)), exif=b"Exif\0\0" + exif)
    assert (decode_image("a.png", picture, 4) == 9).all()
    assert decode_mask("m.png", saved(Image.new("L", (4, 4), 3)), 4, picture)[0, 0] == 3


def test_a_mask_is_compared_with_the_upright_picture():
    mask = np.zeros((8, 4), np.uint8)
    mask[:4] = 7
    picture = saved(Image.new("RGB", (8, 4)), exif=turned(6))
    ids = decode_mask("m.png", saved(Image.fromarray(mask)), 8, picture)
    assert (ids[:4] == 7).all() and not ids[4:].any()
    sideways = Image.fromarray(np.rot90(mask).copy())  # as the picture is stored
    assert np.array_equal(decode_mask("m.png", saved(sideways, exif=turned(6)), 8, picture), ids)
    with pytest.raises(InputError, match="8x4 pixels, its image 4x8"):
        decode_mask("m.png", saved(sideways), 8, picture)


def test_what_is_transparent_is_white():
    pixels = np.zeros((1, 4, 4), np.uint8)  # black, of which an alpha of 0, 51, 204 and 255 shows so much
    pixels[0, :, 3] = 0, 51, 204, 255
    picture = Image.fromarray(pixels.repeat(4, axis=0), "RGBA")
    assert decode_image("a.png", saved(picture), 4)[0, :, 0].tolist() == [255, 204, 51, 0]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert decode_image("a.png", saved(palette, transparency=1), 4).min() == 255
    assert decode_image("a.png", saved(palette), 4)[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("side", [3, 4, 6, 8])
def test_masks_of_arrays_are_scaled_as_those_of_files(side):
    """A pixel takes the id under its middle, so that masks lie on their pictures."""
    ids = np.random.default_rng(0).integers(0, 11, (12, 12), dtype=np.uint8)
    middles = ((np.arange(side) + 0.5) * 12 / side).astype(int)
    scaled = resize_masks(torch.from_numpy(ids)[None], side)[0].numpy()
    assert np.array_equal(scaled, ids[np.ix_(middles, middles)])
    assert np.array_equal(
        scaled, decode_mask("m.png", saved(Image.fromarray(ids)), side, saved(Image.new("L", (8, 8))))
    )


def test_pictures_that_would_be_enlarged_are_refused_where_sharp_ones_are_needed(tmp_path):
    for number, size in enumerate(((32, 32), (32, 31), (16, 40), (50, 40))):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    assert len(read_images(tmp_path, 32)) == 4
    with pytest.raises(InputError, match="2 of 4 pictures have fewer than 32 pixels a side"):
        read_images(tmp_path, 32, least=32)
    assert len(read_images(tmp_path, 32, these([0, 3]), least=32)) == 2
    np.savez(tmp_path / "a.npz", images=np.zeros((5, 3, 24, 24), np.uint8))
    with pytest.raises(InputError, match="5 of 5 pictures"):
        read_images(tmp_path / "a.npz", 32, least=32)
