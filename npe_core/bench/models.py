"""The three networks by themselves: latency, images a second, and how much of it is arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from npe_core.bench.timing import described, interleaved, machine, ms
from npe_core.device import choose_device
from npe_core.editor.engine import Engine
from npe_core.training.evaluation.report import Report, markdown


def measure_models(device: str, batches: Sequence[int], repeats: int) -> Report:
    """Each network on ``batches`` of noise, one call. Raises WeightsError, UsageError, EnvironmentFault."""
    choice = choose_device(device)
    engine = Engine(choice)
    works: dict[str, Callable[[], object]] = {}
    for batch in batches:
        small = torch.randn(batch, 3, engine.image_size, engine.image_size, device=engine.device)
        crop = torch.randn(batch, 3, engine.segment_size, engine.segment_size)
        works[f"denoiser {batch}"] = lambda x=small: engine.denoise(x, 250)  # type: ignore[misc]
        works[f"segmenter {batch}"] = lambda x=crop: engine.segment(x)  # type: ignore[misc]
        works[f"upscaler {batch}"] = lambda x=small: engine.upscale(x)  # type: ignore[misc]
    timings = interleaved(works, repeats, engine.device, warm=2)
    flops = count_flops(engine)
    about = machine(choice)
    report = Report({"bench": "models", "machine": about, "repeats": repeats, "models": []})
    rows: list[list[str]] = []
    for name, timing in timings.items():
        kind, count = name.split()
        rate = int(count) / timing.median
        report.numbers["models"].append(
            {
                "model": kind,
                "batch": int(count),
                "seconds": timing.numbers(),
                "images_per_second": round(rate, 3),
                "gflop_per_image": round(flops[kind] / 1e9, 2),
            }
        )
        told = [ms(timing.median), ms(timing.at(0.95)), ms(timing.median_cpu), f"{rate:.1f}"]
        rows.append([kind, count, *told, f"{flops[kind] / 1e9:.1f}", f"{rate * flops[kind] / 1e9:.0f}"])
    header = ["network", "batch", "median ms", "95 % ms", "CPU ms", "images/s", "GFLOP an image", "GFLOP/s"]
    report.tables.append(markdown(header, rows))
    report.notes.append(described(about))
    return report


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
