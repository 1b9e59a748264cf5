"""What an evaluation leaves out, and says so."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from npe_core.report import Report
from npe_core.training.data import distinct
from npe_core.training.evaluation import diffusion, mix, segmentation, super_resolution


class Judge:
    def __init__(self):
        self.compared = []

    def vgg_fd(self, a, b):
        assert min(len(a), len(b)) > 1  # of one picture there is no covariance
        self.compared.append((len(a), len(b)))
        return 2.0


@pytest.mark.parametrize(("others", "size"), [(None, 5), (3, 3), (5, 5)])
def test_sets_that_are_compared_are_of_one_size(others, size):
    """The distance grows as sets shrink: samples of 5 against a floor of 3 would look better than they are."""
    report, judge = Report({"val": "v"}), Judge()
    sets = [torch.zeros(count, 3, 8, 8) for count in (5, 5, others or 0)]
    diffusion.compare_spread(report, judge, sets[0], sets[1], sets[2] if others else None)
    assert set(judge.compared) == {(size, size)} and report.numbers["vgg_fd"]["count"] == size
    assert f"of {size} samples" in report.tables[0] and bool(report.notes) == (size < 5)


def test_sources_of_one_name_are_told_apart(tmp_path, monkeypatch):
    assert distinct(["a", "b", "a", "a 4", "a"]) == ["a", "b", "a 3", "a 4", "a 5"]
    assert distinct(["a 2", "a", "a", "a"]) == ["a 2", "a", "a 3", "a 4"]
    paths = [tmp_path / name / "val set/pairs" for name in ("one", "two")]
    for level, path in enumerate(paths):
        for kind, mode in (("images", "RGB"), ("masks", "L")):
            (path / kind).mkdir(parents=True)
            Image.new(mode, (32, 32)).save(path / kind / "0.png")
        Image.new("RGB", (32, 32)).save(path / f"images/{level}{level}.png")  # has no mask
    sources = [f"{path}" for path in paths]
    monkeypatch.setattr(segmentation, "predict", lambda editor, x: np.zeros((len(x), 32, 32), np.uint8))
    editor = SimpleNamespace(engine=SimpleNamespace(segment_size=32))
    report = segmentation.evaluate_segmentation(editor, sources, robust=False)
    assert list(report.numbers["data"]) == ["val set/pairs", "val set/pairs 2"]
    assert list(report.sheets) == ["faces_val_set_pairs", "faces_val_set_pairs_2"]
    assert "val set/pairs 2: pictures without a mask were left out: 1." in report.notes
    ids = torch.zeros(1, 11, 32, 32)
    engine = SimpleNamespace(segment_size=32, segment=lambda x: ids, upscale=lambda low: low.repeat(1, 1, 4, 4))
    assert list(mix.measure_mix(engine, sources, 1).numbers["data"]) == ["val set/pairs", "val set/pairs 2"]
    monkeypatch.setattr(super_resolution, "SIZE", 32)
    report = super_resolution.evaluate_super_resolution({"mine": engine}, sources)
    assert list(report.numbers["data"]) == ["val set/pairs", "val set/pairs 2"]


@pytest.mark.parametrize(("faces", "others", "measured"), [(1, 3, False), (3, 1, False), (2, 2, True)])
def test_the_spread_of_one_face_is_not_measured(tmp_path, monkeypatch, faces, others, measured):
    for name, count in (("val", faces), ("reference", others)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / f"{name}/{number}.png")
    for name in ("measure_denoising", "measure_painting"):
        monkeypatch.setattr(diffusion, name, lambda *found: {})
    for name in ("denoising_table", "painting_table"):
        monkeypatch.setattr(diffusion, name, lambda numbers: "")
    editor = SimpleNamespace(
        engine=SimpleNamespace(image_size=8), sample=lambda count, **more: np.zeros((count, 8, 8, 3), np.uint8)
    )
    sources = str(tmp_path / "val"), str(tmp_path / "reference")
    report = diffusion.evaluate_diffusion(editor, *sources, judge=Judge(), edit_count=0)
    assert ("vgg_fd" in report.numbers) is measured
    assert any("two faces" in note for note in report.notes) is not measured
