"""A daemon that ends in the middle of its work: what becomes of its jobs, and how the next one begins them."""

import errno
import json
import os
import subprocess
import sys
import threading

import pytest
from daemon_stubs import EndlessWorker, StubWorker, drop, left_in_run, names
from waiting import PATIENCE, wait_for

from npe_core.daemon import journal, pauses
from npe_core.daemon.files import Files
from npe_core.daemon.worker import DeviceLost


def test_a_lost_device_ends_the_process_and_the_job_is_still_there(folders, serve):
    drop(folders.inbox)

    def lose(job):
        raise DeviceLost("CUDA error: an illegal memory access was encountered")

    code, _ = serve(StubWorker(lose))
    assert code == 4 and len(list(folders.run.iterdir())) == 1 and not names(folders.failed)
    assert serve()[0] == 0 and names(folders.outbox) == ["a.json", "a.png"]


LOSING = """
from pathlib import Path
import sys, time
from npe_core.daemon.folders import Folders
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.worker import DeviceLost, Read

class Losing:
    shares_batches = True
    def load(self): return "salt", "cuda:0"
    def read(self, job): return Read(job, megapixels=12.0)
    def edit(self, jobs, keep_going): time.sleep(0.5); raise DeviceLost("CUDA error: unspecified launch failure")
    def write(self, *job): pass

folders = Folders.of(Path(sys.argv[1]), Path(sys.argv[2]))
sys.exit(Service(folders, Losing(), Settings(settle=0, interval=0.1, least_free=0)).run())
"""


def test_the_process_ends_though_more_photos_wait_than_find_room(folders):
    for number in range(12):
        drop(folders.inbox, f"a{number:02}", photo=str(number).encode())
    words = [sys.executable, "-c", LOSING, str(folders.inbox), str(folders.outbox)]
    ended = subprocess.run(words, timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == 4 and "Traceback" not in ended.stderr, ended.stderr


class Starts(Files):
    """Notes how many jobs were in flight when each was first begun; it may refuse the first of their folders."""

    def __init__(self, refuses):
        self.in_flight, self.service, self.refuses = {}, None, refuses

    def make_folder(self, path):
        if self.refuses and path.name == journal.RESULT:
            self.refuses = False
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        super().make_folder(path)

    def write(self, path, content, durable=True):
        if path.name == journal.JOURNAL:
            self.in_flight.setdefault(json.loads(content)["stem"], self.service._pipeline.in_flight)
        super().write(path, content, durable)


@pytest.mark.parametrize("refuses", [False, True])
def test_who_died_before_runs_alone_also_when_its_start_was_refused_once(folders, running, monkeypatch, refuses):
    """Beside no other that died, nor before or after one that is new; those may run together."""
    monkeypatch.setattr(pauses, "_SHORTEST", 0.02)
    left_in_run(folders, {"a": 1, "b": 1, "c": 0, "d": 0, "e": 1})
    files, known = Starts(refuses), threading.Event()

    class Waiting(StubWorker):
        def load(self):
            assert known.wait(PATIENCE)
            return super().load()

    files.service, _ = running(Waiting(), files=files)
    known.set()
    wait_for(lambda: files.service.status.since_start.done == 5)
    assert list(files.in_flight.items()) == [("a", 0), ("b", 0), ("c", 0), ("d", 1), ("e", 0)]
    assert [json.loads(path.read_text())["attempts"] for path in sorted(folders.done.glob("*/.job.json"))] == [
        2,
        2,
        1,
        1,
        2,
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_daemon_whose_thread_died_does_not_live_on_blind(folders, serve):
    class Short(StubWorker):
        def edit(self, jobs, keep_going):
            return []

    drop(folders.inbox)
    code, _ = serve(Short())
    assert code == 4 and len(list(folders.run.iterdir())) == 1


def test_stopping_in_the_middle_gives_back_what_is_not_done(folders, running):
    worker = EndlessWorker()
    for number in range(5):
        drop(folders.inbox, f"a{number}", photo=str(number).encode())
    service, thread = running(worker, batch=1, grace=0.2, settle=0.0)
    assert worker.started.wait(PATIENCE)
    service.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive() and len(names(folders.inbox)) == 10 and not list(folders.run.iterdir())
    assert not names(folders.failed) and service.status.state == "stopped"
