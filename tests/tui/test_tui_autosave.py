"""Autosave: written whole, found when its session is gone, and only then."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from tui_session import run, until
from waiting import PAUSE, looks

from npe_tui.files.autosave import Autosave, left_behind
from npe_tui.hang_up import HangUp
from npe_tui.screens.save import SaveScreen

SESSION = """
import sys, time
from pathlib import Path
from npe_core.photo import Photo
from npe_tui.files.autosave import Autosave
from npe_tui.document.document import EditDocument
folder, photo = Path(sys.argv[1]), Path(sys.argv[2])
document = EditDocument(Photo.open(photo))
autosave = Autosave(folder, photo, 0.05, document.snapshot)
document.canvas.stroke([(10, 10), (60, 80)], "#3355aa", 6)
autosave.touch()
while not autosave.file.exists():
    time.sleep(0.01)
print("saved", flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "autosave"


def test_paint_of_a_killed_process_is_found_and_restored(folder, photo_file):
    from npe_core.canvas import Canvas
    from npe_core.photo import Photo
    from npe_tui.document.document import EditDocument

    session = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(folder), str(photo_file)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert session.stdout.readline() == "saved\n"
        assert left_behind(folder) == [], "the session still lives"
    finally:
        session.send_signal(signal.SIGKILL)
        session.wait()
        session.stdout.close()
    (saved,) = left_behind(folder, photo_file)
    assert saved.photo == photo_file and abs(saved.when - time.time()) < 600
    document = EditDocument(Photo.open(photo_file))
    document.recover(saved.read())
    wanted = Canvas(document.photo.image)
    wanted.stroke([(10, 10), (60, 80)], "#3355aa", 6)
    assert (document.canvas.mask == wanted.mask).all() and (document.canvas.guide == wanted.guide).all()
    saved.remove()
    assert left_behind(folder) == [] and list(folder.iterdir()) == []


class Timer:
    """Stands in for ``threading.Timer``: it goes off when the test says so."""

    def __init__(self, seconds, call):
        self.seconds, self.go_off = seconds, call

    def start(self):
        pass

    def cancel(self):
        pass


def test_changes_are_written_once_and_late(folder, photo_file, monkeypatch):
    written, timers = [], []
    monkeypatch.setattr("threading.Timer", lambda *arguments: timers.append(Timer(*arguments)) or timers[-1])
    autosave = Autosave(folder, photo_file, 5, lambda: written.append(1) or b"canvas")
    for _ in range(20):
        autosave.touch()
    assert written == [] and [timer.seconds for timer in timers] == [5]
    timers[0].go_off()
    assert written == [1]
    autosave.flush()
    assert written == [1], "nothing new"
    autosave.touch()
    assert len(timers) == 2, "the next change is written too"
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"canvas"]


def test_the_last_change_is_written_when_the_session_closes(folder, photo_file):
    autosave = Autosave(folder, photo_file, 3600, lambda: b"canvas")
    autosave.touch()
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"canvas"]


def test_what_is_discarded_is_not_written_on_closing(folder, photo_file):
    autosave = Autosave(folder, photo_file, 3600, lambda: b"canvas")
    autosave.touch()
    autosave.discard(autosave.changes)
    autosave.close()
    assert left_behind(folder) == []


def test_what_is_discarded_is_not_found(folder, photo_file):
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas")
    autosave.touch()
    autosave.flush()
    assert autosave.file.exists()
    autosave.discard(autosave.changes)
    autosave.close()
    assert left_behind(folder) == [] and list(folder.iterdir()) == []


def test_a_stroke_while_it_is_written_and_dropped_is_written_too(folder, photo_file):
    """A slow disk: one thread writes, another waits to remove what is saved by then, and somebody paints on."""
    going, go_on = threading.Event(), threading.Event()

    def snapshot():
        going.set()
        assert go_on.wait(10)
        return b"canvas"

    autosave = Autosave(folder, photo_file, 0.05, snapshot)
    autosave.touch()
    assert going.wait(10), "the timer has gone off"
    dropping = threading.Thread(target=autosave.discard, args=(autosave.changes,))
    dropping.start()
    autosave.touch()
    go_on.set()
    dropping.join()
    assert any(autosave.file.exists() or time.sleep(PAUSE) for _ in looks()), "without another change"
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"canvas"]


def test_a_stroke_while_it_is_written_is_written_too(folder, photo_file):
    snapshots = [b"first", b"second"]

    def snapshot():
        if len(snapshots) == 2:
            autosave.touch()
        return snapshots.pop(0)

    autosave = Autosave(folder, photo_file, 100.0, snapshot)
    autosave.touch()
    assert not autosave.flush(), "there is a later stroke"
    assert autosave.flush() and autosave.file.read_bytes().endswith(b"second")
    autosave.close()


def test_what_was_written_later_is_not_dropped_with_what_was_before(folder, photo_file):
    autosave = Autosave(folder, photo_file, 3600, lambda: b"canvas")
    autosave.touch()
    saved = autosave.changes
    autosave.touch()
    assert autosave.flush()
    autosave.discard(saved)
    assert autosave.file.exists() and autosave.flush()
    autosave.discard(autosave.changes)
    assert not autosave.file.exists()
    autosave.close()


def test_many_hands_and_a_closing_session_lose_no_change(folder, photo_file):
    """The last change is on disk whoever wrote it, while timers go off, others flush, and somebody drops old work."""
    made = 0

    def snapshot():
        return str(made).encode()

    autosave = Autosave(folder, photo_file, 0.001, snapshot)
    done = threading.Event()

    def others(work):
        while not done.is_set():
            work()

    threads = [
        threading.Thread(target=others, args=(work,)) for work in (autosave.flush, lambda: autosave.discard(made // 2))
    ]
    for thread in threads:
        thread.start()
    for number in range(1, 101):
        made = number
        autosave.touch()
    done.set()
    for thread in threads:
        thread.join()
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"100"]


def test_paint_that_follows_a_save_at_once_is_autosaved(start, config, tmp_path):
    async def scenario():
        async with start((40, 12), settings=replace(config, autosave=0.05)) as session:
            await session.open()
            await session.fill("7")
            autosave = session.editing.autosave
            await until(session.pilot, autosave.file.exists)
            with autosave._writing:  # a disk that takes its time
                await session.press("P")
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
                await session.press("enter")
                await until(session.pilot, lambda: session.app.screen is session.screen)
                assert (tmp_path / "me-paint.png").exists()
                await session.fill("5")
                assert session.document.unsaved
            await until(session.pilot, lambda: "Saved" in session.screen.status.message)
            await until(session.pilot, lambda: autosave.file.exists() and autosave.flush())

    run(scenario)


def test_a_lost_connection_ends_the_process_whatever_goes_wrong(start, monkeypatch):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            codes = []
            monkeypatch.setattr(os, "_exit", codes.append)
            with monkeypatch.context() as patch:
                patch.setattr(session.editing.autosave, "close", lambda: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    HangUp(session.app).hung_up()
            assert codes == [129]

    run(scenario)


def test_a_system_without_sighup_is_listened_to_for_what_it_has(start, monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")

    async def scenario():
        async with start((80, 24)) as session:  # it listens from its start on
            assert session.app.is_running

    run(scenario)


def test_what_the_last_enhance_was_made_with_is_kept_and_may_be_missing(folder, photo_file):
    parameters = {"seed": 5, "timestep": 300}
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas", lambda: parameters)
    autosave.touch()
    autosave.close()
    assert [saved.parameters for saved in left_behind(folder)] == [parameters]
    head = {"photo": str(photo_file), "when": time.time() + 1}
    (folder / "of-an-older-version.paint").write_bytes(json.dumps(head).encode() + b"\ncanvas")
    old = left_behind(folder, photo_file)[0]
    assert (old.parameters, old.read()) == ({}, b"canvas")


def test_a_look_at_the_lock_keeps_no_session_from_holding_it(folder, photo_file):
    autosave = Autosave(folder, photo_file, 60, lambda: b"canvas")
    folder.mkdir(parents=True, exist_ok=True)
    with autosave.file.with_suffix(".lock").open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)  # as another session does for a moment
        release = threading.Timer(0.2, fcntl.flock, (looking, fcntl.LOCK_UN))
        release.start()
        autosave.touch()
        assert autosave.flush() and not left_behind(folder)
        release.join()
    autosave.close()
    assert [saved.file for saved in left_behind(folder)] == [autosave.file]


def test_zero_seconds_turns_it_off(folder, photo_file):
    autosave = Autosave(folder, photo_file, 0, lambda: b"canvas")
    autosave.touch()
    autosave.flush()
    autosave.close()
    assert not folder.exists()


def test_others_photos_and_damaged_files_are_left_alone(folder, photo_file, tmp_path):
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas")
    autosave.touch()
    autosave.flush()
    autosave.close()
    (folder / "torn.paint").write_bytes(b'{"photo": "/x')
    assert left_behind(folder, tmp_path / "another.png") == []
    assert len(left_behind(folder)) == 1


def test_after_a_month_nobody_comes_back(folder, photo_file, monkeypatch):
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas")
    autosave.touch()
    autosave.flush()
    autosave.close()
    later = time.time() + 31 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert left_behind(folder) == [] and not autosave.file.exists()


def test_locks_without_paint_are_forgotten_unless_a_session_holds_them(folder, photo_file, monkeypatch):
    living = Autosave(folder, photo_file, 5, lambda: b"canvas")
    living.touch()
    living.flush()
    living.discard(living.changes)
    alone = folder / "gone-0123456789ab.lock"
    alone.touch()
    assert left_behind(folder) == [] and alone.exists(), "it may be a session that begins"
    later = time.time() + 31 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert left_behind(folder) == [] and [path for path in folder.iterdir()] == [living.file.with_suffix(".lock")]
    living.close()


def test_a_folder_that_cannot_be_written_to_is_told_and_what_to_do(tmp_path, photo_file):
    (tmp_path / "file").touch()
    told, folder = [], tmp_path / "file" / "npe"
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas", failed=told.append)
    autosave.touch()
    autosave.flush()
    why = f"Autosave failed. {folder} cannot be written to: Not a directory."
    assert told == [f"{why} Set XDG_STATE_HOME or HOME to a folder that can."]


def test_a_full_disk_is_told_and_no_bug(folder, photo_file, monkeypatch):
    import npe_core.photo
    from npe_core.errors import EnvironmentFault

    def full(*arguments, **options):
        raise EnvironmentFault("No space")

    with monkeypatch.context() as patch:
        patch.setattr(npe_core.photo, "write_atomically", full)
        told = []
        autosave = Autosave(folder, photo_file, 5, lambda: b"canvas", failed=told.append)
        autosave.touch()
        assert not autosave.flush()
        assert told == ["Autosave failed. No space"]
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"canvas"], "there is space again"


def test_a_snapshot_that_found_no_memory_is_tried_again(folder, photo_file):
    snapshots = iter([MemoryError(), b"canvas"])

    def snapshot():
        one = next(snapshots)
        if isinstance(one, MemoryError):
            raise one
        return one

    told = []
    autosave = Autosave(folder, photo_file, 5, snapshot, failed=told.append)
    autosave.touch()
    assert not autosave.flush() and "memory" in told[0]
    autosave.close()
    assert [saved.read() for saved in left_behind(folder)] == [b"canvas"]


def test_a_failed_autosave_is_told_without_another_change(start, config, monkeypatch):
    import npe_core.photo
    from npe_core.errors import EnvironmentFault

    def full(*arguments, **options):
        raise EnvironmentFault("No space is left for the canvas.")

    async def scenario():
        async with start((40, 12), settings=replace(config, autosave=0.05)) as session:
            await session.open()
            monkeypatch.setattr(npe_core.photo, "write_atomically", full)
            await session.fill()
            await until(session.pilot, lambda: "Autosave failed. No space" in session.screen.status.message)
            told = [note.message for note in session.app._notifications]
            assert told == ["Autosave failed. No space is left for the canvas. ^s and P still save."], "once, and whole"
            monkeypatch.undo()

    run(scenario)


def test_work_is_found_by_another_spelling_of_the_photos_path(folder, photo_file, tmp_path):
    autosave = Autosave(folder, photo_file, 5, lambda: b"canvas")
    autosave.touch()
    autosave.close()
    (tmp_path / "link").symlink_to(photo_file.parent)
    for spelling in (
        tmp_path / "link" / photo_file.name,
        photo_file.parent / ".." / photo_file.parent.name / photo_file.name,
    ):
        assert len(left_behind(folder, spelling)) == 1
