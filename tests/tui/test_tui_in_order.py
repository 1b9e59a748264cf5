"""Keys that come in one piece, as from a fast hand or over a slow line, go where each would have gone alone."""

import time

from textual import events
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from tui_session import run, until

from npe_tui.in_order import InOrder
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
            await until(session.pilot, lambda: session.screen.hand.tool == "brush")
            assert seed.value == "4"
            burst(session.app, "f3", "x", "enter", "k")
            await until(session.pilot, lambda: colour.value == "xk")
            assert session.screen.hand.tool == "brush", "what is no colour is mended first"

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
            await until(session.pilot, lambda: session.screen.hand.tool == "brush")
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


def test_a_key_waits_for_what_the_one_before_has_done_however_slow_the_app_is():
    class Gives(InOrder):
        def compose(self):
            with Around(), Around(), Around(), Around(), Around(), Around():
                yield Slow()
            yield Input()

        def on_slow_pressed(self):
            self.screen.set_focus(self.query_one(Input))

    async def scenario():
        app = Gives()
        async with app.run_test() as pilot:
            app.screen.set_focus(app.query_one(Slow))
            burst(app, "a", "b")
            await until(pilot, lambda: app.query_one(Input).value == "b")

    run(scenario)
