"""The way between photo and cells, against its own inverse and against what a person expects of zoom and pan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_tui.picture import Viewport

sizes = st.integers(1, 7000)
cells = st.integers(1, 300)
shares = st.floats(0, 1)


@st.composite
def viewports(draw):
    """Any photo in any view, after any zoom and pan."""
    viewport = Viewport((draw(sizes), draw(sizes)), (draw(cells), draw(cells)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(shares) * viewport.cells[0], draw(shares) * viewport.cells[1]
        viewport = viewport.zoom(draw(st.floats(0.3, 4)), at=at)
        viewport = viewport.pan(draw(st.integers(-50, 50)), draw(st.integers(-50, 50)))
    return viewport


@given(viewports(), shares, shares)
def test_cell_to_photo_and_back(viewport, across, down):
    x, y = across * viewport.cells[0], down * viewport.cells[1]
    assert viewport.photo_to_cell(*viewport.cell_to_photo(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(viewports(), shares, shares)
def test_photo_to_cell_and_back(viewport, across, down):
    x, y = across * viewport.photo[0], down * viewport.photo[1]
    assert viewport.cell_to_photo(*viewport.photo_to_cell(x, y)) == pytest.approx((x, y), abs=1e-5)


@given(viewports())
def test_a_cell_is_two_square_dots(viewport):
    x0, y0 = viewport.cell_to_photo(0, 0)
    x1, y1 = viewport.cell_to_photo(2, 1)
    assert x1 - x0 == pytest.approx(y1 - y0)


@given(viewports())
def test_no_view_beside_the_photo_while_there_is_more_of_it(viewport):
    """Along each axis either the whole photo is seen, in the middle, or photo fills the view from edge to edge."""
    left, top = viewport.cell_to_photo(0, 0)
    right, bottom = viewport.cell_to_photo(*viewport.cells)
    dot = 1 / viewport.scale
    for start, end, size in ((left, right, viewport.photo[0]), (top, bottom, viewport.photo[1])):
        if end - start >= size - 1e-6 * size:
            assert start <= dot * 1e-6 and end >= size - dot * 1e-6
            assert abs(-start - (end - size)) <= 2 * dot + 1e-6
        else:
            assert start >= -1e-6 and end <= size + 1e-6 * size


@given(viewports(), st.floats(1, 3), shares, shares)
def test_zooming_in_keeps_the_point_under_the_pointer(viewport, factor, across, down):
    at = across * viewport.cells[0], down * viewport.cells[1]
    x, y = viewport.cell_to_photo(*at)
    closer = viewport.zoom(factor, at=at)
    column, row = closer.photo_to_cell(x, y)
    left, top = closer.origin
    seen = closer.dots[0] / closer.scale, closer.dots[1] / closer.scale
    free = [0 < start < size - part for start, part, size in zip((left, top), seen, closer.photo, strict=True)]
    if free[0]:  # not held by an edge of the photo
        assert column == pytest.approx(at[0], abs=1e-6 * closer.cells[0] + 1e-6)
    if free[1]:
        assert row == pytest.approx(at[1], abs=1e-6 * closer.cells[1] + 1e-6)


@given(viewports(), st.integers(-5, 5), st.integers(-5, 5))
def test_panning_there_and_back_inside_the_photo(viewport, columns, rows):
    there = viewport.pan(columns, rows)
    moved = there.origin != viewport.origin
    back = there.pan(-columns, -rows)
    expected = [a + step / viewport.scale for a, step in zip(viewport.origin, (columns, 2 * rows), strict=True)]
    if there.origin == pytest.approx(expected) and moved:  # no edge was met
        assert back.origin == pytest.approx(viewport.origin, abs=1e-6)
    assert there.scale == viewport.scale


@given(viewports(), st.tuples(shares, shares, shares, shares))
def test_a_box_of_the_photo_lies_in_its_cells(viewport, corners):
    width, height = viewport.photo
    x0, x1 = sorted(round(share * (width - 1)) for share in corners[:2])
    y0, y1 = sorted(round(share * (height - 1)) for share in corners[2:])
    x1, y1 = x1 + 1, y1 + 1
    box = viewport.box_to_cells((x0, y0, x1, y1))
    columns, rows = viewport.cells
    for x, y in ((x0, y0), (x1 - 0.5, y1 - 0.5), ((x0 + x1) / 2, (y0 + y1) / 2)):
        column, row = viewport.photo_to_cell(x, y)
        if 0 <= column < columns and 0 <= row < rows:
            assert box is not None
            assert box[0] - 1e-6 <= column <= box[2] + 1e-6 and box[1] - 1e-6 <= row <= box[3] + 1e-6
    if box is not None:
        assert 0 <= box[0] < box[2] <= columns and 0 <= box[1] < box[3] <= rows


def test_fit_shows_the_whole_photo_and_follows_the_view():
    viewport = Viewport((600, 400), (80, 40))
    assert viewport.scale == pytest.approx(80 / 600)
    assert viewport.cell_to_photo(0, 0)[0] == 0 and viewport.cell_to_photo(80, 0)[0] == pytest.approx(600)
    assert viewport.resized(40, 12).scale == pytest.approx(24 / 400)
    assert viewport.zoom(3).pan(5, 5).fit().scale == viewport.scale
    assert viewport.zoom(0.5).zoomed is None, "further out than the whole photo is the whole photo"


def test_the_closest_zoom_is_bounded():
    assert Viewport((600, 400), (80, 40)).zoom(1e9).scale == 32


def test_a_view_of_no_size_is_no_error():
    viewport = Viewport((600, 400), (0, 0))
    assert viewport.zoom(2).pan(1, 1).fit().box_to_cells((0, 0, 600, 400)) is None
    viewport.cell_to_photo(0, 0), viewport.photo_to_cell(5, 5)
    assert viewport.resized(80, 40).scale == pytest.approx(80 / 600)
