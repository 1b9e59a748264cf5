"""A small picture with regions, whatever a person may do to its canvas, and what must be the same again after undo."""

import random
from collections.abc import Callable

import numpy as np

from npe_core.canvas import Canvas

H, W = 40, 56


def picture() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (H, W, 3), dtype=np.uint8)


def region_map() -> np.ndarray:
    ids = np.ones((H, W), np.uint8)
    ids[:14] = 7
    ids[25:30, 20:36] = 5
    return ids


def random_operation(rng: random.Random) -> Callable[[Canvas], object]:
    def point() -> tuple[float, float]:
        return rng.uniform(-5, W + 5), rng.uniform(-5, H + 5)

    colour = f"#{rng.randrange(2**24):06x}"
    points = [point() for _ in range(rng.randint(1, 3))]
    radius, soft = rng.uniform(0.3, 9), rng.random()
    noise = np.random.default_rng(rng.randrange(2**32))
    x, y = rng.randrange(W - 5), rng.randrange(H - 5)
    mask = np.zeros((H, W), np.float32)
    mask[y : y + 5, x : x + 5] = noise.random((5, 5))
    paint = noise.integers(0, 256, (H, W, 3), dtype=np.uint8)

    def drag(canvas: Canvas) -> None:
        canvas.begin_stroke(colour, radius, soft, erase=rng.random() < 0.3, tint=rng.random() < 0.3)
        for p in points:
            canvas.extend_stroke([p])

    return rng.choice(
        [
            lambda c: c.stroke(points, colour, radius, soft, opacity=0.6),
            lambda c: c.stroke(points, colour, radius, soft, tint=True),
            lambda c: c.stroke(points, None, radius, soft),
            lambda c: c.erase(points, radius, soft),
            drag,
            lambda c: c.fill("hair", colour, shading=soft),
            lambda c: c.fill("lips", colour, at=(22, 26)),
            lambda c: c.paint_image(paint, mask),
            lambda c: c.paint_image(paint, mask, tint=True),
            lambda c: c.select(mask),
            lambda c: c.select(mask, colour),
            lambda c: c.select(mask, colour, tint=True),
            lambda c: c.feather(rng.uniform(0, 5)),
            lambda c: c.grow(rng.uniform(0, 3)),
            lambda c: c.shrink(rng.uniform(0, 2)),
            lambda c: c.invert(),
            lambda c: c.clear() if rng.random() < 0.1 else None,
        ]
    )


def snapshot(canvas: Canvas) -> tuple[bytes, bytes, bytes, tuple]:
    return canvas.guide.tobytes(), canvas.mask.tobytes(), canvas.painted.tobytes(), tuple(canvas.targets)
