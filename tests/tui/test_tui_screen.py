"""What there is to see at every size, and the keys that lead there."""

from dataclasses import replace

import pytest
from textual.containers import VerticalScroll
from tui_colours import cells, contrast, fill, readable
from tui_session import run, until

from npe_core.regions import REGION_NAMES
from npe_tui.engine import messages
from npe_tui.hand.palette import PALETTE
from npe_tui.keys import APP_COMMANDS, COMMANDS
from npe_tui.panels.strength import StrengthPanel
from npe_tui.screens.help import HelpScreen, tables
from npe_tui.widgets.key_line import KeyLine


def test_seeing_before_after_divider_beside_map_outline_help_theme(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            easel = session.editing.easel
            await session.press("c")
            assert easel.before
            await session.press("c", "d")
            assert not easel.before and easel.comparison == "divider" and easel.view.split == 0.5
            await session.press("right_parenthesis")
            assert easel.view.split == pytest.approx(0.6)
            await session.press("c")
            assert easel.before
            await session.press("c")
            assert easel.view.split == pytest.approx(0.6), "it stays where it was put"
            await session.press("d")
            assert easel.query_one("#before").display
            await session.press("plus")
            assert easel.query_one("#before").viewport.scale == easel.view.viewport.scale
            await session.press("d", "m")
            assert session.screen.status.message == "Regions shown"
            await session.press("n")
            assert session.screen.status.message == "Edge of the mask hidden"
            assert easel.comparison == "off" and easel.map and not easel.outline
            said = []
            for _ in range(4):
                await session.press("T")
                said.append(session.screen.status.message)
                assert session.app.theme in said[-1]
            assert said == [
                "Theme npe-light",
                "Theme ansi-dark: the colours of a dark terminal",
                "Theme ansi-light: the colours of a light terminal",
                "Theme npe-dark",
            ]
            await session.press("f1", "pagedown")
            help = session.app.screen
            assert isinstance(help, HelpScreen)
            scrolled = help.query_one(VerticalScroll)
            await until(session.pilot, lambda: scrolled.scroll_y > 0)
            told = "".join(cell.text for cell in cells(help.query_one(".dialog-title")))
            assert "Esc closes, arrows and PgDn scroll" in told
            await session.press("escape")
            assert session.app.screen is session.screen

    run(scenario)


def test_every_size_has_a_picture_every_panel_by_key_and_all_regions(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            view = session.editing.easel.view
            for size in ((120, 40), (80, 24), (40, 24), (80, 12), (40, 12)):
                await session.pilot.resize_terminal(*size)
                assert view.size.width >= 40 and view.size.height >= 10
                edge = view.styles.border_left[0]
                marked = "wide" if size[0] > 64 and size[1] > 18 else ""
                assert view.has_focus and edge == marked, "what has the focus is seen"
                for key, panel in (("f2", "regions"), ("f3", "colour"), ("f4", "brush"), ("f6", "strength")):
                    await session.press(key)
                    shown = session.screen.query_one(f"#{panel}")
                    assert shown.display and shown.region.height > 0, panel
                    assert session.app.focused is not None and shown in session.app.focused.ancestors
                    assert shown.region.bottom <= size[1], f"{panel} does not fit"
                    if panel == "regions":
                        legend = session.screen.query_one("#legend")
                        visible = legend.region.intersection(legend.parent.region)
                        lines = [legend.render_line(y).text for y in range(visible.height)]
                        assert all(any(name in line for line in lines) for name in REGION_NAMES), lines
                    await session.press("escape")
                assert session.app.focused is view

    run(scenario)


@pytest.mark.parametrize("state", ["loading", "ready", "running"])
def test_every_control_of_the_panels_that_are_open_is_in_sight(start, engine, state):
    """What Tab goes to without being seen would take the keys."""

    async def scenario():
        async with start((60, 20)) as session:
            await session.open()
            if state == "loading":
                engine.state = messages.EngineState("loading")
                await session.say(messages.StateChanged(engine.state))
            elif state == "running":
                await session.fill("7")
                number = await session.make("g", "edit")
                await session.say(messages.Advanced(number, messages.Progress("Enhancing", 1, 4, 2.0)))
            side = session.screen.query_one("#panels")
            for size in ((60, 20), (64, 18), (70, 22), (80, 24), (120, 24), (80, 39), (120, 40), (80, 12)):
                await session.pilot.resize_terminal(*size)
                for key, panel in (("f2", "regions"), ("f3", "colour"), ("f4", "brush"), ("f6", "strength")):
                    await session.press(key)
                    shown = {panel.id: panel for panel in side.query(".panel") if panel.display}
                    assert panel in shown and len(shown) == (4 if size[1] >= 40 else 2 if size[1] >= 24 else 1), size
                    controls = [one for each in shown.values() for one in each.query("*") if one.focusable]
                    assert controls
                    hidden = [one for one in controls if not side.region.contains_region(one.region) or not one.region]
                    assert not hidden, (size, panel)
                await session.press("escape")

    run(scenario)


def test_a_control_that_goes_with_the_size_of_the_window_does_not_keep_the_keys(start):
    """What has the focus stays in sight where its panel can; else the picture has the keys."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            view, tabs = session.editing.easel.view, session.screen.query_one("#tabs")
            session.screen.set_focus(session.screen.query_one("#hue"))
            await until(session.pilot, lambda: tabs.chosen == "colour")
            await session.pilot.resize_terminal(70, 22)
            assert session.app.focused.id == "hue" and session.app.focused.region.height == 1
            await session.pilot.resize_terminal(60, 20)
            await until(session.pilot, lambda: view.has_focus and session.editing.easel.display)
            await session.fill("7")
            await session.make("g", "edit")

    run(scenario)


def test_a_panel_that_opens_or_closes_restyles_all_that_it_changes(start):
    """Few are asked for their styles then; all have those that they would have if all had been asked."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            for size in ((40, 12), (80, 24)):
                await session.pilot.resize_terminal(*size)
                for key in ("f4", "escape"):
                    await session.press(key)
                    nodes = list(session.screen.walk_children(with_self=True))
                    styles = [dict(node.styles.base.get_rules()) for node in nodes]
                    session.app.stylesheet.update_nodes(nodes)
                    assert [node.styles.base.get_rules() for node in nodes] == styles, (size, key)

    run(scenario)


def test_help_save_and_quit_are_always_told_and_the_palette_has_every_command(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            line = session.screen.query_one(KeyLine)
            for focus in ("escape", "f6"):
                await session.press(focus)
                await until(session.pilot, lambda: line.shown)
                shown = {key.description for column, key in line.shown if column + key.wide <= 40}
                assert {"Enhance", "Help", "Save", "Quit"} <= shown, focus
            await session.pilot.resize_terminal(60, 18)
            await until(session.pilot, lambda: len(line.shown) > len(shown))
            assert all(column + key.wide <= 60 for column, key in line.shown), "none is cut off within a word"
            offered = {command.help for command in session.app.get_system_commands(session.screen)}
            assert {c.help for c in (*COMMANDS, *APP_COMMANDS) if c.name != "palette"} <= offered

    run(scenario)


def test_keys_of_the_settings_replace_the_built_in_ones(start, config):
    """Also where they are told: Ctrl+C says how to quit."""
    keys = {"brush": "ctrl+b", "enhance": "f9", "quit": "ctrl+x"}

    async def scenario():
        async with start((80, 24), settings=replace(config, keys=keys)) as session:
            await session.open()
            assert session.screen.status.message.endswith("or take the brush (^b).")
            await session.press("ctrl+c")
            assert session.app.is_running
            assert [told.message for told in session.app._notifications] == ["^x quits, Esc stops what is running."]
            await session.press("b")
            assert session.editing.hand.tool == "pick"
            await session.press("ctrl+b")
            assert session.editing.hand.tool == "brush"
            await session.press("ctrl+s")
            assert "F9 enhances" in session.screen.status.message

    run(scenario)


def test_keys_of_the_settings_are_all_that_a_command_has(start, config):
    keymap = {"undo": "ctrl+u", "weaker": "minus", "zoom_out": "f9", "fit": "f10"}

    async def scenario():
        async with start((80, 24), settings=replace(config, keys=keymap)) as session:
            await session.open()
            view, panel = session.editing.easel.view, session.screen.query_one(StrengthPanel)
            await session.fill("7")
            await session.press("ctrl+z")
            assert session.document.canvas._history.done, "its second key is gone as well"
            scale, timestep = view.viewport.scale, panel.settings.timestep
            assert view.has_focus
            await session.press("minus")
            assert (view.viewport.scale, panel.settings.timestep) == (scale, timestep - 10)
            await session.press("plus", "plus", "f9")
            assert view.viewport.scale == pytest.approx(scale * 1.25)
            await session.press("f10")
            assert view.viewport.scale == scale
            bound = session.screen.active_bindings
            assert next(key for key, active in bound.items() if active.binding.action == "leave") == "q"
            assert bound["ctrl+q"].binding.action == "leave" and "ctrl+z" not in bound
            offered = [command.title for command in session.app.get_system_commands(session.screen)]
            assert "Undo  ^u" in offered and "Weaker  -" in offered and "Enhance  g F5" in offered
            await session.press("f1")
            rows = dict((text, keys) for group in tables(session.app.config.keys).values() for keys, text in group)
            assert rows["Take the last step back"] == "^u" and rows["Farther"] == "F9"
            assert isinstance(session.app.screen, HelpScreen) and session.app.screen._keymap == keymap
            await session.press("escape", "ctrl+u")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_the_title_says_what_closing_would_lose(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            title = session.screen.query_one("#title")
            await session.fill("7")
            await session.enhance()
            assert "enhanced, not saved" in title.render_line(0).text
            await session.press("delete")
            await until(session.pilot, lambda: not session.document.marked)
            assert "untouched; the enhanced picture is not saved" in title.render_line(0).text
            for said in ("enhanced, not saved", "painted, not saved", "untouched"):
                await session.press("u")
                await until(session.pilot, lambda said=said: title.render_line(0).text.rstrip().endswith(said))

    run(scenario)


def test_notes_cover_neither_buttons_nor_status_line(start):
    async def scenario():
        async with start((40, 12), notes=True) as session:
            await session.open()
            for size in ((40, 12), (80, 24), (120, 40)):
                await session.pilot.resize_terminal(*size)
                session.app.notify("x" * 100, timeout=60)
                await until(session.pilot, lambda: any(toast.size for toast in session.app.screen.query("Toast")))
                (toast,) = session.app.screen.query("Toast")
                for needed in ("#run", "StatusLine", "KeyLine"):
                    assert not toast.region.overlaps(session.screen.query_one(needed).region), needed
                session.app.clear_notifications()
                await until(session.pilot, lambda: not session.app.screen.query("Toast"))

    run(scenario)


def test_what_has_the_focus_is_the_one_strong_fill_of_the_panels(start, config):
    """In each theme; and headings can be read on a black terminal."""

    def strong(control, row, ground, theme):
        words = [cell for cell in cells(control, row) if any(letter.isalnum() for letter in cell.text)]
        return [cell.text for cell in words if contrast(fill(cell.style, theme), ground) >= 3]

    async def scenario():
        async with start((120, 40), settings=replace(config, theme="ansi-dark")) as session:
            await session.open()
            colours = {heading.rich_style.color.number for heading in session.screen.query(".heading")}
            assert colours == {12}, "bright blue; 4 would be the dark one"
            controls = ("#picks", "#legend", "#groups", "#presets", "#samplers", "#timestep", "#enhance", "#study")
            for theme in ("ansi-dark", "ansi-light", "npe-dark", "npe-light"):
                session.screen.set_focus(session.editing.easel.view)
                session.app.theme = theme
                await session.pilot.pause()
                await session.pilot.pause()
                for name in controls:
                    control = session.screen.query_one(name)
                    row = 7 if name == "#legend" else 0
                    ground = fill(cells(session.screen.query_one("#strength .heading"))[-1].style, theme)
                    assert not strong(control, row, ground, theme), (name, theme)
                    session.screen.set_focus(control)
                    await session.pilot.pause()
                    await session.pilot.pause()
                    assert len(strong(control, row, ground, theme)) == 1, (name, theme)

    run(scenario)


def test_the_cursor_of_a_row_is_seen_without_colours(start, config, monkeypatch):
    """With NO_COLOR a theme of the terminal's own colours has none at all."""
    monkeypatch.setenv("NO_COLOR", "1")

    def marks(chips):
        return [(cell.text, bool(cell.style.reverse), bool(cell.style.underline)) for cell in cells(chips)[:2]]

    async def scenario():
        async with start((120, 40), settings=replace(config, theme="ansi-dark")) as session:
            await session.open()
            presets, samplers = session.screen.query_one("#presets"), session.screen.query_one("#samplers")
            session.screen.set_focus(presets)
            await session.pilot.pause()
            await session.pilot.pause()
            assert marks(presets) == [("[subtle]", True, True), (" dramatic ", False, False)]
            assert marks(samplers)[0] == (" lcm ", False, True)
            await session.press("right")
            await session.pilot.pause()
            assert marks(presets) == [(" subtle ", False, True), ("[dramatic]", True, False)]
            swatches = session.screen.query_one("#swatches")
            session.screen.set_focus(swatches)
            await session.pilot.pause()
            await session.pilot.pause()
            assert cells(swatches)[0].text == "[]"

    run(scenario)


def test_all_text_can_be_read(start):
    """At least 4.5:1, as WCAG 2 asks for: names, facts and hints, too, not only what is chosen; in each theme."""

    def faint(widgets, theme):
        shown = [cell for widget in widgets for row in range(widget.region.height) for cell in cells(widget, row)]
        words = [cell for cell in shown if any(letter.isalnum() for letter in cell.text)]
        assert words
        return [(cell.text, readable(cell.style, theme)) for cell in words if readable(cell.style, theme) < 4.5]

    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            for theme in ("npe-dark", "npe-light", "ansi-dark", "ansi-light"):
                session.app.theme = theme
                await session.pilot.pause()
                await session.pilot.pause()
                await until(session.pilot, lambda: session.screen.query_one(KeyLine).shown)
                own = [widget for widget in session.screen.query("#side *") if not widget.children and widget.region]
                whole = [session.screen.query_one(name) for name in ("#title", "StatusLine", "KeyLine")]
                assert not faint([widget for widget in (*own, *whole) if widget.id not in ("map", "swatches")], theme)
                await session.press("q")
                await until(session.pilot, lambda: session.app.screen is not session.screen)
                await session.pilot.pause()
                assert not faint(session.app.screen.query(".dialog"), theme)
                await session.press("escape", "o")
                await until(session.pilot, lambda: session.app.screen is not session.screen)
                await until(session.pilot, lambda: session.app.screen.query_one("#gallery").entry is not None)
                told = ("#open-line", "StatusLine", "KeyLine")
                assert not faint([session.app.screen.query_one(name) for name in told], theme)
                await session.press("escape")
                await until(session.pilot, lambda: session.app.screen is session.screen)

    run(scenario)


def test_a_dialog_in_the_terminals_colours_has_a_frame_over_the_picture(start, config):
    async def scenario():
        async with start((80, 24), settings=replace(config, theme="ansi-dark")) as session:
            await session.open()
            await session.fill("7")
            for theme in ("ansi-dark", "ansi-light"):
                session.app.theme = theme
                await session.pilot.pause()
                title = session.screen.query_one("#title")
                below = [cell.text for cell in cells(title)]
                await session.press("P")
                await until(session.pilot, lambda: session.app.screen.query(".dialog"))
                await session.pilot.pause()
                dialog = session.app.screen.query_one(".dialog")
                top, last = ("".join(cell.text for cell in cells(dialog, y)) for y in (0, dialog.region.height - 1))
                assert top.startswith("╭─") and top.endswith("─╮") and last.startswith("╰─"), (top, last)
                assert [cell.text for cell in cells(title)] == below, "what lies around is still to be seen"
                await session.press("escape")

    run(scenario)


def test_names_of_colours_are_shown_whole(start):
    """The longest one, at the narrowest side."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            panel, name = session.screen.query_one("#colour"), session.screen.query_one("#colour-name")
            for swatches in PALETTE.values():
                for swatch in swatches:
                    panel.choose(swatch.colour)
                    await session.pilot.pause()
                    assert "".join(cell.text for cell in cells(name)).strip() == swatch.name

    run(scenario)
