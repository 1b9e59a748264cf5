"""A run that goes on: what of it stays as it began, and what is said of what does not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from npe_core.training.checkpoint import STATE, run_notes
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.stage import INIT, stage_changes

_MAY_CHANGE = ("images", "seed")
"""More images are how a run goes on; the seed stays, see ``as_begun``."""


def begun(folder: Path) -> dict[str, Any]:
    """What the notes say of the run in the folder, where there is one to go on; else empty. Raises InputError."""
    return run_notes(folder) if (folder / STATE).exists() else {}


def as_begun(recipe: TrainingRecipe, notes: dict[str, Any]) -> TrainingRecipe:
    """With the seed that the run began with: the checkpoint holds how far its draws are."""
    seed = notes.get("recipe", {}).get("seed")
    return dataclasses.replace(recipe, seed=seed) if isinstance(seed, int) else recipe


def changes(
    notes: dict[str, Any],
    recipe: TrainingRecipe,
    stage: dict[str, Any],
    sources: list[dict[str, Any]],
    seed: int | None,
) -> str:
    """What is other than the notes say, and that the ``seed`` or the ``stage``'s init asked for has no effect.

    Empty where all is as it was. Notes of older runs do not tell the stage.
    """
    if not notes:
        return ""
    there, here = notes.get("recipe", {}), json.loads(json.dumps(dataclasses.asdict(recipe)))
    others = [name for name in here if name not in _MAY_CHANGE and there.get(name, here[name]) != here[name]]
    said = [f"{name} {here[name]} (before: {there[name]})" for name in others]
    said += stage_changes(stage, notes.get("stage", stage))
    before, now = (", ".join(map(_described, rows)) for rows in (notes.get("data", sources), sources))
    if now != before:
        said.append(f"data {now} (before: {before})")
    told = f"It goes on with {', '.join(said)}." if said else ""
    if seed is not None and seed != recipe.seed:
        told += f" --seed {seed} has no effect: the draws go on as seed {recipe.seed} began them."
    if INIT in stage and stage[INIT] != notes.get("stage", {}).get(INIT):
        told += " --init has no effect on a run that goes on."
    return told.strip()


def _described(row: dict[str, Any]) -> str:
    return f"{row['name']} ({row.get('examples')} examples, share {row.get('share')})"
