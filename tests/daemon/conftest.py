"""Folders to drop things into, and a daemon over them."""

import errno
import logging
import os
import threading
from pathlib import Path

import pytest
from daemon_stubs import QUICK, StubWorker
from waiting import PATIENCE

from npe_core import renaming
from npe_core.daemon.folders import Folders
from npe_core.daemon.log import LOGGER
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.spool import Spool


@pytest.fixture
def folders(tmp_path) -> Folders:
    """A daemon's folders, made."""
    made = Folders.of(tmp_path / "inbox", tmp_path / "outbox")
    made.prepare()
    return made


@pytest.fixture
def spool(folders) -> Spool:
    return Spool(folders)


@pytest.fixture
def at(tmp_path):
    """Arguments that name the folders of this test."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "outbox").mkdir()
    return ["--inbox", str(tmp_path / "inbox"), "--outbox", str(tmp_path / "outbox")]


@pytest.fixture
def serve(folders):
    """Runs a daemon until there is nothing left to do; returns its exit code and the service."""

    def run(worker=None, files=None, **settings):
        service = Service(folders, worker or StubWorker(), Settings(**{**QUICK, **settings}), files)
        return service.run(), service

    return run


@pytest.fixture
def running(folders):
    """Starts a daemon in a thread, which is stopped when the test is over; returns the service and the thread."""
    started = []

    def start(worker=None, show=lambda status: None, files=None, renew=lambda: False, **settings):
        wanted = Settings(**{**QUICK, "once": False, **settings})
        service = Service(folders, worker or StubWorker(), wanted, files, show, renew)
        thread = threading.Thread(target=service.run)
        thread.start()
        started.append((service, thread))
        return service, thread

    yield start
    for service, thread in started:
        service.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def worker(editor):
    """The real worker, with the editor that other tests have loaded already."""
    from npe_core.daemon.work import EditWorker

    made = EditWorker("cpu", max_megapixels=4)
    made.load()
    made._editor = editor
    return made


@pytest.fixture
def work(folders, worker):
    """Runs the daemon on what has been dropped, with the real worker."""
    return lambda: Service(folders, worker, Settings(**QUICK)).run()


@pytest.fixture
def apart(monkeypatch):
    """The inbox is on another file system: no rename or link leads from there or back."""

    def refusing(call):
        def called(source, target, **options):
            if (Path(source).parent.name == "inbox") != (Path(target).parent.name == "inbox"):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
            return call(source, target, **options)

        return called

    for module, name in ((os, "rename"), (os, "link"), (renaming, "rename_new")):
        monkeypatch.setattr(module, name, refusing(getattr(module, name)))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The log goes nowhere, unless a test looks at it; fsync, of which a living system shows nothing, is left out."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    LOGGER.handlers[:] = [logging.NullHandler()]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = True
