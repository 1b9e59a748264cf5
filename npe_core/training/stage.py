"""What weights come from beside recipe, architecture and data: the options that make the stages of training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from npe_core.training.data import source_name

INIT = "init"
"""What is of the beginning of a run alone."""
OPTIONS = (INIT, "guide", "denoiser", "teachers", "lpips", "adversary", "paint", "rollout", "whole", "patch")


def stage_of(options: argparse.Namespace) -> dict[str, Any]:
    """Those of OPTIONS that were given, as JSON keeps them; paths by their last two names, never where they lie."""
    given = {name: getattr(options, name, None) for name in OPTIONS}
    told = {name: source_name(value) if isinstance(value, Path) else value for name, value in given.items()}
    return {name: value for name, value in told.items() if value is not None}


def stage_as_begun(stage: dict[str, Any], notes: dict[str, Any]) -> dict[str, Any]:
    """Of a run that goes on, which has notes: with the weights that it began with, whichever are named now."""
    if not notes:
        return stage
    begun = {**stage, INIT: notes.get("stage", {}).get(INIT)}
    return {name: value for name, value in begun.items() if value is not None}


def stage_changes(stage: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What of a stage is other than before, in words, but for what a run began with."""
    names = [name for name in OPTIONS if name != INIT and stage.get(name) != before.get(name)]
    now, was = ({name: one.get(name, "not given") for name in names} for one in (stage, before))
    return [f"{name} {now[name]} (before: {was[name]})" for name in names]
