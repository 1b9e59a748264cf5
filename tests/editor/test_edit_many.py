"""Several edits at once: each gets what it would get alone, errors stay with their job, memory is taken as it comes."""

import numpy as np
import pytest
import torch

from npe_core.canvas import Canvas
from npe_core.editor import EditJob, Editor, EditResult, FaceChoice, underway
from npe_core.editor.engine import Engine
from npe_core.errors import Cancelled, EnvironmentFault, InputError, OutOfMemory
from npe_core.faces import FaceCrop
from npe_core.photo import Photo


@pytest.fixture(scope="module")
def photo(portrait):
    return Photo.open(portrait)


def spot(photo, x, seed, **options):
    """An edit of a small square around column x."""
    mask = np.zeros(photo.image.shape[:2], np.float32)
    mask[280:330, x - 25 : x + 25] = 1
    canvas = Canvas(photo.image)
    canvas.select(mask, "#d02040")
    choice = FaceChoice((FaceCrop.centred(*photo.size),))
    return EditJob(photo, canvas, seed=seed, choice=choice, **{"steps": 1, "upscale": False, **options})


@pytest.fixture
def like_a_gpu(monkeypatch):
    """Jobs go through the models together, as they do on a GPU."""
    monkeypatch.setattr(Engine, "shares_batches", property(lambda self: True))


def test_in_company_as_alone_byte_for_byte_on_a_cpu(editor, photo):
    jobs = [spot(photo, 200, 1, steps=2), spot(photo, 300, 2, steps=2)]
    together = editor.edit_many(jobs)
    for job, result in zip(jobs, together, strict=True):
        (alone,) = editor.edit_many([job])
        assert np.array_equal(result.image, alone.image)
        assert result.parameters == alone.parameters


def test_jobs_of_one_strength_share_the_calls_of_the_model_which_changes_no_more_than_rounding(
    editor, photo, like_a_gpu, monkeypatch
):
    """And the time that the calls take."""
    batches = []
    whole = Engine.denoise

    def counted(engine, xt, t, known=None):
        batches.append(len(xt))
        return whole(engine, xt, t, known)

    monkeypatch.setattr(Engine, "denoise", counted)
    jobs = [spot(photo, 200, 1, steps=2), spot(photo, 250, 2, steps=2, timestep=300), spot(photo, 300, 3, steps=2)]
    results = editor.edit_many(jobs)
    assert sorted(batches) == [1, 1, 2, 2]
    first, other, last = (result.seconds["diffusion"] for result in results)
    assert first == pytest.approx(last) and min(first, other) > 0
    for job, result in zip(jobs, results, strict=True):
        (alone,) = editor.edit_many([job])
        marked = job.canvas.mask > 0
        assert np.array_equal(result.image[~marked], photo.image[~marked])
        difference = np.abs(result.image[marked].astype(int) - alone.image[marked])
        assert difference.mean() < 1 and difference.max() <= 16  # bfloat16 has 8 bits
        changed = np.abs(alone.image[marked].astype(int) - photo.image[marked])
        assert changed.mean() > 10


def test_an_error_stays_with_its_job_and_who_cancels_drops_out_alone(editor, photo, like_a_gpu):
    seen = []

    def stop(preview):
        raise Cancelled("asked to")

    empty = EditJob(photo, Canvas(photo.image))
    jobs = [spot(photo, 200, 1, steps=2, progress=stop), empty, spot(photo, 300, 2, steps=2, progress=seen.append)]
    stopped, bad, done = editor.edit_many(jobs)
    assert isinstance(stopped, Cancelled) and isinstance(done, EditResult)
    assert isinstance(bad, InputError) and "Nothing is marked" in str(bad)
    assert [preview.step for preview in seen] == [1, 2] and seen[0].images.shape == (1, 128, 128, 3)


class Asked:
    """Lets so many parts of some work go on, and counts them."""

    def __init__(self, most):
        self.count, self._most = 0, most

    def __call__(self):
        self.count += 1
        if self.count > self._most:
            raise Cancelled("it takes too long")


def test_a_crowd_can_be_stopped_between_two_faces(editor, photo, monkeypatch):
    """Minutes of the segmenter on a CPU, and of the upscaler, are no single part."""
    seen, whole = [], Engine.segment
    monkeypatch.setattr(Engine, "segment", lambda engine, x: seen.append(len(x)) or whole(engine, x))
    left, right = (FaceCrop.from_box((x, 150, x + 150, 300), size=512) for x in (60, 300))
    asked = Asked(1)
    with pytest.raises(Cancelled):
        editor.segment_many([(photo, FaceChoice((left, right)))], asked)
    assert asked.count == 2 and len(seen) == 1


@pytest.mark.parametrize(("most", "upscaled", "pasted"), [(5, 1, 0), (7, 2, 1)])
def test_an_edit_is_asked_at_each_step_and_before_each_crop_is_upscaled_and_pasted(
    editor, photo, monkeypatch, most, upscaled, pasted
):
    """Two steps, before and after what the steps made is looked at, two crops upscaled, two pasted."""
    done = {"upscale": 0, "paste": 0}

    def counted(name, whole):
        def work(*given):
            done[name] += 1
            return whole(*given)

        return work

    monkeypatch.setattr(Engine, "upscale", counted("upscale", Engine.upscale))
    monkeypatch.setattr(underway, "paste", counted("paste", underway.paste))
    mask = np.zeros(photo.image.shape[:2], np.float32)
    mask[200:220, 100:120] = mask[200:220, 340:360] = 1
    canvas = Canvas(photo.image)
    canvas.select(mask, "#d02040")
    crops = tuple(FaceCrop.from_box((x, 150, x + 150, 300), size=512) for x in (60, 300))
    asked = Asked(most)
    job = EditJob(photo, canvas, steps=2, seed=1, choice=FaceChoice(crops), keep_going=asked)
    (stopped,) = editor.edit_many([job])
    assert isinstance(stopped, Cancelled) and asked.count == most + 1
    assert done == {"upscale": upscaled, "paste": pasted}


@pytest.fixture
def small_device(editor, monkeypatch):
    """A device whose memory holds so many pictures; the batches that were tried."""
    tried = []

    def of_size(room):
        model = editor.engine.model("denoiser")
        forward = type(model).forward

        def limited(self, xt, t, known=None):
            tried.append(len(xt))
            if len(xt) > room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return forward(self, xt, t, known)

        monkeypatch.setattr(type(model), "forward", limited)
        monkeypatch.setattr(editor.engine, "largest_batch", 64)
        return tried

    return of_size


def test_out_of_memory_halves_the_batch(editor, photo, like_a_gpu, small_device):
    tried = small_device(2)
    jobs = [spot(photo, 200 + 15 * number, number) for number in range(4)]
    results = editor.edit_many(jobs)
    assert all(isinstance(result, EditResult) for result in results)
    assert tried == [4, 2, 2] and editor.engine.largest_batch == 2
    *_, alone = editor.edit_many(jobs[1:4])
    assert tried[3:] == [2, 1]  # it is remembered
    marked = jobs[3].canvas.mask > 0
    assert np.abs(results[3].image[marked].astype(int) - alone.image[marked]).mean() < 1


def test_no_memory_for_one_picture_is_an_error_of_the_environment(editor, photo, small_device):
    small_device(0)
    (outcome,) = editor.edit_many([spot(photo, 200, 1)])
    assert type(outcome) is OutOfMemory and "ran out of memory" in str(outcome)


def test_no_memory_outside_the_models_is_the_same(editor, photo, monkeypatch):
    """Loading weights and putting pictures together take memory of the device too."""

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("npe_core.editor.underway.full_size", full)
    (outcome,) = editor.edit_many([spot(photo, 200, 1)])
    assert type(outcome) is OutOfMemory and "out of memory" in str(outcome)  # a faulty installation is another thing
    monkeypatch.setattr("npe_core.editor.engine.upload", full)
    for work in (lambda: editor.segment(photo), lambda: editor.upscale(photo), lambda: editor.sample(1)):
        with pytest.raises(OutOfMemory, match="out of memory"):
            work()
    monkeypatch.setattr("npe_core.editor.engine.load", full)
    with pytest.raises(EnvironmentFault, match="no memory left for the denoiser"):
        Editor("cpu").engine.model("denoiser")


def test_several_photos_are_segmented_as_each_alone(editor, photo, like_a_gpu):
    tighter = FaceChoice((FaceCrop.from_box((120, 100, 400, 460)),))
    looks = [(photo, FaceChoice((FaceCrop.centred(*photo.size),))), (photo, tighter)]
    for one, found in zip(looks, editor.segment_many(looks), strict=True):
        (alone,) = editor.segment_many([one])
        assert (found.ids == alone.ids).mean() > 0.99 and found.choice is one[1]
    assert editor.segment_many([]) == [] and editor.edit_many([]) == []
