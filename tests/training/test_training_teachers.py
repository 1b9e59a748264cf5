"""Teachers' folders, and those beside the repository: LPIPS against the teachers' own, and the third stage."""

import json
from pathlib import Path

import pytest
import torch

from npe_core.cli.app import run
from npe_core.errors import InputError
from npe_core.training.teachers import Judge, Vgg, load_teachers, teacher

TEACHERS = Path(__file__).parents[3] / "shared" / "teachers"
needs_teachers = pytest.mark.skipif(not TEACHERS.is_dir(), reason="no teachers beside the repository")
CPU = torch.device("cpu")


def test_every_folder_has_its_own_teachers(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "teachers.py").write_text(
            f"class Parser:\n    def __init__(self, device): self.of = {name!r}\n"
        )
    assert [teacher(tmp_path / name, "Parser", CPU).of for name in ("one", "two", "one")] == ["one", "two", "one"]
    assert load_teachers(tmp_path / "one") is load_teachers(tmp_path / "two" / ".." / "one")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("import no_such_module", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        ("unit_length = None", "no attribute 'VggFeatures'"),
        ("unit_length = None\ndef VggFeatures(device): return open('no.safetensors')", r"no\.safetensors"),
        ("unit_length = None\ndef VggFeatures(device): return {}['conv1']", "KeyError: 'conv1'"),
        (
            "unit_length = None\ndef VggFeatures(device): raise ValueError('missing:\\n' + 'conv ' * 99)",
            "missing: conv",
        ),
    ],
)
def test_a_folder_that_lacks_something_is_told(tmp_path, content, words):
    (tmp_path / "teachers.py").write_text(content)
    for use in (Vgg, Judge):
        with pytest.raises(InputError, match=words) as refusal:
            use(tmp_path, CPU)
        told = str(refusal.value)
        assert str(tmp_path / "teachers.py") in told and "\n" not in told and len(told) < len(str(tmp_path)) + 450


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (MemoryError, "raise MemoryError"),
        (torch.OutOfMemoryError, "raise torch.OutOfMemoryError"),
        (RuntimeError, "torch.empty(10**17)"),
    ],
)
@pytest.mark.parametrize("content", ["{}", "def VggFeatures(device): {}"])
def test_memory_that_is_too_small_for_a_teacher_is_no_fault_of_the_teacher(tmp_path, content, error, cause):
    (tmp_path / "teachers.py").write_text(f"import torch\n{content.format(cause)}")
    for _ in range(2):  # it may be imported again
        with pytest.raises(error):
            teacher(tmp_path, "VggFeatures", CPU)


def test_a_folder_whose_functions_are_missing_is_told(tmp_path):
    (tmp_path / "teachers.py").write_text("def VggFeatures(device): return object()")
    for use, words in ((Vgg, "lacks unit_length"), (Judge, "lacks vgg_feature_statistics")):
        with pytest.raises(InputError, match=words):
            use(tmp_path, CPU)
    other = tmp_path / "other"
    other.mkdir()
    (other / "teachers.py").write_text("unit_length = None\ndef VggFeatures(device): return object()")
    with pytest.raises(InputError, match="lacks lin0_weight"):
        Vgg(other, CPU)


def test_who_has_no_teachers_is_told_where_to_read_on(tmp_path):
    page = (Path(__file__).parents[2] / "docs/training.md").read_text()
    with pytest.raises(InputError, match=r"docs/training\.md, under Teachers\."):
        load_teachers(tmp_path)
    assert "\n## Teachers\n" in page


@needs_teachers
def test_the_distance_of_features_is_lpips():
    x, y = torch.rand(2, 3, 3, 48, 48, generator=torch.Generator().manual_seed(0)).mul(2).sub(1)
    vgg = Vgg(TEACHERS, CPU)
    features = vgg.features(x), vgg.features(y)
    assert tuple(part.shape[1] for part in features[0]) == vgg.channels
    expected = load_teachers(TEACHERS).VggFeatures(CPU).lpips(x, y)
    assert torch.allclose(vgg.distance(*features), expected, rtol=1e-5)
    assert float(vgg.distance(features[0], features[0]).abs().max()) == 0


@needs_teachers
def test_the_third_stage_from_the_command_line(pairs, tmp_path):
    words = ["train", "diffusion", "--data", str(pairs), "--out", str(tmp_path), "--batch", "2", "--images", "8"]
    small = ("image_size=16", "base=8", "mults=1,2", "attention=4,", "head_width=8", "surroundings=true")
    for setting in small:
        words += ["--config", setting]
    words += ["--teachers", str(TEACHERS), "--adversary", "0.05", "--paint", "0.5", "--device", "cpu"]
    assert run(words) == 0
    (entry,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert entry["loss"] == pytest.approx(entry["square"] + entry["lpips"] + 0.05 * entry["fooled"], abs=1e-3)
    assert 0 < entry["adversary"] < 4
