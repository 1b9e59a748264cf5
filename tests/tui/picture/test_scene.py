"""What a view shows, against brute force: the marks, the divider, and that any part looks as it does in the whole."""

from dataclasses import replace

import numpy as np
import pytest
from code_colours import colours_of
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_tui.picture import Depth, Viewport
from npe_tui.picture.sampling import Pyramid
from npe_tui.picture.scene import Frame, Scene

COLUMNS, ROWS = 40, 20
BLACK, WHITE = 0x000000, 0xFFFFFF


def picture(height=70, width=60, seed=0):
    return np.random.default_rng(seed).integers(30, 200, (height, width, 3), dtype=np.uint8)


def disc(height, width, x, y, radius):
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.uint8(255) * (np.hypot(columns - x, rows - y) <= radius)


def scene(depth=Depth.TRUE, **parts):
    image = picture()
    return Scene(Viewport((60, 70), (COLUMNS, ROWS)), depth, backdrop=0x123456, picture=Pyramid(image), **parts)


def everything(depth=Depth.TRUE):
    """A scene with all marks, zoomed to one dot a pixel."""
    full = scene(
        depth,
        other=Pyramid(picture(seed=1)),
        split=0.4,
        mask=Pyramid(disc(70, 60, 30, 35, 12)),
        brush=(38.3, 30.2, 6.0),
        cursor=(20.5, 40.5),
        frames=(Frame((5.2, 20.0, 25.0, 44.0), 12, True), Frame((30.0, 20.0, 50.0, 60.0), 3, False)),
    )
    return replace(full, viewport=full.viewport.zoom(1 / full.viewport.scale).pan(3, 2))


@settings(max_examples=30)
@given(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1), st.integers(1, COLUMNS), st.integers(1, ROWS))
@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.ANSI])
def test_any_box_of_cells_is_as_in_the_whole(depth, x, y, columns, rows):
    full = everything(depth)
    whole = full.codes((0, 0, COLUMNS, ROWS))
    right, bottom = min(x + columns, COLUMNS), min(y + rows, ROWS)
    assert np.array_equal(full.codes((x, y, right, bottom)), whole[2 * y : 2 * bottom, x:right])


def test_the_photo_lies_in_the_middle_of_its_backdrop():
    codes = scene().codes((0, 0, COLUMNS, ROWS))
    width = 60 * 40 / 70  # of 40 columns
    beside = (COLUMNS - round(width)) // 2
    assert (codes[:, :beside] == 0x123456).all() and (codes[:, COLUMNS - beside :] == 0x123456).all()
    assert (codes[:, beside + 1 : COLUMNS - beside - 1] != 0x123456).all()


def test_nothing_but_the_backdrop_without_a_picture():
    assert (Scene(Viewport((0, 0), (8, 4)), backdrop=7).codes((0, 0, 8, 4)) == 7).all()


def test_the_outline_is_every_dot_beside_the_mask_and_no_other():
    mask = disc(70, 60, 30, 35, 12)
    plain = scene()
    plain.viewport = plain.viewport.zoom(1 / plain.viewport.scale)
    marked = replace(plain, mask=Pyramid(mask))
    box = (0, 0, COLUMNS, ROWS)
    left, top = (round(edge) for edge in plain.viewport.origin)
    inside = mask[top : top + 2 * ROWS, left : left + COLUMNS] > 0
    beside = np.zeros_like(inside)
    for y in range(2 * ROWS):
        for x in range(COLUMNS):
            around = [(y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)]
            beside[y, x] = not inside[y, x] and any(
                0 <= j < 2 * ROWS and 0 <= i < COLUMNS and inside[j, i] for j, i in around
            )
    before, after = plain.codes(box), marked.codes(box)
    assert np.array_equal(before != after, beside)
    assert set(after[beside]) == {BLACK, WHITE}


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 0), (20, 20, 60)])
@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.ANSI])
def test_the_outline_is_seen_on_any_colour_in_any_direction(colour, depth):
    """Within any eight dots of a straight edge there is one that is far from the colour beneath."""
    image = np.broadcast_to(np.uint8(colour), (80, 80, 3)).copy()
    rows, columns = np.mgrid[:80, :80]
    for angle in np.arange(0, 180, 7.5):
        along = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        mask = ((columns - 40) * along[1] - (rows - 40) * along[0] > 0) * np.uint8(255)
        viewport = Viewport((80, 80), (80, 40))
        view = Scene(viewport, depth, picture=Pyramid(image), mask=Pyramid(mask))
        shown = colours_of(view.codes((0, 0, 80, 40)), depth).astype(int)
        unmarked = colours_of(replace(view, mask=None).codes((0, 0, 80, 40)), depth)
        seen = (np.abs(shown - unmarked).max(axis=-1) > 100).nonzero()
        positions = np.sort((seen[1] - 40) * along[0] + (seen[0] - 40) * along[1])
        assert np.diff(positions).max() < 8, f"a gap at {angle} degrees"


def test_a_thin_stroke_seen_from_afar_has_an_outline():
    mask = np.zeros((1200, 1200), np.uint8)
    mask[600:604, 300:900] = 255
    far = Scene(Viewport((1200, 1200), (60, 30)), picture=Pyramid(np.full((1200, 1200, 3), 90, np.uint8)))
    shown = replace(far, mask=Pyramid(mask)).codes((0, 0, 60, 30))
    assert (shown != far.codes((0, 0, 60, 30))).sum() > 40


def test_a_dot_is_marked_from_an_eighth_on():
    plain, box = scene(), (0, 0, COLUMNS, ROWS)
    plain.viewport = plain.viewport.zoom(1 / plain.viewport.scale)
    for level, marked in ((31, False), (32, True)):
        faint = replace(plain, mask=Pyramid(np.minimum(disc(70, 60, 30, 35, 12), np.uint8(level))))
        assert (faint.codes(box) != plain.codes(box)).any() == marked


@pytest.mark.parametrize("radius", [0.2, 1.0, 2.5, 7.0])
def test_the_ring_is_where_the_brush_ends(radius):
    plain = scene()
    plain.viewport = plain.viewport.zoom(1 / plain.viewport.scale)
    box = (0, 0, COLUMNS, ROWS)
    at = plain.viewport.cell_to_photo(20.5, 10.25)
    ring = replace(plain, brush=(*at, radius)).codes(box) != plain.codes(box)
    rows, columns = ring.nonzero()
    distance = np.hypot(columns + 0.5 - 20.5, rows + 0.5 - 20.5)
    assert ring.any() and np.abs(distance - max(radius, 1.0)).max() <= 0.5
    angles = np.sort(np.degrees(np.arctan2(rows - 20, columns - 20)))
    assert np.diff(angles).max() <= 91, "it goes all the way round"
    assert not ring[20, 20], "what is under the pointer stays visible"


def test_marks_stand_out_from_what_is_beneath_them():
    full = everything()
    unmarked = replace(full, brush=None, cursor=None)
    box = (0, 0, COLUMNS, ROWS)
    before, after = unmarked.codes(box), full.codes(box)
    changed = before != after
    light = colours_of(before, Depth.TRUE)[changed] @ np.array([0.299, 0.587, 0.114])
    assert changed.sum() > 20
    assert np.array_equal(after[changed] == WHITE, light <= 127)


def test_the_marks_repaint_all_that_they_touch():
    full = everything()
    unmarked = replace(full, brush=None, cursor=None)
    box = (0, 0, COLUMNS, ROWS)
    touched = np.zeros((2 * ROWS, COLUMNS), bool)
    for x0, y0, x1, y1 in full.marks():
        touched[2 * y0 : 2 * y1, x0:x1] = True
    assert not ((full.codes(box) != unmarked.codes(box)) & ~touched).any()


def test_the_other_picture_is_left_of_the_divider():
    before, after = picture(40, 40, seed=1), picture(40, 40, seed=2)
    view = Scene(Viewport((40, 40), (40, 20)), picture=Pyramid(after), other=Pyramid(before), split=0.25)
    shown = colours_of(view.codes((0, 0, 40, 20)), Depth.TRUE)
    assert view.divider() == 10
    assert np.array_equal(shown[:, :10], before[:, :10]) and np.array_equal(shown[:, 11:], after[:, 11:])
    assert {tuple(dot) for dot in shown[:, 10].tolist()} == {(0, 0, 0), (255, 255, 255)}
    assert np.array_equal(colours_of(replace(view, split=None).codes((0, 0, 40, 20)), Depth.TRUE), before)


@given(st.floats(0, 1))
def test_the_divider_goes_where_it_is_dragged(share):
    view = scene(other=Pyramid(picture(seed=1)), split=share)
    column = view.divider()
    assert column is not None and 3 <= column <= 36, "on the photo, not beside it"
    moved = replace(view, split=view.split_at(column))
    assert moved.divider() == column


def marks(*frames, zoom=1.0, wide=600):
    """The ink of frames over a grey photo of 600 x 700: '#' white, '.' black, a space for none."""
    grey = np.full((700, wide, 3), 128, np.uint8)
    full = Scene(Viewport((wide, 700), (COLUMNS, ROWS)), backdrop=0x808080, picture=Pyramid(grey), frames=frames)
    full.viewport = full.viewport.zoom(zoom)
    codes = full.codes((0, 0, COLUMNS, ROWS))
    return ["".join({WHITE: "#", BLACK: "."}.get(code, " ") for code in row) for row in codes.tolist()]


@pytest.mark.parametrize("zoom", [1.0, 1.4])
@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        (False, [".....", ".###.", "...#.", ".###.", "...#.", ".###.", "....."]),
        (True, ["#####", "#...#", "###.#", "#...#", "###.#", "#...#", "#####"]),
    ],
)
def test_the_number_of_a_frame_can_be_read_at_any_scale(zoom, chosen, wanted):
    shown = marks(Frame((200, 200, 400, 500), 3, chosen), zoom=zoom)
    places = ((x, y) for y in range(2 * ROWS - 6) for x in range(COLUMNS - 4))
    assert any([row[x : x + 5] for row in shown[y : y + 7]] == wanted for x, y in places), shown


def test_the_chosen_frame_is_the_one_that_stands_out():
    plain, chosen = (marks(Frame((200, 200, 400, 500), 1, which)) for which in (False, True))
    assert sum(row.count("#") for row in chosen) > 2.5 * sum(row.count("#") for row in plain)
    assert {"#", "."} <= set("".join(plain)), "dashes of both, to be seen on any colour"


@pytest.mark.parametrize(("side", "line"), [(100, ".#"), (300, ".##")])
def test_the_line_around_a_small_face_is_thin(side, line):
    rows = [row.strip() for row in marks(Frame((200, 200, 200 + side, 200 + side), None, True)) if row.strip()]
    across = rows[len(rows) // 2]
    assert across.startswith(f"{line} ") and across.endswith(f" {line[::-1]}")


def test_a_frame_that_reaches_beyond_the_view_keeps_its_number_in_sight():
    assert any(row.startswith(".###.") for row in marks(Frame((-900, -900, 300, 300), 2, False), wide=700))
