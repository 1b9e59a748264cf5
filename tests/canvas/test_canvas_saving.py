"""A canvas saved and restored: the same document, and nobody else's."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from canvas_operations import picture, random_operation, region_map, snapshot

from npe_core.canvas import Canvas
from npe_core.canvas.edges import Edge
from npe_core.canvas.state import pack, unpack
from npe_core.errors import InputError


def test_saved_and_restored():
    rng = random.Random(4)
    canvas = Canvas(picture(), region_map())
    canvas.fill("hair", "#8b2500")
    for _ in range(10):
        random_operation(rng)(canvas)
    saved = canvas.save_state()
    restored = Canvas.restore(picture(), saved, region_map())
    assert snapshot(restored) == snapshot(canvas)
    assert not restored.undo()
    restored.shrink(1)
    canvas.shrink(1)
    restored.grow(1)
    canvas.grow(1)
    assert snapshot(restored) == snapshot(canvas)  # the hidden paint was saved too
    empty = Canvas(picture())
    assert snapshot(Canvas.restore(picture(), empty.save_state())) == snapshot(empty)


def test_a_copy_keeps_what_there_was():
    rng = random.Random(5)
    canvas = Canvas(picture(), region_map())
    canvas.fill("hair", "#8b2500")
    start_a_stroke(canvas)
    before, copied = snapshot(canvas), canvas.copy()
    assert snapshot(copied) == before and copied.regions is canvas.regions
    for _ in range(10):
        random_operation(rng)(canvas)
    assert snapshot(copied) == before != snapshot(canvas)
    now = snapshot(canvas)
    assert not copied.undo()
    copied.clear()
    assert snapshot(canvas) == now


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
    assert Canvas.restore(picture(), canvas.save_state()).by_hand == by_hand  # also in the middle of a stroke
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


def test_a_feather_at_the_end_is_told_and_anything_after_it_is_by_hand():
    canvas = Canvas(picture(), region_map())
    canvas.fill("hair", "#8b2500")
    canvas.feather(2)
    assert (canvas.feathered, canvas.by_hand) == (2.0, False)
    restored = Canvas.restore(picture(), canvas.save_state())
    assert (restored.feathered, restored.by_hand) == (2.0, False)
    for more in (
        lambda: canvas.fill("skin", "#c09070"),
        lambda: canvas.feather(1),
        lambda: canvas.stroke([(9, 9)], "#ffffff", 3),
        lambda: canvas.invert(),
    ):
        more()
        assert (canvas.feathered, canvas.by_hand) == (0.0, True)
        canvas.undo()
        assert (canvas.feathered, canvas.by_hand) == (2.0, False)
    canvas.undo()
    assert canvas.feathered == 0


def test_of_what_was_painted_the_feather_is_told_too():
    canvas = Canvas(picture(), region_map())
    start_a_stroke(canvas)
    canvas.feather(1.5)
    assert (canvas.feathered, canvas.by_hand) == (1.5, True)


def test_a_saved_canvas_of_another_picture_or_a_damaged_one_is_refused():
    canvas = Canvas(picture())
    canvas.stroke([(9, 9)], "#ffffff", 3)
    saved = canvas.save_state()
    with pytest.raises(InputError, match="another picture"):
        Canvas.restore(255 - picture(), saved)
    for damaged in (b"", b"PK", saved[:-40], saved[: len(saved) // 2], saved.replace(b"head", b"heat")):
        with pytest.raises(InputError):
            Canvas.restore(picture(), damaged)


def test_an_edge_of_a_fill_lies_inside_its_box():
    planes = np.full((5, *picture().shape[:2]), 9, np.uint8)

    def packed(*places):
        at = np.array(places, np.int32)
        few = np.ones((5, len(at)), np.uint8)
        return pack(picture(), planes, (Edge("hair", (10, 10, 14, 13), at, few[0], few[:3], few),), {})

    (edge,) = unpack(picture(), packed(0, 11))[1]
    assert edge.at.tolist() == [0, 11]
    for beyond in ((0, 12), (-1, 11)):
        with pytest.raises(InputError, match="an edge of hair beyond its box"):
            unpack(picture(), packed(*beyond))


def test_no_byte_can_be_changed_unnoticed():
    """Any change is refused, or is in what the canvas is not made of: names and times inside the archive."""
    canvas = Canvas(picture())
    canvas.stroke([(9, 9)], "#ffffff", 3)
    saved, refused = canvas.save_state(), 0
    for place in range(len(saved)):
        changed = bytearray(saved)
        changed[place] ^= 0xFF
        try:
            restored = Canvas.restore(picture(), bytes(changed))
        except InputError:
            refused += 1
        else:
            assert np.array_equal(restored.guide, canvas.guide) and np.array_equal(restored.mask, canvas.mask)
    assert refused > len(saved) // 2
