"""Laws of the document: exactness outside the mask, undo and redo, mask tools, saving."""

import random
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.errors import InputError, UsageError

H, W = 40, 56


def picture() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (H, W, 3), dtype=np.uint8)


def region_map() -> np.ndarray:
    ids = np.ones((H, W), np.uint8)
    ids[:14] = 7
    ids[25:30, 20:36] = 5
    return ids


def random_operation(rng: random.Random) -> Callable[[Canvas], object]:
    def point() -> tuple[float, float]:
        return rng.uniform(-5, W + 5), rng.uniform(-5, H + 5)

    colour = f"#{rng.randrange(2**24):06x}"
    points = [point() for _ in range(rng.randint(1, 3))]
    radius, soft = rng.uniform(0.3, 9), rng.random()
    noise = np.random.default_rng(rng.randrange(2**32))
    x, y = rng.randrange(W - 5), rng.randrange(H - 5)
    mask = np.zeros((H, W), np.float32)
    mask[y : y + 5, x : x + 5] = noise.random((5, 5))
    paint = noise.integers(0, 256, (H, W, 3), dtype=np.uint8)

    def drag(canvas: Canvas) -> None:
        canvas.begin_stroke(colour, radius, soft, erase=rng.random() < 0.3)
        for p in points:
            canvas.extend_stroke([p])

    return rng.choice(
        [
            lambda c: c.stroke(points, colour, radius, soft, opacity=0.6),
            lambda c: c.stroke(points, None, radius, soft),
            lambda c: c.erase(points, radius, soft),
            drag,
            lambda c: c.fill("hair", colour, shading=soft),
            lambda c: c.fill("lips", colour, at=(22, 26)),
            lambda c: c.paint_image(paint, mask),
            lambda c: c.select(mask),
            lambda c: c.select(mask, colour),
            lambda c: c.feather(rng.uniform(0, 5)),
            lambda c: c.grow(rng.uniform(0, 3)),
            lambda c: c.shrink(rng.uniform(0, 2)),
            lambda c: c.invert(),
            lambda c: c.clear() if rng.random() < 0.1 else None,
        ]
    )


def snapshot(canvas: Canvas) -> tuple[bytes, bytes, bytes, tuple]:
    return canvas.guide.tobytes(), canvas.mask.tobytes(), canvas.painted.tobytes(), tuple(canvas.targets)


def test_a_thousand_operations_undone_and_redone_one_by_one():
    rng = random.Random(11)
    canvas = Canvas(picture(), region_map())
    states = [snapshot(canvas)]
    while len(states) <= 1000:
        random_operation(rng)(canvas)
        canvas.end_stroke()
        if len(canvas._history.done) == len(states):
            states.append(snapshot(canvas))
        else:
            assert snapshot(canvas) == states[-1]  # what is no step changed nothing
    for state in reversed(states[:-1]):
        assert canvas.undo()
        assert snapshot(canvas) == state
    assert not canvas.undo()
    assert not canvas.can_undo
    for state in states[1:]:
        assert canvas.redo()
        assert snapshot(canvas) == state
    assert not canvas.redo()


@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from(["do", "do", "do", "undo", "redo"]), max_size=25))
@settings(max_examples=40, deadline=None)
def test_undo_and_redo_follow_a_model(seed, steps):
    rng = random.Random(seed)
    canvas = Canvas(picture(), region_map())
    states, now = [snapshot(canvas)], 0
    for step in steps:
        revision = canvas.revision
        if step == "undo":
            assert canvas.undo() == (now > 0)
            now = max(now - 1, 0)
        elif step == "redo":
            assert canvas.redo() == (now < len(states) - 1)
            now = min(now + 1, len(states) - 1)
        else:
            done = len(canvas._history.done)
            random_operation(rng)(canvas)
            canvas.end_stroke()
            if len(canvas._history.done) > done:
                now += 1
                states[now:] = [snapshot(canvas)]
        assert snapshot(canvas) == states[now]
        assert canvas.can_undo == (now > 0)
        assert canvas.can_redo == (now < len(states) - 1)
        assert canvas.revision >= revision


@given(seed=st.integers(0, 2**32), count=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_where_the_mask_is_0_the_guide_is_the_original(seed, count):
    rng = random.Random(seed)
    canvas = Canvas(picture(), region_map())
    for _ in range(count):
        before = canvas.guide.copy(), canvas.mask.copy()
        canvas.take_dirty()
        random_operation(rng)(canvas)
        assert np.array_equal(canvas.guide[canvas.mask == 0], canvas.image[canvas.mask == 0])
        assert not canvas.painted[canvas.mask == 0].any()
        changed = (before[0] != canvas.guide).any(axis=-1) | (before[1] != canvas.mask)
        if canvas.dirty is not None:
            x0, y0, x1, y1 = canvas.dirty
            changed[y0:y1, x0:x1] = False
        assert not changed.any()
    assert np.array_equal(canvas.image, picture())


@given(seed=st.integers(0, 2**32), radius=st.floats(0, 12))
@settings(max_examples=60, deadline=None)
def test_laws_of_the_mask_tools(seed, radius):
    rng = random.Random(seed)
    canvas = Canvas(picture(), region_map())
    for _ in range(4):
        random_operation(rng)(canvas)
    canvas.end_stroke()
    start = canvas.mask.copy()
    steps = len(canvas._history.done)
    canvas.grow(radius)
    assert (canvas.mask >= start).all()
    canvas.shrink(radius)
    assert (canvas.mask >= start).all()  # closing only adds
    while len(canvas._history.done) > steps:
        canvas.undo()
    canvas.shrink(radius)
    assert (canvas.mask <= start).all()
    canvas.grow(radius)
    assert (canvas.mask <= start).all()  # opening only takes away
    while len(canvas._history.done) > steps:
        canvas.undo()
    canvas.feather(radius)
    assert (canvas.mask <= start).all()
    canvas.undo() if len(canvas._history.done) > steps else None
    guide = canvas.guide.copy()
    canvas.invert()
    assert np.array_equal(canvas.mask == 1, start == 0)
    canvas.invert()
    assert np.array_equal(canvas.mask, start)
    assert np.array_equal(canvas.guide, guide)


def test_grown_paint_takes_the_nearest_colour_along():
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[10:20, 10:20] = 1
    canvas.select(mask, "#ff0000")
    mask = np.zeros((H, W))
    mask[10:20, 24:30] = 1
    canvas.select(mask, "#0000ff")
    canvas.grow(3)
    assert canvas.pick(21, 15) == "#ff0000"
    assert canvas.pick(22, 15) == "#0000ff"
    assert canvas.pick(23, 15) == "#0000ff"
    assert canvas.mask[15, 32] == 1
    assert canvas.mask[15, 33] == 0


def test_grown_mask_without_paint_stays_without():
    canvas = Canvas(picture())
    canvas.stroke([(20, 20)], None, 5)
    canvas.grow(4)
    assert np.array_equal(canvas.guide, canvas.image)


def test_shrinking_hides_paint_and_growing_brings_it_back():
    canvas = Canvas(picture(), region_map())
    canvas.fill("hair", "#8b2500")
    guide = canvas.guide.copy()
    canvas.shrink(3)
    assert not np.array_equal(canvas.guide, guide)
    assert np.array_equal(canvas.guide[13], canvas.image[13])
    canvas.undo()
    assert np.array_equal(canvas.guide, guide)


def test_feather_falls_inwards():
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[5:35, 10:50] = 1
    canvas.select(mask, "#00ff00")
    assert canvas.feather(8)
    row = canvas.mask[20, 10:30]
    assert (np.diff(row[:9]) > 0).all()
    assert (row[9:] == 1).all()
    assert not canvas.mask[mask == 0].any()


def test_a_painted_file_is_soft_where_its_alpha_is():
    canvas = Canvas(np.full((4, 4, 3), 50, np.uint8))
    alpha = np.zeros((4, 4))
    alpha[1, 1], alpha[2, 2] = 1, 0.4
    assert canvas.paint_image(np.full((4, 4, 3), 250, np.uint8), alpha)
    assert canvas.mask[1, 1] == 1
    assert canvas.mask[2, 2] == pytest.approx(0.4, abs=1e-6)
    assert canvas.guide[1, 1, 0] == 250
    assert canvas.guide[2, 2, 0] == 130
    assert np.count_nonzero(canvas.mask) == 2
    assert not canvas.paint_image(np.full((4, 4, 3), 250, np.uint8), np.zeros((4, 4)))


def test_selecting_without_a_colour_keeps_the_guide():
    canvas = Canvas(picture())
    canvas.stroke([(20, 20)], "#ff0000", 6)
    guide = canvas.guide.copy()
    assert canvas.select(np.ones((H, W), bool))
    assert (canvas.mask == 1).all()
    assert np.array_equal(canvas.guide, guide)
    assert not canvas.select(np.ones((H, W), bool))  # once more changes nothing


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: c.select(np.zeros((3, 3))),
        lambda c: c.select(np.full((H, W), 1.5)),
        lambda c: c.select(np.full((H, W), np.nan)),
        lambda c: c.select(np.zeros((H, W), np.int32)),
        lambda c: c.select(np.zeros((H, W)), "nothing"),
        lambda c: c.paint_image(np.zeros((3, 3, 3), np.uint8), np.zeros((H, W))),
        lambda c: c.paint_image(np.zeros((H, W, 3)), np.zeros((H, W))),
        lambda c: c.grow(-1),
        lambda c: c.feather(float("nan")),
        lambda c: Canvas(np.zeros((3, 3), np.uint8)),
        lambda c: Canvas(np.zeros((0, 3, 3), np.uint8)),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong):
    canvas = Canvas(picture())
    canvas.stroke([(9, 9)], "#ffffff", 3)
    with pytest.raises(UsageError):
        wrong(canvas)
    assert len(canvas._history.done) == 1


def test_views_are_read_only_and_follow():
    canvas = Canvas(picture())
    mask, guide = canvas.mask, canvas.guide
    for view in (mask, guide, canvas.image):
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 0
    canvas.stroke([(5, 5)], "#ffffff", 3)
    assert mask[5, 5] == 1
    assert guide[5, 5, 0] == 255
    assert mask.dtype == np.float32


def test_history_costs_what_changed():
    canvas = Canvas(np.zeros((1000, 1500, 3), np.uint8))
    for k in range(50):
        canvas.stroke([(20.0 * k, 500)], "#40a0ff", 8)
    assert canvas._history.bytes_held < 50 * 3000


def test_saved_and_restored():
    rng = random.Random(4)
    canvas = Canvas(picture(), region_map())
    canvas.fill("hair", "#8b2500")
    for _ in range(10):
        random_operation(rng)(canvas)
    saved = canvas.save_state()
    restored = Canvas.restore(picture(), saved, region_map())
    assert snapshot(restored) == snapshot(canvas)
    assert not restored.can_undo
    restored.shrink(1)
    canvas.shrink(1)
    restored.grow(1)
    canvas.grow(1)
    assert snapshot(restored) == snapshot(canvas)  # the hidden paint was saved too
    empty = Canvas(picture())
    assert snapshot(Canvas.restore(picture(), empty.save_state())) == snapshot(empty)


def start_a_stroke(canvas: Canvas) -> None:
    canvas.begin_stroke("#ffffff", 3)
    canvas.extend_stroke([(9, 30)])


@pytest.mark.parametrize(
    ("mark", "by_hand"),
    [
        (lambda canvas: canvas.fill("hair", "#8b2500"), False),
        (lambda canvas: canvas.fill("hair", "#8b2500", shading=0.2), True),
        (lambda canvas: canvas.fill("hair", "#8b2500", at=(3, 3)), True),
        (lambda canvas: canvas.stroke([(9, 9)], "#ffffff", 3), True),
        (lambda canvas: canvas.select(np.ones(canvas.size)), True),
        (start_a_stroke, True),
    ],
)
def test_by_hand_says_whether_the_fills_tell_all(mark: Callable[[Canvas], object], by_hand: bool) -> None:
    canvas = Canvas(picture(), region_map())
    assert not canvas.by_hand
    mark(canvas)
    assert canvas.by_hand == by_hand
    canvas.fill("skin", "#c09070")
    assert canvas.by_hand == by_hand
    assert Canvas.restore(picture(), canvas.save_state()).by_hand == by_hand
    while canvas.undo():
        pass
    assert not canvas.by_hand
    while canvas.redo():
        pass
    assert canvas.by_hand == by_hand
    canvas.clear()
    assert not canvas.by_hand


def test_a_saved_canvas_of_another_picture_or_a_damaged_one_is_refused():
    canvas = Canvas(picture())
    canvas.stroke([(9, 9)], "#ffffff", 3)
    saved = canvas.save_state()
    with pytest.raises(InputError, match="another picture"):
        Canvas.restore(255 - picture(), saved)
    for damaged in (b"", b"PK", saved[:-40], saved[: len(saved) // 2], saved.replace(b"head", b"heat")):
        with pytest.raises(InputError):
            Canvas.restore(picture(), damaged)


def test_importing_the_canvas_does_not_import_torch():
    code = "import sys, npe_core.canvas; print('torch' in sys.modules, 'PIL' in sys.modules, 'scipy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"] * 3


def test_parts_are_what_the_whole_is_before_and_after_it_is_made():
    canvas, whole = Canvas(picture(), region_map()), Canvas(picture(), region_map())
    assert whole.guide.shape == canvas.guide_parts.shape and whole.mask.shape == canvas.mask_parts.shape
    for seed in range(12):
        for one in (canvas, whole):
            random_operation(random.Random(seed))(one)
        for where in (np.s_[3:40, 10:33], np.s_[0:, 0:], np.s_[5:60:3, 1:50:2], np.s_[7:7, 2:9]):
            assert np.array_equal(canvas.guide_parts[where], whole.guide[where])
            assert np.array_equal(canvas.mask_parts[where], whole.mask[where])
    assert np.array_equal(canvas.levels, np.rint(whole.mask * 255))
    assert np.array_equal(canvas.guide, whole.guide) and np.array_equal(canvas.mask, whole.mask)


def test_the_last_step_is_kept_as_it_is_and_older_ones_compressed():
    canvas = Canvas(np.zeros((400, 400, 3), np.uint8))
    canvas.select(np.ones((400, 400), np.float32), "#336699")
    kept = canvas._history.bytes_held
    canvas.select(np.ones((400, 400), np.float32), "#ff0000")
    assert canvas._history.bytes_held < 1.1 * kept  # the older step hardly counts any more
    canvas.undo()
    assert (canvas.guide == (0x33, 0x66, 0x99)).all()
    canvas.undo()
    assert not canvas.guide.any() and not canvas.mask.any()
    canvas.redo()
    assert (canvas.guide == (0x33, 0x66, 0x99)).all()
