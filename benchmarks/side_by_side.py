"""The same masked edit of the same photo, by this project and by others, in one run on one machine.

    pip install diffusers          # only for its rows; nothing is downloaded when it runs
    python benchmarks/side_by_side.py
    python benchmarks/side_by_side.py --photo me.jpg --region lips=#b00020 --timestep 350 --rounds 9 --json

What is compared, on the same crop, guide and mask:

- ``npe``: this project as it is, whole.
- ``every timestep``: the algorithm of the program that this one follows, written anew from its description: a U-Net at
  full resolution in float32, ancestral sampling at every timestep from t down, fresh noise for the known pixels each
  time, none for the last 20, no composite. Its description gives no widths: base 64, multipliers 1, 1, 2, 2, 4,
  two blocks a level, attention at 16.
- ``diffusers``: UNet2DModel in the shape of google/ddpm-celebahq-256 at 128 pixels, float32, with DDIM in 20 calls,
  with DDPM at every one of its timesteps (of 1000, matched on alpha_bar), and with its RePaint scheduler's defaults.

The weights of the others are random: what is compared is time. All get this project's segmentation, upscaling and
paste. Long walks are measured on a few calls and multiplied. Rounds take turns, ratios are formed within a round; what
is told is their median and quartiles.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import torch

from npe_core.bench.portrait import samples
from npe_core.bench.timing import described, machine, timed
from npe_core.canvas import Canvas
from npe_core.defaults import STEPS
from npe_core.diffusion.schedule import alpha_bars, q_posterior_mean_variance, q_sample
from npe_core.editor import EditJob, Editor
from npe_core.editor.underway import Underway, begin, diffuse, finish, restore
from npe_core.models.denoiser import Denoiser, DenoiserConfig, UNet
from npe_core.photo import Photo
from npe_core.report import markdown
from npe_core.strength import Strength

CELEBAHQ_WIDTHS = (128, 128, 256, 256, 512, 512)


@dataclass(frozen=True)
class Way:
    """One way to do the diffusion of the edit."""

    name: str
    calls: int
    """Of the network, for the whole edit."""
    measured: int
    """Of them, how many ``walk`` does."""
    walk: Callable[[], object]


def every_timestep(edit: Underway, t: int, measured: int) -> Way:
    """The original program's loop, for its first ``measured`` timesteps."""
    torch.manual_seed(0)
    network = UNet(DenoiserConfig(patch=1, base=64, mults=(1, 1, 2, 2, 4), blocks=2, attention=(16,))).eval()
    original, guide, mask = edit.views.original, edit.views.guide, edit.views.mask

    @torch.inference_mode()
    def walk() -> None:
        xt = q_sample(guide, t, torch.randn_like(guide))
        for now in range(t, t - measured, -1):
            eps = network(xt, torch.full((len(xt),), now))
            alpha_bar = float(alpha_bars()[now])
            x0 = (xt - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
            mean, variance = q_posterior_mean_variance(x0, xt, now)
            xt = mean + variance**0.5 * torch.randn_like(xt)
            if now > 20:
                xt = mask * xt + (1 - mask) * q_sample(original, now - 1, torch.randn_like(xt))

    return Way("every timestep", t, measured, walk)


def own_network(edit: Underway, editor: Editor, name: str, dtype: torch.dtype, calls: int, measured: int) -> Way:
    """This project's network as the others run theirs: in that precision, without channels last."""
    network = Denoiser(DenoiserConfig(**editor.engine.model("denoiser").config.__dict__)).eval()
    network.load_state_dict(editor.engine.model("denoiser").state_dict())
    network.unet.to(dtype)
    guide = edit.views.guide

    @torch.inference_mode()
    def walk() -> None:
        for now in range(measured):
            network(guide, torch.full((len(guide),), now + 1))

    return Way(name, calls, measured, walk)


def diffusers_ways(edit: Underway, t: int, measured: int) -> Iterator[Way]:
    """DDIM-20, DDPM and RePaint on one network; nothing when diffusers is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from diffusers import DDIMScheduler, DDPMScheduler, RePaintScheduler, UNet2DModel
    except ImportError as error:
        print(f"diffusers is left out ({error}).\n")
        return
    torch.manual_seed(0)
    plain = ["DownBlock2D"] * 4
    network = UNet2DModel(
        sample_size=128,
        in_channels=3,
        out_channels=3,
        layers_per_block=2,
        block_out_channels=CELEBAHQ_WIDTHS,
        down_block_types=(*plain, "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", *["UpBlock2D"] * 4),
    ).eval()
    original, guide, mask = edit.views.original, edit.views.guide, edit.views.mask
    ddim, ddpm, repaint = DDIMScheduler(), DDPMScheduler(), RePaintScheduler()
    gaps = (ddpm.alphas_cumprod - float(alpha_bars()[t])).abs()
    start = int(gaps.argmin())

    def masked(scheduler: DDIMScheduler | DDPMScheduler, timesteps: list[int]) -> Callable[[], object]:
        @torch.inference_mode()
        def walk() -> None:
            eps = torch.randn_like(guide)
            xt = scheduler.add_noise(guide, eps, torch.tensor([start]))
            for now in timesteps[:measured]:
                xt = scheduler.step(network(xt, now).sample, now, xt).prev_sample
                xt = mask * xt + (1 - mask) * scheduler.add_noise(original, eps, torch.tensor([max(now - 1, 0)]))

        return walk

    ddim.set_timesteps(round(20 * 1000 / start))
    last = [int(now) for now in ddim.timesteps if now <= start][-20:]
    ddpm.set_timesteps(1000)
    yield Way("diffusers, DDIM", len(last), measured, masked(ddim, last))
    yield Way("diffusers, DDPM", start, measured, masked(ddpm, list(range(start, 0, -1))))
    repaint.set_timesteps(250, 10, 10)
    pairs = list(zip(repaint.timesteps.tolist(), repaint.timesteps.tolist()[1:], strict=False))
    calls = sum(later < now for now, later in pairs) + 1

    @torch.inference_mode()
    def walk_repaint() -> None:
        xt = torch.randn_like(original)
        for now, _ in [pair for pair in pairs if pair[1] < pair[0]][:measured]:
            xt = repaint.step(network(xt, now).sample, now, xt, original, 1 - mask).prev_sample

    yield Way("diffusers, RePaint", calls, measured, walk_repaint)


def prepared(editor: Editor, path: Path, fill: tuple[str, str], strength: Strength) -> tuple[Photo, Underway]:
    """The photo and its edit, ready for the diffusion."""
    photo = Photo.open(path)
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill(*fill)
    job = EditJob(photo, canvas, strength.timestep, strength.steps, seed=1)
    return photo, begin(job, editor.choose, editor.engine)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """First quartile, median, third quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=samples()[0])
    parser.add_argument("--region", default="hair=#8b2500", metavar="NAME=#RRGGBB")
    parser.add_argument("--timestep", type=int, default=250)
    parser.add_argument("--steps", type=int, default=STEPS, help="of this project")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measured", type=int, default=2, help="calls of a long walk that are measured")
    parser.add_argument("--device", default="cpu", choices=["cpu"], help="the comparison is one of CPUs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    region, _, colour = options.region.partition("=")
    editor, strength = Editor(options.device), Strength(options.timestep, options.steps)
    photo, edit = prepared(editor, options.photo, (region, colour), strength)
    t, few = options.timestep, options.measured
    ways = [
        Way("npe", options.steps, options.steps, lambda: diffuse([edit], editor.engine)),
        own_network(edit, editor, "npe's network, float32", torch.float32, t, few),
        every_timestep(edit, t, few),
        *diffusers_ways(edit, t, few),
    ]

    def around() -> None:
        """What every way needs besides the diffusion."""
        editor.segment(photo, edit.choice)
        restore(edit, editor.engine)
        finish(edit, editor.engine)

    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(options.rounds + 1):
        one = {"around": timed(around, editor.engine.device)} if number else {}
        for way in ways:
            wall, cpu = timed(way.walk, editor.engine.device)
            one[way.name] = (wall * way.calls / way.measured, cpu * way.calls / way.measured)
        if number:  # the first round warms up, and leaves what restore needs
            rounds.append(one)
    numbers = [describe(way, rounds, ways[0]) for way in ways]
    about = machine(editor.engine.choice)
    if options.json:
        print(json.dumps({"machine": about, "timestep": t, "rounds": options.rounds, "ways": numbers}))
        return
    print(tables(numbers, options), described(about), sep="\n\n")


def describe(way: Way, rounds: list[dict[str, tuple[float, float]]], own: Way) -> dict[str, object]:
    """The numbers of one way: seconds, and ratios to this project's edit, within each round."""
    whole = [[one[way.name][kind] + one["around"][kind] for one in rounds] for kind in (0, 1)]
    ours = [[one[own.name][kind] + one["around"][kind] for one in rounds] for kind in (0, 1)]
    ratios = [[a / b for a, b in zip(*pair, strict=True)] for pair in zip(whole, ours, strict=True)]
    return {
        "name": way.name,
        "calls": way.calls,
        "measured": way.measured,
        "seconds_a_call": median(one[way.name][0] for one in rounds) / way.calls,
        "cpu_seconds_a_call": median(one[way.name][1] for one in rounds) / way.calls,
        "seconds": median(whole[0]),
        "cpu_seconds": median(whole[1]),
        "ratio": quartiles(ratios[0]),
        "cpu_ratio": quartiles(ratios[1]),
    }


def tables(numbers: list[dict], options: argparse.Namespace) -> str:
    """The edits, and where the factor between the first and the last of them comes from."""
    edits = [one for one in numbers if one["name"] != "npe's network, float32"]
    rows = [
        [
            one["name"],
            str(one["calls"]),
            f"{1e3 * one['seconds_a_call']:.0f}",
            f"{one['seconds']:.2f}",
            f"{one['cpu_seconds']:.2f}",
            "{1:.1f} ({0:.1f} to {2:.1f})".format(*one["ratio"]),
            "{1:.1f}".format(*one["cpu_ratio"]),
        ]
        for one in edits
    ]
    header = ["one edit, t = " + str(options.timestep), "calls", "ms a call", "s", "CPU s", "times npe's s", "CPU"]
    own, plain = numbers[0], numbers[1]
    parts = []
    for other in edits[1:]:
        steps = other["calls"] / own["calls"]
        network = other["cpu_seconds_a_call"] / plain["cpu_seconds_a_call"]
        runtime = plain["cpu_seconds_a_call"] / own["cpu_seconds_a_call"]
        parts.append([other["name"], *(f"{part:.1f}" for part in (steps, network, runtime, steps * network * runtime))])
    split = ["the diffusion alone, CPU time", "fewer calls", "network", "precision, layout", "product"]
    multiplied = ", ".join(f"{one['name']} {one['measured']} of {one['calls']}" for one in edits[1:])
    note = f"{options.rounds} rounds, in turn. Calls that were measured, the rest multiplied: {multiplied}."
    return "\n\n".join([markdown(header, rows), markdown(split, parts), note])


if __name__ == "__main__":
    main()
