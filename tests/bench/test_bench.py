"""npe bench: the numbers of real runs, and the arithmetic behind the tables."""

import json
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from npe_core.bench.timing import Timing, interleaved, measure, percentile
from npe_core.cli.app import run
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.segmenter import Segmenter, SegmenterConfig
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import Entry, sha256_of, write_manifest
from npe_core.regions import REGIONS, region_by_name

CPU = torch.device("cpu")
SMALL = {
    "denoiser": {"base": 32, "mults": [1], "attention": []},
    "segmenter": {"base": 32, "mults": [1]},
    "upscaler": {"width": 16, "blocks": 1},
}


@pytest.fixture(scope="module")
def small_weights(tmp_path_factory):
    """A weights folder of small untrained networks; to the segmenter all the world is lips."""
    folder, entries = tmp_path_factory.mktemp("weights"), {}
    torch.manual_seed(0)
    models = {
        "denoiser": Denoiser(DenoiserConfig(base=32, mults=(1,), attention=())),
        "segmenter": Segmenter(SegmenterConfig(base=32, mults=(1,))),
        "upscaler": GeneratorResNet(UpscalerConfig(**SMALL["upscaler"])),
    }
    bias = models["segmenter"].head.bias.data.zero_().view(len(REGIONS), -1)
    bias[region_by_name("lips").id] = 20
    for kind, model in models.items():
        path = folder / f"{kind}.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, str(path))
        entries[kind] = Entry(kind, path.name, sha256_of(path), SMALL[kind], {})
    write_manifest(entries, folder)
    return folder


@pytest.fixture
def small_networks(small_weights, monkeypatch):
    """What is measured is small."""
    monkeypatch.setenv("NPE_WEIGHTS", str(small_weights))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_percentiles_are_those_of_numpy(share):
    values = [0.3, 0.1, 0.5, 0.9, 0.2, 0.7]
    assert percentile(values, share) == pytest.approx(np.percentile(values, 100 * share))


def test_of_one_run_every_percentile_is_that_run():
    assert percentile([2.0], 0.95) == 2.0


def test_a_sleep_takes_wall_seconds_and_no_processor():
    timing = measure(lambda: time.sleep(0.05), 3, CPU)
    assert len(timing.wall) == 3 and timing.median >= 0.05
    assert timing.median_cpu < 0.04


def test_interleaved_works_take_turns():
    calls = []
    timings = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, CPU, warm=1)
    assert "".join(calls) == "ab" + 3 * "ab"
    assert {name: len(timing.wall) for name, timing in timings.items()} == {"a": 3, "b": 3}


def test_numbers_of_a_timing():
    told = Timing((1.0, 3.0, 2.0), (0.5, 0.1, 0.3)).numbers()
    assert (told["p50"], told["least"], told["cpu"]) == (2.0, 1.0, 0.3)


def test_edit_tells_every_stage(portrait, capsys, monkeypatch, small_networks):
    monkeypatch.setattr("npe_core.bench.edit.run_process", lambda words: (1.0, 0.5))
    arguments = ["bench", "edit", str(portrait), "--region", "lips=#b00020", "--steps", "1", "--repeats", "1"]
    assert run([*arguments, "--cold", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: times["p50"] for name, times in told["start_seconds"].items()} == {"help": 1, "edit": 1}
    seconds = told["seconds"]
    parts = ("segment", "cut out", "diffusion", "upscale", "paste")
    assert seconds["edit"]["p50"] == pytest.approx(sum(seconds[part]["p50"] for part in parts), abs=1e-4)
    assert seconds["whole"]["p50"] > seconds["edit"]["p50"] > seconds["diffusion"]["p50"] > 0
    assert told["images_per_second"]["1"] > 0 and told["peak_memory_mib"]["process"] > 100
    assert told["machine"]["device"] and told["photo"] == [512, 512]
    assert "steps 1, runs 1" in told["notes"][0]


def test_models_print_a_table(capsys, small_networks):
    assert run(["bench", "models", "--repeats", "1", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines[2:5]}
    assert rows.keys() == {"denoiser", "segmenter", "upscaler"}
    assert all(float(cells[1]) > 0 and float(cells[5]) > 0 for cells in rows.values())
    note = next(line for line in lines if line.startswith("Matmul: "))
    ceiling = float(note.split()[1])
    for cells in rows.values():
        rounding = 1 + 150 / ceiling  # all are told in whole numbers
        assert float(cells[7].rstrip("%")) == pytest.approx(100 * float(cells[6]) / ceiling, abs=rounding)


def test_a_product_of_matrices_is_counted_right():
    from torch.utils.flop_counter import FlopCounterMode

    from npe_core.bench.models import matmul
    from npe_core.device import choose_device

    choice = choose_device("cpu")
    work, operations = matmul(choice)
    with FlopCounterMode(display=False) as counter:
        product = work()
    assert counter.get_total_flops() == operations and product.dtype == choice.dtype


def test_flops_are_those_of_the_layers(small_weights):
    """Two for each weight of a layer and each place of its result, counted as the networks run."""
    from npe_core.bench.models import count_flops
    from npe_core.device import choose_device
    from npe_core.editor.engine import Engine

    engine, counted = Engine(choose_device("cpu"), small_weights), {}
    for kind in SMALL:

        def count(layer, _, result, kind=kind):
            places = result.numel() // layer.weight.shape[0]
            counted[kind] = counted.get(kind, 0) + 2 * layer.weight.numel() * places

        for layer in engine.model(kind).modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.register_forward_hook(count)
    engine.denoise(torch.zeros(1, 3, 128, 128), 250)
    engine.segment(torch.zeros(1, 3, 256, 256))
    engine.upscale(torch.zeros(1, 3, 128, 128))
    counted["upscaler"] += 2 * 100 * 16 * 3 * 512**2  # the head, whose 9x9 taps are computed as 10x10
    assert count_flops(engine) == counted


@pytest.mark.parametrize(
    "words",
    [
        ["edit", "--batch", "0"],
        ["edit", "--steps", "600"],
        ["models", "--batch", "x"],
        ["tui", "--only", "link", "--seconds", "-1"],
        ["tui", "--only", "link", "--seconds", "nan"],
        ["tui", "--only", "repaint", "--depth", "foo"],
        ["tui", "--only", "repaint", "--depth", "auto"],
    ],
)
def test_invalid_options_are_refused(words, capsys):
    assert run(["bench", *words]) == 2
    assert capsys.readouterr().err.startswith("npe: ")


def test_a_photo_without_a_face_is_told_without_options_that_bench_has_not(tmp_path, capsys):
    Image.new("RGB", (300, 300), "grey").save(tmp_path / "grey.png")
    assert run(["bench", "edit", str(tmp_path / "grey.png")]) == 2
    told = capsys.readouterr().err
    assert "No face was found in" in told and "--" not in told


def test_the_depths_are_those_of_the_terminal_editor():
    from npe_core.cli.bench import DEPTHS
    from npe_tui.picture import Depth

    assert tuple(Depth) == DEPTHS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc of the program in the terminal")
def test_terminal_is_measured_byte_to_byte(capsys):
    assert run(["bench", "tui", "--only", "dabs", "--depth", "5bit", "--count", "3", "--json"]) == 0
    latency, size = json.loads(capsys.readouterr().out)["figures"]
    assert latency["what"] == "mouse byte to frame byte" and float(latency["value"].split()[0]) > 0
    assert 0 < int(size["value"].split(",")[0]) < 20000
