"""Cloth in the place of hair: where it may lie, what its mask says, and that the rest stays as it was."""

import pytest
import torch
import torch.nn.functional as F

from npe_core.regions import region_by_name
from npe_core.training import headwear
from npe_core.training.headwear import covered, dress

SIDE = 64


def named(*names):
    return [region_by_name(name).id for name in names]


def faces(count, hair=True):
    """Pictures of noise, and masks: hair around a face with brows, eyes and a mouth, ears, a neck and a shirt."""
    rng = torch.Generator().manual_seed(0)
    background, skin, brows, eyes, mouth, strands, ears, neck, attire = named(
        "background", "skin", "brows", "eyes", "mouth", "hair", "ears", "neck", "attire"
    )
    ids = torch.full((count, SIDE, SIDE), background, dtype=torch.uint8)
    ids[:, 54:] = attire
    ids[:, 46:54, 26:38] = neck
    if hair:
        ids[:, 6:44, 14:50] = strands
    ids[:, 14:48, 20:44] = skin
    ids[:, 28:34, 18:20] = ids[:, 28:34, 44:46] = ears
    ids[:, 22:24, 24:40] = brows
    ids[:, 26:28, 26:38] = eyes
    ids[:, 40:42, 28:36] = mouth
    return torch.rand(count, 3, SIDE, SIDE, generator=rng) * 2 - 1, ids


@pytest.fixture
def everybody(monkeypatch):
    monkeypatch.setattr(headwear, "WORN", 1.0)


def test_cloth_is_attire_and_nothing_else_changes(everybody):
    x, ids = faces(16)
    beliefs = torch.full((16, 11, SIDE // 4, SIDE // 4), 20, dtype=torch.uint8)
    after, dressed, believed = dress(x, ids, beliefs, torch.Generator().manual_seed(1))
    (attire,) = named("attire")
    changed = dressed != ids
    assert bool(changed.flatten(1).any(dim=1).all()) and bool((dressed[changed] == attire).all())
    free = torch.isin(ids, torch.tensor(named("brows", "eyes", "mouth"), dtype=torch.uint8))
    assert not bool((changed & free).any())
    covers = changed | (ids == attire)  # a scarf may hang over a shirt, which is attire already
    near = F.max_pool2d(covers[:, None].float(), 9, 1, 4) > 0  # the soft edge
    assert torch.equal(after[~near.expand_as(x)], x[~near.expand_as(x)])
    inner = F.max_pool2d((~changed)[:, None].float(), 9, 1, 4) == 0
    where = inner.expand_as(x)
    assert float((after[where] - x[where]).abs().mean()) > 0.2 and float(after.abs().max()) <= 1
    unsure, sure = (F.max_pool2d(part[:, None].float(), 4) > 0 for part in (changed, covers))
    assert bool((believed[unsure.expand_as(believed)] == 0).all())
    assert torch.equal(believed[~sure.expand_as(believed)], beliefs[~sure.expand_as(believed)])


def test_scarves_hide_hair_ears_and_throat_and_hats_end_at_the_brows():
    _, ids = faces(200)
    scarf = (torch.arange(200) % 2 == 0)[:, None, None, None]
    where = covered(ids, scarf, torch.Generator().manual_seed(2))[:, 0] > 0
    scarf = scarf.flatten()
    hides = {name: where[ids == region_by_name(name).id].reshape(200, -1) for name in ("hair", "ears", "neck")}
    assert all(bool(hidden[scarf].all()) for hidden in hides.values())
    assert not bool(where[~scarf][:, 22:].any()) and bool(where[~scarf][:, 8].any(dim=1).all())
    free = torch.isin(ids, torch.tensor(named("brows", "eyes", "mouth"), dtype=torch.uint8))
    assert not bool((where & free).any())
    hanging = where[scarf][:, 60, 32]  # over the shirt
    assert 0.35 < float(hanging.float().mean()) < 0.65
    assert not bool(where[scarf][:, 60, :13].any())  # no wider than the hair


def test_who_has_no_hair_wears_none(everybody):
    x, ids = faces(4, hair=False)
    beliefs = torch.zeros(4, 11, SIDE // 4, SIDE // 4, dtype=torch.uint8)
    after, dressed, _ = dress(x, ids, beliefs, torch.Generator().manual_seed(3))
    assert torch.equal(dressed, ids) and torch.equal(after, x)


def test_so_many_wear_some_and_each_batch_its_own():
    x, ids = faces(400)
    beliefs = torch.zeros(400, 11, SIDE // 4, SIDE // 4, dtype=torch.uint8)
    dressed = [dress(x, ids, beliefs, torch.Generator().manual_seed(seed))[1] for seed in (4, 4, 5)]
    share = (dressed[0] != ids).flatten(1).any(dim=1).float().mean()
    assert float(share) == pytest.approx(headwear.WORN, abs=0.04)
    assert torch.equal(dressed[0], dressed[1]) and not torch.equal(dressed[0], dressed[2])
