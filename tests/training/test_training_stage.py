"""The options of the stages: noted, released with the weights, and told where a run goes on with others."""

import json

import pytest
from training_words import DENOISER, config, diffusion_words

from npe_core.cli.app import run
from npe_core.models.weights import read_manifest
from npe_core.training.checkpoint import export_weights
from npe_core.training.options import HELP, train_parser
from npe_core.training.stage import OPTIONS, stage_of

ELSEWHERE = {"command", "data", "larger", "out", "preset", "batch", "lr", "images", "seed", "config"}
"""What recipe, architecture and data tell, and where they are kept."""
OF_THE_MACHINE = {"minutes", "device", "threads", "save_minutes", "pieces"}


def parsed(model, *words):
    return train_parser("npe train").parse_args([model, "--data", "x", "--out", "x", *words])


def test_every_option_by_which_weights_come_to_be_what_they_are_is_noted():
    offered = {name for model in HELP for name in vars(parsed(model))}
    assert offered - ELSEWHERE - OF_THE_MACHINE == set(OPTIONS)


@pytest.mark.parametrize(
    ("model", "words", "stage"),
    [
        ("segmentation", [], {}),
        ("segmentation", ["--init", "HOME/runs/one"], {"init": "runs/one"}),
        (
            "diffusion",
            [
                *("--teachers", "HOME/my/teachers", "--adversary", "0.05", "--paint", "0.5", "--rollout", "0.25"),
                *("--whole", "1", "--guide", "HOME/runs/weak.safetensors"),
            ],
            {
                **{"teachers": "my/teachers", "adversary": 0.05, "paint": 0.5, "rollout": 0.25, "whole": 1.0},
                **{"guide": "runs/weak.safetensors"},
            },
        ),
        ("super-resolution", [], {"patch": 128}),
        (
            "super-resolution",
            ["--teachers", "HOME/my/teachers", "--lpips", "2", "--denoiser", "HOME/runs/d", "--patch", "64"],
            {"teachers": "my/teachers", "lpips": 2.0, "denoiser": "runs/d", "patch": 64},
        ),
    ],
)
def test_a_stage_names_its_options_and_no_place_on_a_machine(tmp_path, model, words, stage):
    told = stage_of(parsed(model, *(word.replace("HOME", str(tmp_path)) for word in words)))
    assert json.loads(json.dumps(told)) == stage and str(tmp_path) not in json.dumps(told)


def test_a_run_that_goes_on_in_another_stage_says_so_and_its_release_tells_the_last(
    pairs, diffusion_task, small_release, tmp_path, capsys
):
    start, out, weights = tmp_path / "start.safetensors", tmp_path / "run", tmp_path / "weights"
    task = diffusion_task(surroundings=True)
    export_weights(start, task.model.state_dict(), task.config(), 0)

    def told_of(images, *more):
        """What a run in ``out`` says of what is other, and the stage that it notes."""
        words = diffusion_words(pairs, out, "--images", str(images), *config([*DENOISER, "surroundings=true"]), *more)
        assert run(["train", *words]) == 0
        lines = [line for line in capsys.readouterr().err.splitlines() if "holds" in line]
        return lines, json.loads((out / "run.json").read_text())["stage"]

    begun = {"init": f"{tmp_path.name}/start.safetensors"}
    first = ["--init", str(start), "--whole", "0.5"]
    assert told_of(2, *first) == ([], {**begun, "whole": 0.5})
    assert told_of(4, *first) == ([], {**begun, "whole": 0.5})
    assert told_of(6, "--init", str(out), "--rollout", "0.25") == (
        [
            f"npe: {out} holds 4 images. It goes on with rollout 0.25 (before: not given), "
            "whole not given (before: 0.5). --init has no effect on a run that goes on."
        ],
        {**begun, "rollout": 0.25},
    )
    assert run(["train", "release", "denoiser", str(out), "--weights", str(weights)]) == 0
    (entry,) = read_manifest(weights).values()
    assert entry.provenance["stage"] == {**begun, "rollout": 0.25}

    notes = json.loads((out / "run.json").read_text())
    del notes["stage"]  # as notes of before it was noted
    (out / "run.json").write_text(json.dumps(notes))
    assert run(["train", "release", "denoiser", str(out), "--weights", str(weights)]) == 0
    assert "stage" not in read_manifest(weights)["denoiser"].provenance
    capsys.readouterr()
    assert told_of(8, "--whole", "0.5") == ([], {"whole": 0.5})
