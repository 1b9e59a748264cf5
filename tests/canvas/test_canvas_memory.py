"""Memory that runs out in the middle of a change: the canvas is as it was, and goes on."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.layers import Layers

HAIR, LIPS, SKIN = 7, 5, 1


def painted():
    """A canvas with a fill of two regions and a stroke, whose guide is kept."""
    ids = np.zeros((96, 96), np.uint8)
    ids[8:40], ids[40:80], ids[60:70, 30:60] = HAIR, SKIN, LIPS
    canvas = Canvas(np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8), ids)
    canvas.fill("hair", "#8b2500")
    canvas.stroke([(5, 5), (90, 90)], "#2e6f9e", 4)
    canvas.guide.copy()
    return canvas


def seen(canvas):
    return canvas.guide.tobytes(), canvas.levels.tobytes(), tuple(canvas.targets), canvas.by_hand


CHANGES = {
    "undo": lambda canvas: canvas.undo(),
    "redo": lambda canvas: canvas.redo(),
    "fill": lambda canvas: canvas.fill("skin+lips", "#c08060"),
    "feather": lambda canvas: canvas.feather(3),
    "clear": lambda canvas: canvas.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_memory_is_too_small_for_leaves_the_canvas_as_it_was_and_can_be_made_later(monkeypatch, change):
    """Wherever it runs out: before the first box is drawn, the second, and so on until it does not any more."""
    canvas, look, room = painted(), Layers._painted, 0
    if change == "redo":
        canvas.undo()
    before = seen(canvas)

    def too_little(*arguments):
        nonlocal left
        left -= 1
        if left < 0:
            raise MemoryError
        return look(*arguments)

    while True:
        left = room
        with monkeypatch.context() as patch:
            patch.setattr(Layers, "_painted", too_little)
            try:
                CHANGES[change](canvas)
            except MemoryError:
                pass
            else:
                break
        canvas.take_back()
        assert seen(canvas) == before, f"after {room} boxes"
        room += 1
    assert room >= 1 and seen(canvas) != before
    assert canvas.take_dirty() is not None
    assert seen(Canvas.restore(canvas.image, canvas.save_state(), canvas.regions)) == seen(canvas)
    (canvas.undo if change != "undo" else canvas.redo)()
    assert seen(canvas) == before


def test_a_stroke_that_memory_is_too_small_for_is_drawn_where_there_is_some_again(monkeypatch):
    canvas, other = painted(), painted()
    for one in (canvas, other):
        one.begin_stroke("#c08060", 4, tint=True)
        one.extend_stroke([(10, 80)])
    with monkeypatch.context() as patch:
        patch.setattr(Layers, "_painted", lambda *_: [][0])
        with pytest.raises(IndexError):
            canvas.extend_stroke([(40, 80), (80, 80)])
    for one in (canvas, other):
        one.extend_stroke([(40, 80), (80, 80)])
        one.end_stroke()
    assert seen(canvas) == seen(other)


def test_a_step_is_kept_where_there_is_no_memory_to_compress_the_one_before_it(monkeypatch):
    canvas = painted()
    before = seen(canvas)

    def no_memory(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("zlib.compressobj", no_memory)
        assert canvas.clear()
    assert canvas.undo() and seen(canvas) == before
    assert canvas.undo() and canvas.targets
