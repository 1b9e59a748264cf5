"""Photos of several faces with the real engine: which are edited, what is told of it, and crowds."""

import json

import numpy as np
import pytest
from real_work import FEW, png, put

from npe_core.daemon.names import sort_out
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.daemon.worker import TimeUp
from npe_core.editor.engine import Engine


def test_a_crowd_is_cut_off_between_two_faces(folders, worker, group_photo, monkeypatch):
    """A photo of many can take the segmenter longer than any time limit, and then the whole daemon would end for it."""
    asked, seen, whole = [], [], Engine.segment
    monkeypatch.setattr(Engine, "segment", lambda engine, x: seen.append(len(x)) or whole(engine, x))
    put(folders, "a", group_photo.read_bytes(), json=FEW | {"regions": {"hair": "#8b2500"}, "face": "all"})
    spool, stamps = Spool(folders), scan(folders.inbox)
    job = spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps)
    spool.new_result(job)
    read = worker.read(job)

    def keep_going():
        asked.append(True)
        if len(asked) > 2:
            raise TimeUp("too long")

    with pytest.raises(TimeUp):
        worker.edit([read], keep_going)
    assert len(seen) == 2


def test_which_face_of_several_was_edited_is_told_unless_it_was_named_or_marked(folders, work, group_photo):
    mask = np.zeros((480, 1120), np.uint8)
    mask[290:315, 140:200] = 255  # on the first face, which is not the largest
    put(folders, "any", group_photo.read_bytes(), json={**FEW, "regions": {"lips": "#2040c0"}})
    put(folders, "first", group_photo.read_bytes(), mask=png(mask), json={**FEW, "face": 1})
    put(folders, "marked", group_photo.read_bytes(), mask=png(mask), json=FEW)
    assert work() == 0
    reports = {stem: json.loads((folders.outbox / f"{stem}.json").read_text()) for stem in ("any", "first", "marked")}
    warnings = {stem: report["warnings"] for stem, report in reports.items()}
    faces = {stem: (report["face"], report["face_numbers"]) for stem, report in reports.items()}
    assert faces == {"any": ("largest", [2]), "first": (1, [1]), "marked": ("marked", [1])}
    note = '3 faces found; edited face 2 (the largest). "face": N or "all" chooses others'
    assert warnings == {"any": [note], "first": [], "marked": []}
    assert (folders.outbox / "first.png").read_bytes() == (folders.outbox / "marked.png").read_bytes()


def test_the_largest_face_that_was_named_is_edited_wherever_the_mask_lies(folders, work, group_photo):
    mask = np.zeros((480, 1120), np.uint8)
    mask[290:315, 140:200] = mask[320:350, 530:600] = 255  # on the first face, and on the second: the largest
    for stem, more in (("largest", {"face": "largest"}), ("both", {})):
        put(folders, stem, group_photo.read_bytes(), mask=png(mask), json={**FEW, **more})
    assert work() == 0
    told = [json.loads((folders.outbox / f"{stem}.json").read_text())["face_numbers"] for stem in ("largest", "both")]
    assert told == [[2], [1, 2]]
    assert (folders.outbox / "largest.png").read_bytes() != (folders.outbox / "both.png").read_bytes()
