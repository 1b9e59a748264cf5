"""Photo: one picture in memory, with what its file must get back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import OutOfMemory, UsageError
from npe_core.filenames import quoted
from npe_core.parts import Source
from npe_core.photo import code_points, colour_profile
from npe_core.photo.deep_colour import Deep
from npe_core.photo.encoding import Content, encode
from npe_core.photo.jpeg_source import JpegSource
from npe_core.photo.left_out import notes_on
from npe_core.photo.limits import check_size
from npe_core.photo.metadata import Metadata, read_metadata
from npe_core.photo.opening import open_picture
from npe_core.photo.samples import native_samples
from npe_core.photo.saving import check_output, write_atomically

_ROWS = 64
"""That are edited together, so that they stay in the cache."""
_ROUNDING = 1e-6
"""By so much a mask of interpolated values may be above 1."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, upright. Made by ``open`` and ``from_array``; ``edited`` gives a new one.

    The arrays are read-only, because pixels outside an edit must stay the file's: copy them to draw.
    """

    image: np.ndarray
    """(H, W, 3) uint8 sRGB: what the models see."""
    alpha: np.ndarray | None
    """(H, W) uint8, 255 = opaque; None where the file has no transparency."""
    notes: tuple[str, ...] = ()
    """Conversions that a person should know of."""
    parameters: dict[str, Any] | None = None
    """The edit parameters stored in the file by an earlier save, or given to ``edited``. From a file: untrusted."""

    _native: np.ndarray = field(repr=False, kw_only=True)
    """(H, W, 3) uint8 samples in the file's own profile."""
    _deep: Deep | None = field(default=None, repr=False, kw_only=True)
    """What the file holds in 16 bits; ``_native``, before any edit, is that rounded."""
    _profile: bytes | None = field(default=None, repr=False, kw_only=True)
    _metadata: Metadata = field(default=Metadata(), repr=False, kw_only=True)
    _source: JpegSource | None = field(default=None, repr=False, kw_only=True)
    _lossless: bool = field(default=True, repr=False, kw_only=True)
    _path: Path | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        deep = (None, None) if self._deep is None else (self._deep.rgb, self._deep.alpha)
        for array in (self.image, self.alpha, self._native, *deep):
            if array is not None:
                array.flags.writeable = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]

    @property
    def path(self) -> Path | None:
        """The file it was read from; it is never written to."""
        return self._path

    @classmethod
    def open(cls, path: Path | str, max_megapixels: float = MAX_MEGAPIXELS) -> Photo:
        """Reads a photo.

        Raises InputError for anything that is not one undamaged picture within the limits, EnvironmentFault where there
        is no memory for it.
        """
        name = quoted(path)
        with open_picture(path, lambda size: check_size(name, size, max_megapixels), max_megapixels * 1e6) as opened:
            samples = native_samples(opened.picture, opened.bits, name, opened.deep())
            metadata, parameters, notes = read_metadata(opened)
            notes += notes_on(opened)
            if samples.converted:
                metadata = replace(metadata, colour=())
            if samples.profile is None and (curve := code_points.hdr_curve(metadata.colour)):
                notes.append(f"the colours are HDR ({curve}): the models take them as sRGB, and see them pale")
            source = JpegSource.of(opened)
        if opened.pictures > 1:
            notes.append(f"only the main one of the file's {opened.pictures} pictures is edited and saved")
        native = opened.upright(samples.rgb)
        return cls(
            image=colour_profile.to_srgb(native, samples.profile),
            alpha=None if samples.alpha is None else opened.upright(samples.alpha),
            notes=(*samples.notes, *notes),
            parameters=parameters,
            _native=native,
            _deep=None if samples.deep is None else samples.deep.each(opened.upright),
            _profile=samples.profile,
            _metadata=metadata,
            _source=source,
            _lossless=opened.lossless,
            _path=Path(path),
        )

    @classmethod
    def from_array(cls, image: np.ndarray, alpha: np.ndarray | None = None) -> Photo:
        """A photo of its own, copied from (H, W, 3) uint8 sRGB and (H, W) uint8 alpha. Raises ValueError on others."""
        _check_image(image)
        if alpha is not None and (alpha.shape != image.shape[:2] or alpha.dtype != np.uint8):
            raise ValueError(f"alpha must be {image.shape[:2]} uint8, not {alpha.shape} {alpha.dtype}")
        image = image.copy()
        return cls(image=image, alpha=None if alpha is None else alpha.copy(), _native=image)

    def edited(
        self, image: np.ndarray, mask: Source, parameters: dict[str, Any] | None = None, given: bool = False
    ) -> Photo:
        """The photo with the pixels of ``image`` where ``mask`` is above 0, and its own everywhere else.

        ``image`` is (H, W, 3) uint8 sRGB, ``mask`` (H, W) bool or float in [0, 1], ``parameters`` anything that JSON
        can hold. Pixels with mask 0, and those that ``image`` did not change, keep the file's samples bit for bit; the
        others are converted from sRGB to the file's profile. Colours of the file beyond sRGB fade out as the mask
        rises instead of at its border. ``given``: ``image`` is a copy of this photo's, changed under the mask only,
        which the new photo may keep: nothing is copied then. Raises ValueError on other shapes, types and masks.
        """
        _check_image(image)
        if image.shape != self.image.shape or mask.shape != image.shape[:2]:
            raise ValueError(f"image {image.shape} and mask {mask.shape} must be of the photo's {self.image.shape}")
        plain = colour_profile.is_srgb(self._profile)
        if plain and given and self.image is self._native:
            native = view = image
        else:
            view, native = self._copied(image, mask, plain)
        stored = None if parameters is None else json.loads(json.dumps(parameters, allow_nan=False))
        return replace(self, image=view, parameters=stored, _native=native)

    def enlarged(self, image: np.ndarray) -> Photo:
        """The photo as ``image`` (s H, s W, 3) uint8 sRGB shows it, a whole number of times as large.

        Alpha is enlarged bicubically; profile, metadata and edit parameters stay. It has 8 bits a channel. Raises
        ValueError on other shapes.
        """
        _check_image(image)
        scale = image.shape[0] // self.image.shape[0]
        if scale < 1 or image.shape[:2] != (scale * self.image.shape[0], scale * self.image.shape[1]):
            raise ValueError(f"image {image.shape} must be a whole number of times as large as {self.image.shape}")
        size = image.shape[1], image.shape[0]
        native = colour_profile.from_srgb(image, self._profile).copy()
        alpha = self.alpha
        if alpha is not None:
            alpha = np.array(Image.fromarray(alpha).resize(size, Image.Resampling.BICUBIC))
        view = colour_profile.to_srgb(native, self._profile)
        notes = self.notes
        if self._deep is not None:
            notes = ("16-bit input is enlarged at 8 bits per channel", *notes)
        metadata = self._metadata.resized(size)
        return replace(self, image=view, alpha=alpha, notes=notes, _native=native, _deep=None, _metadata=metadata)

    def _copied(self, image: np.ndarray, mask: Source, plain: bool) -> tuple[np.ndarray, np.ndarray]:
        """The photo's own arrays (sRGB, the file's profile) with what ``image`` has under the mask."""
        native = self._native.copy()
        view = native if plain and self.image is self._native else self.image.copy()
        for top in range(0, len(image), _ROWS):
            rows = np.s_[top : top + _ROWS]
            marked = mask[rows, :]
            _check_mask(marked)
            inside = marked > 0
            if not inside.any():
                continue
            if plain:
                wanted = np.ascontiguousarray(image[rows])
                for samples in (native,) if view is native else (native, view):
                    # As pixels of three bytes, which numpy copies ten times as fast as three channels.
                    np.copyto(samples[rows].view("V3"), wanted.view("V3"), where=inside[..., None])
            else:
                self._convert_rows(rows, image, marked, view, native)
        return view, native

    def _convert_rows(
        self, rows: slice, image: np.ndarray, marked: np.ndarray, view: np.ndarray, native: np.ndarray
    ) -> None:
        """Writes what ``image`` changed in a few rows into ``view`` (sRGB) and ``native`` (the file's profile).

        ``marked`` is the mask in these rows.
        """
        changed = (marked > 0) & (image[rows] != self.image[rows]).any(axis=-1)
        weight = np.minimum(marked[changed].astype(np.float32), 1)[:, None]
        seen = colour_profile.from_srgb(self.image[rows][changed], self._profile)
        beyond = (self._native[rows][changed].astype(np.float32) - seen) * (1 - weight)
        wanted = colour_profile.from_srgb(image[rows][changed], self._profile) + beyond
        samples = np.clip(np.rint(wanted), 0, 255).astype(np.uint8)
        native[rows][changed] = samples
        view[rows][changed] = colour_profile.to_srgb(samples, self._profile)

    def save(
        self,
        path: Path | str,
        force: bool = False,
        metadata: Literal["keep", "strip"] = "keep",
        inputs: Iterable[Path | None] = (),
    ) -> tuple[str, ...]:
        """Writes the photo in the format of the suffix, atomically; returns notes on what the format cannot carry.

        ``metadata="strip"`` leaves out EXIF, GPS, XMP, IPTC, comments and the edit parameters; the colour profile and
        the resolution stay. ``inputs`` are files that must not be written to, besides the photo's own. Raises
        UsageError and EnvironmentFault as ``check_output`` and ``write_atomically`` do.
        """
        if metadata not in ("keep", "strip"):
            raise UsageError(f"metadata can be 'keep' or 'strip', not {metadata!r}.")
        inputs = (self._path, *inputs)
        format = check_output(path, force, inputs, self.size)
        strip = metadata == "strip"
        content = Content(
            rgb=self._native,
            alpha=self.alpha,
            deep=self._deep,
            profile=self._profile,
            metadata=self._metadata.stripped() if strip else self._metadata,
            parameters=None if strip else self.parameters,
            source=self._source,
            lossless=self._lossless,
        )
        try:
            encoded, notes = encode(content, format)
        except MemoryError as error:
            raise OutOfMemory(f"Not enough memory to write {quoted(path)}. Save a smaller picture.") from error
        write_atomically(path, encoded, force, inputs)
        return tuple(notes)


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be (H, W, 3) uint8, not {image.shape} {image.dtype}")


def _check_mask(mask: np.ndarray) -> None:
    """Of any rows of it."""
    if mask.dtype == np.bool_:
        return
    least, most = mask.min(), mask.max()  # of a mask with a NaN both are
    if not (np.issubdtype(mask.dtype, np.floating) and least >= 0 and most <= 1 + _ROUNDING):
        raise ValueError(f"mask must be bool or float in 0..1, not {mask.dtype} {least}..{most}")
