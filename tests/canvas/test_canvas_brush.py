"""The brush against a brute-force oracle, and what a stroke promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.canvas.compositing import over
from npe_core.errors import UsageError

SIZE = (48, 64)


def make_canvas() -> Canvas:
    return Canvas(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


def distance_to_segment(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = 0.0 if length == 0 else min(1.0, max(0.0, ((x - a[0]) * dx + (y - a[1]) * dy) / length))
    return math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)


def brute_coverage(a: tuple[float, float], b: tuple[float, float], radius: float, hardness: float) -> np.ndarray:
    """The profile, 1 to hardness * radius and a smoothstep to 0 at radius, averaged over 12 x 12 points a pixel."""
    n = 12
    result = np.zeros(SIZE)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            if distance_to_segment(column + 0.5, row + 0.5, a, b) > radius + 1:
                continue
            total = 0.0
            for j in range(n):
                for i in range(n):
                    d = distance_to_segment(column + (i + 0.5) / n, row + (j + 0.5) / n, a, b)
                    if hardness == 1:
                        total += d <= radius
                    else:
                        t = min(1.0, max(0.0, (radius - d) / (radius * (1 - hardness))))
                        total += t * t * (3 - 2 * t)
            result[row, column] = total / n**2
    return result


@pytest.mark.parametrize(
    ("start", "end", "radius", "hardness"),
    [
        ((20.3, 19.8), (20.3, 19.8), 0.6, 1.0),
        ((20.3, 19.8), (20.3, 19.8), 3.3, 0.8),
        ((31.0, 24.0), (31.0, 24.0), 7.0, 0.0),
        ((31.5, 24.25), (31.5, 24.25), 18.0, 0.5),
        ((5.2, 40.1), (50.7, 9.4), 2.5, 1.0),
        ((5.2, 40.1), (50.7, 9.4), 5.0, 0.3),
        ((60.0, 46.0), (70.0, 60.0), 6.0, 0.7),  # leaves the picture
        ((20.0, 30.0), (900.0, -420.0), 2.5, 0.8),
        ((-700.0, 300.0), (800.0, -250.0), 4.0, 1.0),  # begins and ends far outside
    ],
)
def test_coverage_is_the_mean_over_each_pixel(start, end, radius, hardness):
    canvas = make_canvas()
    canvas.stroke([start, end], "#ff0000", radius, hardness)
    expected = brute_coverage(start, end, radius, hardness)
    assert np.abs(canvas.mask - expected).max() < 0.04
    assert abs(canvas.mask.sum() - expected.sum()) < 0.01 * expected.sum() + 0.05


@pytest.mark.parametrize(
    ("start", "end", "seen"),
    [
        ((20, 24), (1e308, 24), (20, 24, 200, 24)),
        ((1e308, 1e308), (10, 4), (200, 194, 10, 4)),
        ((-1e308, 1e308), (1e308, -1e308), (-100, 100, 100, -100)),
        ((1e308, 20), (1e308, 1e308), None),
        ((-1e9, 20), (70, 2e9), None),
    ],
)
def test_a_point_however_far_costs_what_is_seen_of_the_way_there(start, end, seen):
    canvas, near = make_canvas(), make_canvas()
    assert canvas.stroke([start, end], "#ff0000", radius=1) == (seen is not None)
    if seen is not None:
        near.stroke([seen[:2], seen[2:]], "#ff0000", radius=1)
    assert np.abs(canvas.levels - near.levels.astype(int)).max() <= 1


@given(x=st.floats(20, 44), y=st.floats(16, 32), radius=st.floats(0.4, 9), hardness=st.sampled_from([0.5, 0.8, 1.0]))
@settings(max_examples=60, deadline=None)
def test_a_dab_weighs_the_same_wherever_it_lies_between_the_pixels(x, y, radius, hardness):
    here, centred = make_canvas(), make_canvas()
    here.stroke([(x, y)], None, radius, hardness)
    centred.stroke([(32.5, 24.5)], None, radius, hardness)
    assert here.mask.sum() == pytest.approx(centred.mask.sum(), rel=0.02, abs=0.1)


def test_a_tiny_dab_has_the_area_of_its_disc():
    canvas = make_canvas()
    canvas.stroke([(10.4, 10.7)], "#ffffff", radius=0.3, hardness=1.0)
    assert canvas.mask.sum() == pytest.approx(math.pi * 0.3**2, rel=0.15)


def test_within_a_stroke_dabs_do_not_add_up_but_strokes_do():
    once, twice = make_canvas(), make_canvas()
    once.stroke([(30, 20)], "#00ff00", 8, hardness=0.0)
    twice.stroke([(30, 20), (30, 20), (30, 20)], "#00ff00", 8, hardness=0.0)
    assert np.array_equal(once.mask, twice.mask)
    twice.stroke([(30, 20)], "#00ff00", 8, hardness=0.0)
    assert (twice.mask[12:28, 22:38] >= once.mask[12:28, 22:38]).all()
    assert twice.mask.sum() > once.mask.sum() + 5


def test_painting_bit_by_bit_equals_painting_at_once_and_is_one_step():
    points = [(5.0, 5.0), (20.5, 30.2), (33.3, 11.0), (60.0, 44.0)]
    whole, dragged = make_canvas(), make_canvas()
    whole.stroke(points, "#123456", 4, 0.6, 0.7)
    dragged.begin_stroke("#123456", 4, 0.6, 0.7)
    for point in points:
        dragged.extend_stroke([point])
    assert np.array_equal(whole.guide, dragged.guide)
    assert dragged.end_stroke()
    assert dragged.undo()
    assert not dragged._history.done
    assert np.array_equal(dragged.guide, dragged.image)


def test_a_piece_of_a_drag_reports_only_its_own_box():
    canvas = Canvas(np.zeros((400, 600, 3), np.uint8))
    canvas.begin_stroke("#ffffff", 3)
    canvas.extend_stroke([(10, 10)])
    canvas.take_dirty()
    box = canvas.extend_stroke([(14, 10)])
    assert box == canvas.take_dirty()
    assert box is not None
    assert box[2] - box[0] <= 14
    assert box[3] - box[1] <= 10


def test_opacity_thins_the_paint_and_not_the_mask():
    canvas = Canvas(np.full((20, 20, 3), 100, np.uint8))
    canvas.stroke([(10, 10)], (200, 100, 0), radius=6, opacity=0.5)
    assert canvas.mask[10, 10] == 1
    assert canvas.guide[10, 10].tolist() == [150, 100, 50]


def test_a_brush_without_colour_marks_and_does_not_paint():
    canvas = make_canvas()
    assert canvas.stroke([(20, 20), (30, 20)], None, radius=5)
    assert canvas.mask.max() == 1
    assert not canvas.painted.any()
    assert np.array_equal(canvas.guide, canvas.image)


def test_the_eraser_takes_paint_and_mask_away():
    canvas = make_canvas()
    canvas.stroke([(10, 20), (50, 20)], "#ff00ff", radius=6)
    canvas.erase([(30, 20)], radius=12, hardness=1.0)
    assert not canvas.mask[:, 20:40].any()
    assert np.array_equal(canvas.guide[:, 20:40], canvas.image[:, 20:40])
    assert canvas.painted[20, 12]
    canvas.stroke([(30, 20)], None, radius=12)
    assert np.array_equal(canvas.guide[:, 20:40], canvas.image[:, 20:40])  # and the paint does not come back


def test_a_brush_brings_no_hidden_paint_back():
    canvas = make_canvas()
    canvas.stroke([(30, 20)], "#ff00ff", radius=10)
    canvas.shrink(6)
    assert canvas.mask.any()
    before = canvas.guide.copy()
    canvas.stroke([(38, 20)], None, radius=4)
    assert np.array_equal(canvas.guide, before)


def test_off_the_picture_nothing_changes():
    canvas = make_canvas()
    assert not canvas.stroke([(-30, -30), (-20, 500)], "#ffffff", radius=5)
    assert not canvas._history.done
    assert canvas.revision == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"radius": 0},
        {"radius": -1},
        {"radius": math.nan},
        {"hardness": 1.5},
        {"opacity": -0.1},
        {"points": []},
        {"points": [(math.inf, 0)]},
        {"points": [(5, 5), (6, 6, 6)]},
        {"points": [5, 5]},
        {"points": ["55"]},
        {"points": [(5, None)]},
        {"colour": "redish"},
        {"colour": ("a", "b", "c")},
        {"colour": (0, 0, math.nan)},
        {"colour": 7},
        {"colour": (0, 0, 300)},
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(arguments):
    canvas = make_canvas()
    with pytest.raises(UsageError):
        canvas.stroke(**({"points": [(5, 5)], "colour": "#ffffff", "radius": 3} | arguments))
    assert not canvas.mask.any()
    assert not canvas._history.done


@pytest.mark.parametrize(
    "operation",
    [
        lambda c: c.select(np.zeros(SIZE)),
        lambda c: c.paint_image(c.image, np.zeros(SIZE)),
        lambda c: c.feather(2),
        lambda c: c.grow(1),
        lambda c: c.invert(),
        lambda c: c.clear(),
        lambda c: c.undo(),
        lambda c: c.redo(),
    ],
)
def test_every_other_operation_ends_a_stroke_also_where_it_changes_nothing(operation):
    canvas = make_canvas()
    canvas.begin_stroke("#ff0000", 3)
    canvas.extend_stroke([(20, 20)])
    operation(canvas)
    with pytest.raises(UsageError, match="begin_stroke"):
        canvas.extend_stroke([(30, 20)])


@pytest.mark.parametrize("tool", [Canvas.feather, Canvas.grow, Canvas.shrink])
def test_a_radius_that_is_refused_leaves_the_stroke_under_way(tool):
    canvas = make_canvas()
    canvas.begin_stroke("#ff0000", 3)
    canvas.extend_stroke([(20, 20)])
    with pytest.raises(UsageError, match="radius"):
        tool(canvas, -1)
    assert canvas.extend_stroke([(30, 20)])


def test_extending_without_a_stroke_is_refused():
    with pytest.raises(UsageError, match="begin_stroke"):
        make_canvas().extend_stroke([(1, 1)])


@pytest.mark.parametrize("opacity", [0.5, 1.0])
def test_paint_over_paint_is_what_porter_and_duff_say(opacity):
    """Also over solid paint, and over paint that the mask hides in part."""
    rng = np.random.default_rng(3)
    planes = rng.integers(0, 256, (5, 30, 40), np.uint8)
    planes[3:, :10] = 255
    coverage, rgb = rng.integers(1, 256, (30, 40), np.uint8), np.uint8([9, 200, 30])
    new, old = coverage / 255 * opacity, np.minimum(planes[3], planes[4]) / 255
    alpha = new + old * (1 - new)
    colours = (rgb[:, None, None] * new + planes[:3] * old * (1 - new)) / alpha
    result = over(planes, coverage, rgb, opacity)
    assert np.abs(result[:3] - colours).max() < 0.501
    assert np.abs(result[3] - 255 * alpha).max() < 0.501


@pytest.mark.parametrize("colours", ["none", "one", "each"])
def test_paint_over_a_tall_plane_is_that_over_its_rows(colours):
    rng = np.random.default_rng(2)
    planes = rng.integers(0, 256, (5, 600, 3), np.uint8)
    coverage = rng.integers(0, 256, (600, 3), np.uint8) * rng.integers(0, 2, (600, 3), np.uint8)
    rgb = {"none": None, "one": np.uint8([9, 200, 30]), "each": rng.integers(0, 256, (600, 3, 3), np.uint8)}[colours]
    of_row = [rgb[y : y + 1] if colours == "each" else rgb for y in range(600)]
    rows = [over(planes[:, y : y + 1], coverage[y : y + 1], of_row[y], 0.7) for y in range(600)]
    assert np.array_equal(over(planes, coverage, rgb, 0.7), np.concatenate(rows, axis=1))
