"""What a mask's file holds, and how a job's files are named to their owner."""

import numpy as np
import pytest
from PIL import Image

from npe_core.daemon.inputs import read_by_hand, without_folder


def spot(value):
    mask = np.zeros((512, 512), np.uint8)
    mask[330:390, 200:310] = value
    return mask


def test_a_mask_of_one_bit_is_a_grey_mask_and_a_photo_in_its_place_is_told(portrait, tmp_path):
    file = tmp_path / "m.png"
    Image.fromarray(spot(255)).convert("1").save(file)
    by_hand, notes = read_by_hand(file, (512, 512), "#963c3c")
    assert np.array_equal(by_hand.mask, spot(255) > 0) and by_hand.colour == "#963c3c" and not notes
    _, (note,) = read_by_hand(portrait, (512, 512), None)
    assert "ana.png' has many colours" in note


def test_an_opaque_grey_rgba_mask_is_a_grey_mask(tmp_path):
    file = tmp_path / "m.png"
    Image.fromarray(np.dstack([spot(200)] * 3 + [np.full((512, 512), 255, np.uint8)])).save(file)
    by_hand, _ = read_by_hand(file, (512, 512), None)
    assert by_hand.paint is None and by_hand.colour is None
    assert float(by_hand.mask.max()) == pytest.approx(200 / 255, abs=0.003)


@pytest.mark.parametrize("name", ["a b", "it's", "new\nline", "caf\udce9", "both ' and \""])
def test_a_message_names_files_without_the_folder_of_their_job(tmp_path, name):
    folder = tmp_path / f"{name}-0123456789ab"
    for said in (f"{folder}/photo.png is empty", f"{str(folder / 'photo.png')!r} is empty"):
        assert str(tmp_path) not in without_folder(said, folder)
