"""npe watch, status and retry as real commands and processes: exit codes, signals, kill -9 with the real engine."""

import errno
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from daemon_stubs import QUICK, StubWorker, drop, names
from PIL import Image
from waiting import PATIENCE, wait_for

from npe_core.cli.app import run
from npe_core.daemon.folders import Folders, Lock, is_held, remedy
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.status import read_status
from npe_core.errors import AlreadyRunning, InputError
from npe_core.models.weights import read_manifest

NPE = [sys.executable, "-c", "from npe_core.cli import main; main()"]
FEW = {"steps": 1, "upscale": False, "aligned": True, "seed": 3}


@pytest.fixture
def at(tmp_path):
    """Arguments that name the folders of this test."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "outbox").mkdir()
    return ["--inbox", str(tmp_path / "inbox"), "--outbox", str(tmp_path / "outbox")]


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


@pytest.mark.parametrize("below", ["inbox", "inbox/out"])
def test_an_outbox_in_the_inbox_is_refused(at, tmp_path, below, capsys):
    before = set(tmp_path.rglob("*"))
    assert run(["watch", *at, "--outbox", str(tmp_path / below), "--failed", str(tmp_path / "f"), "--once"]) == 2
    assert "lies in the inbox" in capsys.readouterr().err and set(tmp_path.rglob("*")) == before
    link = tmp_path / "looks-outside"
    link.symlink_to(tmp_path / below)
    assert run(["watch", *at, "--outbox", str(link), "--failed", str(tmp_path / "f"), "--once"]) == 2


def test_an_inbox_that_is_a_link_in_a_circle_is_no_bug(tmp_path, capsys):
    (tmp_path / "inbox").symlink_to(tmp_path / "inbox")
    assert run(["watch", "--inbox", str(tmp_path / "inbox"), "--outbox", str(tmp_path / "outbox"), "--once"]) == 4
    assert "is not a folder, or a link to none" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["inbox", "outbox", "failed"])
def test_a_folder_that_everybody_can_write_to_is_refused(at, tmp_path, folder, capsys):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder).chmod(0o777)
    assert run(["watch", *at, "--once"]) == 4
    err = capsys.readouterr().err
    assert "writable for everybody" in err and "--allow-world-writable" in err
    (tmp_path / folder).chmod(0o1777)
    Folders.of(tmp_path / "inbox", tmp_path / "outbox").prepare()
    assert all(stat.S_IMODE((tmp_path / "outbox/.spool" / name).stat().st_mode) == 0o700 for name in ("tmp", "run"))


def test_folders_that_it_makes_are_not_refused_under_any_umask(tmp_path):
    folders = Folders.of(tmp_path / "inbox", tmp_path / "outbox")
    before = os.umask(0)
    try:
        folders.prepare()
    finally:
        os.umask(before)
    made = [folders.inbox, folders.outbox, folders.failed, folders.done]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o775] * 4


def test_an_inbox_that_cannot_be_made(tmp_path, capsys):
    assert run(["watch", "--inbox", str(tmp_path / "no/such/inbox"), "--outbox", str(tmp_path / "out"), "--once"]) == 4
    assert "no/such/inbox" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_an_outbox_that_takes_nothing_is_told_by_its_own_name(tmp_path, capsys):
    failed = ["--failed", str(tmp_path / "failed")]
    assert run(["watch", "--inbox", str(tmp_path / "in"), "--outbox", "/proc/self/task", *failed, "--once"]) == 4
    told = capsys.readouterr().err
    assert "The folder /proc/self/task cannot be used: " in told and ".spool" not in told


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EACCES, "Let the daemon's user read it and write to it"), (errno.EROFS, "Mount it so that it can be"),
     (errno.ENOENT, "create it")],
)  # fmt: skip
def test_what_is_to_be_done_about_a_folder_goes_by_what_the_system_says(code, words):
    assert words in remedy(OSError(code, os.strerror(code)))


def test_failed_jobs_go_back_to_the_inbox(at, tmp_path, folders, capsys):
    fail_all(folders, "ana", "ben", "clara")
    jobs = sorted(path.name for path in folders.failed.iterdir())
    assert run(["retry", *at, "anna"]) == 2 and run(["retry", *at]) == 2
    assert "Did you mean" in capsys.readouterr().err
    assert run(["retry", *at, "--all", "ana"]) == 2 and "not both" in capsys.readouterr().err
    assert run(["retry", *at, "ana"]) == 0 and names(folders.inbox) == ["ana.mask.png", "ana.png"]
    assert run(["retry", *at, "ben", jobs[1], "ben"]) == 0 and len(names(folders.failed)) == 1
    (folders.inbox / "clara.png").write_bytes(b"another clara")
    (folders.failed / jobs[2]).rename(tmp_path / "away")
    fail_all(folders, "dora")
    (tmp_path / "away").rename(folders.failed / jobs[2])
    assert run(["retry", *at, "emma", "dora"]) == 1 and "no failed job 'emma'" in capsys.readouterr().err
    assert {"dora.png", "dora.mask.png"} <= set(names(folders.inbox))
    assert run(["retry", *at, "--all"]) == 0 and not names(folders.failed)
    assert {"clara.png", "clara~1.png", "clara~1.mask.png"} <= set(names(folders.inbox))


@pytest.fixture
def neighbour(tmp_path):
    """The folders of a daemon whose outbox lies beside that of ``folders``, and the options that name them."""
    made = Folders.of(tmp_path / "their in", tmp_path / "their out")
    made.prepare()
    return made, ["--inbox", str(made.inbox), "--outbox", str(made.outbox)]


def test_daemons_side_by_side_leave_each_others_failed_jobs_alone(at, folders, neighbour, capsys):
    theirs, at_theirs = neighbour
    assert theirs.failed == folders.failed
    fail_all(folders, "ana")
    fail_all(theirs, "ben")
    ana, ben = sorted(folders.failed.iterdir())
    for options, job in ((at, ana), (at_theirs, ben)):
        assert run(["status", *options, "--json"]) == 0
        assert [one["job"] for one in json.loads(capsys.readouterr().out)["failed"]] == [job.name]
    assert (
        json.loads((ben / "reason.json").read_text()).items()
        >= {"inbox": "../their in", "outbox": "../their out"}.items()
    )
    for name in ("ben", ben.name):
        assert run(["retry", *at, name]) == 2
        said = capsys.readouterr().err
        assert f"{ben.name} is another daemon's" in said
        assert f"--inbox '{theirs.inbox}' --outbox '{theirs.outbox}'" in said and "--failed" not in said
    assert run(["retry", *at, "--all"]) == 0
    assert names(folders.inbox) == ["ana.mask.png", "ana.png"] and names(folders.failed) == [ben.name]
    assert run(["retry", *at_theirs, "ben"]) == 0 and names(theirs.inbox) == ["ben.mask.png", "ben.png"]


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"inbox": 7, "outbox": [7]},
        {"inbox": "../in", "outbox": "\0"},
        {"inbox": "\ud800", "outbox": ""},
        "gone",
        "moved",
    ],
)
def test_a_failed_job_that_is_nobody_elses_is_everybodys(at, tmp_path, folders, neighbour, says):
    """Of a version that did not say, tampered with, of an outbox that is none any more, or moved with all the rest."""
    theirs, _ = neighbour
    fail_all(theirs, "ben")
    (ben,) = folders.failed.iterdir()
    reason = json.loads((ben / "reason.json").read_text())
    if isinstance(says, dict):
        kept = {key: value for key, value in reason.items() if key not in ("inbox", "outbox")}
        (ben / "reason.json").write_text(json.dumps(kept | says))
    elif says == "gone":
        shutil.rmtree(theirs.outbox)
    else:
        (tmp_path / "new").mkdir()
        for folder in (theirs.inbox, theirs.outbox, theirs.failed):
            folder.rename(tmp_path / "new" / folder.name)
        theirs.prepare()  # another daemon takes the old place
        at = ["--inbox", str(tmp_path / "new/their in"), "--outbox", str(tmp_path / "new/their out")]
    assert run(["retry", *at, "ben"]) == 0
    assert names(Path(at[1])) == ["ben.mask.png", "ben.png"]


def test_a_job_whose_record_is_damaged_says_whose_it_is(folders):
    (folders.run / "a-0123456789ab").mkdir()
    (folders.run / "a-0123456789ab" / "a.png").write_bytes(b"photo")
    Service(folders, StubWorker(), Settings(**QUICK)).run()
    reason = json.loads((folders.failed / "a-0123456789ab" / "reason.json").read_text())
    assert (reason["code"], reason["inbox"], reason["outbox"]) == ("damaged", "../inbox", "../outbox")


def test_folders_that_it_makes_are_told(at, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Service, "run", lambda service: 0)
    (tmp_path / "outbox").rmdir()
    assert run(["watch", *at, "--once", "--log", "json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(row["event"], row["folder"]) for row in told] == [
        ("made the folder", str(tmp_path / "outbox")),
        ("made the folder", str(tmp_path / "failed")),
    ]
    assert run(["watch", *at, "--once", "--log", "json"]) == 0 and not capsys.readouterr().err


def fail_all(folders, *stems, **dropped):
    """Jobs that have failed."""
    for stem in stems:
        drop(folders.inbox, stem, **dropped)
    refuse = StubWorker(lambda job: InputError("no"))
    Service(folders, refuse, Settings(**QUICK)).run()


def test_what_was_put_beside_a_failed_job_goes_back_with_it(at, folders, capsys):
    fail_all(folders, "ben", "reason", mask=None, parameters=b"{}")
    ben, reason = sorted(folders.failed.iterdir())
    for job in (ben, reason):
        (job / f"{job.name.partition('-')[0]}.mask.png").write_bytes(b"my mask")
    (ben / "notes.txt").write_bytes(b"mine")
    (ben / "other.png").write_bytes(b"mine too")
    assert run(["retry", *at, "ben"]) == 0
    assert names(folders.inbox) == ["ben.json", "ben.mask.png", "ben.png"]
    assert (folders.inbox / "ben.mask.png").read_bytes() == b"my mask"
    assert sorted(path.name for path in ben.iterdir()) == ["notes.txt", "other.png"]
    assert "left in" in (told := capsys.readouterr().out) and "notes.txt, other.png" in told
    assert run(["retry", *at, "--all"]) == 0 and not reason.exists()
    assert {"reason.json", "reason.mask.png", "reason.png"} <= set(names(folders.inbox))
    assert (folders.inbox / "reason.json").read_bytes() == b"{}"


def test_one_damaged_job_keeps_no_other_from_going_back(at, folders, capsys):
    fail_all(folders, "ana", "ben", "clara")
    _, ben, _ = sorted(folders.failed.iterdir())
    (ben / ".job.json").write_text("[]")
    (ben / "reason.json").write_text("[]")
    assert run(["status", *at]) == 0 and f"{ben.name} (unknown)" in capsys.readouterr().out
    assert run(["retry", *at, "--all"]) == 1
    assert names(folders.inbox) == ["ana.mask.png", "ana.png", "clara.mask.png", "clara.png"]
    assert "no record of its inputs" in capsys.readouterr().err
    assert run(["retry", *at, "ben"]) == 2 and names(ben) == ["ben.mask.png", "ben.png", "reason.json"]


def test_an_outbox_with_nothing_in_it_is_not_told_as_one_without_a_daemon(at, folders, capsys):
    with Lock(folders):
        shutil.rmtree(folders.outbox)
        folders.outbox.mkdir()
        assert run(["status", *at]) == 2
        assert "A daemon is at work" in (told := capsys.readouterr().err) and "restart the daemon" in told
    assert run(["status", *at]) == 2 and "No daemon has worked" in capsys.readouterr().err


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


def test_status_of_a_folder_where_no_daemon_has_been(at, capsys):
    assert run(["status", *at]) == 2 and "No daemon has worked" in capsys.readouterr().err


@pytest.mark.parametrize("script", [True, False])
def test_the_unit_is_one_that_systemd_takes(at, tmp_path, monkeypatch, capsys, script):
    odd = tmp_path / "in box $5 100%"
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    for file in (python, python.with_name("npe"))[: 1 + script]:
        file.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NPE_WEIGHTS", "my weights $5 100%" if script else "")
    options = ["--batch", "4", "--no-events", "--metrics", "prom/npe.prom"]
    assert run(["watch", *at, "--inbox", str(odd), "--print-unit", *options]) == 0
    text = capsys.readouterr().out
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    npe = str(python.with_name("npe")) if script else f"{python} -m npe_core"
    inbox, outbox, failed = f"{tmp_path}/in box $5 100%%", f"{tmp_path}/outbox", f"{tmp_path}/failed"
    doubled = inbox.replace("$", "$$")
    assert lines["ExecStart"] == (
        f'{npe} watch --inbox "{doubled}" --outbox {outbox} --failed {failed} '
        f"--metrics {tmp_path}/prom/npe.prom --batch 4 --no-events"
    )
    assert lines["RequiresMountsFor"] == f'"{inbox}" {outbox} {failed}'
    assert lines["ReadWritePaths"] == f'"{inbox}" {outbox} {failed} {tmp_path}/prom'
    named = [line for line in text.splitlines() if line.startswith("Environment=")]
    assert named == [f'Environment="NPE_WEIGHTS={tmp_path}/my weights $5 100%%"'][: int(script)]
    assert lines["Type"] == "notify" and lines["Description"].endswith(inbox)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "npe-test.service"
    unit.write_text(text.replace("User=npe", "User=root").replace("Group=npe", "Group=root"))
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    complaints = [line for line in checked.stderr.splitlines() if "npe-test.service" in line]
    assert not complaints, complaints
