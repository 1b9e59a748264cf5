"""Regions in other colours: which pixels may change, that light and shadow stay, and that all of it is of the seed."""

import pytest
import torch
import torch.nn.functional as F

from npe_core.regions import region_by_name
from npe_core.training import recolour as module
from npe_core.training.recolour import GROUPS, NOT_QUITE, fill, liken, mean_colour, recolour

SIDE = 48


def faces(count):
    """Pictures of noise around a middle grey; hair above, skin with lips in the middle, a shirt below."""
    rng = torch.Generator().manual_seed(0)
    ids = torch.full((count, SIDE, SIDE), region_by_name("background").id, dtype=torch.uint8)
    ids[:, 4:16, 8:40] = region_by_name("hair").id
    ids[:, 16:36, 12:36] = region_by_name("skin").id
    ids[:, 28:32, 20:28] = region_by_name("lips").id
    ids[:, 40:] = region_by_name("attire").id
    return 0.4 * torch.rand(count, 3, SIDE, SIDE, generator=rng) - 0.2, ids


def test_a_fill_has_one_colour_in_the_light_that_was_there():
    x, ids = faces(8)
    where = (ids == region_by_name("skin").id)[:, None]
    after = fill(x, where.float(), torch.Generator().manual_seed(3))
    inner = F.max_pool2d((~where).float(), 7, 1, 3) == 0
    before, light = x.mean(dim=1, keepdim=True), after - after.mean(dim=1, keepdim=True)
    for k in range(len(x)):
        own = inner[k, 0]
        tints = light[k][
            :, own
        ]  # grey taken away, what is left is the colour, the same in all pixels that are not clipped
        assert float(tints.std(dim=1).max()) < 0.05
        grey = torch.stack([before[k, 0][own], after[k].mean(dim=0)[own]])
        assert float(torch.corrcoef(grey)[0, 1]) > 0.9
    assert torch.equal(
        after[(F.max_pool2d(where.float(), 9, 1, 4) == 0).expand_as(x)],
        x[(F.max_pool2d(where.float(), 9, 1, 4) == 0).expand_as(x)],
    )


def test_colours_are_far_apart():
    x, ids = faces(64)
    where = (ids == region_by_name("hair").id)[:, None].float()
    after = fill(x, where, torch.Generator().manual_seed(1))
    means = (after * where).sum(dim=(2, 3)) / where.sum(dim=(2, 3))
    assert float(means.std(dim=0).min()) > 0.3


@pytest.mark.parametrize(("like_hair", "dyed", "model"), [(1.0, "attire", "hair"), (0.0, "hair", "attire")])
def test_clothes_and_hair_become_alike(monkeypatch, like_hair, dyed, model):
    monkeypatch.setattr(module, "ALIKE", 1.0)
    monkeypatch.setattr(module, "LIKE_HAIR", like_hair)
    x, ids = faces(32)
    hair, attire, where, other = ((ids == region_by_name(name).id)[:, None] for name in ("hair", "attire", dyed, model))
    x = x.mul(0.5).sub(0.6 * hair.float()).add(0.3 * attire.float())  # black hair, light clothes
    x[0][:, hair[0, 0]] = 0.7
    ids[0][hair[0, 0]] = region_by_name("background").id  # a bald head stays as it is
    after = liken(x, ids, torch.Generator().manual_seed(4))
    assert torch.equal(after[0], x[0])
    far = F.max_pool2d(where.float(), 9, 1, 4) == 0
    assert torch.equal(after[far.expand_as(x)], x[far.expand_as(x)])
    inner = (F.max_pool2d((~where).float(), 5, 1, 2) == 0).float()
    apart = (mean_colour(after, inner) - mean_colour(x, other.float()))[1:]
    assert float(apart.std()) == pytest.approx(NOT_QUITE, rel=0.5) and float(apart.abs().max()) < 4 * NOT_QUITE


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_belongs_to_no_group_stays_and_so_do_masks(monkeypatch, share):
    monkeypatch.setattr(module, "FILLED", share)
    monkeypatch.setattr(module, "ALIKE", 0.0)
    x, ids = faces(32)
    kept = ids.clone()
    after = recolour(x, ids, torch.Generator().manual_seed(2))
    assert torch.equal(ids, kept)
    fillable = torch.isin(ids, torch.tensor(sum(GROUPS, ()), dtype=torch.uint8))[:, None].float()
    free = (F.max_pool2d(fillable, 9, 1, 4) == 0).expand_as(x)
    assert torch.equal(after[free], x[free])
    assert float((after != x).flatten(1).any(dim=1).float().mean()) == pytest.approx(share, abs=0.1)
    assert torch.equal(after, recolour(x, ids, torch.Generator().manual_seed(2)))
