"""What the segmenter learns from, against closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from npe_core.models.segmenter import SegmenterConfig
from npe_core.regions import REGIONS, region_by_name
from npe_core.training import segmentation
from npe_core.training.data import Mixture, to_float
from npe_core.training.reading import UNKNOWN
from npe_core.training.segmentation import (
    BORDER_WEIGHT,
    SegmentationTask,
    belief_distance,
    calmly,
    dice_loss,
    near_borders,
    roughly,
    weighted_entropy,
)

HAIR = region_by_name("hair").id


def certain(ids):
    """Logits that are sure of ids (B, H, W)."""
    return 50.0 * nn.functional.one_hot(ids, 11).permute(0, 3, 1, 2).float()


def dice(logits, truth):
    return float(dice_loss(logits.softmax(dim=1), truth))


def entropy(logits, truth, weight):
    return float(weighted_entropy(logits.log_softmax(dim=1), truth, weight))


def test_dice_of_a_perfect_and_of_a_wrong_prediction():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    truth[:, 2:] = 7
    assert dice(certain(truth), truth) == pytest.approx(0, abs=1e-5)
    # All of class 0 and 7 missed: (2 * 0 + 1) / (0 + 8 + 1) of each.
    assert dice(certain(torch.full_like(truth, 3)), truth) == pytest.approx(1 - 1 / 9, abs=1e-5)


def test_dice_of_half_an_overlap():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    said = truth.clone()
    said[:, 2:] = 1  # overlap 8, sizes 8 and 16
    assert dice(certain(said), truth) == pytest.approx(1 - 17 / 25, abs=1e-5)


def test_unknown_pixels_do_not_count():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    said = truth.clone()
    said[:, 2:] = 1
    truth[:, 2:] = UNKNOWN
    assert dice(certain(said), truth) == pytest.approx(0, abs=1e-5)


def test_a_batch_in_which_nothing_is_known_teaches_nothing():
    """The loss is 0 and not the mean of nothing, and so are its gradients."""
    ids = torch.full((2, 64, 64), UNKNOWN, dtype=torch.uint8)
    data = Mixture.of([(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), ids)], [1.0], torch.device("cpu"), ["faces"])
    task = SegmentationTask(data, torch.device("cpu"), SegmenterConfig(image_size=64, base=16, mults=(1, 1)))
    task.model = nn.Identity()
    logits = torch.randn(2, 11, 64, 64, requires_grad=True)
    beliefs = torch.full((2, 11, 16, 16), 23, dtype=torch.uint8)
    loss = task.loss((logits, ids, beliefs), torch.Generator()).model
    loss.backward()
    assert float(loss.detach()) == 0 and not logits.grad.any()


def test_borders_are_where_another_region_is_two_pixels_away():
    truth = torch.zeros(1, 4, 12, dtype=torch.long)
    truth[..., 6:9] = 5
    truth[..., 9:] = UNKNOWN  # what is not known makes no border
    assert near_borders(truth)[0, 0].nonzero().flatten().tolist() == [4, 5, 6, 7]
    assert not near_borders(torch.full((1, 4, 4), UNKNOWN)).any()


def test_cross_entropy_weighs_regions_and_borders():
    """One pixel says nothing (ln 11), the others are right: its share of all weights is what it costs."""
    truth = torch.zeros(1, 1, 12, dtype=torch.long)
    truth[..., 6:] = 2
    truth[..., 11] = UNKNOWN
    weight = torch.ones(11)
    weight[2] = 3.0
    total = 4 + 2 * BORDER_WEIGHT + 3 * (2 * BORDER_WEIGHT + 3)
    for column, own in ((0, 1.0), (5, BORDER_WEIGHT), (6, 3 * BORDER_WEIGHT), (10, 3.0), (11, 0.0)):
        logits = certain(truth.clamp(max=10))
        logits[..., column] = 0
        expected = math.log(11) * own / total
        assert entropy(logits, truth, weight) == pytest.approx(expected, abs=1e-5)
    assert entropy(certain(truth.clamp(max=10)), torch.full_like(truth, UNKNOWN), weight) == 0


def believed(*shares):
    """Beliefs (1, 11, 1, 1) in the first regions, in 1/255."""
    levels = torch.zeros(1, 11, 1, 1, dtype=torch.uint8)
    levels[0, : len(shares), 0, 0] = torch.tensor(shares, dtype=torch.uint8)
    return levels


def test_distance_to_beliefs_is_the_kullback_leibler_divergence():
    """A place sees the mean of its four pixels: three are background for sure, one is skin; believed is 3 : 2."""
    truth = torch.tensor([[[0, 0], [0, 1]]])
    found = certain(truth).softmax(dim=1)
    expected = 0.6 * math.log(0.6 / 0.75) + 0.4 * math.log(0.4 / 0.25)
    assert float(belief_distance(found, believed(153, 102), truth)) == pytest.approx(expected, rel=1e-4)
    assert float(belief_distance(found, believed(191, 64), truth)) == pytest.approx(0, abs=1e-4)


def test_where_nothing_is_believed_or_known_there_is_no_distance():
    truth = torch.zeros(1, 2, 2, dtype=torch.long)
    wrong = certain(truth + 3).softmax(dim=1)
    assert float(belief_distance(wrong, believed(), truth)) == 0
    assert float(belief_distance(wrong, believed(255), torch.full_like(truth, UNKNOWN))) == 0
    assert float(belief_distance(wrong, believed(255), truth)) > 5


def test_a_calm_example_is_only_moved_a_little():
    """A disc of hair in the middle of a face's crop stays about as large and where it was."""
    side, radius = 64, 16
    y, x = torch.meshgrid(torch.arange(side) - 31.5, torch.arange(side) - 31.5, indexing="ij")
    disc = ((x * x + y * y) < radius * radius).to(torch.uint8) * HAIR
    images = torch.randint(0, 256, (40, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    beliefs = torch.zeros(40, len(REGIONS), side // 4, side // 4, dtype=torch.uint8)
    seen, ids, _ = calmly(to_float(images), disc.expand(40, -1, -1), beliefs, torch.Generator().manual_seed(1))
    hair = (ids == HAIR).double()
    area = hair.sum(dim=(1, 2)) / (torch.pi * radius**2)
    middles = torch.stack([(hair * axis).sum(dim=(1, 2)) / hair.sum(dim=(1, 2)) for axis in (x, y)])
    assert 0.8 < area.min() < 0.95 and 1.05 < area.max() < 1.25
    assert 0.5 < middles.abs().max() < 0.05 * side
    assert seen.std() > 0.3  # still the picture


def test_beliefs_move_with_calm_and_rough_examples():
    images = torch.zeros(8, 3, 64, 64)
    ids = torch.zeros(8, 64, 64, dtype=torch.uint8)
    ids[:, :, 32:] = HAIR
    beliefs = torch.zeros(8, len(REGIONS), 16, 16, dtype=torch.uint8)
    beliefs[:, 0, :, :8], beliefs[:, HAIR, :, 8:] = 255, 255
    for move in (calmly, roughly):
        _, moved, said = move(images, ids, beliefs, torch.Generator().manual_seed(2))
        levels = F.interpolate(said[:, [0, HAIR]].float(), scale_factor=4.0, mode="bilinear")
        sure = (levels.sum(dim=1) > 250) & (levels.amax(dim=1) > 200) & (moved != UNKNOWN)
        assert sure.float().mean() > 0.3
        assert ((levels[:, 1] > 128) == (moved == HAIR))[sure].float().mean() > 0.99, move


@pytest.mark.parametrize("count", [1, 16])
def test_half_of_what_is_drawn_is_calm(monkeypatch, count):
    sizes = {"calmly": 0, "roughly": 0}
    for move in (calmly, roughly):

        def counted(x, *rest, move=move):
            sizes[move.__name__] += len(x)
            return move(x, *rest)

        monkeypatch.setattr(segmentation, move.__name__, counted)
    images = torch.zeros(20, 3, 64, 64, dtype=torch.uint8)
    ids, beliefs = torch.zeros(20, 64, 64, dtype=torch.uint8), torch.zeros(20, len(REGIONS), 16, 16, dtype=torch.uint8)
    data = Mixture.of([(images, ids, beliefs)], [1.0], torch.device("cpu"), ["faces"])
    task = SegmentationTask(data, torch.device("cpu"), SegmenterConfig(image_size=64, base=16, mults=(1, 1)))
    rng = torch.Generator().manual_seed(0)
    for _ in range(96 // count):
        x, drawn, said = task.draw(count, rng)
        assert (len(x), len(drawn), len(said)) == (count, count, count)
    assert sum(sizes.values()) == 96 and 33 <= sizes["calmly"] <= 63  # 48, three standard deviations


def test_the_loss_is_the_sum_of_what_is_drawn_and_what_is_believed():
    """Sure of the drawn class, the network is wrong only by what the teacher doubts: log 2 where it halves."""
    ids = torch.full((1, 64, 64), HAIR, dtype=torch.uint8)
    data = Mixture.of([(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), ids)], [1.0], torch.device("cpu"), ["faces"])
    task = SegmentationTask(data, torch.device("cpu"), SegmenterConfig(image_size=64, base=16, mults=(1, 1)))
    beliefs = torch.zeros(1, 11, 16, 16, dtype=torch.uint8)
    beliefs[:, HAIR] = 255
    logits = torch.zeros(1, 11, 64, 64)
    logits[:, HAIR], logits[:, 0] = 50.0, 50.0
    task.model = nn.Identity()
    loss = task.loss((logits, ids, beliefs), torch.Generator())
    parts = {name: float(value) for name, value in loss.log.items()}
    assert parts["beliefs"] == pytest.approx(math.log(2), abs=1e-4)
    assert parts["entropy"] > 0.1 and parts["dice"] > 0.1
    assert float(loss.model) == pytest.approx(parts["entropy"] + 0.5 * parts["dice"] + parts["beliefs"], abs=1e-4)
