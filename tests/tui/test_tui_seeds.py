"""Whose seed the next pictures have: of what there is, drawn, typed; and what the panel shows of it."""

from dataclasses import replace

import pytest
from textual.widgets import Input
from tui_fakes import invented
from tui_session import run, until

from npe_tui.document.edit_settings import EditSettings, in_turn
from npe_tui.engine import messages
from npe_tui.panels.strength import StrengthPanel
from npe_tui.screens.variants import VariantsScreen


def shown(session):
    """What the field of the seed says: the value, or else what stands in its place."""
    field = session.screen.query_one("#seed", Input)
    return field.value or field.placeholder


def test_what_is_enhanced_already_keeps_its_seed_when_more_is_painted_until_all_is_cleared(start):
    """Undo brings it back."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            assert session.engine.asked[-1][2].seed is None
            await session.fill("5")
            await session.enhance(seed=9)
            assert session.engine.asked[-1][2].seed == 9
            await session.enhance(seed=10)
            assert session.engine.asked[-1][2].seed is None, "another try"
            await session.press("full_stop")
            await session.enhance(seed=10)
            assert session.engine.asked[-1][2].seed == 10, "the same, stronger"
            number = await session.make("t", "study")
            assert session.engine.asked[-1][2].seed == 10, "the study is of the picture that is there"
            await session.say(messages.Stopped(number))
            await session.press("comma")
            number = await session.make("v", "variants")
            assert session.engine.asked[-1][2].seed is None
            await session.say(messages.Stopped(number))

            async def seed_after(*keys):
                """The seed of a picture that is begun and stopped after these keys."""
                for key in keys:
                    before = session.document.canvas.revision
                    await session.press(key)
                    await until(session.pilot, lambda before=before: session.document.canvas.revision > before)
                    await until(session.pilot, lambda: not session.editing.painting._turn.locked())
                number = await session.make("g", "edit")
                await session.say(messages.Stopped(number))
                return session.engine.asked[-1][2].seed

            assert await seed_after("1") == 10
            assert await seed_after("delete", "1") is None and shown(session) == "new each time"
            assert await seed_after("u", "u") == 10 and shown(session) == "last 10", "Clear is undone"
            assert await seed_after("r", "r") is None, "and done again"
            await session.press("s", "delete")
            await until(session.pilot, lambda: not session.document.marked)
            assert await seed_after("7") is None, "one that was drawn is gone with the paint"

    run(scenario)


@pytest.mark.parametrize(
    ("own", "repainted", "several", "seed"),
    [(None, False, False, None), (None, True, False, 9), (None, True, True, 9), (None, False, True, None),
     (9, False, False, 9), (9, False, True, None), (9, True, True, 9), (4, False, True, 4), (4, True, False, 4)],
)  # fmt: skip
def test_whose_seed_the_next_pictures_have(own, repainted, several, seed):
    before = EditSettings(250, 4, "lcm", seed=own)
    made = {"seed": 9, "timestep": 250, "steps": 4, "sampler": "lcm", "sharpness": 1.0}
    assert in_turn(before, made, repainted, several) == replace(before, seed=seed)
    assert in_turn(before, {}, True, several) == before


@pytest.mark.parametrize("changed", [{"timestep": 300}, {"steps": 6}, {"sampler": "ddim"}, {"sharpness": 0.5}])
def test_another_strength_shows_what_strength_alone_does(changed):
    made = {"seed": 9, "timestep": 250, "steps": 4, "sampler": "lcm", "sharpness": 1.0}
    after = replace(EditSettings(250, 4, "lcm"), **changed)
    assert in_turn(after, made, False, False).seed == 9
    assert in_turn(replace(after, seed=3), made, False, True).seed == 3
    few = EditSettings(3, 8, "lcm")
    assert in_turn(few, made | {"timestep": 3, "steps": 3}, False, False).seed is None, "three are all it has room for"


def test_a_seed_that_was_drawn_is_for_one_picture(start):
    """Drawn while pictures are made, for the next one."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert shown(session) == "new each time"
            await session.fill("7")
            await session.press("s")
            drawn = panel.settings.seed
            assert shown(session) == f"next {drawn}" and str(drawn) in session.screen.status.message
            await session.say(messages.Stopped(await session.make("g", "edit")))
            await session.enhance(seed=drawn)
            assert session.engine.asked[-1][2].seed == drawn, "cancelled, it was not used"
            assert shown(session) == f"last {drawn}"
            await session.enhance(seed=8)
            assert session.engine.asked[-1][2].seed is None and shown(session) == "last 8", "another try"
            await session.press("s")
            number = await session.make("v", "variants")
            assert session.engine.asked[-1][2].seed is not None
            await session.say(messages.Stopped(number))

            number = await session.make("g", "edit")
            await session.press("s")
            drawn = panel.settings.seed
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert panel.settings.seed == drawn is not None
            number = await session.make("v", "variants")
            assert session.engine.asked[-1][2].seed == drawn
            await session.press("s")
            again = panel.settings.seed
            await session.say(messages.Edited(number, [invented(session.document, drawn + k) for k in range(4)]))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("2")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert panel.settings.seed == again != drawn
            number = await session.make("g", "edit")
            await session.say(messages.Edited(number, [invented(session.document, again)]))
            assert panel.settings.seed is None

    run(scenario)


def test_a_seed_that_was_typed_holds_until_its_field_is_emptied_or_another_is_taken(start):
    """The field shows the one in force, and the status line says what another Enhance would do."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            field, status = panel.query_one("#seed"), session.screen.status
            await session.fill("7")
            await session.enhance()
            assert "g tries again" in status.message
            await session.press("s")
            await session.enhance()
            assert "g tries again" in status.message

            field.focus()
            await session.press("minus", "5", "_", "1", "plus", "0")
            assert (field.value, panel.settings.seed) == ("510", 510)
            await session.press("ctrl+u", "4", "2", "enter")
            for _ in range(2):
                await session.enhance(seed=42)
                assert session.engine.asked[-1][2].seed == 42 and shown(session) == "42"
                assert "s draws another seed" in status.message
            await session.press("delete", "comma")
            assert shown(session) == "42"
            await session.fill("5")
            field.focus()
            await session.press("end", "backspace", "backspace")
            assert shown(session) == "new each time", "all was taken away"
            await session.press("escape")
            await session.say(messages.Stopped(await session.make("g", "edit")))
            assert session.engine.asked[-1][2].seed is None

            field.focus()
            await session.press("4", "2", "enter", "s")
            assert not panel.pinned and shown(session) == f"next {panel.settings.seed}" != "next 42"
            field.focus()
            await session.press("4", "2", "enter")
            for chosen, left in (("1", "42"), ("2", "last 43")):
                results = [invented(session.document, seed) for seed in (42, 43)]
                await session.say(messages.Edited(await session.make("v", "variants"), results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                await session.press(chosen)
                await until(session.pilot, lambda left=left: shown(session) == left)
            for typed in ("5", "56"):  # while they are made, for the next
                number = await session.make("v", "variants")
                field.focus()
                await session.press("end", typed[-1], "enter")
                await session.say(messages.Edited(number, results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                await session.press("2")
                await until(session.pilot, lambda: not session.editing.painting.frozen)
                assert panel.pinned and shown(session) == typed

    run(scenario)
