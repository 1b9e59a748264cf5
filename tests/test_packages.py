"""A package that is missing or broken is told as that, with what to do, and never as a bug."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BROKEN = {
    "missing": "import a_library_of_torch",
    "broken": "raise ImportError('libcudnn.so.9: cannot open shared object file')",
    "of another system": "import ctypes; ctypes.CDLL('libtorch_nowhere.so')",
}


def in_process(folder, program, torch, *arguments):
    """A Python program where ``import torch`` runs the code ``torch`` instead."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(torch)
    paths = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}, cwd=folder)


RUN = "import sys; from npe_core.cli.app import run; sys.exit(run(sys.argv[1:]))"


@pytest.mark.parametrize("torch", BROKEN.values(), ids=BROKEN.keys())
def test_doctor_tells_what_is_wrong_and_goes_on(torch, tmp_path):
    done = in_process(tmp_path, RUN, torch, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 4 and done.stderr == ""
    assert not checks["torch"]["ok"] and "pip install --force-reinstall" in checks["torch"]["detail"]
    assert "device" not in checks and checks["python"]["ok"] and checks["denoiser"]["ok"]


def test_an_edit_without_torch_is_no_bug(portrait, tmp_path):
    arguments = ["edit", portrait, "-o", tmp_path / "out.png", "--region", "hair=#8b2500"]
    done = in_process(tmp_path, RUN, BROKEN["missing"], *arguments)
    assert done.returncode == 4 and len(done.stderr.splitlines()) == 1
    assert "a_library_of_torch" in done.stderr and "pip install --force-reinstall" in done.stderr


def test_a_module_of_ours_that_is_missing_is_a_bug(tmp_path):
    lost = "import npe_core.cli.app as app; app.COMMANDS['doctor'] = 'npe_core.cli.nowhere'; "
    done = in_process(tmp_path, lost + RUN, "", "doctor")
    assert done.returncode == 70 and "This is a bug" in done.stderr


def test_the_daemon_pauses_without_torch_and_keeps_the_job(portrait, tmp_path):
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    (inbox / "ana.png").write_bytes(portrait.read_bytes())
    (inbox / "ana.json").write_text('{"regions": {"hair": "#8b2500"}}')
    arguments = ["watch", "--inbox", inbox, "--outbox", outbox, "--once", "--log", "text"]
    done = in_process(tmp_path, RUN, BROKEN["broken"], *arguments)
    assert done.returncode == 4 and "bug" not in done.stderr and "libcudnn" in done.stderr
    status = json.loads((outbox / ".spool" / "status.json").read_text())
    assert "libcudnn" in status["paused"]["models"]
    assert {path.name for path in inbox.iterdir()} >= {"ana.png", "ana.json"}


def test_the_terminal_editor_says_so_too(tmp_path):
    program = """
from npe_core.errors import EnvironmentFault
from npe_tui.engine.worker import EngineWorker
worker = EngineWorker()
print(worker._load().detail)
try:
    worker._ready
except EnvironmentFault:
    print("a fault of the environment")
"""
    done = in_process(tmp_path, program, BROKEN["broken"])
    assert done.returncode == 0, done.stderr
    assert "libcudnn" in done.stdout and "pip install --force-reinstall" in done.stdout
    assert "a fault of the environment" in done.stdout
