"""From a run's folder to the weights folder: the file, its sha256, and where it comes from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch

from npe_core.errors import InputError
from npe_core.files import make_folder, written
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.importing import changing, exchange, known_entry, new_entry, put
from npe_core.models.sides import SIDES, check_side
from npe_core.models.weights import COARSE, SMOOTH, Entry, build, read_former, read_manifest, shapes_of, weights_folder
from npe_core.training.checkpoint import exported, joined, read_json, read_weights, run_notes
from npe_core.training.report import read_log

TASK_OF = {
    "denoiser": "diffusion",
    COARSE: "diffusion",
    "segmenter": "segmentation",
    "upscaler": "super-resolution",
    SMOOTH: "super-resolution",
}


def release(
    kind: str,
    run: Path,
    ema: str = "long",
    measured: Path | None = None,
    data_names: list[str] | None = None,
    folder: Path | None = None,
    any_side: bool = False,
    replace: bool = False,
) -> Entry:
    """Put the weights of a run (a folder, or one of its files) into the weights folder, byte for byte, and into its
    manifest; a folder without one is first filled with the shipped weights.

    The file is named after its content. The weights before stay in theirs and can come back, see ``way_back``, unless
    ``replace``: then their file goes when the manifest names the new one, for a folder that is to ship. An upscaler of
    another architecture takes the smooth weights before with it: none can lie between them.
    A file that comes alone, with no run.json, ``measured`` or ``data_names`` that tell of it, keeps the entry that its
    bytes had: of weights that come back nothing is forgotten.
    A denoiser has the side that the editor needs, unless ``any_side``: to be measured and not to edit with. Raises
    InputError when the run is of another model or does not fit, EnvironmentFault when the folder cannot be written.
    """
    folder = folder or release_folder()
    source, notes = exported(run, ema), run_notes(run)
    tensors, config, images = read_weights(source)
    content = joined(source)
    told = notes or measured is not None or data_names
    known = None if told else known_entry(kind, hashlib.sha256(content).hexdigest(), folder)
    if notes.get("task", TASK_OF[kind]) != TASK_OF[kind]:
        raise InputError(
            f"{run} holds a run of {notes['task']}; the {kind} comes from a run of {TASK_OF[kind]}. Name one."
        )
    config = known.config if known is not None else config or notes.get("config")
    if config is None:
        raise InputError(
            f"Neither {source} nor a run.json beside it says what the architecture is. "
            "Put the run.json of its run there."
        )
    try:
        with torch.device("meta"):  # no memory is asked for what a file says
            model = build(kind, config)
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        why = str(error).splitlines()[-1].strip()
        raise InputError(f"{source} does not fit the {kind}: {why} Name weights of a {kind}.") from None
    if kind in SIDES and not any_side:
        check_side(kind, config.get("image_size", DenoiserConfig().image_size), source)
    seen = (
        images
        if images is not None
        else max((int(e["images"]) for e in read_log(source.parent / "log.jsonl")), default=None)
    )
    _, average, length = source.stem.partition("ema_")
    provenance: dict[str, Any] = {
        "data": data_names or [row["name"] for row in notes.get("data", [])],
        "images_seen": seen,
        **({"ema": length} if average and length in ("short", "long") else {}),  # of another file nobody knows
        "recipe": notes.get("recipe", {}),
        **{name: notes[name] for name in ("stage", "average") if name in notes},
        "measured": {} if measured is None else read_json(measured),
    }
    make_folder(folder)
    with changing(folder) as entries:
        if kind == SMOOTH and "upscaler" in entries and not _are_alike(entries["upscaler"].config, config):
            raise InputError(f"{source} is of another architecture than the upscaler. Release the upscaler first.")
        entry = known or new_entry(kind, content, config, provenance)
        new = {kind: put(entry, content, folder)}
        if kind == "upscaler" and SMOOTH in entries and _are_alike(entries[SMOOTH].config, config):
            new[SMOOTH] = entries[SMOOTH]
        exchange(new, entries, folder, remember=not replace)  # what killed it before left all as it was
        if replace:
            _remove_unnamed(entries, folder)
    return new[kind]


def _are_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether upscalers of these architectures have the same tensors; older manifests say less of theirs."""
    return shapes_of("upscaler", one) == shapes_of("upscaler", other)


def _remove_unnamed(entries: dict[str, Entry], folder: Path) -> None:
    """Remove the files of entries that the manifest names no more, nor can bring back."""
    named = {entry.file for models in (read_manifest(folder), *read_former(folder)) for entry in models.values()}
    with written(folder):
        for name in {entry.file for entry in entries.values()} - named:
            (folder / name).unlink(missing_ok=True)


def release_folder() -> Path:
    """``weights/`` of a clone, even while it is empty; else the folder that the weights are read from."""
    clone = Path(__file__).resolve().parents[2] / "weights"
    return clone if clone.is_dir() and "NPE_WEIGHTS" not in os.environ else weights_folder()
