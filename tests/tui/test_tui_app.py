"""The editor under Pilot with an engine that has no thread: the test posts what the engine would say."""

import asyncio

import numpy as np
import pytest
from textual.widgets import Button, Input
from tui_fakes import HAIR, SKIN, invented

from npe_core.editor import FaceChoice
from npe_core.faces import Face, FaceCrop
from npe_core.photo import Photo
from npe_tui import messages
from npe_tui.app import NpeApp
from npe_tui.document import FaceWish
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.run import RunPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.faces import FaceScreen
from npe_tui.screens.help import HelpScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen
from npe_tui.screens.study import StudyScreen
from npe_tui.screens.variants import VariantsScreen
from npe_tui.widgets import Chips


class Ids:
    """Regions as the engine gives them, without probabilities."""

    def __init__(self, ids):
        self.ids, self.probabilities = ids, None
        self.choice = FaceChoice((FaceCrop.centred(ids.shape[1], ids.shape[0]),))


async def until(pilot, met, seconds=20.0):
    """Waits for threads of the app; fails when what is waited for does not come."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause()
        if met():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("waited in vain")


class Session:
    """An app with the portrait open and its regions known."""

    def __init__(self, app, pilot, engine, ids):
        self.app, self.pilot, self.engine, self.ids = app, pilot, engine, ids

    @property
    def screen(self):
        return self.app.editing

    @property
    def document(self):
        return self.screen.document

    async def open(self):
        await until(self.pilot, lambda: ("segment", self.document) in self.engine.asked)
        await self.say(messages.Segmented(self.number("segment"), Ids(self.ids)))
        await until(self.pilot, lambda: self.document.regions is not None)
        return self

    def number(self, what):
        return max(n for n, asked in enumerate(self.engine.asked, start=1) if asked[0] == what)

    async def say(self, message):
        self.engine.sink(message)
        await self.pilot.pause()
        await self.pilot.pause()

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def fill(self, key="7"):
        before = self.document.canvas.revision
        await self.press(key)
        await until(self.pilot, lambda: self.document.canvas.revision > before and self.document.canvas.dirty is None)

    async def enhance(self, seed=5):
        number = await self.make("g", "edit")
        await self.say(messages.Edited(number, [invented(self.document, seed)]))

    async def make(self, key, what):
        """Has the engine asked for pictures; returns the number of the job."""
        before = len(self.engine.asked)
        await self.press(key)
        await until(self.pilot, lambda: any(asked[0] == what for asked in self.engine.asked[before:]))
        return self.number(what)


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """The faces that are found in the portrait; looking for them in flat colours takes a second."""
    found = [face(24, 28, 56, 80)]
    monkeypatch.setattr("npe_core.faces.find_faces", lambda image: found)
    return found


def face(x0, y0, x1, y1) -> Face:
    across, down = x1 - x0, y1 - y0
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return Face((x0, y0, x1, y1), shares * (across, down) + (x0, y0), 0.9)


@pytest.fixture
def start(config, photo_file, engine, ids):
    """start(size) gives an app and its pilot, to be used with ``async with``."""

    class Started:
        def __init__(self, size, photo=photo_file, settings=config):
            self.app = NpeApp(settings, photo, engine)
            self.context = self.app.run_test(size=size)

        async def __aenter__(self):
            self.pilot = await self.context.__aenter__()
            return Session(self.app, self.pilot, engine, ids)

        async def __aexit__(self, *error):
            await self.context.__aexit__(*error)

    return Started


def run(scenario):
    asyncio.run(scenario())


def test_pick_recolour_undo(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            assert session.document.wish == FaceWish(1)
            await session.fill("7")
            hair = session.ids == HAIR
            assert (session.document.canvas.mask[hair] == 1).all() and session.document.canvas.mask.sum() == hair.sum()
            assert [fill.colour for fill in session.document.canvas.targets] == ["#8b2500"]

            revision = session.document.canvas.revision
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: session.document.canvas.revision >= revision + 2)
            await until(session.pilot, lambda: session.document.canvas.dirty is None)
            assert [fill.colour for fill in session.document.canvas.targets] == ["#2e6f9e"]
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)
            assert not session.document.canvas.can_undo, "a fill and its colours are one step"

    run(scenario)


@pytest.mark.parametrize(
    ("boxes", "key", "wish"),
    [
        ([(4, 4, 30, 40), (40, 4, 70, 40)], "2", FaceWish(2)),
        ([(4, 4, 30, 40), (40, 4, 70, 40)], "a", FaceWish("all")),
        ([], "w", FaceWish(aligned=True)),
    ],
)
def test_several_faces_or_none_are_asked_about(start, found, boxes, key, wish):
    found[:] = [face(*box) for box in boxes]

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
            await session.press(key)
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            assert session.document.wish == wish

    run(scenario)


def test_a_box_is_drawn_where_no_face_was_found(start, found):
    found.clear()

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
            view = session.app.screen.query_one("#faces")
            one, other = (tuple(map(int, view.viewport.photo_to_cell(*point))) for point in ((20, 20), (60, 80)))
            await session.pilot.mouse_down("#faces", offset=one)
            await session.pilot.hover("#faces", offset=other)
            await session.pilot.mouse_up("#faces", offset=other)
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            assert np.allclose(session.document.wish.box, (20, 20, 60, 80), atol=5)

    run(scenario)


def test_a_click_picks_what_is_under_it(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            view = session.screen.easel.view
            column, row = (int(c) for c in view.viewport.photo_to_cell(40, 63))
            await session.pilot.click("#photo", offset=(column, row))
            await until(session.pilot, lambda: session.document.marked)
            assert [fill.region for fill in session.document.canvas.targets] == ["lips"]
            assert session.screen.query_one("#groups", Chips).chosen == "lips"

    run(scenario)


def test_a_drag_paints_and_the_keyboard_paints_the_same(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.press("b")
            view = session.screen.easel.view
            a, b = (tuple(map(int, view.viewport.photo_to_cell(*point))) for point in ((20, 20), (60, 20)))
            await session.pilot.mouse_down("#photo", offset=a)
            await session.pilot.hover("#photo", offset=b)
            await session.pilot.mouse_up("#photo", offset=b)
            await session.pilot.pause()
            marked = np.flatnonzero(session.document.canvas.mask[20] == 1)
            assert marked[0] <= 21 and marked[-1] >= 58 and len(marked) >= 38
            assert session.document.canvas.can_undo
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

            await session.press("right", "enter", *(["shift+right"] * 4), "enter")
            row = int(view.cursor[1])
            assert (session.document.canvas.mask[row] == 1).sum() >= 20
            await session.press("right")
            before = session.document.canvas.revision
            await session.press("right")
            assert session.document.canvas.revision == before, "the pen is up"

    run(scenario)


def test_pieces_brush_and_mask_tools_by_key(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            hand = session.screen.hand
            await session.press("w", "b", "right_square_bracket", "left_curly_bracket")
            assert hand.pieces and hand.tool == "brush" and hand.radius > 2 and hand.hardness == pytest.approx(0.7)
            await session.press("p")
            await session.fill("7")
            before = session.document.canvas.mask.sum()
            await session.press("less_than_sign")
            await until(session.pilot, lambda: session.document.canvas.mask.sum() < before)
            await session.press("tilde")
            await until(session.pilot, lambda: session.document.canvas.mask[0, 0] == 1)
            await session.press("delete")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_the_dropper_takes_the_colour_that_is_shown(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            session.screen.painting.take_colour(session.document, 40, 75)
            assert session.ids[75, 40] == SKIN
            r, g, b = session.document.photo.image[75, 40]
            assert session.screen.hand.colour == f"#{r:02x}{g:02x}{b:02x}"
            assert session.screen.query_one("#hex", Input).value == session.screen.hand.colour

    run(scenario)


def test_enhance_shows_guesses_then_the_result_and_freezes_the_canvas_meanwhile(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.press("g")
            assert "Nothing is marked" in session.screen.status.message
            await session.fill("7")
            number, revision = await session.make("g", "edit"), session.document.canvas.revision
            patch = messages.Patch((16, 8, 24, 16), np.full((8, 8, 3), 255, np.uint8))
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 3, 10, 4.2, (patch,))))
            panel = session.screen.query_one(RunPanel)
            assert panel.doing == "Enhancing 3/10  4 s left"
            assert (session.screen.easel._guess[8:16, 16:24] == 255).all()
            await session.press("5", "u", "delete")
            assert session.document.canvas.revision == revision
            await session.say(messages.Edited(number + 40, [invented(session.document, 1)]))
            assert session.document.result is None, "another job's"
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert session.document.result is not None and not panel.doing
            assert (session.document.shown[session.ids == HAIR] == 5).all()
            await session.fill("5")
            assert [fill.region for fill in session.document.canvas.targets] == ["hair", "lips"]

    run(scenario)


def test_cancel_and_failure_leave_the_paint(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("g", "edit")
            await session.press("escape")
            assert session.engine.cancelled == 1
            await session.say(messages.Stopped(number))
            assert "Cancelled" in session.screen.status.message and session.document.marked
            await session.say(messages.Failed(await session.make("g", "edit"), "cuda:0 ran out of memory"))
            assert session.screen.status.message == "cuda:0 ran out of memory"
            assert not session.screen.running.making and not session.screen.painting.frozen

    run(scenario)


def test_without_models_one_paints_and_reads_why(start, engine):
    engine.state = messages.EngineState("loading")

    async def scenario():
        async with start((120, 40)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            reason = "There are no weights: /x does not exist. Reinstall the package."
            session.engine.state = messages.EngineState("failed", detail=reason)
            await session.say(messages.StateChanged(session.engine.state))
            panel = session.screen.query_one(RunPanel)
            assert panel.query_one("#run-reason").display and not panel.query_one("#run-buttons").display
            assert panel.reason == reason
            await session.press("b", "right", "space")
            assert session.document.marked
            await session.press("g")
            assert session.screen.status.message != "" and not session.screen.running.making
            session.engine.state = messages.EngineState("ready", "cpu", "abc", "")
            await session.say(messages.StateChanged(session.engine.state))
            assert panel.query_one("#run-buttons").display

    run(scenario)


def test_variants_are_chosen_by_number(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("v", "variants")
            results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
            await session.say(messages.Edited(number, results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("3")
            await until(session.pilot, lambda: session.document.result is not None)
            assert session.document.result is results[2]
            assert session.screen.query_one(StrengthPanel).strength.seed == 32

    run(scenario)


def test_a_timestep_is_taken_from_the_study(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("t", "study")
            sheet = np.zeros((3 * 260 - 4, 5 * 260 - 4, 3), np.uint8)
            sheet[260:516, 4 * 260 :] = 200
            await session.say(messages.Studied(number, sheet, (200, 300, 400)))
            await until(session.pilot, lambda: isinstance(session.app.screen, StudyScreen))
            assert session.app.screen._tile(4).shape == (256, 256, 3)
            await session.press("right")
            assert session.app.screen._timesteps[session.app.screen._row] == 300
            assert (session.app.screen._tile(4) == 200).all()
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.screen.query_one(StrengthPanel).strength.timestep == 300

    run(scenario)


def test_saving_asks_before_overwriting(start, tmp_path):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.press("ctrl+s")
            assert "nothing to save yet" in session.screen.status.message
            await session.fill("7")
            await session.enhance()
            taken = tmp_path / "taken.png"
            taken.write_bytes(b"precious")
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            field = session.app.screen.query_one(Input)
            assert field.value == str(tmp_path / "me-edited.png")
            field.value = str(tmp_path / "me.png")
            await session.press("enter")
            assert "never written to" in str(session.app.screen.query_one("#problem").content)
            field.value = str(taken)
            await session.press("enter")
            assert isinstance(session.app.screen, SaveScreen) and taken.read_bytes() == b"precious"
            await session.press("enter")
            await until(session.pilot, lambda: not session.document.unsaved)
            assert Photo.open(taken).parameters["seed"] == 5

    run(scenario)


def test_leaving_asks_when_something_would_be_lost(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            await session.press("q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            assert [button.id for button in session.app.screen.query(Button)] == ["stay", "drop"]
            await session.press("enter")
            assert session.app.screen is session.screen
            await session.press("q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            await session.press("right", "enter")
            await until(session.pilot, lambda: not session.app.is_running or session.app._exit)

    run(scenario)


def test_seeing_before_after_divider_beside_map_outline_help_theme(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            easel = session.screen.easel
            await session.press("c")
            assert easel.before
            await session.press("c", "d")
            assert not easel.before and easel.comparison == "divider" and easel.view.split == 0.5
            await session.press("right_parenthesis")
            assert easel.view.split == pytest.approx(0.6)
            await session.press("d")
            assert easel.query_one("#before").display
            await session.press("plus")
            assert easel.query_one("#before").viewport.scale == easel.view.viewport.scale
            await session.press("d", "m", "n")
            assert easel.comparison == "off" and easel.map and not easel.outline
            theme = session.app.theme
            await session.press("T")
            assert session.app.theme != theme
            await session.press("f1")
            assert isinstance(session.app.screen, HelpScreen)

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
def test_sharpness_is_set_by_keys_and_by_its_slider(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.strength.sharpness == 1
            await session.press("semicolon", "semicolon", "semicolon", "colon")
            assert panel.strength.sharpness == 0.8 and "80%" in session.screen.status.message
            await session.press("f6")
            slider = panel.query_one("#sharpness")
            assert slider.value == 80 and slider.region.height == 1 and slider.region.bottom <= size[1]
            slider.focus()
            await session.press("left")
            assert panel.strength.sharpness == 0.75
            await session.press("3", "0", "enter")
            assert panel.strength.sharpness == 0.3
            await session.press("home")
            assert panel.strength.sharpness == 0
            await session.press("escape")
            await session.fill("7")
            await session.make("g", "edit")
            assert session.engine.asked[-1][2].sharpness == 0

    run(scenario)


def test_a_preset_brings_its_sharpness(start, config):
    from dataclasses import replace

    settings = replace(config, sharpness=0.5, presets={"soft": {"timestep": 220, "sharpness": 0}})

    async def scenario():
        async with start((120, 40), settings=settings) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.strength.sharpness == 0.5
            presets = panel.query_one("#presets")
            presets.focus()
            await session.press("right", "right", "enter")
            assert presets.chosen == "soft"
            assert (panel.strength.timestep, panel.strength.sharpness) == (220, 0)
            assert panel.query_one("#sharpness").value == 0
            await session.press("escape", "colon")
            assert presets.chosen is None  # it is not that any more

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
def test_every_size_has_a_picture_and_every_panel_by_key(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            view = session.screen.easel.view
            assert view.size.width >= 40 and view.size.height >= 10
            for key, panel in (("f2", "regions"), ("f3", "colour"), ("f4", "brush"), ("f6", "strength")):
                await session.press(key)
                shown = session.screen.query_one(f"#{panel}")
                assert shown.display and shown.region.height > 0, panel
                assert session.app.focused is not None and shown in session.app.focused.ancestors
                assert shown.region.bottom <= size[1], f"{panel} does not fit"
                await session.press("escape")
            assert session.app.focused is view

    run(scenario)


def test_a_resize_while_painting_loses_nothing(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.press("b")
            await session.pilot.mouse_down("#photo", offset=(20, 20))
            await session.pilot.resize_terminal(60, 20)
            await session.pilot.pause()
            before = session.document.canvas.mask.sum()
            await session.pilot.hover("#photo", offset=(25, 8))
            await session.pilot.mouse_up("#photo", offset=(25, 8))
            await session.pilot.pause()
            assert session.document.canvas.mask.sum() > before and not session.screen.hand.drawing
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_the_browser_opens_a_photo_and_says_what_is_no_photo(start, photo_file, config, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        from dataclasses import replace

        async with start((80, 24), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            gallery = session.app.screen.query_one("#gallery")
            await until(session.pilot, lambda: gallery.entry is not None)
            assert gallery.entry.path.name == "broken.png"
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is None)
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await until(session.pilot, lambda: "broken.png" in session.app.screen.query_one("StatusLine").message)
            field = session.app.screen.query_one(Input)
            await session.press("slash")
            assert field.has_focus
            field.value = str(photo_file)
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)
            assert session.app.recent.photos == [photo_file]

    run(scenario)


def test_keys_of_the_settings_replace_the_built_in_ones(start, config):
    async def scenario():
        from dataclasses import replace

        async with start((120, 40), settings=replace(config, keys={"brush": "ctrl+b"})) as session:
            await session.open()
            await session.press("b")
            assert session.screen.hand.tool == "pick"
            await session.press("ctrl+b")
            assert session.screen.hand.tool == "brush"

    run(scenario)


def test_the_palette_has_every_command(start):
    from npe_tui.keys import APP_COMMANDS, COMMANDS

    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            offered = {command.help for command in session.app.get_system_commands(session.screen)}
            assert {c.help for c in (*COMMANDS, *APP_COMMANDS) if c.name != "palette"} <= offered

    run(scenario)


def test_left_behind_paint_is_offered_and_recovered(start, photo_file, config):
    from dataclasses import replace

    saving = replace(config, autosave=5.0)

    async def lose():
        async with start((120, 40), settings=saving) as session:
            await session.open()
            await session.fill("7")
            session.screen.autosave.flush()

    async def find():
        async with start((120, 40), settings=saving) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            await session.press("enter")
            await until(session.pilot, lambda: session.document.marked)
            assert [fill.region for fill in session.document.canvas.targets] == ["hair"]
            assert session.document.unsaved
            await session.open()
            assert (session.document.canvas.mask > 0).sum() == (session.ids == HAIR).sum()

    run(lose)
    run(find)
