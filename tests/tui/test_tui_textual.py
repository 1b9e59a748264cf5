"""Textual's private names that the editor overrides or reads: a release that has others is found here."""

import importlib
import pkgutil
import sys

import pytest
from textual.app import App
from textual.strip import Strip
from textual.widgets import Input

import npe_tui

OVERRIDDEN = {"_fatal_error", "_segments", "_on_paste"}


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (App, "_fatal_error"),
        (App, "_close_messages_no_wait"),
        (App(), "_exception"),
        (App(), "_driver"),
        (Strip, "_segments"),
        (Strip([]), "_render_cache"),
        (Input, "_on_paste"),
    ],
)
def test_what_is_overridden_or_read_is_there(owner, name):
    assert hasattr(owner, name)


@pytest.mark.skipif(sys.platform == "win32", reason="that driver knows no pixels")
def test_the_driver_says_whether_the_mouse_is_told_in_pixels():
    from textual.drivers.linux_driver import LinuxDriver

    assert "_mouse_pixels" in LinuxDriver.__init__.__code__.co_names


def test_nothing_else_of_textuals_is_overridden():
    """A method of the editor's own that a later Textual has under the same name would take its place unseen."""
    for module in pkgutil.walk_packages(npe_tui.__path__, "npe_tui."):
        importlib.import_module(module.name)
    waiting, ours = [Strip, *App.__mro__[:-1], Input], set()
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("npe_tui."):
                ours.add(kind)
    assert len(ours) > 20
    taken = {
        name
        for kind in ours
        for name in vars(kind)
        if name.startswith("_") and not name.startswith("__")
        for base in kind.__mro__
        if base.__module__.startswith("textual.") and name in vars(base)
    }
    made_by_textual = {name for name in taken if name in vars(type("Plain", (App,), {}))}
    assert taken - made_by_textual == OVERRIDDEN
