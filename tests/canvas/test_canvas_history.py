"""Undo and redo: every state comes back bit for bit, and costs what changed."""

import random

import numpy as np
from canvas_operations import picture, random_operation, region_map, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas


def bytes_held(canvas):
    steps = canvas._history.done + canvas._history.undone
    return sum(memoryview(patch._held).nbytes for step in steps for patch in step.patches)


def test_hundreds_of_operations_undone_and_redone_one_by_one():
    rng = random.Random(11)
    canvas = Canvas(picture(), region_map())
    states = [snapshot(canvas)]
    while len(states) <= 300:
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
        assert len(canvas._history.done) == now
        assert len(canvas._history.undone) == len(states) - 1 - now
        assert canvas.revision >= revision


def test_history_costs_what_changed():
    canvas = Canvas(np.zeros((1000, 1500, 3), np.uint8))
    for k in range(50):
        canvas.stroke([(20.0 * k, 500)], "#40a0ff", 8)
    assert bytes_held(canvas) < 50 * 3000


def test_the_last_step_is_kept_as_it_is_and_older_ones_compressed():
    canvas = Canvas(np.zeros((400, 400, 3), np.uint8))
    canvas.select(np.ones((400, 400), np.float32), "#336699")
    kept = bytes_held(canvas)
    canvas.select(np.ones((400, 400), np.float32), "#ff0000")
    assert bytes_held(canvas) < 1.1 * kept  # the older step hardly counts any more
    canvas.undo()
    assert (canvas.guide == (0x33, 0x66, 0x99)).all()
    canvas.undo()
    assert not canvas.guide.any() and not canvas.mask.any()
    canvas.redo()
    assert (canvas.guide == (0x33, 0x66, 0x99)).all()
