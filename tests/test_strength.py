"""How far an edit may go: one set of rules, whoever asks, and asked without torch."""

import subprocess
import sys

import pytest

from npe_core.diffusion.schedule import TIMESTEPS
from npe_core.errors import UsageError
from npe_core.strength import STRONGEST, WEAKEST, Strength, check_strength, strengths


def test_the_strongest_is_the_last_but_one_of_the_schedule():
    assert (WEAKEST, STRONGEST) == (1, TIMESTEPS - 1)


@pytest.mark.parametrize(("timestep", "steps", "limited"), [(5, 10, 5), (5, 5, 5), (250, 4, 4), (1, 499, 1)])
def test_there_are_no_more_steps_than_the_timestep_has_room_for(timestep, steps, limited):
    assert Strength(timestep, steps, "ddim").limited() == Strength(timestep, limited, "ddim")
    assert [one.steps for one in strengths((timestep, 499), steps, "ddim")] == [limited, steps]


@pytest.mark.parametrize(
    ("timesteps", "steps", "sampler", "words"),
    [
        ((250, 500), 4, "lcm", "between 1 and 499, not 500"),
        ((-3,), 4, "lcm", "between 1 and 499, not -3"),
        ((250, 5), 0, "lcm", "between 1 and 250"),
        ((250,), 4, "euler", "not a sampler"),
    ],
)
def test_a_study_refuses_what_an_edit_refuses(timesteps, steps, sampler, words):
    with pytest.raises(UsageError, match=words):
        strengths(timesteps, steps, sampler)
    with pytest.raises(UsageError, match=words):
        [check_strength(timestep, steps, sampler) for timestep in timesteps]


def test_the_rules_are_known_without_torch():
    program = "import sys, npe_core.strength, npe_tui.document.edit_settings; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
