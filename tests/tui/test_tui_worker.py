"""What the engine's thread asks of the editor, and what it says when that cannot be done; without thread and models."""

import queue
import threading
from functools import partial

import numpy as np
import pytest

from npe_core.editor import FaceChoice, Preview
from npe_core.errors import Cancelled, NothingMarked, WeightsError
from npe_core.faces import FaceCrop, choose_faces
from npe_core.photo import Photo
from npe_tui.document.document import EditDocument
from npe_tui.document.edit_settings import EditSettings
from npe_tui.engine.messages import Edited, Failed, StateChanged, Stopped
from npe_tui.engine.pace import Clock
from npe_tui.engine.worker import VARIANTS, EngineWorker


class FakeEditor:
    """Knows the whole picture as a face, or none; keeps the jobs."""

    def __init__(self, face=True):
        self.face, self.jobs = face, []

    def choose(self, photo, face="largest", aligned=False, box=None):
        if not self.face:
            choose_faces([], face)
        return FaceChoice((FaceCrop.centred(*photo.size),))

    def edit_many(self, jobs):
        self.jobs += jobs
        return [None] * len(jobs)


@pytest.fixture
def document(photo_file):
    document = EditDocument(Photo.open(photo_file))
    document.canvas.stroke([(40, 40)], "#ffffff", 8)
    return document


@pytest.fixture
def ask(document):
    """ask(what, settings, face) has the work done at once: what was said, and the jobs of the editor."""

    def done(what, settings, face=True):
        worker = EngineWorker(face_key="F7")
        worker._editor = editor = FakeEditor(face)
        getattr(worker, what)(document, settings)
        return worker._outcome(worker._jobs.get()), editor.jobs

    return done


def test_the_traceback_of_a_bug_lies_in_a_file_that_is_named(document, tmp_path, monkeypatch):
    def broken(jobs):
        raise ValueError("[odd]")

    worker = EngineWorker()
    worker._editor = editor = FakeEditor()
    editor.edit_many = broken
    for state, there in ((tmp_path, True), (document.path, False)):  # the second is a file and no folder
        monkeypatch.setenv("XDG_STATE_HOME", str(state))
        worker.edit(document, EditSettings(220, 7, "ddim"))
        failed = worker._outcome(worker._jobs.get())
        assert failed.reason.startswith("This is a bug: ValueError: [odd]. Please report it")
        path = state / "npe" / "bug.txt"
        assert (str(path) in failed.reason) == path.exists() == there
    trace = (tmp_path / "npe" / "bug.txt").read_text()
    assert trace.startswith("npe ") and "in broken" in trace and "ValueError: [odd]" in trace


@pytest.mark.parametrize("what", ["edit", "variants"])
def test_what_is_cancelled_after_the_last_step_is_not_wanted(document, what):
    worker = EngineWorker()
    worker._editor = editor = FakeEditor()
    editor.edit_many = lambda jobs: worker.cancel() or [None] * len(jobs)  # while it is pasted
    getattr(worker, what)(document, EditSettings(220, 7, "ddim"))
    assert isinstance(worker._outcome(worker._jobs.get()), Stopped)


def test_seconds_are_left_after_the_last_step_as_many_as_the_finishing_took_last_time(document, monkeypatch):
    now, worker, told = [0.0], EngineWorker(), []
    monkeypatch.setattr("npe_tui.engine.worker.Clock", partial(Clock, now=lambda: now[0]))
    worker.sink = lambda message: told.append(message.progress.seconds_left)
    worker._editor = editor = FakeEditor()

    def made(jobs):
        for number in (1, 2):
            now[0] += 0.5
            jobs[0].progress(Preview(number, 2, 250, np.zeros((1, 128, 128, 3), np.uint8)))
        now[0] += 20.0
        return [None]

    editor.edit_many = made
    for _ in range(2):
        worker.edit(document, EditSettings(220, 2, "ddim"))
        worker._outcome(worker._jobs.get())
    assert 1.0 < told[1] < 10.0, "a first guess"
    assert told[2:] == pytest.approx([20.5, 20.0])


def test_an_edit_has_the_strength_that_was_set(ask):
    said, (job,) = ask("edit", EditSettings(220, 7, "ddim", sharpness=0.4, seed=3))
    assert isinstance(said, Edited)
    assert (job.timestep, job.steps, job.sampler, job.sharpness, job.seed) == (220, 7, "ddim", 0.4, 3)


def test_what_lies_on_no_chosen_face_is_told_in_this_editors_words(document):
    worker = EngineWorker(face_key="F7")
    worker._editor = editor = FakeEditor()
    editor.edit_many = lambda jobs: [NothingMarked("Choose one (--face).")]
    worker.edit(document, EditSettings(220, 7, "ddim"))
    said = worker._outcome(worker._jobs.get())
    assert isinstance(said, Failed) and "F7" in said.reason and "--" not in said.reason


def test_the_study_is_of_a_face_that_is_marked(document, monkeypatch):
    left, right = FaceCrop.from_box((0, 0, 30, 30)), FaceCrop.from_box((45, 45, 78, 78))
    worker, seen = EngineWorker(), []
    worker._editor = FakeEditor()
    worker._editor.choose = lambda *_: FaceChoice((left, right))
    document.canvas.clear()
    document.canvas.stroke([(62, 62)], "#ffffff", 4)
    monkeypatch.setattr("npe_core.editor.sweep.sweep", lambda *arguments: seen.append(arguments[6:8]))
    for seed in (None, 3):
        worker.study(document, EditSettings(220, 7, "ddim", seed=seed))
        said = worker._outcome(worker._jobs.get())
        assert seen.pop() == (said.seed, right) and seed in (None, said.seed), "it can be made again"


def test_variants_differ_by_their_seeds_only(ask):
    _, jobs = ask("variants", EditSettings(220, 7, "ddim", sharpness=0.4, seed=3))
    assert [job.seed for job in jobs] == [3, 4, 5, 6] and len(jobs) == VARIANTS
    assert {(job.timestep, job.steps, job.sampler, job.sharpness) for job in jobs} == {(220, 7, "ddim", 0.4)}


def test_steps_are_at_most_the_timestep(ask):
    _, (job,) = ask("edit", EditSettings(5, 10, "dpmpp"))
    assert (job.timestep, job.steps) == (5, 5)


@pytest.mark.parametrize("what", ["edit", "variants", "study"])
def test_no_face_is_told_in_the_words_of_the_screen(ask, what):
    said, jobs = ask(what, EditSettings(220, 7, "ddim"), face=False)
    assert isinstance(said, Failed) and not jobs
    assert "No face was found" in said.reason and "Press F7" in said.reason and "--" not in said.reason


def test_models_that_failed_are_loaded_once_more_however_often_that_is_asked(monkeypatch):
    loads, go_on, said = [], threading.Semaphore(0), queue.SimpleQueue()

    def no_editor(device):
        loads.append(device)
        assert go_on.acquire(timeout=10)
        raise WeightsError("no weights")

    def heard():
        message = said.get(timeout=10)
        assert isinstance(message, StateChanged) and message.state == worker.state
        return message.state.name

    monkeypatch.setattr("npe_core.editor.Editor", no_editor)
    worker = EngineWorker("cpu")
    worker.sink = said.put
    worker.start()
    worker.start()
    go_on.release()
    assert heard() == "failed"
    for _ in range(3):
        worker.start()
    assert heard() == "loading"
    worker.cancel()  # the models are nobody's job
    go_on.release()
    assert heard() == "failed"
    worker.stop()
    assert worker.ended(10) and loads == ["cpu", "cpu"] and said.empty()


def test_what_the_engine_says_goes_to_the_screen_of_then_not_to_that_of_before_the_work(monkeypatch):
    """A photo is picked while the models load, or left while its regions are found."""
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    before, after = queue.SimpleQueue(), queue.SimpleQueue()

    def work(given):
        begun.release()
        assert go_on.acquire(timeout=10)
        if given == "cpu":
            raise WeightsError("no weights")
        return Stopped(given)

    monkeypatch.setattr("npe_core.editor.Editor", work)
    worker = EngineWorker("cpu")
    worker.sink = before.put
    worker.start()
    assert begun.acquire(timeout=10)
    worker.sink = after.put
    go_on.release()
    assert after.get(timeout=10).state.name == "failed"
    worker._put(work)
    assert begun.acquire(timeout=10)
    worker.sink = before.put
    go_on.release()
    assert isinstance(before.get(timeout=10), Stopped)
    worker.stop()
    assert worker.ended(10) and before.empty() and after.empty()


@pytest.mark.parametrize("what", ["edit", "variants"])
def test_what_is_cancelled_is_asked_about_between_the_steps_too(document, what):
    """While it is finished at full size no step is told of any more."""
    worker = EngineWorker()
    worker._editor = editor = FakeEditor()

    def finished(jobs):
        for job in jobs:
            job.keep_going()
        worker.cancel()
        for job in jobs:
            with pytest.raises(Cancelled):
                job.keep_going()
        return [Cancelled("stopped")]

    editor.edit_many = finished
    getattr(worker, what)(document, EditSettings(220, 7, "ddim"))
    assert isinstance(worker._outcome(worker._jobs.get()), Stopped)
