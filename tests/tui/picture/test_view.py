"""PictureView in an app: where the pointer is under zoom and pan, what the keys do, and that nothing upsets it."""

import asyncio
from contextlib import asynccontextmanager
from functools import wraps

import numpy as np
import pytest
from textual import events
from textual.app import App

from npe_tui.picture import PictureView

WIDTH, HEIGHT = 160, 120


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


class Gallery(App):
    """A view with a frame around it, and what it tells."""

    CSS = "PictureView { border: solid green; margin: 1 3; }"

    def __init__(self):
        super().__init__()
        self.view = PictureView(depth="true")
        self.told = []
        self.image = picture()

    def compose(self):
        yield self.view

    def on_mount(self):
        self.view.show(self.image)
        self.view.focus()

    def on_picture_view_pointer_down(self, message):
        self.told.append(message)

    on_picture_view_pointer_move = on_picture_view_pointer_up = on_picture_view_pointer_down
    on_picture_view_viewport_changed = on_picture_view_pointer_down

    def kinds(self):
        return [type(message).__name__ for message in self.told]


@asynccontextmanager
async def gallery(pixels=True):
    """A view of 80x40 cells; ``pixels``: in a terminal that reports the pointer finer than cells."""
    app = Gallery()
    async with app.run_test(size=(88, 44)) as pilot:
        await pilot.pause()
        if pixels:
            await mouse(app, events.MouseMove, 0.5, 0.5, button=0)
            await pilot.pause()
        app.told.clear()
        yield app, app.view, pilot


async def mouse(app, kind, x, y, button=1, **keys):
    """A mouse event at a point in cells of the view, fine as a terminal that reports pixels would send it."""
    region = app.view.content_region
    modifiers = {"shift": False, "meta": False, "ctrl": False} | keys
    app.post_message(kind(None, region.x + x, region.y + y, 0, 0, button, **modifiers))


async def painted(app, pilot):
    """Until the view has painted what it was told: it gathers changes for a moment."""
    await pilot.pause()
    while app.view._stale or app.view._flushing:
        await pilot.pause(0.01)
    await pilot.pause()


def run(test):
    """Runs an ``async`` test to its end."""

    @wraps(test)
    def runner(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return runner


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


@pytest.mark.parametrize("how", ["middle", "space"])
@run
async def test_a_drag_pans_and_tells_no_one_to_paint(how):
    async with gallery() as (app, view, pilot):
        view.viewport = view.viewport.zoom(4)
        grip = view.viewport.cell_to_photo(30, 20)
        app.told.clear()
        if how == "space":
            await pilot.press("space")
        await mouse(app, events.MouseDown, 30, 20, button=2 if how == "middle" else 1)
        await mouse(app, events.MouseMove, 36.5, 22.25, button=2)
        await mouse(app, events.MouseUp, 36.5, 22.25, button=2)
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


def shown(app):
    """(2 * rows, columns): the codes that the lanes show, through the very strips that go to the terminal."""
    view = app.view
    columns, rows = view.content_size
    lines = app.screen._compositor.render_strips()
    region = view.content_region
    dots = np.zeros((2 * rows, columns), np.int64)
    for y in range(rows):
        x = 0
        for text, style, _ in lines[region.y + y].crop(region.x, region.right):
            upper, lower = style.color, style.bgcolor
            values = [
                int.from_bytes(bytes(colour.get_truecolor()))
                for colour in ((lower, lower) if text[0] == " " else (upper, lower))
            ]
            dots[2 * y, x : x + len(text)], dots[2 * y + 1, x : x + len(text)] = values
            x += len(text)
    return dots


def packed(image):
    wide = image.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def halved(image):
    return np.rint(image.reshape(60, 2, 80, 2, 3).mean(axis=(1, 3))).astype(np.uint8)


@run
async def test_what_is_shown_after_each_kind_of_change():
    async with gallery() as (app, view, pilot):

        async def expect(image):
            await painted(app, pilot)
            assert np.array_equal(shown(app)[10:70], packed(halved(image)))

        image = app.image
        await expect(image)
        image[30:50, 40:90] = 7
        view.update_box(image, (40, 30, 90, 50))
        await expect(image)
        other = picture(5)
        view.show(other)
        await expect(other)
        view.compare(image)
        await expect(image)
        view.compare(None)
        await expect(other)
        view.update_box(image.copy(), (0, 0, WIDTH, HEIGHT))
        await expect(image)


@run
async def test_only_what_changed_is_painted_again():
    async with gallery() as (app, view, pilot):
        again = []
        for number, lane in enumerate(view.query("Lane")):
            lane.refresh = lambda *regions, number=number, lane=lane: again.append((number, regions)) or lane
        image = app.image.copy()
        image[60:64, 70:74] = 255 - image[60:64, 70:74]
        view.update_box(image, (50, 40, 100, 80))  # told of much, while little changed
        await painted(app, pilot)
        assert len(again) == 1
        number, (region,) = again[0]
        assert number == 2 and (region.x, region.right, region.y, region.height) == (0, 5, 20, 1)
        again.clear()
        view.show(image)
        view.set_mask(None)
        view.compare(None)
        await painted(app, pilot)
        assert again == []


@run
async def test_many_sizes_while_painting():
    """40x12, much smaller, no size at all, larger than before: each with a drag under way."""
    async with gallery() as (app, view, pilot):
        view.brush_radius = 9
        view.set_mask(np.ones((HEIGHT, WIDTH), np.float32))
        await mouse(app, events.MouseDown, 20.5, 10.5)
        for size in ((40, 12), (9, 5), (8, 4), (3, 2), (1, 1), (140, 50), (88, 44)):
            await pilot.resize_terminal(*size)
            await mouse(app, events.MouseMove, 2.5, 2.5)
            await mouse(app, events.MouseScrollUp, 2.5, 2.5, button=0)
            view.update_box(app.image, (0, 0, 50, 50))
            await pilot.press("left", "ctrl+right", "+")
            await pilot.pause()
        await mouse(app, events.MouseUp, 20.5, 10.5)
        await pilot.press("home")
        app.image[:] = 90
        view.set_mask(None)
        view.brush_radius = None
        view.cursor = None
        view.show(app.image)
        await painted(app, pilot)
        assert (shown(app)[10:70] == 0x5A5A5A).all()


@run
async def test_a_view_that_is_hidden_and_shown():
    async with gallery() as (app, view, pilot):
        view.display = False
        await pilot.pause()
        view.show(picture(3))
        await pilot.pause()
        view.display = True
        await painted(app, pilot)
        assert np.array_equal(shown(app)[10:70], packed(halved(picture(3))))


@run
async def test_a_photo_of_another_size_takes_nothing_over():
    async with gallery() as (_app, view, pilot):
        view.viewport = view.viewport.zoom(3)
        view.set_mask(np.ones((HEIGHT, WIDTH), np.float32))
        view.compare(picture(1), 0.5)
        view.show(np.zeros((7, 5, 3), np.uint8))
        await pilot.pause()
        assert view.viewport.zoomed is None and view.viewport.photo == (5, 7) and view.split is None
        view.show(picture(2))
        await pilot.pause()


@run
async def test_one_view_follows_another():
    class Pair(App):
        def compose(self):
            yield PictureView(id="a")
            yield PictureView(id="b")

    app = Pair()
    async with app.run_test(size=(80, 50)) as pilot:
        a, b = app.query(PictureView)
        a.show(picture())
        b.show(picture())
        await pilot.pause()
        a.viewport = a.viewport.zoom(5, at=(10, 5)).pan(3, 1)
        b.viewport = a.viewport
        await pilot.pause()
        assert b.viewport.cell_to_photo(7, 7) == pytest.approx(a.viewport.cell_to_photo(7, 7))


@run
async def test_the_backdrop_follows_the_theme():
    async with gallery() as (app, view, pilot):
        app.theme = "textual-light"
        await painted(app, pilot)
        assert (shown(app)[:10] == packed(np.array(view.background_colors[1].rgb))).all()
