"""Augmentation: picture and mask move together, and only what may change changes."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from npe_core.training import super_resolution
from npe_core.training.augment import (
    jitter_colours,
    occlude,
    random_blobs,
    random_patches,
    random_zoom,
    replace_background,
    rough_paint,
    warp,
    warp_beliefs,
    warp_pairs,
    zoom_out,
)
from npe_core.training.data import to_float, to_uint8
from npe_core.training.evaluation.segmentation import affine
from npe_core.training.jpeg import compress
from npe_core.training.reading import UNKNOWN
from npe_core.training.super_resolution import STORED, degrade

SIDE = 64


def striped(count=8):
    """Pictures whose grey value is the id of the mask, in blocks wide enough for a middle without edges."""
    ids = torch.arange(16, dtype=torch.uint8).reshape(4, 4) % 11
    ids = ids.repeat_interleave(SIDE // 4, 0).repeat_interleave(SIDE // 4, 1).expand(count, SIDE, SIDE).contiguous()
    return (ids.float() / 5 - 1)[:, None].expand(-1, 3, -1, -1).contiguous(), ids


def coded(x):
    """The ids that the grey values of a striped picture say."""
    return ((x[:, 0] + 1) * 5).round()


def test_picture_and_mask_are_warped_alike():
    x, ids = striped()
    warped, moved, _ = warp_pairs(x, ids, torch.Generator().manual_seed(0))
    known = moved != UNKNOWN
    assert 0.5 < float(known.float().mean()) < 1
    agree = (coded(warped) == moved.float())[known]
    assert float(agree.float().mean()) > 0.9  # bilinear edges between blocks lie between two ids
    assert not torch.equal(moved, ids)


def test_what_is_known_of_a_wider_look_is_what_it_shows():
    """Beyond the crop the background, and what hangs down below it; of the other picture the background alone."""
    x, ids = striped(64)
    wide, known, _ = zoom_out(x, ids, torch.Generator().manual_seed(0), chance=1.0)
    agree = (coded(wide) == known.float())[known != UNKNOWN]
    assert float(agree.float().mean()) > 0.9  # bilinear edges between blocks lie between two ids
    noses = (known == 4).flatten(1).sum(dim=1) / (ids == 4).flatten(1).sum(dim=1)  # those of the crop, and no others
    assert 0.5**2 - 0.06 < float(noses.min()) < 0.4 and 0.7 < float(noses.max()) < 0.9**2 + 0.06
    assert 0.1 < float((known == UNKNOWN).float().mean()) < 0.7


def test_beliefs_go_where_the_mask_goes():
    """Certain beliefs of a mask, warped beside it: where both know something they say the same region."""
    x, ids = striped(64)
    beliefs = 255 * torch.nn.functional.one_hot(ids.long(), 11).permute(0, 3, 1, 2).to(torch.uint8)
    rng = torch.Generator().manual_seed(0)
    x, ids, shrunk = zoom_out(x, ids, rng, chance=1.0)
    x, ids, warped = warp_pairs(x, ids, rng)
    moved = warp_beliefs(beliefs, (shrunk, warped))
    known = (ids != UNKNOWN) & (moved.sum(dim=1) == 255)
    assert 0.1 < float(known.float().mean()) < 0.7
    agree = (moved.argmax(dim=1) == ids)[known]
    assert float(agree.float().mean()) > 0.95  # edges between blocks lie between two pixels
    assert moved.dtype == torch.uint8 and bool((moved.sum(dim=1) == 0).any())  # from outside nothing is believed


def test_only_below_a_crop_hair_goes_on():
    ids = torch.zeros((64, SIDE, SIDE), dtype=torch.uint8)
    ids[:, :, : SIDE // 2] = 7
    ids[:, SIDE // 2 :, SIDE // 2 :] = 1
    _, known, _ = zoom_out(
        ids.float()[:, None].expand(-1, 3, -1, -1) / 5 - 1, ids, torch.Generator().manual_seed(0), 1.0
    )
    hair, skin = ((known == region).flatten(1).sum(dim=1) for region in (7, 1))
    longer = hair / (2 * skin)  # in the crop there is twice as much hair as skin
    assert float(longer.min()) > 0.9 and 1.2 < float(longer.max()) < 2.1  # the more, the higher up the crop is shown


def test_a_look_that_is_not_widened_stays_as_it_is():
    x, ids = striped()
    same, known, _ = zoom_out(x, ids, torch.Generator().manual_seed(0), chance=0.0)
    assert torch.allclose(same, x, atol=1e-5) and torch.equal(known, ids)


def test_a_mirror_alone_is_exact():
    x, ids = striped(1)
    mirrored, moved = warp(x, ids, torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]))
    assert torch.equal(moved, ids.flip(2))
    assert torch.allclose(mirrored, x.flip(3), atol=1e-5)


@pytest.mark.parametrize(("right", "down"), [(0.25, 0.0), (0.0, 0.25)])
def test_a_shift_moves_right_and_down_and_leaves_unknown(right, down):
    x, ids = striped(1)
    _, moved = warp(x, ids, affine(0, right, down)[None])
    by = SIDE // 4
    expected = torch.full_like(ids, UNKNOWN)
    if right:
        expected[:, :, by:] = ids[:, :, :-by]
    else:
        expected[:, by:] = ids[:, :-by]
    assert torch.equal(moved, expected)


def test_the_same_generator_gives_the_same_warp():
    one, same = (warp_pairs(*striped(), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])


def test_colours_stay_in_range():
    x = jitter_colours(striped()[0], torch.Generator().manual_seed(0), strength=0.5)
    assert float(x.min()) >= -1 and float(x.max()) <= 1


def test_occluders_hide_the_picture_and_nothing_else():
    x, ids = striped()
    hidden, moved = occlude(x, ids, torch.Generator().manual_seed(0), chance=1.0)
    covered = moved == UNKNOWN
    assert bool(covered.flatten(1).any(dim=1).all()) and float(covered.float().mean()) < 0.35**2 * 1.3
    assert torch.equal(hidden.permute(0, 2, 3, 1)[~covered], x.permute(0, 2, 3, 1)[~covered])
    untouched = occlude(x, ids, torch.Generator().manual_seed(0), chance=0.0)
    assert torch.equal(untouched[0], x) and torch.equal(untouched[1], ids)


def test_rough_paint_is_a_few_flat_colours_of_what_is_there():
    rng = torch.Generator().manual_seed(0)
    x = torch.full((9, 3, SIDE, SIDE), -0.5)
    x[..., SIDE // 2 :] = 0.5
    x += 0.05 * torch.randn(x.shape, generator=rng)
    mask = random_blobs(9, SIDE, rng, least=0.4)
    paint = rough_paint(x, mask, rng)
    inside = mask.bool().expand_as(x)
    assert torch.equal(paint[~inside], x[~inside])
    for one, place in zip(paint, mask[:, 0].bool(), strict=True):
        assert 2 <= len(one[:, place].unique(dim=1).T) <= 6
    off = ((paint - x).abs() > 0.2)[inside].float().mean()
    assert 0.01 < float(off) < 0.2  # the outline only
    assert (paint - x)[inside].mean().abs() < 0.05


def test_rough_paint_of_the_same_generator_is_the_same():
    x, _ = striped()
    one, same = (rough_paint(x, torch.ones_like(x[:, :1]), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, same)


def test_patches_are_cut_out_of_their_own_picture():
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(20), indexing="ij")
    image = torch.stack([rows, columns, torch.zeros_like(rows)]).to(torch.uint8)
    images = torch.stack([image, image + torch.tensor([0, 0, 9], dtype=torch.uint8)[:, None, None]]).repeat(8, 1, 1, 1)
    patches = random_patches(images, 8, torch.Generator().manual_seed(0))
    assert patches.shape == (16, 3, 8, 8)
    assert patches[:, 2, 0, 0].tolist() == [0, 9] * 8
    down, right = patches[:, 0].int().diff(dim=1), patches[:, 1].int().diff(dim=2)
    assert bool((down == 1).all())
    directions = {int(r.unique()) for r in right}
    assert directions == {-1, 1}
    corners = random_patches(images, 8, torch.Generator().manual_seed(0), pitch=4)[:, :2, 0].amin(dim=2)
    assert not (corners % 4).any() and len(corners.unique(dim=0)) > 4


def test_degradation_keeps_shape_and_mean():
    high = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5
    low = degrade(high, torch.Generator().manual_seed(0))
    assert low.shape == (16, 3, 16, 16)
    assert float((low.mean(dim=(1, 2, 3)) - high.mean(dim=(1, 2, 3))).abs().max()) < 0.01
    steps = (low + 1) * 127.5
    assert torch.allclose(steps, steps.round(), atol=1e-4)
    assert torch.equal(low, degrade(high, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("side", [96, 128])
def test_a_tenth_of_the_patches_of_any_side_went_through_jpeg(monkeypatch, side):
    high = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    rngs = [torch.Generator().manual_seed(seed) for seed in range(150)]
    stored = [degrade(high, rng) for rng in rngs]
    assert {low.shape for low in stored} == {(1, 3, side // 4, side // 4)}
    monkeypatch.setattr(super_resolution, "compress", lambda low, quality: low)
    plain = [degrade(high, rng.manual_seed(seed)) for seed, rng in enumerate(rngs)]
    share = np.mean([not torch.equal(a, b) for a, b in zip(stored, plain, strict=True)])
    assert abs(share - STORED) < 0.07


def test_another_background_leaves_the_face_alone():
    x, ids = striped()
    changed = replace_background(x, ids, torch.Generator().manual_seed(0), chance=1.0)
    behind = ids == 0
    grown = torch.nn.functional.max_pool2d(behind[:, None].float(), 9, 1, 4)[:, 0] > 0  # the soft edge and its blur
    assert torch.equal(changed.permute(0, 2, 3, 1)[~grown], x.permute(0, 2, 3, 1)[~grown])
    inner = -torch.nn.functional.max_pool2d(-behind[:, None].float(), 9, 1, 4)[:, 0] > 0
    moved = (changed - x).abs().amax(dim=1)[inner]
    assert float((moved > 0.05).float().mean()) > 0.2
    assert torch.equal(replace_background(x, ids, torch.Generator().manual_seed(0), chance=0.0), x)


@pytest.mark.parametrize("quality", [25, 50, 85])
def test_compression_is_that_of_pillow(quality):
    sample = Image.open("samples/ana.png").convert("RGB").resize((128, 128), Image.Resampling.LANCZOS)
    stored = io.BytesIO()
    sample.save(stored, "JPEG", quality=quality, subsampling="4:2:0")
    reference = np.asarray(Image.open(stored)).astype(float)
    original = np.asarray(sample)
    ours = to_uint8(compress(to_float(torch.from_numpy(original.copy()).permute(2, 0, 1)[None]), quality))
    ours = ours[0].permute(1, 2, 0).numpy().astype(float)
    error, between = np.abs(reference - original).mean(), np.abs(reference - ours).mean()
    assert between < 0.25 * error + 0.3  # chroma is brought back up a little differently


def test_zoom_shows_a_part_at_one_to_two_times_the_scale():
    ramp = torch.linspace(-1, 1, 64).expand(3, 64, 64)  # grows by 2 / 64 a pixel of the large picture
    x = random_zoom(ramp.expand(160, 3, 64, 64), 32, torch.Generator().manual_seed(0))
    assert x.shape == (160, 3, 32, 32)
    slope = x[:, 0, 16, 8:24].diff(dim=1).mean(dim=1).abs() * 64 / 2
    assert float(slope.min()) > 0.95 and float(slope.max()) < 2.1
    assert float(slope.min()) < 1.2 and float(slope.max()) > 1.7


def test_blobs_cover_what_they_say_in_few_pieces():
    blobs = random_blobs(64, 48, torch.Generator().manual_seed(0))
    assert blobs.shape == (64, 1, 48, 48) and set(blobs.unique().tolist()) == {0.0, 1.0}
    shares = blobs.mean(dim=(1, 2, 3))
    assert 0.19 < float(shares.min()) < 0.3 and 0.7 < float(shares.max()) < 0.81
    edges = blobs.diff(dim=2).abs().sum(dim=(1, 2, 3)) + blobs.diff(dim=3).abs().sum(dim=(1, 2, 3))
    assert float(edges.max()) < 0.2 * 48 * 48  # noise would have half of all neighbours differ
