"""Several regions filled as one: the light between them stays, and what the picture has not is left out."""

import numpy as np
import pytest
from canvas_fills import SIZE, X, Y, lab_error, soft_regions

from npe_core.canvas import Canvas
from npe_core.colour import srgb_to_lab
from npe_core.errors import InputError, UsageError
from npe_core.regions import region_by_name


def flesh_picture() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Skin in three lights, (H, W, 3) uint8: a nose that shines and a neck in shadow; ids; where each lies."""
    light = 150 + 10 * np.sin(X / 5.0)
    parts = {"nose": np.hypot(X - 48, Y - 40) < 10, "neck": Y >= 70}
    parts["skin"] = ~(parts["nose"] | parts["neck"])
    ids = np.zeros((SIZE, SIZE), np.uint8)
    for name, gain in (("skin", 1.0), ("nose", 1.15), ("neck", 0.7)):
        ids[parts[name]] = region_by_name(name).id
        light = np.where(parts[name], gain * light, light)
    return np.stack([light * 1.2, light * 0.9, light * 0.75], axis=-1).astype(np.uint8), ids, parts


@pytest.mark.parametrize("colour", ["#6a4028", "#e0b090"])
def test_skin_filled_as_one_with_nose_and_neck_keeps_the_light_between_them(colour):
    picture, ids, parts = flesh_picture()
    canvas = Canvas(picture, soft_regions(ids))
    canvas.fill("skin+nose+neck", colour)
    assert lab_error(canvas, canvas.mask == 1, colour) < 1
    before, after = (
        {name: srgb_to_lab(shown[where])[:, 0].mean() for name, where in parts.items()}
        for shown in (picture, canvas.guide)
    )
    for name in ("nose", "neck"):
        assert 0.4 < (after[name] - after["skin"]) / (before[name] - before["skin"]) < 1.5
    canvas.undo()
    assert (canvas.guide == picture).all() and not canvas.targets


def test_a_group_is_the_same_however_it_is_named_and_each_material_has_its_own_mean():
    picture, ids, _ = flesh_picture()
    ids[:20, :20] = region_by_name("attire").id
    canvases = [Canvas(picture, ids) for _ in range(3)]
    for canvas, group in zip(canvases, ("nose + attire+SKIN", ["attire", "skin", "nose"], (10, 4, 1, 4)), strict=True):
        canvas.fill(group, "#806040")
        assert canvas.targets[0].region == "skin+nose+attire"
        assert (canvas.guide == canvases[0].guide).all()
    for where in (ids == region_by_name("attire").id, (ids > 0) & (ids < 5)):
        assert lab_error(canvases[0], where, "#806040") < 1
    for refused in ((), "skin+hare", ["skin", 11]):
        with pytest.raises(UsageError):
            canvases[0].fill(refused, "#806040")
    with pytest.raises(UsageError, match="one region"):
        canvases[0].fill("skin+nose", "#806040", at=(50, 50))


def test_of_a_group_only_what_there_is_is_filled():
    """Hair covers the ears of many: the rest is filled as if they had not been named, and it is told."""
    picture, ids, _ = flesh_picture()
    canvas, without = (Canvas(picture, soft_regions(ids)) for _ in range(2))
    canvas.fill("skin+nose+ears+neck", "#6a4028")
    without.fill("skin+nose+neck", "#6a4028")
    assert (canvas.guide == without.guide).all() and (canvas.mask == without.mask).all()
    told = Canvas.restore(picture, canvas.save_state()).targets
    assert told == canvas.targets and told[0].absent == ("ears",)
    with pytest.raises(InputError, match="No hair found"):
        canvas.fill("hair+ears", "#6a4028")
    assert canvas.targets == told
