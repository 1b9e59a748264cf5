"""The worker with the real engine: what a mask, a paint and a JSON mean, and what strangers' files are told."""

import errno
import hashlib
import io
import json
import os
import struct
import subprocess
import threading
import zlib

import numpy as np
import pytest
from daemon_stubs import QUICK, drop, names
from PIL import Image

from npe_core import __version__, files
from npe_core.canvas import Canvas
from npe_core.cli.marking import MarkingOptions, mark, segmented
from npe_core.cli.options import FacesMeant
from npe_core.daemon import journal
from npe_core.daemon.names import Group, sort_out
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan
from npe_core.daemon.work import EditWorker
from npe_core.daemon.worker import StillWritten, TimeUp
from npe_core.editor.engine import Engine
from npe_core.faces import yunet
from npe_core.models.weights import COARSE, SMOOTH, read_manifest, shipped_folder, write_manifest
from npe_core.photo import Photo

FEW = {"steps": 1, "upscale": False, "seed": 5}


def png(array, mode=None):
    stream = io.BytesIO()
    Image.fromarray(array, mode).save(stream, "PNG")
    return stream.getvalue()


def spot(value=255):
    mask = np.zeros((512, 512), np.uint8)
    mask[330:390, 200:310] = value
    return mask


@pytest.fixture(scope="module")
def worker(editor):
    """The real worker, with the editor that other tests have loaded already."""
    made = EditWorker("cpu", max_megapixels=4)
    made.load()
    made._editor = editor
    return made


@pytest.fixture
def work(folders, worker):
    """Runs the daemon on what has been dropped."""
    return lambda: Service(folders, worker, Settings(**QUICK)).run()


def put(folders, stem, photo, **files):
    for ending, content in files.items():
        suffix = {"mask": ".mask.png", "json": ".json"}[ending]
        (folders.inbox / (stem + suffix)).write_bytes(json.dumps(content).encode() if ending == "json" else content)
    (folders.inbox / f"{stem}.png").write_bytes(photo)


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


@pytest.mark.parametrize("fault", ["mount", "access"])
def test_an_outbox_that_becomes_read_only_before_a_job_is_read_is_no_fault_of_the_models(
    folders, worker, portrait, monkeypatch, fault
):
    """A real read-only file system, where mounting is allowed; else, as chmod means nothing to root, its answer."""
    spool, refused = Spool(folders), []

    def read_only(job):
        if fault == "access":
            access = os.access
            monkeypatch.setattr(os, "access", lambda path, mode: path != job.result and access(path, mode))
        else:
            refused.append(
                mount("--bind", folders.outbox, folders.outbox) or mount("-o", "remount,bind,ro", folders.outbox)
            )
        return EditWorker.read(worker, job)

    put(folders, "a", portrait.read_bytes(), mask=png(spot()), json=FEW)
    monkeypatch.setattr(worker, "read", read_only)
    service = Service(folders, worker, Settings(**QUICK))
    try:
        code = service.run()
    finally:
        if fault == "mount":
            subprocess.run(["umount", str(folders.outbox)], check=False)
    if any(refused):
        pytest.skip("mounting is not allowed here")
    assert code == 4 and list(service.status.paused) == ["outbox"]
    assert "The outbox cannot be written to" in service.status.paused["outbox"]
    assert not names(folders.failed) and len(spool._jobs(folders.run)) == 1


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode


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


def test_a_disk_that_fills_up_while_a_photo_is_written_pauses_as_disk(folders, worker, work, portrait, monkeypatch):
    create = files.create

    def create_small(path, content):
        if content.startswith(b"\x89PNG"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        create(path, content)

    put(folders, "a", portrait.read_bytes(), mask=png(spot()), json=FEW)
    monkeypatch.setattr(files, "create", create_small)
    service = Service(folders, worker, Settings(**QUICK))
    assert service.run() == 4 and list(service.status.paused) == ["disk"] and not names(folders.failed)
    assert service._pauses.needed > 100_000, "it waits for room for the whole photo"
    (record,) = folders.run.glob("*/.job.json")
    assert json.loads(record.read_text())["attempts"] == 0


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A copy of the weights, by links; returns its folder."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for path in shipped_folder().iterdir():
        (folder / path.name).symlink_to(path)
    monkeypatch.setenv("NPE_WEIGHTS", str(folder))
    return folder


def without_smooth(weights):
    models = {kind: entry for kind, entry in read_manifest(weights).items() if kind != SMOOTH}
    write_manifest(models, weights)


def test_sharpness_that_the_weights_do_not_have_is_the_fault_of_that_job_alone(folders, weights, portrait):
    without_smooth(weights)
    few = {"steps": 1, "seed": 5}
    put(folders, "soft", portrait.read_bytes(), mask=png(spot()), json={**few, "sharpness": 0.5})
    put(folders, "sharp", portrait.read_bytes(), mask=png(spot()), json=few)
    put(folders, "small", portrait.read_bytes(), mask=png(spot()), json={**few, "sharpness": 0.5, "upscale": False})
    assert Service(folders, EditWorker("cpu"), Settings(**QUICK)).run() == 1
    assert names(folders.outbox) == ["sharp.json", "sharp.png", "small.json", "small.png"]
    (job,) = folders.failed.iterdir()
    reason = json.loads((job / journal.REASON).read_text())
    assert (reason["code"], reason["attempts"]) == ("bad-input", 1)
    assert reason["reason"] == "Sharpness below 1 needs upscaler_smooth, which these weights do not have."


def test_a_missing_face_detector_is_noticed_before_the_first_job(folders, monkeypatch):
    monkeypatch.setattr(yunet.importlib.metadata, "files", lambda name: [])
    monkeypatch.setattr(yunet, "_detectors", threading.local())
    drop(folders.inbox, "a")
    service = Service(folders, EditWorker("cpu"), Settings(**QUICK))
    assert service.run() == 4 and "pip install" in service.status.paused["models"]
    assert "a.png" in names(folders.inbox) and not list(folders.failed.iterdir())


def test_all_that_decides_about_a_picture_is_read_first_and_tells_jobs_apart(folders, weights, monkeypatch):
    (weights / f"{COARSE}.safetensors").unlink()
    salt = EditWorker("cpu").load()[0]
    needed = {entry.sha256 for kind, entry in read_manifest(weights).items() if kind != COARSE}
    assert len(needed) == 4 and set(salt.split("\n")) == {__version__, yunet.model_digest(), *needed}
    (weights / f"{SMOOTH}.safetensors").unlink()
    service = Service(folders, EditWorker("cpu"), Settings(**QUICK))
    assert service.run() == 3 and SMOOTH in service.status.paused["models"]
    without_smooth(weights)
    plain = EditWorker("cpu").load()[0]
    assert plain != salt
    model = yunet._model_bytes()
    monkeypatch.setattr(yunet, "_model_bytes", lambda: model + b" ")  # another release of the detector
    assert EditWorker("cpu").load()[0] != plain


def test_a_large_json_is_not_even_read(folders, work, portrait):
    put(folders, "a", portrait.read_bytes(), json=FEW)
    (folders.inbox / "a.json").write_bytes(b" " * 200_000 + b"{}")
    assert work() == 1
    assert "at most 65536 bytes" in next(folders.failed.glob("*/reason.json")).read_text()
