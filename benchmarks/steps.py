"""How many calls of the diffusion model an edit needs: its distance to the edit with very many calls, by sampler.

    pip install matplotlib                                      # for the picture
    python benchmarks/steps.py --teachers DIR --out docs/images/steps.png
    python benchmarks/steps.py --teachers DIR --photos 2 --counts 4,10 --many 50        # a small version

Each sample portrait is edited with the same seed, at each timestep, by each sampler with few calls, and once by DDIM
with 250 (at most one a timestep), which is where the probability flow leads. What is measured are the 128-pixel
results inside the crop: LPIPS, pair by pair, and VGG-FD between all edits with so many calls and all those with very
many. With a dozen pictures on either side that is a distance between these two sets, not between populations. DIR
holds teachers.py, as for ``npe evaluate``. DDPM adds noise on its way and leads elsewhere: where it ends is told too.
It takes five minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from npe_core.bench.portrait import samples
from npe_core.canvas import Canvas
from npe_core.defaults import SAMPLER, SAMPLERS, STEPS
from npe_core.diffusion.masked import Strength, masked_edit
from npe_core.editor import EditJob, Editor
from npe_core.editor.engine import to_images
from npe_core.editor.underway import Underway, begin
from npe_core.photo import Photo
from npe_core.report import markdown, told
from npe_core.training.teachers import Judge

NAMES = {"dpmpp": "DPM-Solver++ 2M", "ddim": "DDIM", "ddpm": "DDPM"}


@dataclass
class Curves:
    """What was measured: sampler -> calls -> one value a timestep, or one for all."""

    lpips: dict[int, dict[str, dict[int, float]]] = field(default_factory=dict)
    """By timestep: mean distance to the edit with very many calls."""
    whole: dict[int, float] = field(default_factory=dict)
    """By timestep: how far that edit is from the photo, to judge the others by."""
    vgg_fd: dict[str, dict[int, float]] = field(default_factory=dict)
    """Of the edits of all timesteps to those with very many calls."""


def marked(editor: Editor, path: Path, fill: tuple[str, str]) -> Underway:
    """A portrait with its fill, as the denoiser sees it."""
    photo = Photo.open(path)
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill(*fill)
    return begin(EditJob(photo, canvas, seed=1), editor.choose, editor.engine)


def walk(editor: Editor, edit: Underway, timestep: int, steps: int, sampler: str) -> Tensor:
    """(B, 3, 128, 128): the result of the diffusion alone."""
    views, strength = edit.views, Strength(timestep, min(steps, timestep), sampler)
    within = editor.engine.denoise_within(views.original, views.mask)
    return masked_edit(within, views.original, views.guide, views.mask, strength, [1] * len(views.mask))


def measure(
    editor: Editor, judge: Judge, edits: list[Underway], timesteps: list[int], counts: list[int], many: int, end: int
) -> Curves:
    """Every sampler with every count of calls, and DDPM with ``end``."""
    ways = [(name, count) for name in SAMPLERS for count in counts] + [("ddpm", end)]
    curves, limits = Curves(), []
    results: dict[tuple[str, int], list[Tensor]] = {way: [] for way in ways}
    for timestep in timesteps:
        found: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
        whole = []
        for edit in told(edits, f"t = {timestep}"):
            limit = walk(editor, edit, timestep, many, "ddim")
            limits.append(limit)
            whole.append(float(judge.lpips(edit.views.original, limit).mean()))
            for name, count in ways:
                result = walk(editor, edit, timestep, count, name)
                results[name, count].append(result)
                found[name, count].append(float(judge.lpips(result, limit).mean()))
        curves.lpips[timestep] = by_sampler(ways, lambda way, found=found: mean(found[way]))  # type: ignore[misc]
        curves.whole[timestep] = mean(whole)
    reached = pictures(limits)
    curves.vgg_fd = by_sampler(ways, lambda way: judge.vgg_fd(pictures(results[way]), reached))
    return curves


def by_sampler(ways: list[tuple[str, int]], value: Callable[[tuple[str, int]], float]) -> dict[str, dict[int, float]]:
    """Sampler -> calls -> value."""
    return {name: {way[1]: value(way) for way in ways if way[0] == name} for name in SAMPLERS}


def pictures(results: list[Tensor]) -> Tensor:
    """(N, 3, 128, 128) uint8."""
    return torch.from_numpy(to_images(torch.cat(results))).permute(0, 3, 1, 2)


def tables(curves: Curves, counts: list[int], many: int, end: int, edits: int) -> list[str]:
    """As the terminal shows them."""
    shown = [*counts, end]

    def row(name: str, curve: dict[int, float], digits: int) -> list[str]:
        return [name, *(f"{curve[count]:.{digits}f}" if count in curve else "" for count in shown)]

    header = [f"LPIPS to {many} calls", *map(str, shown)]
    rows = [
        row(f"t = {timestep}, {name}", curve, 4)
        for timestep, samplers in curves.lpips.items()
        for name, curve in samplers.items()
    ]
    spread = [f"VGG-FD of {edits} edits to those of {many} calls", *map(str, shown)]
    whole = ", ".join(f"{value:.3f} at t = {timestep}" for timestep, value in curves.whole.items())
    return [
        markdown(header, rows),
        markdown(spread, [row(name, curve, 2) for name, curve in curves.vgg_fd.items()]),
        f"From the photo to the edit it is {whole}.",
    ]


def draw(curves: Curves, counts: list[int], many: int, end: int, edits: int, out: Path) -> None:
    """A panel of LPIPS for each timestep, and one of VGG-FD; both axes logarithmic, the default is ringed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    panels = [(f"LPIPS, edits at t = {timestep}", curve) for timestep, curve in curves.lpips.items()]
    panels.append((f"VGG-FD, all {edits} edits", curves.vgg_fd))
    rows = -(-len(panels) // 2)
    figure, grid = pyplot.subplots(rows, 2, figsize=(9, 3.6 * rows + 0.8), squeeze=False, layout="constrained")
    axes = list(grid.flat)
    for spare in axes[len(panels) :]:
        spare.remove()
    for axis, (title, samplers) in zip(axes, panels, strict=False):
        for number, (name, curve) in enumerate(samplers.items()):
            few = {count: curve[count] for count in counts}
            label = f"{name}: {NAMES[name]}" + (" (the default)" if name == SAMPLER else "")
            axis.plot(list(few), list(few.values()), marker="o", markersize=4, color=f"C{number}", label=label)
        label = f"where DDPM ends ({end} calls)"
        axis.axhline(samplers["ddpm"][end], color=f"C{list(samplers).index('ddpm')}", ls=":", lw=1, label=label)
        if STEPS in samplers[SAMPLER]:
            axis.axvline(STEPS, color="0.8", linewidth=6, zorder=0)
            ring = {"marker": "o", "markersize": 12, "markerfacecolor": "none", "markeredgecolor": "black"}
            axis.plot([STEPS], [samplers[SAMPLER][STEPS]], linestyle="", label=f"the default: {STEPS} calls", **ring)
        axis.set(title=title, xlabel="calls of the diffusion model", xscale="log", yscale="log")
        axis.set_xticks(counts, labels=[str(count) for count in counts])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    for axis, whole in zip(axes, curves.whole.values(), strict=False):
        axis.axhline(whole, color="0.4", linestyle="--", linewidth=1, label="from the photo to the edit")
        axis.sharey(axes[0])
    figure.suptitle(f"How far an edit with few calls of the model is from the same with {many}")
    figure.supylabel("distance (lower is closer)", fontsize="medium")
    lines, labels = axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=3, frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=Path, required=True, help="folder with teachers.py, for LPIPS and VGG-FD")
    parser.add_argument("--timesteps", default="200,300,400")
    parser.add_argument("--counts", default="2,3,5,7,10,14,20")
    parser.add_argument("--many", type=int, default=250, help="calls of the edit that the others are compared with")
    parser.add_argument("--end", type=int, default=50, help="calls after which DDPM counts as having arrived")
    parser.add_argument("--region", default="hair=#8b2500", metavar="NAME=#RRGGBB")
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="where to draw the curves (PNG)")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    options = parser.parse_args()
    counts, timesteps = ([int(part) for part in text.split(",")] for text in (options.counts, options.timesteps))
    region, _, colour = options.region.partition("=")
    editor = Editor(options.device)
    judge = Judge(options.teachers, editor.engine.device)
    edits = [marked(editor, path, (region, colour)) for path in samples()[: options.photos]]
    curves = measure(editor, judge, edits, timesteps, counts, options.many, options.end)
    number = len(edits) * len(timesteps)
    print("\n\n".join(tables(curves, counts, options.many, options.end, number)))
    if options.json is not None:
        about = {"many": options.many, "end": options.end, "edits": number}
        options.json.write_text(json.dumps({**about, **vars(curves)}) + "\n")
    if options.out is not None:
        draw(curves, counts, options.many, options.end, number, options.out)
        print(options.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
