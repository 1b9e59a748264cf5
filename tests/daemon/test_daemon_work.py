"""The worker with the real engine does what npe edit does: what masks, paint and JSON mean, and which seed it takes."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image
from real_work import FEW, png, put, spot

from npe_core.canvas import Canvas
from npe_core.cli.marking import MarkingOptions, mark, segmented
from npe_core.cli.options import FacesMeant
from npe_core.daemon import journal
from npe_core.daemon.names import Group, sort_out
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.daemon.worker import StillWritten
from npe_core.photo import Photo


def models_of(worker, segmented):
    """The weights that a report names: all that had a part in the picture, and no others."""
    kinds = ["denoiser", "segmenter"] if segmented else ["denoiser"]
    return {kind: worker.editor.engine.entry(kind).sha256[:12] for kind in kinds}


def test_masks_of_all_kinds_and_regions(folders, worker, work, portrait):
    """One run: a grey, an RGBA and a red mask, a painted photo with its mask, and regions alone."""
    original = portrait.read_bytes()
    image = np.asarray(Image.open(portrait).convert("RGB"))
    painted = image.copy()
    painted[spot() > 0] = (150, 40, 60)
    paint = np.dstack([np.full((512, 512, 3), (20, 120, 200), np.uint8), spot(128)])
    put(folders, "grey", original, mask=png(spot()), json={**FEW, "color": "#963c3c"})
    put(folders, "paint", original, mask=png(paint), json=FEW)
    put(folders, "red", original, mask=png(spot()[..., None] // 255 * np.uint8([255, 0, 0])), json=FEW)
    put(folders, "guide", png(painted), mask=png(spot()), json=FEW)
    put(folders, "lips", original, json={**FEW, "regions": {"lips": "#b00020"}})
    assert work() == 0
    results = {stem: np.asarray(Image.open(folders.outbox / f"{stem}.png").convert("RGB")) for stem in
               ("grey", "paint", "red", "guide", "lips")}  # fmt: skip
    for stem, result in results.items():
        before = painted if stem == "guide" else image
        outside = spot() == 0
        if stem != "lips":
            assert np.array_equal(result[outside], before[outside]), stem
        assert (result != before).any(), stem
        report = json.loads((folders.outbox / f"{stem}.json").read_text())
        assert report["parameters"]["seed"] == 5 and report["parameters"]["models"] == models_of(worker, stem == "lips")
        assert report["seconds"]["total"] > 0 and report["output"] == f"{stem}.png" and report["device"] == "cpu"
        assert any("'red.mask.png' is in colour" in note for note in report["warnings"]) == (stem == "red")
    inside = spot() > 0
    blue = results["paint"][inside].mean(axis=0) - image[inside].mean(axis=0)
    assert blue[2] > 15 and blue[0] < 0  # towards the paint
    red = results["guide"][inside].mean(axis=0)
    assert np.abs(red - (150, 40, 60)).max() < 30  # the painted photo is the guide
    assert Photo.open(folders.outbox / "lips.png").parameters["regions"] == {"lips": "#b00020"}


def test_the_daemon_does_what_npe_edit_does(folders, work, portrait, tmp_path):
    from npe_core.cli.app import run

    put(folders, "a", portrait.read_bytes(), json={**FEW, "regions": {"lips": "#b00020"}, "timestep": 200, "steps": 2})
    assert work() == 0
    options = ["--region", "lips=#b00020", "-t", "200", "--steps", "2", "--no-upscale", "--seed", "5"]
    assert run(["edit", str(portrait), "-o", str(tmp_path / "b.png"), *options, "--device", "cpu"]) == 0
    assert (folders.outbox / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.fixture(scope="module")
def fresh(worker, portrait):
    """A function that gives a canvas of the portrait with its regions, as npe edit makes it."""
    lips = MarkingOptions({"lips": "#b00020"}, None, None, None)
    canvas, _ = segmented(worker.editor, Photo.open(portrait), FacesMeant("largest", None, False, True), lips)
    return lambda: Canvas(canvas.image, canvas.regions)


@pytest.mark.parametrize("tint", [False, True])
@pytest.mark.parametrize("kind", ["paint", "mask"])
def test_what_is_made_by_hand_lies_over_fills_here_as_with_npe_edit(
    folders, worker, portrait, fresh, tmp_path, kind, tint
):
    """And the canvas of a job that is tried again is the same once more."""
    green = np.dstack([np.full((512, 512, 3), (0, 160, 0), np.uint8), spot()])
    file, colour = png(green if kind == "paint" else spot()), None if kind == "paint" else "#00a000"
    (tmp_path / "by hand.png").write_bytes(file)
    put(
        folders,
        "a",
        portrait.read_bytes(),
        mask=file,
        json={"regions": {"lips": "#b00020"}} | ({"color": colour} if colour else {}) | {"tint": tint},
    )
    spool, stamps = Spool(folders), scan(folders.inbox)
    job = spool.claim(sort_out(stamps, set(stamps)).ready[0], stamps)
    spool.new_result(job)
    read = worker.read(job)
    canvases = worker._canvases([read]) + (worker._canvases([read]) if tint else [])

    marks = MarkingOptions(
        {"lips": "#b00020"}, **{"paint": None, "mask": None, kind: tmp_path / "by hand.png"}, colour=colour, tint=tint
    )
    photo = Photo.open(portrait)
    other = fresh()
    mark(other, photo, marks)
    assert (other.guide[spot() > 0] == (0, 160, 0)).all() != tint and other.levels[spot() == 0].any()
    for canvas in canvases:
        assert np.array_equal(canvas.guide, other.guide) and np.array_equal(canvas.levels, other.levels)
        assert canvas.targets == other.targets


def test_without_a_seed_the_same_files_give_the_same_picture_under_any_name(folders, work, portrait):
    for stem, more in (("a", {}), ("b", {}), ("c", {"face": 1})):
        put(folders, stem, portrait.read_bytes(), mask=png(spot()), json={"steps": 1, "upscale": False, **more})
    assert work() == 0
    pictures = [(folders.outbox / f"{stem}.png").read_bytes() for stem in "abc"]
    assert pictures[0] == pictures[1] != pictures[2]  # other bytes, another seed


def test_a_seed_from_the_files_outlives_another_version(tmp_path):
    for role in ("photo", "mask"):
        (tmp_path / role).write_bytes(role.encode())
    record = journal.Record("a", {"photo": "photo", "mask": "mask"})
    old, new = (journal.identified(record, tmp_path, salt, 1 << 20) for salt in ("0.1.0", "0.2.0"))
    assert old.id != new.id and journal.seed_of(old) == journal.seed_of(new)


def test_an_upload_that_goes_on_after_the_claim_goes_back_to_the_inbox(folders, worker, work, portrait):
    """It stood still for longer than files are waited for, and its first half was claimed."""
    content = portrait.read_bytes()
    half = len(content) // 2
    (folders.inbox / "a.json").write_text(json.dumps({**FEW, "regions": {"lips": "#b00020"}}))
    with (folders.inbox / "a.png").open("wb") as uploading:
        uploading.write(content[:half])
        uploading.flush()
        spool = Spool(folders)
        job = spool.claim(Group("a", "a.png", parameters="a.json"), scan(folders.inbox))
        uploading.write(content[half:])
    with pytest.raises(StillWritten):
        worker.read(job)
    assert work() == 0
    report = json.loads((folders.outbox / "a.json").read_text())
    assert report["inputs"]["a.png"] == hashlib.sha256(content).hexdigest()
