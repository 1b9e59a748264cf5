"""Pictures labelled by teachers are pairs to train on, with what the parser believes of each pixel."""

import shutil

import numpy as np
import torch
from PIL import Image
from training_words import SEGMENTER, config

from npe_core.cli.app import run
from npe_core.training import labelling
from npe_core.training.data import load_pairs
from npe_core.training.options import train_parser
from npe_core.training.reading import UNKNOWN, drawn, read_pairs
from npe_core.training.run import build_task

TEACHERS = '''
import torch

class FaceParser:
    """Knows the region from the brightness: 40 * id; of what is brighter than 180 it is not sure."""

    def __init__(self, device):
        self.device = device

    def celeb_logits(self, images):
        ids = (images.float().mean(dim=1) / 40).round().long().clamp(0, 10)
        sure = torch.where(ids > 4, 0.1, 20.0)
        return sure[:, None] * torch.nn.functional.one_hot(ids, 11).permute(0, 3, 1, 2)

    def regions_from_logits(self, logits, size):
        return torch.nn.functional.interpolate(logits.softmax(dim=1), size=(size, size))
'''

CPU = torch.device("cpu")


def test_labelled_pictures_are_pairs_to_train_on(pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(labelling, "TOGETHER", 2)
    (tmp_path / "teachers.py").write_text(TEACHERS)
    out = tmp_path / "pairs.npz"
    words = ["train", "label", "--data", str(pairs / "images"), "--teachers", str(tmp_path), "--out", str(out)]
    assert run([*words, "--size", "32", "--count", "5", "--device", "cpu"]) == 0
    assert "5 pairs" in capsys.readouterr().out
    before = out.read_bytes()
    assert run([*words, "--size", "32", "--count", "4", "--device", "cpu"]) == 2
    assert f"{out} exists already" in capsys.readouterr().err and out.read_bytes() == before
    images, masks, _ = read_pairs(out, 32)
    order = drawn(5, 0)(6)  # more are drawn than are read at a time
    assert (images.float().mean(dim=(1, 2, 3)) / 40).round().long().tolist() == order
    assert images.shape == (5, 3, 32, 32) and masks.shape == (5, 32, 32)
    for image, mask in zip(images, masks, strict=True):
        number = round(float(image.float().mean()) / 40)
        assert set(mask.unique().tolist()) == {number if number <= 4 else UNKNOWN}
    assert run([*words, "--size", "32", "--count", "4", "--device", "cpu", "--force"]) == 0
    assert len(read_pairs(out, 32)[0]) == 4


def test_labelling_keeps_masks_and_adds_what_the_parser_believes(pairs, tmp_path):
    (tmp_path / "teachers.py").write_text(TEACHERS)
    (tmp_path / "drawn").mkdir()
    shutil.copytree(pairs / "images", tmp_path / "drawn/images")
    shutil.copytree(pairs / "masks", tmp_path / "drawn/masks")
    Image.fromarray(np.full((32, 32), 9, np.uint8)).save(tmp_path / "drawn/masks/5.png")  # the parser would say 5
    out = tmp_path / "pairs.npz"
    words = ["train", "label", "--data", str(tmp_path / "drawn"), "--teachers", str(tmp_path), "--out", str(out)]
    assert run([*words, "--size", "32", "--device", "cpu"]) == 0
    images, masks, _ = read_pairs(out, 32)
    numbers = (images.float().mean(dim=(1, 2, 3)) / 40).round().long()
    assert masks.float().mean(dim=(1, 2)).tolist() == [9 if n == 5 else n for n in numbers.tolist()]
    (examples,) = load_pairs([str(out)], 32, CPU).sets
    beliefs = examples[2]
    assert beliefs.shape == (6, 11, 8, 8)
    assert torch.equal(beliefs.flatten(2).float().mean(dim=2).argmax(dim=1), numbers)
    options = train_parser("npe train").parse_args(
        ["segmentation", "--data", str(out), *config(SEGMENTER), "--out", str(tmp_path / "run")]
    )
    task, rng = build_task(options, CPU, torch.float32), torch.Generator().manual_seed(0)
    assert float(task.loss(task.draw(2, rng), rng).log["beliefs"]) > 0.1


def test_beliefs_are_surer_than_the_parser():
    """0.6 : 0.3 : 0.1 to the third power."""
    probabilities = torch.tensor([0.6, 0.3, 0.1] + 8 * [0.0])[:, None, None]
    expected = [round(255 * p**3 / (0.6**3 + 0.3**3 + 0.1**3)) for p in (0.6, 0.3, 0.1)]
    assert labelling.levels_of(probabilities).flatten().tolist() == [*expected, *8 * [0]]
