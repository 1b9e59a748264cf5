"""Keys that come in one piece, as from a fast hand or over a slow line, go where each would have gone alone."""

import asyncio
import time

from textual import events
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from tui_session import run, until

from npe_tui.in_order import InOrder
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen


def burst(app, *keys):
    """Keys in one piece."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def test_after_enter_in_a_text_field_the_keys_are_the_pictures(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            colour, seed = session.screen.query_one("#hex"), session.screen.query_one("#seed")
            burst(session.app, "f3", *"tan", "enter", "g")
            await until(session.pilot, lambda: session.engine.asked[-1][0] == "edit")
            assert [fill.colour for fill in session.document.canvas.targets] == ["#a2714d"]
            assert colour.value == "#a2714d"
            session.screen.set_focus(seed)
            burst(session.app, "4", "enter", "b")
            await until(session.pilot, lambda: session.editing.hand.tool == "brush")
            assert seed.value == "4"
            burst(session.app, "f3", "x", "enter", "k")
            await until(session.pilot, lambda: colour.value == "xk")
            assert session.editing.hand.tool == "brush", "what is no colour is mended first"

    run(scenario)


def test_after_enter_in_the_field_of_a_dialog_the_keys_are_the_pictures(start, tmp_path):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            burst(session.app, "end", *["left"] * 4, "x", "enter", "b")
            await until(session.pilot, lambda: session.editing.hand.tool == "brush")
            await until(session.pilot, (tmp_path / "me-editedx.png").exists)

    run(scenario)


class Slow(Widget, can_focus=True):
    """Gives the focus away at a key, by way of all around it, each of whom takes its time."""

    class Pressed(Message):
        pass

    def on_key(self):
        self.post_message(self.Pressed())


class Around(Container):
    def on_slow_pressed(self):
        time.sleep(0.2)


class Gives(InOrder):
    """Its first key gives the focus to a field."""

    def on_slow_pressed(self):
        self.screen.set_focus(self.query_one(Input))


def the_second_key_is_the_fields(app):
    async def scenario():
        async with app.run_test() as pilot:
            app.screen.set_focus(app.query_one(Slow))
            burst(app, "a", "b")
            await until(pilot, lambda: app.query_one(Input).value == "b")

    run(scenario)


def test_a_key_waits_for_what_the_one_before_has_done_however_slow_the_app_is():
    class Deep(Gives):
        def compose(self):
            with Around(), Around(), Around(), Around(), Around(), Around():
                yield Slow()
            yield Input()

    the_second_key_is_the_fields(Deep())


def test_a_key_waits_for_what_the_one_before_waits_for():
    """Longer than half a second: a machine that does other things takes that for what is else done at once."""

    class Waits(Container):
        async def on_slow_pressed(self):
            await asyncio.sleep(0.7)

    class Late(Gives):
        def compose(self):
            with Waits():
                yield Slow()
            yield Input()

    the_second_key_is_the_fields(Late())


def test_a_dialog_that_a_worker_opens_has_the_keys_behind_the_one_that_started_it():
    class Asks(Screen):
        def compose(self):
            yield Input()

        def on_mount(self):
            self.set_focus(self.query_one(Input))

    class Opens(InOrder):
        BINDINGS = [("x", "ask")]  # noqa: RUF012 as App declares it

        def action_ask(self):
            self.run_worker(self.ask())

        async def ask(self):
            await self.push_screen_wait(Asks())

    async def scenario():
        app = Opens()
        async with app.run_test() as pilot:
            burst(app, "x", "a", "b")
            await until(pilot, lambda: [field.value for field in app.screen.query(Input)] == ["ab"])

    run(scenario)


def test_what_is_typed_behind_the_key_of_a_field_is_typed_into_it(start, tmp_path):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            field = session.app.screen.query_one(Input)
            await until(session.pilot, lambda: field.value == f"{tmp_path}/")
            session.app.post_message(events.Key("slash", "/"))
            burst(session.app, *"frau")
            await until(session.pilot, lambda: field.value == f"{tmp_path}/frau")
            await session.press("escape", "escape")
            await session.fill("7")
            burst(session.app, "P", *"abc")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await until(session.pilot, lambda: [f.value for f in session.app.screen.query(Input)] == ["abc"])

    run(scenario)


def test_what_was_typed_before_the_terminal_was_anothers_is_not_done_after_it():
    """The second F7 of two is no other still picture."""

    class Aside(InOrder):
        BINDINGS = [("x", "aside"), ("a", "tell('before')"), ("b", "tell('after')")]  # noqa: RUF012 as App declares it
        told = ()

        def action_aside(self):
            self.app_resume_signal.publish(self)
            burst(self, "b")

        def action_tell(self, what):
            self.told += (what,)

    async def scenario():
        app = Aside()
        async with app.run_test() as pilot:
            burst(app, "x", "a")
            await until(pilot, lambda: app.told)
            assert app.told == ("after",)

    run(scenario)
