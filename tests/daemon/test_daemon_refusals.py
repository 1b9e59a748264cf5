"""What strangers' files are told that cannot be edited, before it costs anything, and without harm to the others."""

import io
import json
import struct
import zlib

import numpy as np
from daemon_stubs import drop, names
from PIL import Image
from real_work import FEW, png, put, spot

from npe_core.daemon import journal


def bomb():
    """A PNG whose header claims 30000x30000 pixels."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def test_what_cannot_be_edited_says_why_and_harms_nobody(folders, work, portrait):
    good, mask, image = portrait.read_bytes(), png(spot()), np.asarray(Image.open(portrait).convert("RGB"))
    grey = png(np.full((300, 300, 3), 90, np.uint8))
    put(folders, "zero", b"", mask=mask)
    put(folders, "truncated", good[:60_000], mask=mask)
    put(folders, "bomb", bomb(), mask=mask)
    put(folders, "text", b"no picture at all", mask=mask)
    put(folders, "othersize", good, mask=png(np.full((100, 100), 255, np.uint8)))
    put(folders, "black", good, mask=png(spot(0)))
    put(folders, "noface", grey, mask=png(np.full((300, 300), 255, np.uint8)))
    put(folders, "nothing", good, json={})
    put(folders, "typo", good, json={"regoins": {"hair": "#993300"}})
    put(folders, "noregion", good, json={"regions": {"hiar": "#993300"}})
    put(folders, "nomask", good, json={"regions": {"hair": "#993300"}, "color": "#00ff00"})
    put(folders, "tintless", good, json={"regions": {"hair": "#993300"}, "tint": True})
    put(folders, "uncoloured", good, mask=png(spot()), json={"tint": True})
    put(folders, "painted", good, mask=png(np.dstack([image, spot()])), json={"color": "#00ff00"})
    put(folders, "manyfaces", good, mask=mask, json={"face": 7})
    stream = io.BytesIO()
    Image.open(portrait).convert("RGB").save(stream, "JPEG")
    put(folders, "wrongsuffix", stream.getvalue(), mask=mask, json=FEW)  # a JPEG called .png is no mistake to fail for
    assert work() == 1
    assert names(folders.outbox) == ["wrongsuffix.json", "wrongsuffix.png"]
    reasons = {}
    for job in folders.failed.iterdir():
        reason = json.loads((job / journal.REASON).read_text())
        assert reason["code"] == "bad-input" and reason["attempts"] == 1, reason
        assert str(folders.outbox) not in reason["reason"]
        reasons[job.name.rpartition("-")[0]] = reason["reason"]
    said = {
        "zero": "empty (0 bytes)", "truncated": "damaged", "bomb": "30000x30000", "text": "not a picture",
        "othersize": "100x100", "black": "black.mask.png marks nothing", "noface": '"aligned": true',
        "nothing": "no regions",
        "typo": "Did you mean 'regions'?", "noregion": "Did you mean 'hair'?", "manyfaces": "no face 7",
        "nomask": 'nomask.png has no mask. "color" goes with a grey mask',
        "tintless": 'tintless.png has no mask. "tint" goes with paint',
        "uncoloured": 'uncoloured.mask.png is a mask without a colour. "tint" goes with paint',
        "painted": 'painted.mask.png has colours and transparency: it is the paint. "color" goes with a grey mask',
    }  # fmt: skip
    assert reasons.keys() == said.keys()
    for stem, words in said.items():
        assert words in reasons[stem], reasons[stem]


def test_a_photo_that_its_format_cannot_hold_fails_before_it_is_edited(folders, worker, work, monkeypatch):
    edits = []
    monkeypatch.setattr(worker, "edit", lambda jobs, keep_going: edits.append(jobs))
    drop(folders.inbox, "pano", png(np.zeros((64, 17_000), np.uint8)), png(np.full((64, 17_000), 255, np.uint8)),
         b'{"aligned": true}', ".webp")  # fmt: skip
    assert work() == 1 and not edits
    reason = json.loads(next(folders.failed.glob("*/reason.json")).read_text())
    assert (reason["code"], reason["attempts"]) == ("bad-input", 1) and "17000x64" in reason["reason"]


def test_a_large_json_is_not_even_read(folders, work, portrait):
    put(folders, "a", portrait.read_bytes(), json=FEW)
    (folders.inbox / "a.json").write_bytes(b" " * 200_000 + b"{}")
    assert work() == 1
    assert "at most 65536 bytes" in next(folders.failed.glob("*/reason.json")).read_text()
