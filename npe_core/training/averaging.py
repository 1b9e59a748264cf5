"""The average of the weights of several runs that began at the same weights: better than each, and no slower.

Runs from one start lie in one valley of the loss, and what noise did to each of them cancels (Wortsman et al. 2022,
"Model soups"). Several machines, or cores, can so work at one network without speaking to each other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from npe_core.errors import InputError, UsageError
from npe_core.files import make_folder, replace_file, written
from npe_core.training.checkpoint import NOTES, OWN, STATE, export_weights, exported, read_weights, run_notes
from npe_core.training.data import parse_source, source_name


def average(texts: list[str], out: Path, ema: str = "long", force: bool = False) -> Path:
    """Write the weighted mean of ``RUN`` or ``RUN=SHARE`` ... into the folder ``out``, as a run of its own.

    A RUN is a folder, or exported weights. Shares are relative; the default is 1. The result counts as many images as
    the run that has seen most, its recipe and stage are those of the first run that noted them, and what a run knows of
    its data alone (the prior of samples) is that of the last run that has one: mixtures of different kinds have no
    mean. Returns its file. Raises UsageError for fewer than two, where ``out`` is one of them or another run, and
    without ``force`` where it holds an average already, the short one or the long one: both go, because one run.json
    tells of both. Raises InputError when runs are missing or differ in architecture, EnvironmentFault.
    """
    runs = [(path, 1.0 if share is None else share) for path, share in map(parse_source, texts)]
    if len(runs) < 2:
        raise UsageError("Name at least two runs to average.")
    if any(exported(path, ema).parent.resolve() == out.resolve() for path, _ in runs):
        raise UsageError(f"--out {out} is one of the runs to average, whose weights would be lost. Give another --out.")
    if (out / STATE).exists():
        raise UsageError(f"--out {out} is the folder of a run, whose weights would be lost. Give another --out.")
    file = exported(out, ema)
    before = [path for path in (out / NOTES, *sorted(out.glob("ema_*.safetensors*"))) if path.exists()]
    if before and not force:
        raise UsageError(f"{before[-1]} exists already. Give another --out, or overwrite it with --force.")
    total = sum(share for _, share in runs)
    mean: dict[str, torch.Tensor] = {}
    prior: dict[str, torch.Tensor] = {}
    parts: list[dict[str, Any]] = []
    data, seen = [], []
    known: dict[str, Any] = {}
    config = read_weights(exported(runs[0][0], ema))[1] or run_notes(runs[0][0]).get("config")
    for path, share in runs:
        tensors, own, images = read_weights(exported(path, ema))
        notes = run_notes(path)
        known_to_it = {name: tensors.pop(name) for name in list(tensors) if name.startswith(OWN)}
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        own = own or notes.get("config")
        if not alike(own, config) or (mean and shapes != {n: t.shape for n, t in mean.items()}):
            raise InputError(
                f"{path} is of another architecture than {runs[0][0]}: they have no average. Leave one out."
            )
        for name, tensor in tensors.items():
            mean[name] = mean.get(name, 0) + share / total * tensor.double()
        if known_to_it and own is not None and config is not None:
            prior, config = known_to_it, {**config, "prior": own["prior"]}
        parts.append({"run": source_name(path), "share": share / total, "images": images})
        known = {key: notes[key] for key in ("task", "recipe", "stage") if key in notes} | known
        data += [row for row in notes.get("data", []) if row not in data]
        seen.append(images or 0)
    if config is None:
        raise InputError(
            f"Neither {runs[0][0]} nor a run.json beside it says what the architecture is. "
            "Put the run.json of its run there."
        )
    make_folder(out)
    with written(out):
        for path in before:  # the notes first: killed in between, nothing tells of what it does not belong to
            path.unlink(missing_ok=True)
    export_weights(file, mean | prior, config, max(seen))
    with replace_file(out / NOTES) as temporary:
        temporary.write_text(json.dumps(known | {"config": config, "data": data, "average": parts}, indent=2))
    return file


def alike(config: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two architectures agree in all that both say, but for the prior: those of older runs say less."""
    if config is None or other is None:
        return config is other
    return all(config[key] == other[key] for key in config.keys() & other.keys() - {"prior"})
