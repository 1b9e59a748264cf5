"""How many calls of the diffusion model an edit needs, by sampler: how near paint comes to the face that was meant.

    pip install matplotlib                                      # for the picture
    python benchmarks/steps.py --data faces128_clean/val.zip --faces 16 --teachers DIR --out docs/images/steps.png
    python benchmarks/steps.py --data FACES --teachers DIR --faces 8 --counts 1,4      # a small version

Aligned faces are painted over in random shapes, with a few flat colours of their own and outlines that lie off, as in
``npe evaluate diffusion``. Each sampler brings them back with few and with many calls; what is measured is the LPIPS
between the 128-pixel result and the face itself. Nothing holds the result to the paint. DIR holds teachers.py, as for
``npe evaluate``. It takes ten minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path

import torch

from npe_core.defaults import SAMPLER, SAMPLERS, STEPS
from npe_core.editor import Editor
from npe_core.report import markdown, told
from npe_core.strength import Strength
from npe_core.training.evaluation.painting import Paintings, differences
from npe_core.training.reading import drawn, read_images
from npe_core.training.teachers import Judge

NAMES = {"lcm": "multistep consistency (LCM)", "dpmpp": "DPM-Solver++ 2M", "ddim": "DDIM", "ddpm": "DDPM"}

Curves = dict[int, dict[str, dict[int, float]]]
"""Timestep -> sampler -> calls -> mean LPIPS."""


def measure(editor: Editor, judge: Judge, painted: Paintings, timesteps: list[int], counts: list[int]) -> Curves:
    """Every sampler with every count of calls, from every timestep."""
    curves: Curves = {timestep: {name: {} for name in SAMPLERS} for timestep in timesteps}
    ways = [(timestep, name, count) for timestep in timesteps for name in SAMPLERS for count in counts]
    for timestep, name, count in told(ways, "painting"):
        edited = painted.brought_back(editor.engine, Strength(timestep, count, name))
        curves[timestep][name][count] = differences(edited, painted.faces, painted.masks, judge)["lpips"]
    return curves


def table(curves: Curves, counts: list[int]) -> str:
    """A row a timestep and sampler, a column a count of calls."""
    rows = [
        [f"t = {timestep}, {name}", *(f"{curve[count]:.4f}" for count in counts)]
        for timestep, samplers in curves.items()
        for name, curve in samplers.items()
    ]
    return markdown(["LPIPS to the face, calls", *map(str, counts)], rows)


def draw(curves: Curves, out: Path) -> None:
    """A panel a timestep; calls on a logarithmic axis, the default is ringed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter

    size = (3.4 * len(curves), 4.2)
    figure, axes = pyplot.subplots(1, len(curves), figsize=size, squeeze=False, sharey=True, layout="constrained")
    for axis, (timestep, samplers) in zip(axes[0], curves.items(), strict=True):
        for number, (name, curve) in enumerate(samplers.items()):
            label = f"{name}: {NAMES[name]}" + (" (the default)" if name == SAMPLER else "")
            axis.plot(list(curve), list(curve.values()), marker="o", markersize=4, color=f"C{number}", label=label)
        if STEPS in samplers[SAMPLER]:
            ring = {"marker": "o", "markersize": 12, "markerfacecolor": "none", "markeredgecolor": "black"}
            axis.plot([STEPS], [samplers[SAMPLER][STEPS]], linestyle="", label=f"the default: {STEPS} calls", **ring)
        axis.set(title=f"t = {timestep}", xlabel="calls of the diffusion model", xscale="log")
        axis.set_xticks(list(curve), labels=[str(count) for count in curve])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("LPIPS to the face that was meant (lower is nearer)")
    lines, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=3, frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="aligned faces: a folder, tar, zip or npz")
    parser.add_argument("--teachers", type=Path, required=True, help="folder with teachers.py, for LPIPS")
    parser.add_argument("--timesteps", default="250,350,425")
    parser.add_argument("--counts", default="1,2,4,8,16")
    parser.add_argument("--faces", type=int, default=32, help="so many of them, drawn at random")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="where to draw the curves (PNG)")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    options = parser.parse_args()
    if options.out is not None and importlib.util.find_spec("matplotlib") is None:
        parser.error("--out draws with matplotlib: pip install matplotlib")
    counts, timesteps = ([int(part) for part in text.split(",")] for text in (options.counts, options.timesteps))
    editor = Editor(options.device)
    judge = Judge(options.teachers, editor.engine.device)
    faces = read_images(options.data, editor.engine.image_size, drawn(options.faces, seed=0))
    painted = Paintings.of(faces)
    curves = measure(editor, judge, painted, timesteps, counts)
    alone = differences(painted.paint, painted.faces, painted.masks, judge)["lpips"]
    print(f"{table(curves, counts)}\n\nThe paint alone: {alone:.4f}, {len(faces)} faces.")
    if options.json is not None:
        options.json.write_text(json.dumps({"faces": len(faces), "paint": alone, "lpips": curves}) + "\n")
    if options.out is not None:
        draw(curves, options.out)
        print(options.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
