"""Crops that overlap: every pixel is pasted as a part of the face that it is nearest to, and none is left half done."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.editor.framing import distance_to, fade_at_borders
from npe_core.editor.neighbours import HANDOVER, left_to_neighbours
from npe_core.faces import FaceCrop

WIDTH, HEIGHT = 640, 400


def turned(x, y, side, angle):
    """A crop of 256 pixels around a place of the photo."""
    axes = side / 256 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return FaceCrop(np.column_stack([axes, (x, y) - axes @ (128, 128)]), 256)


def in_photo(crop, share):
    return crop.to_box(share, (0, 0, WIDTH, HEIGHT))


@st.composite
def rows_of_faces(draw):
    faces = []
    for number in range(draw(st.integers(2, 4))):
        x, y = 120 + 130 * number + draw(st.integers(-30, 30)), 200 + draw(st.integers(-60, 60))
        faces.append(turned(x, y, draw(st.integers(150, 240)), draw(st.floats(-0.4, 0.4))))
    return draw(st.permutations(faces))


@given(rows_of_faces())
@settings(max_examples=15, deadline=None)
def test_where_crops_overlap_the_nearest_face_counts(faces):
    fades = [fade_at_borders(crop, (WIDTH, HEIGHT)) for crop in faces]
    shares = left_to_neighbours(faces, fades)
    whole = [in_photo(crop, fade) for crop, fade in zip(faces, fades, strict=True)]
    photo, of = np.ones((HEIGHT, WIDTH)), np.zeros((len(faces), HEIGHT, WIDTH))
    for number in reversed(range(len(faces))):  # as they are pasted
        share = in_photo(faces[number], shares[number])
        photo *= 1 - share
        of *= 1 - share
        of[number] += share
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    distances = np.array([distance_to(crop, x, y) for crop in faces])
    nearest, sure = distances.argmin(axis=0), np.diff(np.sort(distances, axis=0), axis=0)[0] > HANDOVER
    seen = np.take_along_axis(np.array(whole), nearest[None], 0)[0] > 0.999
    own = np.take_along_axis(of, nearest[None], 0)[0]
    assert own[sure & seen].min() > 0.95
    assert photo.max() <= 1 and (photo - (1 - np.max(whole, axis=0))).max() < 0.05  # nothing shows through


def test_faces_far_apart_keep_their_fades():
    faces = [turned(120, 200, 150, 0), turned(500, 200, 150, 0.2)]
    fades = [fade_at_borders(crop, (WIDTH, HEIGHT)) for crop in faces]
    assert all(share is fade for share, fade in zip(left_to_neighbours(faces, fades), fades, strict=True))
