"""Masks and paint from files, of exactly the photo's size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from npe_core.colour import LUMA
from npe_core.errors import InputError
from npe_core.filenames import quoted
from npe_core.photo import colour_profile
from npe_core.photo.opening import Opened, open_picture
from npe_core.photo.samples import Samples, native_samples

_LOSSY_NOISE = 16 / 255
"""What JPEG leaves around an edge that was painted black on white."""
_OPAQUE = 250
"""A picture none of whose alpha is less is opaque: a stray pixel of 254 does not say where to edit."""
_COLOURFUL = 64
"""Levels between the channels of a pixel that somebody painted in a colour."""
_OFF_TINT, _MANY = 24, 0.1
"""Levels beside the tint of a mask, and the share of the pixels that are so in a picture of many colours. Of a hundred
portraits all but one have a larger share; no mask on tinted paper, with noise or in JPEG of quality 10, has a third."""
_FAINT = 0.1
"""The largest value of a mask that hardly changes anything: ones for white, or bytes in a picture of 16 bits."""
_LOOKED_AT = 250_000
"""Pixels that are enough to know a picture by."""


def read_mask(path: Path | str, size: tuple[int, int], notes: list[str] | None = None) -> np.ndarray:
    """A mask file -> (H, W) float32 in [0, 1], 1 = edit; ``size`` is the upright photo's (width, height).

    Grey, 16-bit and 1-bit pictures give their brightness, colours their luma, and RGBA whose alpha varies gives the
    alpha, unless all of it is 250 or more, which is opaque. In lossily compressed masks values within 16/255 of black
    or white are taken as that, so that compression noise does not mark pixels. ``notes`` gets one where most of what is
    marked has a colour: red edits by less than a third, which nobody means who paints a mask red; one where it has many
    colours: it may be the photo itself; and one where nothing is brighter than a tenth of white. Raises InputError as
    ``Photo.open`` does, and when the sizes differ.
    """
    with _open_sized(path, size, "mask") as opened:
        return _mask(opened, _numbers(opened, path), path, notes)


def read_paint(
    path: Path | str, size: tuple[int, int], notes: list[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A paint file -> (rgb (H, W, 3) uint8 sRGB, alpha (H, W) float32 in [0, 1]); ``size`` as in ``read_mask``.

    ``notes`` gets one where the alpha is 1 everywhere. Raises InputError as ``Photo.open`` does, when the sizes differ,
    and when the file has no alpha.
    """
    with _open_sized(path, size, "paint") as opened:
        return _paint(opened, native_samples(opened.picture, opened.bits, quoted(path)), path, notes)


def read_mask_or_paint(
    path: Path | str, size: tuple[int, int], notes: list[str] | None = None
) -> tuple[np.ndarray | None, np.ndarray]:
    """A file that may be either -> (rgb, alpha) as ``read_paint`` gives them, or (None, mask) as ``read_mask`` does.

    RGBA is paint, unless it is opaque (alpha 250 or more) and grey everywhere: so programs save a grey mask. A picture
    with a palette or with one transparent colour is paint where some of it is transparent and what is seen has a
    colour. Anything else is a mask. Raises InputError as the two do.
    """
    with _open_sized(path, size, "mask") as opened:
        profile = opened.picture.info.get("icc_profile")
        numbers = _numbers(opened, path)
        if not _is_paint(opened.picture.mode, numbers):
            return None, _mask(opened, numbers, path, notes)
        if profile is not None:  # which says what the colours are
            opened.picture.info["icc_profile"] = profile
            numbers = native_samples(opened.picture, opened.bits, quoted(path))
        return _paint(opened, numbers, path, notes)


def _numbers(opened: Opened, path: Path | str) -> Samples:
    """The samples of a mask, whose numbers are meant, not a colour: no profile changes them."""
    opened.picture.info.pop("icc_profile", None)
    return native_samples(opened.picture, opened.bits, quoted(path))


def _is_paint(mode: str, numbers: Samples) -> bool:
    if numbers.alpha is None or mode.startswith(("I", "L")):
        return False
    if mode.startswith("RGBA"):
        return bool(numbers.alpha.min() < _OPAQUE) or not _is_grey(numbers.rgb).all()
    return _says_where(numbers.alpha) and not _is_grey(numbers.rgb[numbers.alpha > 0]).all()


def _says_where(alpha: np.ndarray) -> bool:
    """Whether alpha (H, W) uint8 varies, beyond what is opaque anyway."""
    return bool(alpha.min() < min(_OPAQUE, alpha.max()))


def _mask(opened: Opened, numbers: Samples, path: Path | str, notes: list[str] | None) -> np.ndarray:
    if opened.picture.mode.startswith("I;16"):
        deep = np.array(opened.picture).astype(np.float32) / 65535
        if notes is not None:
            notes += _notes_on_faintness(quoted(path), float(deep.max()), 65535)
        return opened.upright(deep)
    told: list[str] = []
    if numbers.alpha is not None and _says_where(numbers.alpha):
        mask = numbers.alpha.astype(np.float32) / 255
    else:
        mask = np.clip(numbers.rgb.astype(np.float32) @ LUMA / 255, 0, 1)
        grey = _is_grey(numbers.rgb)
        mask[grey] = numbers.rgb[grey][:, 0].astype(np.float32) / 255  # exactly, without the luma's rounding
        if not grey.all():
            told = _notes_on_colour(quoted(path), numbers.rgb, float(mask.max()))
    if not opened.lossless:
        mask[mask < _LOSSY_NOISE] = 0
        mask[mask > 1 - _LOSSY_NOISE] = 1
    if notes is not None:
        notes += told or _notes_on_faintness(quoted(path), float(mask.max()), 255)
    return opened.upright(mask)


def _paint(
    opened: Opened, samples: Samples, path: Path | str, notes: list[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    if samples.alpha is None:
        raise InputError(
            f"The paint {quoted(path)} has no transparency, but its alpha says where to edit.\n"
            f"Save it as RGBA PNG, or use it as --mask with --color."
        )
    if notes is not None and samples.alpha.min() >= _OPAQUE:
        notes.append(
            f"the paint {quoted(path)} is opaque everywhere: all of the photo is edited; what is to stay needs alpha 0"
        )
    rgb = colour_profile.to_srgb(samples.rgb, samples.profile)
    return opened.upright(rgb), opened.upright(samples.alpha.astype(np.float32) / 255)


def _is_grey(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) -> (...) bool: all channels are equal."""
    same: np.ndarray = (rgb[..., 0] == rgb[..., 1]) & (rgb[..., 0] == rgb[..., 2])
    return same


def _notes_on_colour(name: str, rgb: np.ndarray, highest: float) -> list[str]:
    """What to say of a mask (H, W, 3) uint8 whose colours nobody can have meant; ``highest`` is its largest value."""
    lit = rgb[rgb.max(axis=2) > _COLOURFUL]  # (N, 3)
    lit = lit[:: len(lit) // _LOOKED_AT + 1].astype(np.float32)
    if not len(lit):
        return []
    brightest = lit.max(axis=1, keepdims=True)
    tint = np.median(lit / brightest, axis=0)
    if float((np.abs(lit - tint * brightest).max(axis=1) > _OFF_TINT).mean()) > _MANY:
        return [
            f"the mask {name} has many colours, as a photo does: only its brightness counts; a mask is white on black"
        ]
    if float((np.ptp(lit, axis=1) > _COLOURFUL).mean()) > 0.5:
        counted = f"here at most {100 * highest:.0f} %"
        return [f"the mask {name} is in colour: its brightness counts, {counted}; white edits in full"]
    return []


def _notes_on_faintness(name: str, highest: float, white: int) -> list[str]:
    """What to say of a mask whose largest value, in [0, 1] and stored as up to ``white``, is hardly seen."""
    if not 0 < highest <= _FAINT:
        return []
    most = round(highest * white)
    return [f"the mask {name} has no value above {most}, where {white} is white: it changes next to nothing"]


@contextmanager
def _open_sized(path: Path | str, size: tuple[int, int], what: str) -> Iterator[Opened]:
    def check(found: tuple[int, int]) -> None:
        if found != size:
            raise InputError(
                f"The {what} {quoted(path)} is {found[0]}x{found[1]} pixels, the upright photo is {size[0]}x{size[1]}. "
                f"Save the {what} at the photo's size."
            )

    def check_header(stored: tuple[int, int]) -> None:
        if stored != size[::-1]:  # which may still be turned upright
            check(stored)

    with open_picture(path, check_header, max_pixels=size[0] * size[1]) as opened:
        check(opened.size)
        yield opened
