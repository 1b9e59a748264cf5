"""Kinds of TIFF that Pillow and OpenCV take for others: read right or refused by name, never as garbage."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from npe_core.errors import InputError
from npe_core.photo import Photo

GREY, RGB, CMYK, YCBCR, LAB, ICC_LAB = 1, 2, 5, 6, 8, 9
SIGNED, FLOAT = 2, 3
SELECTION, PREMULTIPLIED, ALPHA = 0, 1, 2


@pytest.fixture
def tiff(tmp_path):
    """tiff(samples (H, W, C), ...) -> the path of an uncompressed TIFF, which no library here writes of all kinds."""

    def write(samples, photometric=RGB, extra=(), planes=False, order="<", format=1):
        height, width, channels = samples.shape
        laid = (np.moveaxis(samples, -1, 0) if planes else samples).astype(samples.dtype.newbyteorder(order))
        parts = list(laid) if planes else [laid]
        starts = [8 + sum(part.nbytes for part in parts[:index]) for index in range(len(parts))]
        tags = {
            256: (4, [width]),
            257: (4, [height]),
            258: (3, [8 * samples.itemsize] * channels),
            259: (3, [1]),
            262: (3, [photometric]),
            273: (4, starts),
            277: (3, [channels]),
            278: (4, [height]),
            279: (4, [part.nbytes for part in parts]),
            284: (3, [2 if planes else 1]),
            339: (3, [format] * channels),
        }
        if extra:
            tags[338] = (3, list(extra))
        at = 8 + laid.nbytes
        behind = at + 2 + 12 * len(tags) + 4
        entries, values = b"", b""
        for tag, (kind, numbers) in sorted(tags.items()):
            value = struct.pack(f"{order}{len(numbers)}{'HI'[kind == 4]}", *numbers)
            if len(value) > 4:
                values, value = values + value, struct.pack(order + "I", behind + len(values))
            entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + value.ljust(4, b"\0")
        head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", at)
        path = tmp_path / "a.tif"
        path.write_bytes(
            head + laid.tobytes() + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + values
        )
        return path

    return write


def noise(channels, kind=np.uint16):
    return np.random.default_rng(1).integers(0, np.iinfo(kind).max, (72, 96, channels), dtype=kind)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("extra", [(), (ALPHA,)])
def test_planes_are_read_as_what_they_hold(tiff, order, kind, extra):
    samples = noise(3 + len(extra), kind)
    photo = Photo.open(tiff(samples, extra=extra, planes=True, order=order))
    upper = samples if kind is np.uint8 else (samples >> 8).astype(np.uint8)
    assert np.array_equal(photo.image, upper[..., :3])
    assert photo.alpha is None if not extra else np.array_equal(photo.alpha, upper[..., 3])
    assert [("8 bits per channel" in note) for note in photo.notes] == ([] if kind is np.uint8 else [True])


@pytest.mark.parametrize(("channels", "photometric", "extra"), [
    (2, GREY, (ALPHA,)), (4, RGB, (PREMULTIPLIED,)), (4, RGB, (SELECTION,)), (3, LAB, ()), (3, YCBCR, ()),
    (1, 0, ()),
])  # fmt: skip
def test_planes_that_are_mixed_up_are_refused(tiff, channels, photometric, extra):
    path = tiff(noise(channels, np.uint8), photometric, extra, planes=True)
    with pytest.raises(InputError, match=r"separate planes, which cannot be read\. Save it with the channels inter"):
        Photo.open(path)


@pytest.mark.parametrize(("channels", "kind", "photometric", "extra", "format", "named"), [
    (3, np.uint32, RGB, (), FLOAT, "32-bit floating-point RGB"),
    (3, np.uint16, RGB, (), FLOAT, "16-bit floating-point RGB"),
    (3, np.uint16, RGB, (), SIGNED, "16-bit signed RGB"),
    (2, np.uint16, GREY, (ALPHA,), 1, "16-bit grey with one more channel"),
    (5, np.uint16, RGB, (ALPHA, SELECTION), 1, "16-bit RGB with 2 more channels"),
    (3, np.uint16, LAB, (), 1, "16-bit L*a*b*"),
    (3, np.uint8, ICC_LAB, (), 1, "8-bit ICC L*a*b*"),
])  # fmt: skip
def test_a_kind_that_pillow_does_not_know_is_named_and_not_called_damaged(
    tiff, channels, kind, photometric, extra, format, named
):
    path = tiff(noise(channels, kind), photometric, extra, format=format)
    with pytest.raises(InputError) as caught:
        Photo.open(path)
    assert f"holds {named}, which cannot be read. Export it as RGB with 8 or 16 bits" in str(caught.value)


@pytest.mark.parametrize(("channels", "kind", "extra"), [
    (4, np.uint8, (SELECTION,)), (4, np.uint16, (SELECTION,)), (5, np.uint8, (ALPHA, SELECTION)),
])  # fmt: skip
def test_a_saved_selection_is_not_taken_for_transparency(tiff, tmp_path, channels, kind, extra):
    samples = noise(channels, kind)
    photo = Photo.open(tiff(samples, extra=extra))
    assert "a further channel of the TIFF, such as a saved selection, is dropped" in photo.notes
    assert (photo.alpha is None) == (ALPHA not in extra)
    photo.save(tmp_path / "out.tif")
    with Image.open(tmp_path / "out.tif") as found:
        assert found.mode == ("RGB" if photo.alpha is None else "RGBA")
    if kind is np.uint16:
        assert np.array_equal(cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED)[..., ::-1], samples[..., :3])
    else:
        assert np.array_equal(photo.image, samples[..., :3])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_transparency_is_no_further_channel(tiff, kind):
    photo = Photo.open(tiff(noise(4, kind), extra=(ALPHA,)))
    assert photo.notes == () and photo.alpha is not None
