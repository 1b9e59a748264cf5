"""PictureView in an app: what the screen shows after each change, and that nothing upsets it."""

import numpy as np
import pytest
from gallery import HEIGHT, WIDTH, gallery, mouse, painted, picture, run, shown
from textual import events
from textual.app import App

from npe_tui.picture import PictureView
from npe_tui.picture.pacing import ALLOWANCE, Pacer


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
async def test_repaints_that_have_to_wait_share_one_timer():
    async with gallery() as (app, view, pilot):
        await painted(app, pilot)
        view._pacer = Pacer(lambda: None)
        view._pacer.sent(ALLOWANCE)
        timers, set_timer = [], view.set_timer
        view.set_timer = lambda *arguments: timers.append(set_timer(*arguments)) or timers[-1]
        app.image[:] = 90
        for _ in range(20):
            view.update_box(app.image, (0, 0, WIDTH, HEIGHT))
            view._flush()
        assert len(timers) == 1 and not (shown(app)[10:70] == 0x5A5A5A).any()
        view._flush_late()
        assert len(timers) == 2, "still no answer"
        view._pacer.answered()
        await painted(app, pilot)
        assert (shown(app)[10:70] == 0x5A5A5A).all()


@run
async def test_many_sizes_while_painting():
    """40x12, much smaller, no size at all, larger than before: each with a drag under way."""
    async with gallery() as (app, view, pilot):
        view.brush_radius = 9
        view.set_mask(np.full((HEIGHT, WIDTH), 255, np.uint8))
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
        view.set_mask(np.full((HEIGHT, WIDTH), 255, np.uint8))
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


@run
async def test_a_view_whose_place_was_asked_for_before_it_was_laid_out_shows_its_picture():
    """Textual finds the place out of turn then, and takes the view for one that was there already: no Resize comes."""

    async with gallery() as (app, view, pilot):
        await view.remove()
        app.view = PictureView(depth="true")
        with app.batch_update():  # no layout meanwhile
            await app.mount(app.view)
            app.screen._compositor.update_widgets({app.view})  # as of any new widget that is refreshed
            assert app.view.region
        app.view.show(app.image)
        await pilot.pause(0.1)
        assert app.view.viewport.cells == app.view.size
        await painted(app, pilot)
        assert np.array_equal(shown(app)[10:70], packed(halved(app.image)))
