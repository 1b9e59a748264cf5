"""PictureView in an app: where the pointer is under zoom and pan, what the keys do, and what is told of it."""

import numpy as np
import pytest
from gallery import WIDTH, gallery, mouse, painted, picture, run, shown
from textual import events

from npe_tui.picture import PictureView


@run
async def test_a_pointer_says_where_on_the_photo_it_is():
    async with gallery() as (app, view, pilot):
        assert view.content_size == (80, 40) and view.viewport.scale == 0.5
        for x, y in ((0.1, 0.1), (40.0, 10.25), (79.9, 29.9)):
            app.told.clear()
            await mouse(app, events.MouseDown, x, y)
            await mouse(app, events.MouseUp, x, y)
            await pilot.pause()
            down, up = app.told
            assert (down.x, down.y) == pytest.approx((2 * x, 4 * (y - 5))) == (up.x, up.y)
            assert app.kinds() == ["PointerDown", "PointerUp"]
            assert down.inside is (y >= 5) and down.button == 1


@run
async def test_two_points_of_one_cell_are_two_points():
    async with gallery() as (app, _view, pilot):
        await mouse(app, events.MouseMove, 20.25, 20.75, button=0)
        await mouse(app, events.MouseMove, 20.25, 20.0, button=0)
        await pilot.pause()
        assert [message.y for message in app.told] == [63, 60]


@run
async def test_a_terminal_that_reports_cells_means_their_middle():
    async with gallery(pixels=False) as (app, view, pilot):
        await pilot.click(view, offset=(11, 21))  # the frame is one cell wide
        await pilot.pause()
        told = [message for message in app.told if type(message) is PictureView.PointerDown]
        assert [(message.x, message.y) for message in told] == [(21, 62)]


@run
async def test_the_wheel_zooms_where_the_pointer_is():
    async with gallery() as (app, view, pilot):
        view.viewport = view.viewport.zoom(2)  # so that there is more of the photo than is seen, either way
        at = 20.0, 25.0
        before = view.viewport.cell_to_photo(*at)
        for _ in range(6):
            await mouse(app, events.MouseScrollUp, *at, button=0)
        await pilot.pause()
        assert view.viewport.scale == pytest.approx(1.2**6)
        assert view.viewport.cell_to_photo(*at) == pytest.approx(before)
        app.told.clear()
        await mouse(app, events.MouseDown, *at)
        await pilot.pause()
        assert (app.told[0].x, app.told[0].y) == pytest.approx(before)
        for _ in range(12):
            await mouse(app, events.MouseScrollDown, *at, button=0)
        await pilot.pause()
        assert view.viewport.zoomed is None, "all the way out is the whole photo"


@pytest.mark.parametrize("button", [2, 3])
@run
async def test_a_drag_pans_and_tells_no_one_to_paint(button):
    async with gallery() as (app, view, pilot):
        view.viewport = view.viewport.zoom(4)
        grip = view.viewport.cell_to_photo(30, 20)
        app.told.clear()
        await mouse(app, events.MouseDown, 30, 20, button=button)
        await mouse(app, events.MouseMove, 36.5, 22.25, button=button)
        await mouse(app, events.MouseUp, 36.5, 22.25, button=button)
        await pilot.pause()
        assert view.viewport.cell_to_photo(36.5, 22.25) == pytest.approx(grip)
        assert set(app.kinds()) == {"ViewportChanged"}
        await mouse(app, events.MouseMove, 40, 22, button=0)
        await pilot.pause()
        assert app.kinds()[-1] == "PointerMove", "the drag is over"


@run
async def test_a_drag_is_told_beyond_the_edge_and_ends_there():
    async with gallery() as (app, _view, pilot):
        await mouse(app, events.MouseDown, 79, 20)
        await pilot.pause()
        await mouse(app, events.MouseMove, 84, 20)
        await mouse(app, events.MouseUp, 84, 20)
        await pilot.pause()
        assert app.kinds() == ["PointerDown", "PointerMove", "PointerUp"]
        assert app.told[1].x == 168 and not app.told[1].inside and app.told[1].button == 1


@run
async def test_a_release_that_was_lost_does_not_hold_the_mouse():
    async with gallery() as (app, _view, pilot):
        await mouse(app, events.MouseDown, 20.5, 20)
        await mouse(app, events.MouseDown, 20.5, 20, button=3)
        await mouse(app, events.MouseDown, 30.5, 20)
        await mouse(app, events.MouseUp, 30.5, 20)
        await pilot.pause()
        assert app.kinds() == ["PointerDown", "PointerUp", "PointerDown", "PointerUp"]
        assert app.mouse_captured is None


@run
async def test_the_ring_follows_the_pointer_and_leaves_with_it():
    async with gallery() as (app, view, pilot):
        plain = shown(app)
        view.brush_radius = 8
        await mouse(app, events.MouseMove, 40.5, 20.5, button=0)
        await painted(app, pilot)
        rows, columns = (shown(app) != plain).nonzero()
        assert (columns.mean(), rows.mean()) == pytest.approx((40, 40.5), abs=0.6)
        assert columns.max() - columns.min() == pytest.approx(8, abs=1)
        await mouse(app, events.MouseMove, -2, -1, button=0)
        await painted(app, pilot)
        assert np.array_equal(shown(app), plain)


@run
async def test_keys_move_a_cursor_by_half_cells_and_the_view_follows():
    async with gallery() as (app, view, pilot):
        await pilot.press("right")
        assert view.cursor == pytest.approx((1, 0)), "it appears where the pointer was, on the photo"
        await mouse(app, events.MouseMove, 40, 20, button=0)
        await pilot.press("right")
        assert view.cursor == pytest.approx((80, 60))
        await pilot.press("right", "down", "shift+up")
        assert view.cursor == pytest.approx((82, 60 + 2 - 16))
        view.viewport = view.viewport.zoom(8)
        await pilot.press(*["shift+right"] * 20)
        await pilot.pause()
        column, row = view.viewport.photo_to_cell(*view.cursor)
        assert 0 <= column <= 80 and 0 <= row <= 40, "in sight"
        assert view.cursor[0] > 110
        await pilot.press(*["shift+right"] * 30)
        assert view.cursor[0] == WIDTH - 0.5, "and on the photo"
        await mouse(app, events.MouseMove, 10.5, 20.5, button=0)
        await pilot.pause()
        assert view.cursor is None, "the mouse takes over"


@run
async def test_keys_zoom_pan_and_fit():
    async with gallery() as (_app, view, pilot):
        await pilot.press("end")
        assert view.viewport.scale == 1
        left, top = view.viewport.origin
        await pilot.press("ctrl+right", "ctrl+down")
        assert view.viewport.origin == (left + 8, top + 8)
        await pilot.press("+", "-")
        assert view.viewport.scale == pytest.approx(1)
        await pilot.press("home")
        assert view.viewport.zoomed is None and view.viewport.scale == 0.5


@run
async def test_the_divider_is_dragged():
    async with gallery() as (app, view, pilot):
        view.compare(picture(1), 0.5)
        await mouse(app, events.MouseDown, 40.3, 20)
        await mouse(app, events.MouseMove, 60, 20)
        await mouse(app, events.MouseUp, 60, 20)
        await pilot.pause()
        assert view.split == pytest.approx(0.75) and not app.told
        await mouse(app, events.MouseDown, 40, 20)
        await pilot.pause()
        assert app.kinds() == ["PointerDown"], "elsewhere it is a click"
