"""The models that the worker loads: which are read first, and what is told of those that are missing."""

import json
import threading

import pytest
from daemon_stubs import QUICK, drop, names
from real_work import png, put, spot

from npe_core import __version__
from npe_core.daemon import journal
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.work import EditWorker
from npe_core.faces import yunet
from npe_core.models.weights import COARSE, SMOOTH, read_manifest, shipped_folder, write_manifest


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
