"""Measures against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from npe_core.colour import lab_to_srgb
from npe_core.errors import InputError, UsageError
from npe_core.report import Report, markdown
from npe_core.training.evaluation.edits import compare as compare_edit
from npe_core.training.evaluation.groups import groups_of, nose_offset, typology_angle
from npe_core.training.evaluation.metrics import cie76, confusion, f1, foreground_mean, iou, luma, psnr_y
from npe_core.training.evaluation.options import roles
from npe_core.training.evaluation.segmentation import read_labelled
from npe_core.training.evaluation.super_resolution import compare
from npe_core.training.super_resolution import shrink


def test_iou_of_a_confusion_made_by_hand():
    truth = np.array([[1, 1, 1, 2], [2, 0, 0, 255]], np.uint8)
    said = np.array([[1, 1, 2, 2], [0, 0, 3, 5]], np.uint8)
    matrix = confusion(truth, said)
    assert matrix.sum() == 7 and matrix[1, 2] == 1 and matrix[0, 3] == 1  # the unknown pixel is not there
    values = iou(matrix)
    assert values[:3].tolist() == pytest.approx([1 / 3, 2 / 3, 1 / 3])
    assert np.isnan(values[3:]).all()  # said, but nowhere true
    assert foreground_mean(values) == pytest.approx(0.5)
    assert f1(matrix)[1] == pytest.approx(4 / 5)
    assert math.isnan(foreground_mean(np.full(11, np.nan)))


def test_luma_and_psnr_of_a_known_offset():
    assert luma(np.array([[0, 0, 0], [255, 255, 255]], np.uint8)).tolist() == pytest.approx([16, 235], abs=0.01)
    a = np.full((4, 4, 3), 100, np.uint8)
    offset = 10 * 219 / 255
    assert psnr_y(a, a + 10) == pytest.approx(20 * math.log10(255 / offset), abs=1e-3)
    assert psnr_y(a, a) == math.inf


def test_cie76_of_black_and_white():
    white = np.full((1, 3), 255, np.uint8)
    assert cie76(white, (0, 0, 0))[0] == pytest.approx(100, abs=0.1)
    assert cie76(white, (255, 255, 255))[0] == pytest.approx(0, abs=1e-3)


def test_super_resolution_numbers_of_a_known_brightening():
    low = torch.zeros(1, 3, 8, 8) + 1 / 255
    high = torch.zeros(1, 3, 32, 32) + 1 / 255
    brighter = high + 4 / 127.5
    numbers = compare(brighter, low, high, None)
    assert numbers["down_difference"] == pytest.approx(4, abs=0.01)
    assert numbers["colour_shift"] == pytest.approx(4, abs=0.01)
    assert compare(high, low, high, None)["psnr_y"] == math.inf
    assert torch.allclose(shrink(high), low, atol=1e-6)


def test_edit_numbers_count_what_changed_outside():
    original = np.full((4, 4, 3), 100, np.uint8)
    inside = np.zeros((4, 4), bool)
    inside[:2] = True
    image = original.copy()
    image[:2] = (255, 0, 0)
    image[3, 3] += 1
    numbers = compare_edit(original, image, image, inside, inside, (255, 0, 0), None)
    assert numbers["changed_outside"] == 1
    assert numbers["cie76"] == numbers["cie76_of_mean"] == pytest.approx(0, abs=1e-3)


def test_faces_are_chosen_by_the_index_beside_them(pairs, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for file in (pairs / kind).iterdir():
            (tmp_path / "set" / kind / file.name).write_bytes(file.read_bytes())
    (tmp_path / "index.csv").write_text("image,label_kind,source\nimages/1.png,human,a\nimages/2.png,pseudo,b\n")
    labelled = read_labelled(tmp_path / "set", 32, "human", None)
    assert labelled.ids[:, 0, 0].tolist() == [1]
    assert {"label_kind": "human", "source": "a"}.items() <= labelled.groups[0].items()
    assert len(read_labelled(tmp_path / "set", 32, None, None).ids) == 6
    with pytest.raises(InputError, match="render"):
        read_labelled(tmp_path / "set", 32, "render", None)


def test_skin_is_grouped_by_its_typology_angle():
    """Grey has no b*: 90 degrees above middle grey (L* 50), -90 below. L* = 60 and b* = 10 is 45 degrees."""
    greys = np.array([[119, 119, 119], [200, 200, 200]], np.uint8)
    assert typology_angle(np.repeat(greys[1:], 5, axis=0)) == pytest.approx(90, abs=0.1)
    assert typology_angle(greys[:1] - 60) == pytest.approx(-90, abs=0.1)
    yellowish = np.round(255 * lab_to_srgb(np.array([[60.0, 8.0, 10.0]]))).astype(np.uint8)
    assert typology_angle(yellowish) == pytest.approx(45, abs=1.5)
    ids = np.full((8, 8), 1, np.uint8)
    ids[:, :3] = 0  # the background does not count
    image = np.zeros((8, 8, 3), np.uint8)
    for lightness, group in ((85, "light"), (55, "medium"), (35, "dark")):
        image[:, 3:] = np.round(255 * lab_to_srgb(np.array([float(lightness), 12.0, 20.0])))
        assert groups_of(image, ids)["skin"] == group


def test_glasses_and_turned_faces_are_seen_in_the_labels():
    ids = np.full((100, 100), 1, np.uint8)
    ids[46:60, 46:54] = 4  # the nose, in the middle
    face = np.full((100, 100, 3), 180, np.uint8)
    assert nose_offset(ids) == pytest.approx(0, abs=1e-6)
    assert groups_of(face, ids) == {"glasses": "none", "skin": "light", "pose": "frontal"}
    ids[70:] = 10  # clothes are no glasses
    assert groups_of(face, ids)["glasses"] == "none"
    ids[43:51, 30:70] = 10
    assert groups_of(face, ids)["glasses"] == "glasses"
    turned = np.roll(ids, 5, axis=1)
    assert nose_offset(turned) == pytest.approx(0.2) and groups_of(face, turned)["pose"] == "turned"
    assert groups_of(face, np.zeros_like(ids)) == {"glasses": "none"}


def test_reports_are_markdown_and_json(tmp_path):
    report = Report(
        {"value": float("nan"), "inner": {"x": [1.23456789]}}, [markdown(["a", "b"], [["1", "2"]])], ["Note."]
    )
    report.sheets["sheet"] = np.zeros((2, 2, 3), np.uint8)
    report.write(tmp_path / "out")
    assert report.text() == "| a   | b   |\n|-----|-----|\n| 1   | 2   |\n\nNote."
    assert '"value": null' in report.json() and "1.23457" in report.json()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"evaluation.json", "evaluation.md", "sheet.png"}


def test_roles_of_data():
    assert roles(["val=a=b.zip", "reference=c"]) == {"val": "a=b.zip", "reference": "c"}
    assert roles(["some/a.zip"]) == {"val": "some/a.zip"}
    with pytest.raises(UsageError, match="before"):
        roles(["a", "b"])
    with pytest.raises(UsageError, match="val=SRC"):
        roles(["edits=a"])
