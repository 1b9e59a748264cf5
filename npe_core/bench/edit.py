"""The seconds of one edit by stage, of several together, and from the start of the process to the saved file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from npe_core.bench.timing import Timing, collect, described, machine, measure, ms, timed
from npe_core.canvas import Canvas
from npe_core.editor import EditJob, Editor, EditResult, FaceChoice, RegionMap
from npe_core.editor.underway import Underway, begin, diffuse, finish, restore
from npe_core.memory import peak_memory_mib
from npe_core.photo import Photo
from npe_core.report import Report, markdown
from npe_core.strength import Strength

Fills = Sequence[tuple[str, str]]
STAGES = ("open", "faces", "segment", "fill", "cut out", "diffusion", "upscale", "paste", "save")
EDIT_STAGES = ("segment", "cut out", "diffusion", "upscale", "paste")
"""What "the edit" counts: open, faces, fill and save are of the photo, not of its edit."""
STARTS = {"help": "`npe --help`", "edit": "`npe edit` to the saved file"}
"""What is measured from the start of the process, as the table says it."""


@dataclass
class Stages:
    """(wall, cpu) seconds of every stage, a list entry a run."""

    runs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, stage: str, seconds: tuple[float, float]) -> None:
        self.runs.setdefault(stage, []).append(seconds)

    def of(self, names: Sequence[str]) -> Timing:
        """The sums of those stages, run by run."""
        rows = zip(*(self.runs[name] for name in names), strict=True)
        return collect([(sum(wall for wall, _ in row), sum(cpu for _, cpu in row)) for row in rows])


def edit_once(editor: Editor, path: Path, out: Path, fills: Fills, strength: Strength, stages: Stages) -> None:
    """One edit from the file to the file, its stages added to ``stages``."""
    kept: dict[str, object] = {}

    def stage(name: str, work: Callable[[], object]) -> object:
        stages.add(name, timed(lambda: kept.update({name: work()}), editor.engine.device))
        return kept[name]

    photo = stage("open", lambda: Photo.open(path))
    assert isinstance(photo, Photo)
    choice = stage("faces", lambda: editor.choose(photo))
    assert isinstance(choice, FaceChoice)
    regions = stage("segment", lambda: editor.segment(photo, choice))
    assert isinstance(regions, RegionMap)
    canvas = Canvas(photo.image, regions)

    def fill() -> None:
        for region, colour in fills:
            canvas.fill(region, colour)

    stage("fill", fill)
    job = EditJob(photo, canvas, strength.timestep, strength.steps, seed=1, choice=choice)
    edit = stage("cut out", lambda: begin(job, editor.choose, editor.engine))
    assert isinstance(edit, Underway)
    stage("diffusion", lambda: diffuse([edit], editor.engine))
    stage("upscale", lambda: restore(edit, editor.engine))
    result = stage("paste", lambda: finish(edit, editor.engine))
    assert isinstance(result, EditResult)
    stage("save", lambda: result.save(out, force=True))


def measure_edit(
    device: str, path: Path, fills: Fills, timestep: int, steps: int, repeats: int, batches: Sequence[int], cold: int
) -> Report:
    """Edits of one photo, models loaded; then ``batches`` of it together, then ``cold`` processes of their own.

    Raises what ``Editor.edit`` raises.
    """
    editor, stages = Editor(device), Stages()
    strength = Strength(timestep, steps)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "edited.png"
        edit_once(editor, path, out, fills, strength, Stages())
        for _ in range(repeats):
            edit_once(editor, path, out, fills, strength, stages)
        together = {count: measure_together(editor, path, fills, strength, count) for count in batches}
        memory = peak_memory(editor)
        start = measure_start(device, path, out, fills, strength, cold) if cold else {}
    about = machine(editor.engine.choice)
    photo = Photo.open(path)
    report = Report(
        {
            "bench": "edit",
            "machine": about,
            "photo": list(photo.size),
            "fills": dict(fills),
            "timestep": timestep,
            "steps": steps,
            "repeats": repeats,
            "seconds": {name: stages.of([name]).numbers() for name in STAGES}
            | {"edit": stages.of(EDIT_STAGES).numbers(), "whole": stages.of(STAGES).numbers()},
            "images_per_second": {count: timing_rate(timing, count) for count, timing in together.items()},
            "start_seconds": {name: timing.numbers() for name, timing in start.items()},
            "peak_memory_mib": memory,
        }
    )
    report.tables.append(stage_table(stages))
    if together:
        rows = [[str(n), ms(t.median), f"{timing_rate(t, n):.2f}"] for n, t in together.items()]
        report.tables.append(markdown(["photos edited together", "ms", "images/s"], rows))
    if start:
        rows = [[STARTS[n], *(f"{s:.2f}" for s in (t.median, max(t.wall), t.median_cpu))] for n, t in start.items()]
        report.tables.append(markdown(["from the start of the process", "median s", "most s", "CPU s"], rows))
    fill = ", ".join(f"{region} {colour}" for region, colour in fills)
    report.notes += [
        f"{photo.size[0]}x{photo.size[1]}, {fill}, timestep {timestep}, steps {steps}, runs {repeats}, models loaded.",
        described(about),
        "Peak memory " + ", ".join(f"{value:.0f} MiB of the {kind}" for kind, value in memory.items()) + ".",
    ]
    return report


def stage_table(stages: Stages) -> str:
    """A row a stage, and the sums."""
    named = [(name, stages.of([name])) for name in STAGES]
    named += [("**edit** (" + ", ".join(EDIT_STAGES) + ")", stages.of(EDIT_STAGES))]
    named += [("**file to file**", stages.of(STAGES))]
    rows = [[name, *(ms(s) for s in (t.median, t.at(0.95), min(t.wall), t.median_cpu))] for name, t in named]
    return markdown(["stage", "median ms", "95 % ms", "least ms", "CPU ms"], rows)


def measure_together(editor: Editor, path: Path, fills: Fills, strength: Strength, count: int) -> Timing:
    """``count`` edits by one call, segmentation included, three times."""
    photo = Photo.open(path)
    choice = editor.choose(photo)

    def work() -> None:
        jobs = []
        for seed, regions in enumerate(editor.segment_many([(photo, choice)] * count)):
            canvas = Canvas(photo.image, regions)
            for region, colour in fills:
                canvas.fill(region, colour)
            jobs.append(EditJob(photo, canvas, strength.timestep, strength.steps, seed=seed, choice=choice))
        for outcome in editor.edit_many(jobs):
            if not isinstance(outcome, EditResult):
                raise outcome

    return measure(work, 3, editor.engine.device)


def timing_rate(timing: Timing, count: int) -> float:
    """Images a second, of ``count`` together."""
    return round(count / timing.median, 4)


def measure_start(
    device: str, path: Path, out: Path, fills: Fills, strength: Strength, count: int
) -> dict[str, Timing]:
    """``npe --help`` and ``npe edit`` as processes of their own, ``count`` times each."""
    npe = [sys.executable, "-m", "npe_core"]
    edit = [*npe, "edit", str(path), "-o", str(out), "--force", "--seed", "1", "--device", device]
    edit += [word for region, colour in fills for word in ("--region", f"{region}={colour}")]
    edit += ["--timestep", str(strength.timestep), "--steps", str(strength.steps)]
    commands = {"help": [*npe, "--help"], "edit": edit}
    return {name: collect([run_process(words) for _ in range(count)]) for name, words in commands.items()}


def run_process(words: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a process, from its start to its end."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def peak_memory(editor: Editor) -> dict[str, float]:
    """MiB at most so far, of the process and of a GPU."""
    memory = {"process": round(peak_memory_mib(), 1)}
    if editor.engine.device.type == "cuda":
        memory["GPU"] = round(torch.cuda.max_memory_allocated(editor.engine.device) / 2**20, 1)
    return memory
