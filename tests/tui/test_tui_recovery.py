"""Paint that a session left behind: offered, recovered, and what was made from it is made again."""

import json
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
from PIL import Image
from textual.app import App
from textual.widgets import Button, Static
from tui_fakes import HAIR, invented
from tui_session import Session, face, run, until

from npe_core.canvas import Canvas
from npe_core.cli.tui import tui
from npe_core.errors import NpeError, UsageError
from npe_tui.app import NpeApp
from npe_tui.app import run as start_editor
from npe_tui.document.document import FaceWish
from npe_tui.document.edit_settings import EditSettings
from npe_tui.engine import messages
from npe_tui.files import places
from npe_tui.files.autosave import Autosave, left_behind
from npe_tui.panels.strength import StrengthPanel
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.faces import FaceScreen
from npe_tui.screens.save import SaveScreen


async def lose(start, saving):
    """A session that ends with hair filled and autosaved, and nothing saved."""
    async with start((40, 12), settings=saving) as session:
        await session.open()
        await session.fill("7")
        session.editing.autosave.flush()


def raising(error):
    """A function that only raises."""

    def raise_it(*given):
        raise error

    return raise_it


async def recovered(session):
    """Answers the question with *Recover it*, which Enter takes."""
    await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
    await session.press("enter")
    await until(session.pilot, lambda: session.document.marked)


@pytest.mark.parametrize(
    ("key", "meant"),
    [("a", FaceWish("all")), ("2", FaceWish(2)), ("w", FaceWish(aligned=True))],
    ids=["all", "second", "whole"],
)
def test_the_same_face_is_meant_again(start, config, found, key, meant):
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40)]
    saving = replace(config, autosave=5.0)

    async def lose_it():
        async with start((40, 12), settings=saving) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
            await until(session.pilot, lambda: session.app.screen.is_mounted)
            await session.press(key)
            await session.open()
            await session.fill("7")
            session.editing.autosave.flush()

    async def find():
        async with start((40, 12), settings=saving) as session:
            await recovered(session)
            await session.open()
            assert session.document.wish == meant
            await session.press("x")
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))

    run(lose_it)
    run(find)


@pytest.mark.parametrize("wish", [FaceWish(), FaceWish(3), FaceWish("all"), FaceWish(box=(1.5, 2, 30, 40))])
def test_a_wish_is_the_same_after_json(wish):
    assert FaceWish.of_kept(json.loads(json.dumps(asdict(wish)))) == wish


@pytest.mark.parametrize("kept", [None, 7, {"faces": 3}, {"box": [1, 2, 3]}, {"box": "wide"}, {"box": [1, 2, 3, None]}])
def test_what_is_no_wish_is_the_usual_one(kept):
    assert FaceWish.of_kept(kept) == FaceWish()


def test_a_face_that_is_not_there_any_more_is_asked_for(start, config, found):
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40), face(4, 44, 30, 80)]
    saving = replace(config, autosave=5.0)

    async def lose_third():
        async with start((40, 12), settings=saving) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
            await until(session.pilot, lambda: session.app.screen.is_mounted)
            await session.press("3")
            await session.open()
            await session.fill("7")
            session.editing.autosave.flush()

    async def find():
        async with start((40, 12), settings=saving) as session:
            await recovered(session)
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))

    run(lose_third)
    del found[2:]
    run(find)


@pytest.mark.parametrize("known", [True, False])
def test_the_picture_that_was_lost_is_made_again(start, config, known):
    saving, then = replace(config, autosave=5.0), EditSettings(310, 7, "ddim", 0.5, 4711)

    async def lose():
        async with start((40, 12), settings=saving) as session:
            await session.open()
            await session.fill("7")
            result = invented(session.document, then.seed)
            if known:
                result.parameters.update(asdict(then))
            session.editing.autosave.flush()
            await session.say(messages.Edited(await session.make("g", "edit"), [result]))
            session.editing.autosave.flush()

    async def find():
        async with start((40, 12), settings=saving) as session:
            await recovered(session)
            await session.open()
            if known:
                assert any("seed 4711" in told.message for told in session.app._notifications)
            await session.make("g", "edit")
            assert (session.engine.asked[-1][2] == then) == known
            await session.say(messages.Stopped(session.number("edit")))
            if known:
                await session.enhance(seed=then.seed)
                await session.press("u")
                await until(session.pilot, lambda: session.document.result is None)
                session.editing.autosave.touch()
                session.editing.autosave.flush()

    run(lose)
    run(find)
    if known:
        run(find)  # the paint that was recovered is lost once more


@pytest.mark.parametrize("short", [False, True], ids=["kept", "short-of-memory"])
def test_a_picture_that_was_made_from_other_paint_comes_back_with_the_paint(
    start, config, tmp_path, monkeypatch, short
):
    """Where it was not kept, as by an earlier version, nobody is told that it can be made again."""
    saving, then = replace(config, autosave=5.0), EditSettings(310, 7, "ddim", 0.5, 4711)
    made = {}

    async def lose_both():
        async with start((40, 12), settings=saving) as session:
            await session.open()
            await session.fill("7")
            result = invented(session.document, then.seed)
            result.parameters.update(asdict(then))
            await session.say(messages.Edited(await session.make("g", "edit"), [result]))
            await session.fill("5")
            assert session.editing.autosave.flush()
            document = session.document
            made.update(image=result.image, shown=document.shown.copy(), levels=document.canvas.levels.copy())
            made.update(parameters=result.parameters)

    def told(session):
        return " ".join(str(static.content) for static in session.app.screen.query(Static))

    async def find():
        async with start((40, 12), settings=saving) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            question = told(session)
            assert ("Its paint, mask and enhanced picture are still here" in question) == (not short)
            assert ("made from other paint and is lost" in question) == short and "can be made again" not in question
            await recovered(session)
            await session.open()
            document, said = session.document, " ".join(told.message for told in session.app._notifications)
            assert ("So was the enhanced picture, which ^s saves" in said) == (not short)
            assert (document.canvas.levels == made["levels"]).all() and not document.can_be_made_again
            assert session.screen.query_one(StrengthPanel).settings == replace(then, seed=None)
            assert (document.result is not None) == document.unsaved_result == (not short)
            if not short:
                assert (document.shown == made["shown"]).all() and (document.result.image == made["image"]).all()
                assert document.result.parameters == made["parameters"]
                document.result.save(tmp_path / "again.png", force=True)
                assert (np.asarray(Image.open(tmp_path / "again.png")) == made["image"]).all()

    if short:
        monkeypatch.setattr("npe_tui.document.packing.pack", raising(MemoryError))
    run(lose_both)
    run(find)
    run(find)  # it is lost once more


def test_a_picture_that_was_saved_is_not_told_as_lost(start, config, tmp_path):
    saving = replace(config, autosave=5.0)

    async def save_and_lose():
        async with start((40, 12), settings=saving) as session:
            await session.open()
            await session.fill("7")
            result = invented(session.document, 4711)
            result.parameters.update(asdict(EditSettings(310, 7, "ddim", 0.5, 4711)))
            await session.say(messages.Edited(await session.make("g", "edit"), [result]))
            session.document.save(tmp_path / "mine.png")
            await session.fill("5")
            session.editing.autosave.flush()

    async def find():
        async with start((40, 12), settings=saving) as session:
            await recovered(session)
            await session.open()
            told = " ".join(told.message for told in session.app._notifications)
            assert "is in mine.png" in told and "lost" not in told

    run(save_and_lose)
    run(find)
    run(find)  # also when it is lost once more


def test_what_was_left_behind_is_offered_until_it_is_saved(start, config):
    """It can wait, by a button and by Escape; once recovered it stays on the disk where nothing is saved anew."""
    saving = replace(config, autosave=5.0)

    async def put_off(*keys):
        async with start((40, 12), settings=saving) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            buttons = list(session.app.screen.query(Button))
            assert [button.id for button in buttons] == ["recover", "later", "drop"]
            assert all(button.region.right <= 40 and button.region.bottom <= 12 for button in buttons)
            await session.press(*keys)
            await session.open()
            assert not session.document.marked

    async def find_without_autosave():
        async with start((40, 12), settings=replace(config, autosave=0.0)) as session:
            await recovered(session)

    async def find():
        async with start((40, 12), settings=saving) as session:
            await recovered(session)
            assert [fill.region for fill in session.document.canvas.targets] == ["hair"]
            assert session.document.unsaved
            await session.open()
            assert (session.document.canvas.mask > 0).sum() == (session.ids == HAIR).sum()
            autosave = session.editing.autosave
            await until(session.pilot, lambda: list(autosave.file.parent.glob("*.paint")) == [autosave.file])

    async def find_and_save_without_autosave():
        async with start((40, 12), settings=replace(config, autosave=0.0)) as session:
            await recovered(session)
            await session.open()
            await session.enhance()
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: not session.document.unsaved)
            await until(session.pilot, lambda: session.screen.status.message.startswith("Saved"))

    async def find_nothing():
        async with start((40, 12)) as session:
            await session.open()
            assert not session.document.marked

    run(partial(lose, start, saving))
    run(partial(put_off, "right", "enter"))
    run(partial(put_off, "escape"))
    run(find_without_autosave)
    run(find)
    run(find_and_save_without_autosave)
    run(find_nothing)


def test_what_does_not_fit_any_more_and_what_another_editor_took_over_keep_no_older_paint_away(
    start, photo_file, monkeypatch
):
    """The newest goes while it is asked about; the photo was another one when the next was painted; one has no end."""

    def leave(snapshot):
        left = Autosave(places.state_folder() / "autosave", photo_file, 60.0, lambda: snapshot)
        left.touch()
        left.close()
        return left.file

    def painted(image, colour):
        canvas = Canvas(image)
        canvas.stroke([(9, 9)], colour, 3)
        return canvas.save_state()

    told, image = [], np.asarray(Image.open(photo_file))
    monkeypatch.setattr(NpeApp, "notify", lambda self, message, **options: told.append(message))
    oldest, damaged = leave(painted(image, "#112233")), leave(painted(image, "#445566")[:-40])
    misfit, newest = leave(painted(255 - image, "#778899")), leave(painted(image, "#aabbcc"))

    async def scenario():
        async with start((60, 18)) as session:
            asked = None

            async def answered(title, answers, *keys):
                nonlocal asked
                await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
                await until(session.pilot, lambda: session.app.screen is not asked and session.app.screen.is_mounted)
                asked = session.app.screen
                assert [button.id for button in asked.query(Button)] == answers
                assert str(asked.query_one(".dialog-title").content) == title
                question = " ".join(str(static.content) for static in asked.query(Static))
                await session.press(*keys)
                return question

            fits = ("Unsaved work was found", ["recover", "later", "drop"])
            unfit = ("Unsaved work does not fit", ["later", "drop"])
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            newest.unlink()
            await answered(*fits, "enter")
            assert "me.png is another picture now" in await answered(*unfit, "enter")
            assert "is damaged" in await answered(*unfit, "right", "enter")
            await answered(*fits, "enter")
            await session.open()
            assert session.document.canvas.guide[9, 9].tolist() == [0x11, 0x22, 0x33]
            assert sum("Another editor has taken it over" in message for message in told) == 1
            assert misfit.exists() and oldest.exists() and not damaged.exists()

    run(scenario)


def test_work_that_memory_is_too_small_for_is_kept_and_the_photo_is_opened_without_it(start, config, monkeypatch):
    def no_memory(canvas):
        raise MemoryError

    async def scenario():
        async with start((40, 12), settings=replace(config, autosave=5.0), notes=True) as session:
            with monkeypatch.context() as patch:
                await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
                patch.setattr(Canvas, "guide", property(no_memory))
                await session.press("enter")
                await until(session.pilot, lambda: session.app._notifications)
            assert [note.title for note in session.app._notifications] == ["Not recovered"]
            await session.open()
            assert not session.document.marked and not session.document.unsaved

    run(partial(lose, start, replace(config, autosave=5.0)))
    run(scenario)
    assert len(left_behind(places.state_folder() / "autosave")) == 1


def test_a_device_on_the_command_line_goes_before_the_one_that_is_set(engine, monkeypatch):
    devices = []

    def chosen(config):
        devices.append(config.device)
        return engine

    monkeypatch.setattr("npe_tui.app._engine", chosen)
    monkeypatch.setattr(NpeApp, "run", lambda app: None)
    monkeypatch.setenv("NPE_TUI_DEVICE", "cuda:1")
    assert [start_editor(), start_editor(None, "cpu")] == [0, 0]
    assert devices == ["cuda:1", "cpu"]
    with pytest.raises(UsageError, match="gpu"):
        start_editor(None, "gpu")


def test_a_limit_on_the_command_line_goes_before_the_one_that_is_set(engine, monkeypatch, photo_file):
    limits = []

    async def look(pilot):
        await until(pilot, lambda: (pilot.app.editing and pilot.app.editing.document) or pilot.app.editing is None)
        limits.append((pilot.app.config.max_megapixels, pilot.app.editing is not None))
        pilot.app.exit()

    monkeypatch.setattr("npe_tui.app._engine", lambda config: engine)
    monkeypatch.setattr("npe_core.cli.tui.has_terminal", lambda: True)
    monkeypatch.setattr(NpeApp, "run", lambda app: App.run(app, headless=True, size=(40, 12), auto_pilot=look))
    monkeypatch.setenv("TERM", "xterm")
    photo = photo_file.with_name("photo.png")
    Image.new("RGB", (160, 100)).save(photo)  # 0.016 megapixels
    monkeypatch.setenv("NPE_TUI_MAX_MEGAPIXELS", "0.012")
    for arguments in ([str(photo)], [str(photo), "--max-megapixels", "0.02"]):
        tui.main(arguments, standalone_mode=False)
    assert limits == [(0.012, False), (0.02, True)]


@pytest.mark.usefixtures("found")
def test_a_fault_keeps_the_paint_and_is_told_in_a_line(config, photo_file, engine, ids, monkeypatch):
    """Without Textual's page of local variables, which may be a photo's pixels."""

    def fault(self):
        raise RuntimeError("boom")

    async def work(pilot):
        session = Session(pilot.app, pilot, engine, ids)
        await session.open()
        await session.fill()
        with monkeypatch.context() as patch:
            patch.setattr(NpeApp, "action_next_theme", fault)
            await pilot.press("T")

    monkeypatch.setattr("npe_tui.app._engine", lambda _: engine)
    monkeypatch.setattr("npe_tui.config.load", lambda: replace(config, autosave=60))
    monkeypatch.setattr(NpeApp, "run", lambda app: App.run(app, headless=True, size=(120, 40), auto_pilot=work))
    with pytest.raises(NpeError, match=r"RuntimeError: boom\. Paint and mask are kept.* --debug") as told:
        start_editor(photo_file)
    assert told.value.exit_code == 70 and len(str(told.value).splitlines()) == 1
    assert [saved.photo for saved in left_behind(places.state_folder() / "autosave")] == [photo_file]
