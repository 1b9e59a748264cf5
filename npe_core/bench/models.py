"""The three networks by themselves: latency, images a second, and how near that is to what the device can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from npe_core.bench.timing import described, interleaved, machine, ms
from npe_core.device import DeviceChoice, choose_device
from npe_core.editor.engine import Engine
from npe_core.report import Report, markdown

MATMUL = "matmul"
"""What the device can do at best: hardly any work is more regular."""


def measure_models(device: str, batches: Sequence[int], repeats: int) -> Report:
    """Each network on ``batches`` of noise, one call, and beside it a large product of matrices, all in turn.

    Raises WeightsError, UsageError, EnvironmentFault.
    """
    choice = choose_device(device)
    engine = Engine(choice)
    works: dict[str, Callable[[], object]] = {}
    for batch in batches:
        small = torch.randn(batch, 3, engine.image_size, engine.image_size, device=engine.device)
        crop = torch.randn(batch, 3, engine.segment_size, engine.segment_size)
        works[f"denoiser {batch}"] = lambda x=small: engine.denoise(x, 250)  # type: ignore[misc]
        works[f"segmenter {batch}"] = lambda x=crop: engine.segment(x)  # type: ignore[misc]
        works[f"upscaler {batch}"] = lambda x=small: engine.upscale(x)  # type: ignore[misc]
    works[MATMUL], product = matmul(choice)
    timings = interleaved(works, repeats, engine.device, warm=2)
    ceiling = product / min(timings.pop(MATMUL).wall)
    flops = count_flops(engine)
    about = machine(choice)
    report = Report(
        {
            "bench": "models",
            "machine": about,
            "repeats": repeats,
            "matmul_gflop_per_second": round(ceiling / 1e9, 1),
            "models": [],
        }
    )
    rows: list[list[str]] = []
    for name, timing in timings.items():
        kind, count = name.split()
        rate = int(count) / timing.median
        share = rate * flops[kind] / ceiling
        report.numbers["models"].append(
            {
                "model": kind,
                "batch": int(count),
                "seconds": timing.numbers(),
                "images_per_second": round(rate, 3),
                "gflop_per_image": round(flops[kind] / 1e9, 2),
                "share_of_matmul": round(share, 4),
            }
        )
        told = [ms(timing.median), ms(timing.at(0.95)), ms(timing.median_cpu), f"{rate:.1f}"]
        rows.append([kind, count, *told, f"{flops[kind] / 1e9:.1f}", f"{rate * flops[kind] / 1e9:.0f}", f"{share:.0%}"])
    header = ["network", "batch", "median ms", "95 % ms", "CPU ms", "images/s", "GFLOP each", "GFLOP/s", "of matmul"]
    report.tables.append(markdown(header, rows))
    report.notes += [
        f"Matmul: {ceiling / 1e9:.0f} GFLOP/s, the best of {repeats} products of {about['precision']} matrices here.",
        described(about),
    ]
    return report


def matmul(choice: DeviceChoice) -> tuple[Callable[[], object], float]:
    """The product of two large square matrices in the networks' precision, and its floating-point operations."""
    side = 1024 if choice.device.type == "cpu" else 8192  # a GPU takes more to be filled
    a, b = (torch.randn(side, side, device=choice.device).to(choice.dtype) for _ in range(2))
    return lambda: a @ b, 2.0 * side**3


def count_flops(engine: Engine) -> dict[str, float]:
    """Floating-point operations of one picture through each network as published (a multiply-add is two)."""
    plain = Engine(choose_device("cpu"), engine.weights)
    side, crop = plain.image_size, plain.segment_size
    works: dict[str, Callable[[], object]] = {
        "denoiser": lambda: plain.denoise(torch.zeros(1, 3, side, side), 250),
        "segmenter": lambda: plain.segment(torch.zeros(1, 3, crop, crop)),
        "upscaler": lambda: plain.upscale(torch.zeros(1, 3, side, side)),
    }
    counted = {}
    for name, work in works.items():
        with FlopCounterMode(display=False) as counter:
            work()
        counted[name] = float(counter.get_total_flops())
    return counted
