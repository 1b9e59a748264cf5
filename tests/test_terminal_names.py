"""What the environment tells of the terminal."""

import pytest

from npe_core.terminal import has_true_colour, may_have_true_colour


@pytest.mark.parametrize(
    "term",
    [
        *("xterm-direct", "xterm-direct256", "tmux-direct", "konsole-direct", "foot-direct", "alacritty-direct"),
        *("xterm-kitty", "xterm-ghostty", "foot", "foot-extra", "alacritty", "wezterm", "contour", "contour-latest"),
    ],
)
def test_names_that_tell_24_bits(term):
    assert has_true_colour({"TERM": term, "SSH_TTY": "/dev/pts/3"})


@pytest.mark.parametrize(
    "term", ["xterm-256color", "tmux-256color", "xterm", "linux", "direct", "footer", "alacritty-16color", "dumb", ""]
)
def test_others_say_it_themselves(term):
    assert not has_true_colour({"TERM": term, "COLORTERM": "yes"})
    assert has_true_colour({"TERM": term, "COLORTERM": "truecolor"})
    assert has_true_colour({"TERM": term, "COLORTERM": "24bit"})


@pytest.mark.parametrize(
    "term", ["xterm-256color", "screen", "screen.xterm-256color", "tmux-256color", "xterm", "st-256color"]
)
def test_a_name_of_many_terminals_leaves_it_open(term):
    assert may_have_true_colour({"TERM": term})
    assert not may_have_true_colour({"TERM": term, "COLORTERM": "truecolor"}), "it says so"
    assert not may_have_true_colour({"TERM": term, "TERM_PROGRAM": "Apple_Terminal"}), "it would say so"


@pytest.mark.parametrize("term", ["xterm-kitty", "xterm-direct", "linux", "vt220", "dumb", "cygwin", "stv52", ""])
def test_other_names_do_not(term):
    assert not may_have_true_colour({"TERM": term})
