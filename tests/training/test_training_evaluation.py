"""What an evaluation leaves out, and says so."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from npe_core.training.evaluation import diffusion


class Judge:
    def vgg_fd(self, a, b):
        assert min(len(a), len(b)) > 1  # of one picture there is no covariance
        return 2.0


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
