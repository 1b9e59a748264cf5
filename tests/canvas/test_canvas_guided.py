"""The guided filter against its definition, window by window."""

import numpy as np
import pytest

from npe_core.canvas import guided_filter
from npe_core.canvas.guided import box_sum, reduced


def brute_guided(guide: np.ndarray, p: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """Ridge regression of p on the colours in each window; the mean of all windows' predictions."""
    height, width = p.shape
    colours = guide.astype(np.float64) / 255
    a, b = np.zeros((height, width, 3)), np.zeros((height, width))
    windows = {}
    for y in range(height):
        for x in range(width):
            w = np.s_[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
            windows[y, x] = w
            i, q = colours[w].reshape(-1, 3), p[w].ravel()
            centred = i - i.mean(axis=0)
            covariance = centred.T @ centred / len(i) + eps * np.eye(3)
            a[y, x] = np.linalg.solve(covariance, centred.T @ (q - q.mean()) / len(i))
            b[y, x] = q.mean() - a[y, x] @ i.mean(axis=0)
    result = np.zeros((height, width))
    for (y, x), w in windows.items():
        result[y, x] = a[w].mean(axis=(0, 1)) @ colours[y, x] + b[w].mean()
    return np.clip(result, 0, 1)


@pytest.mark.parametrize("radius", [1, 3, 40])
def test_it_is_the_regression_of_its_definition(radius):
    rng = np.random.default_rng(5)
    guide = rng.integers(0, 256, (23, 17, 3), dtype=np.uint8)
    p = rng.random((23, 17))
    assert np.abs(guided_filter(guide, p, radius, 1e-2) - brute_guided(guide, p, radius, 1e-2)).max() < 1e-3


def test_box_sums_stop_at_the_border():
    stack = np.random.default_rng(1).random((2, 9, 6))
    sums = box_sum(stack, 2)
    for y in range(9):
        for x in range(6):
            window = stack[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            assert np.allclose(sums[:, y, x], window.sum(axis=(1, 2)))


@pytest.mark.parametrize("block", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [(16, 24), (17, 23), (3, 5), (16, 21), (19, 24)])
def test_blocks_are_means_and_the_last_ones_are_filled_up_by_their_edge(block, size):
    whole = np.random.default_rng(4).integers(0, 256, (24, 30, 3), dtype=np.uint8)
    image = whole[2 : 2 + size[0], 3 : 3 + size[1]]
    blocks = [-(-side // block) for side in size]
    filled = np.pad(image, [*((0, n * block - side) for n, side in zip(blocks, size, strict=True)), (0, 0)], "edge")
    means = filled.reshape(blocks[0], block, blocks[1], block, 3).mean(axis=(1, 3))
    assert np.abs(reduced(image, block) - means).max() <= 0.5
    planes = [reduced(plane, block) for plane in np.moveaxis(image, -1, 0).astype(np.float32)]
    assert np.allclose(np.stack(planes, axis=-1), means, atol=1e-4)


@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_a_blurred_mask_moves_to_the_edge_of_the_picture(halvings):
    guide = np.zeros((64, 90, 3), np.uint8)
    guide[:, 45:] = (180, 140, 90)
    guide += np.random.default_rng(2).integers(0, 6, guide.shape, dtype=np.uint8)
    blurred = np.broadcast_to(np.clip((np.arange(90) - 33) / 24, 0, 1), (64, 90))  # the step lies at 45 +- 12
    sharp = guided_filter(guide, blurred, 16, 1e-3, halvings)
    assert sharp.shape == (64, 90)
    step = sharp[:, 47] - sharp[:, 42]
    assert step.min() > 0.5 > 0.25 > blurred[0, 47] - blurred[0, 42]
