"""Attire within a face: a socket in shadow and a mark on the forehead are not worn, and glasses are no clothes."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.selection import FaceScale, RegionArrays
from npe_core.regions import region_by_name

SIZE = 256
Y, X = np.mgrid[:SIZE, :SIZE]
IDS = {name: region_by_name(name).id for name in ("skin", "eyes", "ears", "attire", "hair")}

SOCKET = (np.abs(X - 150) < 14) & (np.abs(Y - 100) < 6)
OTHER = (np.abs(X - 106) < 14) & (np.abs(Y - 101) < 6)
MARK = np.hypot(X - 128, Y - 70) < 4
BRIDGE = (np.abs(X - 128) < 35) & (np.abs(Y - 92) < 3)
TEMPLE = (np.abs(X - 192) < 16) & (np.abs(Y - 100) < 4)
VEIL = (np.abs(X - 128) < 50) & (Y > 115) & (Y < 190)
EARRING = np.hypot(X - 206, Y - 140) < 4
DOT = np.hypot(X - 106, Y - 100) < 4
HOOK = (np.abs(X - 182) < 8) & (np.abs(Y - 110) < 3)
MUZZLE = (np.abs(X - 128) < 45) & (np.abs(Y - 150) < 12)
MASK = (np.abs(X - 128) < 50) & (Y > 104) & (Y < 190)
SCARF = (X < 40) & (np.abs(Y - 110) < 50)


def scene(*pieces):
    """(H, W) uint8 ids: a face before hair, with two eyes and an ear, and what is attire."""
    ids = np.full((SIZE, SIZE), IDS["hair"], np.uint8)
    ids[np.hypot(X - 128, Y - 110) < 80] = IDS["skin"]
    ids[np.hypot(X - 206, Y - 120) < 18] = IDS["ears"]
    for x in (106, 150):
        ids[(np.abs(X - x) < 9) & (np.abs(Y - 100) < 5)] = IDS["eyes"]
    for piece in pieces:
        ids[piece] = IDS["attire"]
    return ids


def filled(regions, at=None):
    """(H, W) bool: what a fill of attire takes."""
    height, width = getattr(regions, "ids", regions).shape
    canvas = Canvas(np.random.default_rng(1).integers(90, 160, (height, width, 3), dtype=np.uint8), regions)
    canvas.fill("attire", "#304878", at=at)
    return canvas.mask > 0


@pytest.mark.parametrize(
    ("pieces", "left_out", "beside_clothes"),
    [
        ([SOCKET], SOCKET, SOCKET),
        ([MARK], MARK, MARK),
        ([SOCKET, MARK], SOCKET | MARK, SOCKET | MARK),
        ([SOCKET, OTHER], None, SOCKET | OTHER),  # a pair of lenses
        ([SOCKET, OTHER, TEMPLE], None, SOCKET | OTHER | TEMPLE),
        ([BRIDGE], None, BRIDGE),  # reaches both eyes
        ([TEMPLE], None, None),  # and this an ear, but nothing is before an eye
        ([EARRING], None, None),
        ([VEIL], None, None),
        ([SOCKET, DOT], SOCKET | DOT, SOCKET | DOT),  # too unlike for a pair of lenses
        ([HOOK], None, None),  # in the face, but for the ear that it hangs on
        ([MUZZLE], None, None),  # in the face, and larger than any mark
        ([MASK], None, None),  # beside the eyes, and higher than any glasses
        ([SOCKET, OTHER, SCARF], SOCKET | OTHER, SOCKET | OTHER),  # level with the glasses, but no part of them
    ],
)
@pytest.mark.parametrize("clothes", [3, 36], ids=["a hem", "clothes"])
def test_only_what_is_meant_is_filled(pieces, left_out, beside_clothes, clothes):
    """Of a hem (less than 0.015 of the face's square) nobody would say attire: with glasses it is they that are."""
    ids = scene(clothes >= SIZE - Y, *pieces)
    out = left_out if clothes < 20 else beside_clothes
    wanted = ids == IDS["attire"] if out is None else (ids == IDS["attire"]) & ~out
    assert (filled(ids) == wanted).all()


def test_lenses_are_a_pair_before_one_face_only():
    """Of two faces beside each other each has one eye in deep shadow."""

    class TwoFaces(RegionArrays):
        def face_at(self, x, y):
            return FaceScale(int(x >= SIZE), SIZE)

    hem = SIZE - 1 == Y
    ids = np.hstack([scene(SOCKET, hem), scene(OTHER, hem)])
    assert (filled(TwoFaces(ids)) == np.hstack([hem, hem])).all()


def test_what_goes_on_beyond_the_photo_is_worn():
    band = (np.abs(X - 128) < 10) & (Y < 6)
    ids = np.where(band | (Y > 220), IDS["attire"], IDS["skin"]).astype(np.uint8)
    assert filled(ids)[band].all()


def test_what_is_clicked_is_filled():
    ids = np.where(MARK, IDS["attire"], IDS["skin"]).astype(np.uint8)
    ids[Y > 220] = IDS["attire"]
    assert (filled(ids, at=(128, 70)) == MARK).all()
