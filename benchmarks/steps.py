"""How many calls of the diffusion model an edit needs: its distance to the edit with very many calls, by sampler.

    pip install matplotlib                                      # for the picture
    python benchmarks/steps.py --teachers DIR --out docs/images/steps.png
    python benchmarks/steps.py --teachers DIR --photos 2 --counts 4,10 --many 50        # a small version

Each sample portrait is edited with the same seed, at each timestep, by each sampler with few calls, and once by DDIM
with very many, which is where the probability flow leads. The distance is LPIPS of the 128-pixel results inside the
crop; DIR holds teachers.py, as for ``npe evaluate``. DDPM adds noise on its way and has no such limit: how far two of
its edits with very many calls (two seeds) are from each other is told as its floor.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from npe_core.bench.portrait import samples
from npe_core.canvas import Canvas
from npe_core.defaults import SAMPLERS
from npe_core.diffusion.masked import Strength, masked_edit
from npe_core.editor import EditJob, Editor
from npe_core.editor.underway import Underway, begin
from npe_core.photo import Photo
from npe_core.training.evaluation.report import markdown, told
from npe_core.training.teachers import Judge

Curve = dict[int, float]
"""Calls -> mean LPIPS."""


def marked(editor: Editor, path: Path, fill: tuple[str, str]) -> Underway:
    """A portrait with its fill, as the denoiser sees it."""
    photo = Photo.open(path)
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill(*fill)
    return begin(EditJob(photo, canvas, seed=1), editor.choose, editor.engine)


def walk(editor: Editor, edit: Underway, strength: Strength, seed: int = 1) -> Tensor:
    """(B, 3, 128, 128): the result of the diffusion alone."""
    views = edit.views
    within = editor.engine.denoise_within(views.original, views.mask)
    return masked_edit(within, views.original, views.guide, views.mask, strength, [seed])


def measure(
    editor: Editor, judge: Judge, edits: list[Underway], timestep: int, counts: list[int], many: int
) -> tuple[dict[str, Curve], float]:
    """The curve of every sampler at one timestep, and the floor of DDPM."""
    found: dict[str, dict[int, list[float]]] = {name: {count: [] for count in counts} for name in SAMPLERS}
    floor = []
    for edit in told(edits, f"t = {timestep}"):
        limit = walk(editor, edit, Strength(timestep, min(many, timestep), "ddim"))
        for name in SAMPLERS:
            for count in counts:
                result = walk(editor, edit, Strength(timestep, min(count, timestep), name))
                found[name][count].append(float(judge.lpips(result, limit)))
        pair = [walk(editor, edit, Strength(timestep, min(many, timestep), "ddpm"), seed) for seed in (1, 2)]
        floor.append(float(judge.lpips(*pair)))
    curves = {name: {count: mean(values) for count, values in rows.items()} for name, rows in found.items()}
    return curves, mean(floor)


def draw(curves: dict[int, dict[str, Curve]], floors: dict[int, float], many: int, out: Path) -> None:
    """One panel a timestep; both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(curves), figsize=(4 * len(curves), 3.4), sharey=True, squeeze=False)
    for panel, (timestep, samplers) in zip(panels[0], curves.items(), strict=True):
        for name, curve in samplers.items():
            panel.plot(list(curve), list(curve.values()), marker="o", markersize=4, label=name)
        panel.axhline(floors[timestep], color="grey", linewidth=1, linestyle=":", label="ddpm, two seeds")
        panel.set(title=f"t = {timestep}", xlabel="calls of the model", xscale="log", yscale="log")
        ticks = list(next(iter(samplers.values())))
        panel.set_xticks(ticks, labels=[str(count) for count in ticks])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel(f"LPIPS to {many} calls")
    panels[0][-1].legend(frameon=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=Path, required=True, help="folder with teachers.py, for LPIPS")
    parser.add_argument("--timesteps", default="200,300,400")
    parser.add_argument("--counts", default="2,3,5,7,10,14,20,40")
    parser.add_argument("--many", type=int, default=100)
    parser.add_argument("--region", default="hair=#8b2500", metavar="NAME=#RRGGBB")
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="where to draw the curves (PNG)")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    options = parser.parse_args()
    counts = [int(part) for part in options.counts.split(",")]
    region, _, colour = options.region.partition("=")
    editor = Editor(options.device)
    judge = Judge(options.teachers, editor.engine.device)
    edits = [marked(editor, path, (region, colour)) for path in samples()[: options.photos]]
    curves: dict[int, dict[str, Curve]] = {}
    floors: dict[int, float] = {}
    for timestep in (int(part) for part in options.timesteps.split(",")):
        curves[timestep], floors[timestep] = measure(editor, judge, edits, timestep, counts, options.many)
    header = [f"LPIPS to {options.many} calls", *(str(count) for count in counts)]
    rows = [
        [f"t = {timestep}, {name}", *(f"{value:.4f}" for value in curve.values())]
        for timestep, samplers in curves.items()
        for name, curve in samplers.items()
    ]
    print(markdown(header, rows))
    print("\nDDPM from two seeds: " + ", ".join(f"{floor:.3f} at t = {t}" for t, floor in floors.items()))
    if options.json is not None:
        options.json.write_text(json.dumps({"lpips": curves, "ddpm_floor": floors, "many": options.many}) + "\n")
    if options.out is not None:
        draw(curves, floors, options.many, options.out)
        print(options.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
