"""Photos: files <-> arrays, with everything about the file that an edit must not lose.

::

    photo = Photo.open("portrait.jpg")
    edited = photo.edited(image, mask, {"timestep": 350})
    edited.save("out.png")

Formats go by content, orientation is applied, colours become sRGB for the models and go back into the file's own
profile, limits are checked before decoding, and a file appears under its name complete or not at all.
"""

from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.formats import OUTPUT_FORMATS
from npe_core.photo.identifying import formats_of
from npe_core.photo.limits import MIN_SIDE
from npe_core.photo.masks import read_mask, read_mask_or_paint, read_paint
from npe_core.photo.photo import Photo
from npe_core.photo.saving import check_output, write_atomically

__all__ = [
    "MAX_MEGAPIXELS",
    "MIN_SIDE",
    "OUTPUT_FORMATS",
    "Photo",
    "check_output",
    "formats_of",
    "read_mask",
    "read_mask_or_paint",
    "read_paint",
    "write_atomically",
]
