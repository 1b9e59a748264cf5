"""Streams that are closed, full, left by their reader or strict about letters: an exit code, and no traceback."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

NPE = f"{sys.executable} -m npe_core"


@pytest.fixture
def shell(tmp_path):
    """Runs a line of bash in a folder of its own; returns the exit code of its first command, stdout and stderr."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "outbox" / ".spool").mkdir(parents=True)  # as if a daemon had been there
    root = str(Path(__file__).parents[2])

    def called(line, **environment):
        line = f"{line}; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root, **environment},
        )
        return done.returncode, done.stdout, done.stderr.decode()

    return called


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{NPE} status <&-", 0),
        (f"{NPE} status 2>&-", 0),
        (f"{NPE} status --outbox nowhere/out 2>&-", 2),
    ],
)
def test_a_closed_stream_that_nothing_is_lost_by_changes_no_exit_code(shell, line, code):
    assert shell(line)[0] == code


@pytest.mark.parametrize("words", ["status", "status --json <&- 2>&-", "--version", "train --help"])
def test_an_output_that_was_closed_takes_no_words(shell, words):
    code, _, err = shell(f"{NPE} {words} >&-")
    assert code == 4 and ("2>&-" in words or "stdout) cannot be written: Bad file descriptor" in err)


def test_without_arguments_and_without_input_there_is_help(shell):
    code, out, err = shell(f"{NPE} <&-")
    assert code == 0 and b"usage: npe" in out.lower() and not err


def test_a_full_disk_behind_stderr_leaves_the_exit_code(shell):
    assert shell(f"{NPE} status --outbox nowhere/out 2>/dev/full")[0] == 2


@pytest.mark.parametrize("command", ["status", "status --json", "--help", "train --help"])
def test_a_full_disk_behind_stdout_is_one_line_that_names_it(shell, command):
    code, _, err = shell(f"{NPE} {command} >/dev/full")
    assert code == 4 and len(err.splitlines()) == 1
    assert "The output (stdout) cannot be written: No space left on device. Send it elsewhere" in err


def test_what_else_the_system_refuses_is_not_told_of_stdout(shell):
    program = """
from npe_core.cli.app import main
import npe_core.cli.doctor
npe_core.cli.doctor.doctor.callback = lambda **_: open("nowhere")
main(["doctor"])
"""
    code, _, err = shell(f"{sys.executable} -c '{program}'")
    assert code == 4 and "nowhere" in err and "stdout" not in err


def test_the_end_goes_through_no_objects_that_the_system_frees_at_once(shell):
    program = """
import atexit, gc
from npe_core.cli.app import main
atexit.register(lambda: print(len(gc.get_objects())))
main(["--version"])
"""
    _, out, _ = shell(f"{sys.executable} -c '{program}'")
    assert int(out.split()[-1]) < 2000, "one import of click makes ten times as many"


@pytest.mark.parametrize("command", ["status", "--help"])
def test_a_reader_that_has_gone_is_told_to_the_shell_and_to_nobody_else(shell, command):
    code, _, err = shell(f"(sleep 0.2; exec {NPE} {command}) | true")
    assert (code, err) == (141, "")


def test_a_name_that_the_terminal_cannot_show_is_no_bug(shell):
    name = os.fsdecode(b"caf\xe9")
    code, _, err = shell(f"{NPE} status --outbox {name}/out", PYTHONIOENCODING="utf-8:strict")
    assert code == 2 and "caf\\xe9" in err
    code, out, err = shell(f"{NPE} watch --outbox {name} --print-unit", PYTHONIOENCODING="utf-8:strict")
    assert code == 0 and b"caf\\xe9" in out and not err


@pytest.mark.parametrize(
    ("words", "code"),
    [("faces {}.png", 2), ("upscale new.png -o {}/new.png", 2), ("faces a.png {}.png", 2), ("{}.png", 2),
     ("retry {}", 2), ("train average {} {} --out new", 2)],
)  # fmt: skip
def test_a_name_that_is_not_utf_8_is_spelt_as_in_the_log_of_the_daemon(shell, words, code):
    found, _, err = shell(f"{NPE} {words.replace('{}', os.fsdecode(bytes([0xFF, 0xE4])))}")
    assert found == code and "\\xff\\xe4" in err and "\\udc" not in err


def test_a_name_that_is_not_utf_8_is_text_in_json(shell, tmp_path, portrait):
    name = os.fsdecode(b"\xff.png")
    shutil.copyfile(portrait, tmp_path / name)
    code, out, _ = shell(f"{NPE} faces {name} --json")
    assert code == 0 and json.loads(out)["photo"] == "\\xff.png"


def test_a_stop_while_a_thread_starts_leaves_nothing_that_waits(shell):
    """The signal comes when the thread runs already, but before the pool has written it down."""
    program = """
import os, signal, threading
from npe_core.cli.app import main
from npe_core.parallel import each
start = threading.Thread.start
def start_and_stop(thread):
    start(thread)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread.start = start_and_stop
import npe_core.cli.doctor, npe_core.parallel
npe_core.parallel.usable_cores = lambda: 2
npe_core.cli.doctor.doctor.callback = lambda **_: each(print, [1, 2])
main(["doctor"])
"""
    code, _, err = shell(f"timeout -s KILL 20 {sys.executable} -c '{program}'")
    assert (code, err.strip()) == (130, "npe: Stopped.")


@contextmanager
def caught(number):
    """A signal that is caught here is nobody's in the processes that are started: one that is ignored, as all are
    that nohup starts, would be ignored there as well."""
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("HUP", 129)])
def test_a_signal_in_the_middle_of_a_write_leaves_nothing_behind(shell, tmp_path, name, code):
    program = f"""
import os, signal
from pathlib import Path
from npe_core.cli.app import main
from npe_core.files import write_new
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIG{name})
import npe_core.cli.doctor
npe_core.cli.doctor.doctor.callback = lambda **_: write_new(Path("out.png"), b"whole")
main(["doctor"])
"""
    before = sorted(tmp_path.iterdir())
    with caught(getattr(signal, f"SIG{name}")):
        assert shell(f"{sys.executable} -c '{program}'")[0] == code
    assert sorted(tmp_path.iterdir()) == before
    assert shell(f"trap \"\" {name}; {sys.executable} -c '{program}'")[0] == 0  # as under nohup
    assert (tmp_path / "out.png").read_bytes() == b"whole"
