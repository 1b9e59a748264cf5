"""The teachers' folder, where it lies beside the repository: LPIPS against the teachers' own, and the third stage."""

import json
import sys
from pathlib import Path

import pytest
import torch

from npe_core.cli.app import run
from npe_core.training.teachers import Vgg, load_teachers

TEACHERS = Path(__file__).parents[3] / "shared" / "teachers"
pytestmark = pytest.mark.skipif(not TEACHERS.is_dir(), reason="no teachers beside the repository")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_teachers():
    """The module is kept under one name, whichever folder it is from."""
    sys.modules.pop("teachers", None)
    yield
    sys.modules.pop("teachers", None)


def test_the_distance_of_features_is_lpips():
    x, y = torch.rand(2, 3, 3, 48, 48, generator=torch.Generator().manual_seed(0)).mul(2).sub(1)
    vgg = Vgg(TEACHERS, CPU)
    features = vgg.features(x), vgg.features(y)
    assert tuple(part.shape[1] for part in features[0]) == vgg.channels
    expected = load_teachers(TEACHERS).VggFeatures(CPU).lpips(x, y)
    assert torch.allclose(vgg.distance(*features), expected, rtol=1e-5)
    assert float(vgg.distance(features[0], features[0]).abs().max()) == 0


def test_the_third_stage_from_the_command_line(pairs, tmp_path):
    words = ["train", "diffusion", "--data", str(pairs), "--out", str(tmp_path), "--batch", "2", "--images", "40"]
    small = ("image_size=16", "base=8", "mults=1,2", "attention=4,", "head_width=8", "surroundings=true")
    for setting in small:
        words += ["--config", setting]
    words += ["--teachers", str(TEACHERS), "--adversary", "0.05", "--paint", "0.5", "--device", "cpu"]
    assert run(words) == 0
    (entry,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert entry["loss"] == pytest.approx(entry["square"] + entry["lpips"] + 0.05 * entry["fooled"], abs=1e-3)
    assert 0 < entry["adversary"] < 4
