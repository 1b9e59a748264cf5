"""Attire within a face: a socket in shadow and a mark on the forehead are not worn, and glasses are no clothes."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
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
    ],
)
@pytest.mark.parametrize("clothes", [3, 36], ids=["a hem", "clothes"])
def test_only_what_is_meant_is_filled(pieces, left_out, beside_clothes, clothes):
    """Of a hem (less than 0.015 of the face's square) nobody would say attire: with glasses it is they that are."""
    ids = np.full((SIZE, SIZE), IDS["hair"], np.uint8)
    ids[np.hypot(X - 128, Y - 110) < 80] = IDS["skin"]
    ids[np.hypot(X - 206, Y - 120) < 18] = IDS["ears"]
    for x in (106, 150):
        ids[(np.abs(X - x) < 9) & (np.abs(Y - 100) < 5)] = IDS["eyes"]
    ids[SIZE - clothes :] = IDS["attire"]
    for piece in pieces:
        ids[piece] = IDS["attire"]
    picture = np.random.default_rng(1).integers(90, 160, (SIZE, SIZE, 3), dtype=np.uint8)
    canvas = Canvas(picture, ids)
    canvas.fill("attire", "#304878")
    out = left_out if clothes < 20 else beside_clothes
    wanted = ids == IDS["attire"] if out is None else (ids == IDS["attire"]) & ~out
    assert ((canvas.mask > 0) == wanted).all()


def test_what_is_clicked_is_filled():
    ids = np.where(MARK, IDS["attire"], IDS["skin"]).astype(np.uint8)
    ids[Y > 220] = IDS["attire"]
    canvas = Canvas(np.full((SIZE, SIZE, 3), 120, np.uint8), ids)
    canvas.fill("attire", "#304878", at=(128, 70))
    assert ((canvas.mask > 0) == MARK).all()
