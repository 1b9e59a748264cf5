"""What many tests share: the sample portraits that ship with the project, and one editor with the shipped weights."""

import os
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes share the cores: one thread each, settled before torch
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A sample portrait, 512x512 PNG."""
    return ROOT / "samples" / "ana.png"


@pytest.fixture(scope="session")
def group_photo(portrait, tmp_path_factory) -> Path:
    """Three sample portraits side by side, 1120x480 PNG; the largest is in the middle, at 340,20 to 780,460."""
    from PIL import Image

    group = Image.new("RGB", (1120, 480), (205, 205, 200))
    for name, left, top, side in (("ana", 20, 90, 300), ("ben", 340, 20, 440), ("clara", 800, 90, 300)):
        with Image.open(portrait.with_name(f"{name}.png")) as picture:
            group.paste(picture.convert("RGB").resize((side, side)), (left, top))
    path = tmp_path_factory.mktemp("group") / "group.png"
    group.save(path)
    return path


@pytest.fixture(scope="session")
def editor():
    """The editor on the CPU with the weights of the repository; its models are loaded once."""
    from npe_core.editor import Editor

    return Editor(device="cpu")


@pytest.fixture(scope="session")
def icc_profile():
    """The builder of colour profiles, ``make_icc_profile``."""
    return make_icc_profile


def make_icc_profile(space=b"RGB ", gamma=1.8):
    """A version 2 profile: gamma, and for RGB the primaries of Display P3 (adapted to D50)."""

    def fixed(*values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    def xyz(*values):
        return b"XYZ \0\0\0\0" + fixed(*values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"a test profile\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    if space == b"RGB ":
        tags |= {b"rXYZ": xyz(0.51512, 0.2412, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189)}
        tags |= {b"bXYZ": xyz(0.1571, 0.06657, 0.78407), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    else:
        tags |= {b"kTRC": curve}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
