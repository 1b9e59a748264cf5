"""A decoded Pillow picture of any mode -> RGB samples in the file's own profile, and alpha."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from npe_core.errors import InputError
from npe_core.photo import colour_profile
from npe_core.photo.deep_colour import Deep
from npe_core.photo.tiff_kind import EXTRA_SAMPLES, NO_ALPHA

_ROWS = 64


@dataclass
class Samples:
    """What a file holds, as arrays."""

    rgb: np.ndarray
    """(H, W, 3) uint8 in ``profile``."""
    alpha: np.ndarray | None
    """(H, W) uint8, None where the file has no transparency."""
    profile: bytes | None
    """ICC profile of an RGB space; None means sRGB."""
    notes: list[str] = field(default_factory=list)
    deep: Deep | None = None
    """The same with 16 bits, where the file has them and these are they, unconverted."""
    converted: bool = False
    """Whether a profile made them sRGB, whatever else the file says of its colours."""


def bits_per_channel(picture: Image.Image) -> int:
    """Of the file, which Pillow may have reduced. Ask before ``picture.load()``."""
    tiles = getattr(picture, "tile", None) or []
    if any(";16" in str(tile[3]) for tile in tiles) or picture.mode.startswith("I;16"):
        return 16
    return int(picture.info.get("bit_depth") or 8)


def unpack_transparent_grey(picture: Image.Image) -> None:
    """Brings the transparent grey of a PNG of 2 or 4 bits to the 8 bits to which Pillow brings its pixels.

    Pillow itself does so for 1 bit only. Call before ``picture.load()``.
    """
    key = picture.info.get("transparency")
    for tile in getattr(picture, "tile", None) or []:
        largest = {"L;2": 3, "L;4": 15}.get(str(tile[3]))
        if largest is not None and isinstance(key, int):
            picture.info["transparency"] = (key & largest) * 255 // largest


def native_samples(picture: Image.Image, bits: int, shown: str, deep: Deep | None = None) -> Samples:
    """``picture`` is loaded, ``deep`` the same from another decoder; ``shown`` names the file in an InputError.

    Raises InputError about samples that cannot be edited.
    """
    if picture.mode in ("I", "F"):
        raise InputError(
            f"{shown} has {'floating-point' if picture.mode == 'F' else '32-bit or signed'} samples, which cannot be "
            f"edited. Export it with 8 or 16 bits per channel."
        )
    notes = []
    deep_key = "transparency" in picture.info and bits > 8 and picture.mode == "RGB"
    if deep_key:
        # The key colour has 16 bits, the samples that Pillow gives have 8: a comparison would hit its neighbours too.
        del picture.info["transparency"]
    profile = picture.info.get("icc_profile") or None
    space = "RGB"
    if profile:
        try:
            space = colour_profile.colour_space(profile)
        except ValueError:
            notes.append("the colour profile is broken: colours are taken as sRGB and saved without it")
            profile = None

    if deep is not None and "A" not in picture.getbands() and "transparency" not in picture.info and not deep_key:
        deep = replace(deep, alpha=None)  # OpenCV takes a selection that was saved as a fourth channel for alpha
    if picture.mode in ("CMYK", "LAB"):
        samples = _other_space(picture, profile, space)
    else:
        samples = _grey_or_rgb(picture, profile, space, deep)
    if deep_key and samples.alpha is None:
        notes.append("the one transparent colour of a 16-bit PNG is dropped")
    if isinstance(picture, TiffImageFile) and NO_ALPHA in picture.tag_v2.get(EXTRA_SAMPLES, ()):
        notes.append("a further channel of the TIFF, such as a saved selection, is dropped")
    samples.notes[:0] = notes
    if samples.profile is not None:
        _keep_only_if_two_way(samples)
    if bits > 8 and samples.deep is None:
        samples.notes.insert(0, f"{bits}-bit input is edited and saved at 8 bits per channel")
    return samples


def _grey_or_rgb(picture: Image.Image, profile: bytes | None, space: str, deep: Deep | None) -> Samples:
    notes = []
    if picture.mode in ("P", "PA"):
        notes.append("a picture with a palette becomes full RGB")
    rgb, alpha, grey = _arrays(picture)
    if deep is not None:
        reduced, transparency = deep.reduced()
        if _alike(reduced, rgb) and (alpha is None or (transparency is not None and _alike(transparency, alpha))):
            rgb, alpha = reduced, transparency
            grey = None if grey is None else reduced[..., 0]
        else:  # premultiplied, or white at 0: Pillow knows more kinds of TIFF
            deep = None
    if grey is not None:
        notes.append("a grey photo becomes RGB")
        if profile is not None and space == "GRAY":
            try:
                rgb = colour_profile.picture_to_srgb(Image.fromarray(grey), profile)
            except ValueError:
                notes.append("the colour profile is broken: colours are taken as sRGB and saved without it")
                return Samples(rgb, alpha, None, notes)
            notes.append("the grey colour profile is converted to sRGB")
            return Samples(rgb, alpha, None, notes, converted=True)
    if profile is not None and space != "RGB":
        notes.append(f"the colour profile is for {space}, not for this picture: colours are taken as sRGB")
        profile = None
    return Samples(rgb, alpha, profile, notes, deep)


def _alike(samples: np.ndarray, others: np.ndarray) -> bool:
    """Whether two decoders tell of the same picture: Pillow cuts the lower bits off, which is a level at most."""
    return samples.shape == others.shape and bool(
        (np.maximum(samples, others) - np.minimum(samples, others) <= 1).all()
    )


def _arrays(picture: Image.Image) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """(rgb, alpha, grey): grey is the one channel of a grey picture, which rgb repeats."""
    mode = picture.mode
    transparent = "transparency" in picture.info
    if mode.startswith("I;16"):
        deep = np.array(picture).astype(np.uint32)
        grey = ((deep + 128) // 257).astype(np.uint8)
        key = picture.info.get("transparency")
        alpha = np.where(deep == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
        return np.repeat(grey[..., None], 3, axis=-1), alpha, grey
    if mode in ("1", "L", "LA", "La"):
        if transparent or mode in ("LA", "La"):
            both = np.array(picture.convert("LA"))
            grey, alpha = both[..., 0].copy(), both[..., 1].copy()
        else:
            grey, alpha = np.array(picture.convert("L")), None
        return np.repeat(grey[..., None], 3, axis=-1), alpha, grey
    if transparent or mode in ("RGBA", "RGBa", "PA"):
        both = np.array(picture.convert("RGBA"))
        return both[..., :3].copy(), both[..., 3].copy(), None
    return _rgb(picture), None, None


def _rgb(picture: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, a few rows at a time: as a whole Pillow would hold a large photo three times over."""
    rgb = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _ROWS):
        rows = picture.crop((0, top, picture.width, min(top + _ROWS, picture.height)))
        rgb[top : top + _ROWS] = np.asarray(rows.convert("RGB"))
    return rgb


def _other_space(picture: Image.Image, profile: bytes | None, space: str) -> Samples:
    """CMYK (as in print) or L*a*b*: there is no way back to the same samples, so the RGB picture is sRGB."""
    note = f"{picture.mode} converted to RGB"
    if profile is not None and space.upper() != picture.mode:
        note += f"; its colour profile is for {space} and was ignored"
        profile = None
    if picture.mode == "LAB":
        return Samples(colour_profile.picture_to_srgb(picture, colour_profile.lab_profile()), None, None, [note])
    if profile is not None:
        try:
            return Samples(colour_profile.picture_to_srgb(picture, profile), None, None, [note + " (sRGB)"])
        except ValueError:
            note += "; its colour profile is broken and was ignored"
    return Samples(np.array(picture.convert("RGB")), None, None, [note])


def _keep_only_if_two_way(samples: Samples) -> None:
    """Scanner and camera profiles may convert to sRGB only; then the picture is converted for good."""
    assert samples.profile is not None
    try:
        colour_profile.is_srgb(samples.profile)
    except ValueError:
        try:
            samples.rgb = colour_profile.picture_to_srgb(Image.fromarray(samples.rgb), samples.profile)
            samples.deep = None
            samples.converted = True
            samples.notes.append("the colour profile has no way back: colours are converted to sRGB")
        except ValueError:
            samples.notes.append("the colour profile is broken: colours are taken as sRGB and saved without it")
        samples.profile = None
