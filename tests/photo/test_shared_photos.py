"""The photos that lie beside the repository (they may not be committed), where they are there."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npe_core.errors import InputError
from npe_core.photo import Photo

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"
pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="no shared photos beside the repository")
REFUSED = {
    "bad_01_truncated.jpg": "truncated",
    "bad_02_empty.png": "0 bytes",
    "bad_03_text.png": "known format",
    "bad_04_tiny_24.png": "24x24",
    "bad_05_bomb_30000.png": "900 megapixels",
    "bad_06_corrupt_crc.png": "checksum",
    "fmt_11_animated.gif": "4 frames",
    "fmt_12_animated.webp": "4 frames",
}
SAME_PICTURE = {  # file, the file it was made from, mean difference in levels
    "fmt_01_exif_rotated_gps_p3.jpg": ("portrait_01.jpg", 2),
    "fmt_02_exif_mirrored.jpg": ("portrait_02.jpg", 4),
    "fmt_03_16bit.png": ("portrait_05.jpg", 4),
    "fmt_05_cmyk.jpg": ("portrait_02.jpg", 8),
    "fmt_07_palette.png": ("portrait_05.jpg", 8),
    "fmt_13.tiff": ("portrait_02.jpg", 4),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(InputError, match=REFUSED[name]):
        Photo.open(PHOTOS / name)


@pytest.mark.parametrize("name", SAME_PICTURE)
def test_looks_like_its_origin(name):
    origin, difference = SAME_PICTURE[name]
    photo = Photo.open(PHOTOS / name)
    expected = Image.fromarray(Photo.open(PHOTOS / origin).image).resize(photo.size, Image.Resampling.LANCZOS)
    assert np.abs(photo.image.astype(int) - np.asarray(expected)).mean() < difference


@pytest.mark.parametrize("pattern", ["portrait_*", "studio_*", "group_*", "no_face*", "fmt_0*", "fmt_1[034]*"])
def test_every_other_photo_is_edited_and_saved_bit_exactly(tmp_path, pattern):
    for path in sorted(PHOTOS.glob(pattern)):
        photo = Photo.open(path)
        mask = np.zeros(photo.image.shape[:2], bool)
        mask[20:60, 30:70] = True
        edited = photo.edited(255 - photo.image, mask, {"seed": 1})
        edited.save(tmp_path / f"{path.name}.tif")
        again = Photo.open(tmp_path / f"{path.name}.tif")
        assert np.array_equal(again._native[~mask], photo._native[~mask])
        assert np.array_equal(again.image, edited.image)
        assert again.parameters == {"seed": 1}
        assert (again.alpha is None) == (photo.alpha is None)
