"""npe watch as a real process: exit codes, signals, the lock, kill -9 with the real engine."""

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from daemon_stubs import names
from PIL import Image
from waiting import PATIENCE, wait_for

from npe_core.cli.app import run
from npe_core.daemon.folders import Folders, Lock, is_held
from npe_core.daemon.status import read_status
from npe_core.errors import AlreadyRunning
from npe_core.models.weights import read_manifest

NPE = [sys.executable, "-c", "from npe_core.cli import main; main()"]
FEW = {"steps": 1, "upscale": False, "aligned": True, "seed": 3}


def put(inbox, stem, portrait):
    """A quick real edit."""
    (inbox / f"{stem}.json").write_text(json.dumps(FEW))
    mask = np.zeros((512, 512), np.uint8)
    mask[300:330, 240:290] = 255
    Image.fromarray(mask).save(inbox / f"{stem}.mask.png")
    shutil.copy(portrait, inbox / f"{stem}.png.part")
    (inbox / f"{stem}.png.part").rename(inbox / f"{stem}.png")


def start(at, **environment):
    quick = ["--settle", "0.2", "--interval", "0.2", "--least-free", "0", "--device", "cpu"]
    return subprocess.Popen([*NPE, "watch", *at, *quick], stderr=subprocess.PIPE, env={**os.environ, **environment})


def test_a_daemon_from_start_to_sigterm(at, tmp_path, portrait, capsys):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        daemon = start(at, NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            systemd.settimeout(PATIENCE)
            assert systemd.recv(4096) == b"READY=1"
            put(tmp_path / "inbox", "a", portrait)
            wait_for(lambda: (tmp_path / "outbox/a.png").exists())
            assert run(["watch", *at]) == 5
            assert "Another daemon is at work" in capsys.readouterr().err
            assert run(["status", *at, "--json"]) == 0
            told = json.loads(capsys.readouterr().out)
            assert told["daemon"] == "running" and told["pid"] == daemon.pid and told["device"] == "cpu"
            assert run(["status", *at]) == 0
            assert "running" in capsys.readouterr().out
        finally:
            daemon.send_signal(signal.SIGTERM)
            log = daemon.communicate(timeout=PATIENCE)[1].decode()
        assert daemon.returncode == 0, log
        events = [json.loads(line)["event"] for line in log.splitlines()]
        assert events == ["made the folder", "started", "claimed", "done", "stopping", "stopped"]
        systemd.settimeout(0)
        heard = b"\n".join(_all_of(systemd))
        assert b"WATCHDOG=1" in heard and b"STATUS=" in heard and b"STOPPING=1" in heard
    run(["status", *at])
    assert "not running" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_as_soon_as_the_lock_is_held_is_an_orderly_end(at, folders, number):
    folders.lock.touch()
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        daemon = start(at)  # under nohup it would inherit a SIGHUP that is ignored, and leave it so
    finally:
        signal.signal(number, before)
    wait_for(lambda: is_held(folders))
    daemon.send_signal(number)
    log = daemon.communicate(timeout=PATIENCE)[1].decode()
    assert daemon.returncode == 0, log
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["started", "stopping", "stopped"]


def _all_of(connection):
    while True:
        try:
            yield connection.recv(4096)
        except BlockingIOError:
            return


def test_kill_9_at_a_random_moment_with_the_real_engine(at, tmp_path, portrait):
    """As benchmarks/soak.py does for as long as one likes."""
    for number in range(3):
        put(tmp_path / "inbox", f"a{number}", portrait)
    daemon = start(at)
    wait_for(lambda: list((tmp_path / "outbox").glob(".spool/run/*")) or len(names(tmp_path / "outbox")) == 6)
    time.sleep(random.random())
    daemon.kill()
    daemon.communicate()
    assert read_status(Folders.of(tmp_path / "inbox", tmp_path / "outbox"))["state"] == "died"
    daemon = start(at)
    try:
        wait_for(lambda: len(list((tmp_path / "outbox/.done").iterdir())) == 3)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=PATIENCE)
    assert len(names(tmp_path / "outbox")) == 6 and not names(tmp_path / "inbox") and not names(tmp_path / "failed")
    pictures = [np.asarray(Image.open(tmp_path / f"outbox/a{number}.png")) for number in range(3)]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


def test_weights_that_are_corrupt_are_told_and_nothing_is_touched(at, tmp_path, portrait, monkeypatch, capsys):
    weights = tmp_path / "weights"
    shutil.copytree(Path(__file__).parents[2] / "weights", weights)
    with (weights / read_manifest(weights)["denoiser"].file).open("r+b") as file:
        file.truncate(1000)
    monkeypatch.setenv("NPE_WEIGHTS", str(weights))
    put(tmp_path / "inbox", "a", portrait)
    assert run(["watch", *at, "--once", "--device", "cpu"]) == 3
    assert "corrupt" in capsys.readouterr().err and len(names(tmp_path / "inbox")) == 3


@pytest.mark.parametrize("option", ["--settle", "--interval", "--max-megapixels", "--time-limit", "--keep-days"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_number_that_is_none_is_refused(at, capsys, option, value):
    assert run(["watch", *at, "--once", option, value]) == 2
    assert option in (err := capsys.readouterr().err) and len(err.splitlines()) == 1


def test_a_look_at_the_lock_keeps_no_daemon_from_starting(folders):
    with folders.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as npe status does for a moment
        release = threading.Timer(0.2, fcntl.flock, (file, fcntl.LOCK_UN))
        release.start()
        Lock(folders).release()
        release.join()
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(AlreadyRunning):
            Lock(folders)
