"""Attire within a face: glasses are worn, a socket in shadow and a mark on the forehead are not."""

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
EARRING = np.hypot(X - 206, Y - 140) < 4


@pytest.mark.parametrize(
    ("pieces", "left_out"),
    [
        ([SOCKET], SOCKET),
        ([MARK], MARK),
        ([SOCKET, MARK], SOCKET | MARK),
        ([SOCKET, OTHER], None),  # a pair of lenses
        ([BRIDGE], None),  # reaches both eyes
        ([TEMPLE], None),  # and this an ear
        ([EARRING], None),
    ],
)
def test_only_what_is_worn_is_filled(pieces, left_out):
    ids = np.full((SIZE, SIZE), IDS["hair"], np.uint8)
    ids[np.hypot(X - 128, Y - 110) < 80] = IDS["skin"]
    ids[np.hypot(X - 206, Y - 120) < 18] = IDS["ears"]
    for x in (106, 150):
        ids[(np.abs(X - x) < 9) & (np.abs(Y - 100) < 5)] = IDS["eyes"]
    ids[Y > 220] = IDS["attire"]
    for piece in pieces:
        ids[piece] = IDS["attire"]
    picture = np.random.default_rng(1).integers(90, 160, (SIZE, SIZE, 3), dtype=np.uint8)
    canvas = Canvas(picture, ids)
    canvas.fill("attire", "#304878")
    wanted = ids == IDS["attire"] if left_out is None else (ids == IDS["attire"]) & ~left_out
    assert ((canvas.mask > 0) == wanted).all()


def test_what_is_clicked_is_filled():
    ids = np.where(MARK, IDS["attire"], IDS["skin"]).astype(np.uint8)
    ids[Y > 220] = IDS["attire"]
    canvas = Canvas(np.full((SIZE, SIZE, 3), 120, np.uint8), ids)
    canvas.fill("attire", "#304878", at=(128, 70))
    assert ((canvas.mask > 0) == MARK).all()
