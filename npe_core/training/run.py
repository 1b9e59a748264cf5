"""One training run from its options to its files: data, task, trainer."""

from __future__ import annotations

import argparse
import dataclasses
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import torch

from npe_core.device import choose_device, is_out_of_memory
from npe_core.errors import InputError, OutOfMemory, UsageError
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.segmenter import SegmenterConfig
from npe_core.models.shapes import from_stored
from npe_core.models.upscaler import SCALE, UpscalerConfig
from npe_core.training.checkpoint import check_pieces, content_of, exported, fill, read_weights, run_notes, split
from npe_core.training.data import Mixture, load_images, load_pairs
from npe_core.training.diffusion import DiffusionTask
from npe_core.training.distributed import join_world, leave_world
from npe_core.training.holding import held
from npe_core.training.jpeg import PITCH as JPEG_PITCH
from npe_core.training.loop import Trainer
from npe_core.training.recipe import PRESETS, TrainingRecipe
from npe_core.training.report import say
from npe_core.training.resuming import as_begun, begun, changes
from npe_core.training.segmentation import SegmentationTask
from npe_core.training.settings import with_settings
from npe_core.training.stage import stage_as_begun, stage_of
from npe_core.training.super_resolution import LEAST_PATCH, SIZE, SuperResolutionTask, made_by
from npe_core.training.task import Perceptual, Task
from npe_core.training.teachers import Vgg

Config = TypeVar("Config")
EMA = "long"
"""Which average of a run is taken where its folder is named."""


def train(options: argparse.Namespace) -> int:
    """Train as ``options`` (see ``options.train_parser``) say, from the checkpoint in ``--out`` where there is one.

    Returns the exit code: 0, or 128 and the number of the signal that stopped it. Raises UsageError, InputError,
    EnvironmentFault.
    """
    start = time.monotonic()
    choice = choose_device(options.device)
    world, device = join_world(choice.device)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    recipe = recipe_of(options)
    init = None if options.init is None else exported(options.init, EMA)
    piece_bytes = None if options.pieces is None else int(options.pieces * 1e6)
    leads = world.rank == 0
    try:
        with held(options.out) if leads else nullcontext():
            notes = begun(options.out)
            recipe = as_begun(recipe, notes)
            torch.manual_seed(recipe.seed)
            task = build_task(options, device, choice.dtype, recipe.seed)
            if piece_bytes is not None:  # said before hours of work, not after them
                weights = exported(options.out, EMA)
                content = content_of(weights, task.model.state_dict(), task.config(), recipe.images)
                check_pieces(weights, len(content), piece_bytes)
            stage = stage_of(options)
            told = stage_as_begun(stage, notes)
            trainer = Trainer(task, recipe, options.out, device, init, choice.dtype, world, told)
            changed = changes(notes, recipe, stage, task.data_sources(), options.seed)
            if changed and leads:
                say(f"npe: {options.out} holds {trainer.images} images. {changed}")
            before = trainer.images
            seconds = None if options.minutes is None else 60 * options.minutes - (time.monotonic() - start)
            stopped = trainer.run(seconds, 60 * options.save_minutes)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        advice = f"Choose a smaller --batch than {recipe.batch}, or a smaller --config."
        raise OutOfMemory(f"{device} ran out of memory. {advice}") from None
    finally:
        leave_world()
    if piece_bytes is not None and leads:
        for path in sorted(options.out.glob("ema_*.safetensors")):
            split(path, piece_bytes)
    if not stopped:
        if leads and trainer.images == before:
            why = "Give more --images." if before >= recipe.images else "The --minutes were over before the first step."
            say(f"npe: {options.out} holds {before} of {recipe.images} images, as before. {why}")
        return 0
    if leads:
        say(f"npe: Stopped at {trainer.images} of {recipe.images} images; the same command goes on.")
    return 128 + stopped


def recipe_of(options: argparse.Namespace) -> TrainingRecipe:
    """The preset with the overrides."""
    named = {name: getattr(options, name) for name in ("batch", "lr", "images", "seed")}
    preset = PRESETS[options.command][options.preset]
    return dataclasses.replace(preset, **{name: value for name, value in named.items() if value is not None})


def build_task(options: argparse.Namespace, device: torch.device, precision: torch.dtype, seed: int = 0) -> Task:
    """The task of the asked model, its data read, its parameters random; what ``--denoiser`` makes is of ``seed``."""
    if options.command == "diffusion":
        if options.adversary is not None and options.teachers is None:
            raise UsageError("--adversary needs --teachers DIR: it judges the features that LPIPS compares.")
        denoiser = config_of(options, DenoiserConfig())
        for name in ("paint", "rollout", "whole"):
            if getattr(options, name) is not None and not denoiser.surroundings:
                raise UsageError(f"--{name} needs --config surroundings=true: without, nothing of any face is known.")
        faces = load_images(options.data, denoiser.image_size, device)
        twice = 2 * denoiser.image_size
        larger = load_images(options.larger, twice, device, least=twice) if options.larger else None
        more: dict[str, Any] = {"perceptual": perceptual_of(options, device)}
        if options.adversary is not None:
            more["adversary_weight"] = options.adversary
        if options.paint is not None:
            more["paint_share"] = options.paint
        if options.rollout is not None:
            more["rollout_share"] = options.rollout
        if options.whole is not None:
            more["whole_share"] = options.whole
        if options.guide is not None:
            more["guide"] = loaded_denoiser(options.guide, device)
        return DiffusionTask(faces, device, denoiser, larger, **more)
    if options.command == "segmentation":
        segmenter = config_of(options, SegmenterConfig())
        if segmenter.image_size % JPEG_PITCH or segmenter.image_size < 2 * JPEG_PITCH:
            raise UsageError(
                f"A segmenter is trained at a multiple of {JPEG_PITCH} pixels from {2 * JPEG_PITCH}, not at image_size "
                f"{segmenter.image_size}. Choose another --config image_size."
            )
        return SegmentationTask(load_pairs(options.data, segmenter.image_size, device), device, segmenter)
    if options.patch % SCALE or not LEAST_PATCH <= options.patch <= SIZE:
        raise UsageError(f"--patch must be a multiple of {SCALE} from {LEAST_PATCH} to {SIZE}, not {options.patch}.")
    if options.lpips is not None and options.teachers is None:
        raise UsageError("--lpips needs --teachers DIR, which hold LPIPS.")
    extra: dict[str, Any] = {"patch": options.patch, "perceptual": perceptual_of(options, device)}
    if options.lpips is not None:
        extra["perceptual_weight"] = options.lpips
    faces = load_images(options.data, SIZE, device, least=SIZE)
    if options.denoiser is not None:
        extra["made"] = made_of(faces, options.denoiser, device, seed, precision)
    return SuperResolutionTask(faces, device, config_of(options, UpscalerConfig()), **extra)


def perceptual_of(options: argparse.Namespace, device: torch.device) -> Perceptual | None:
    """LPIPS of the teachers folder, where one is named. Raises InputError."""
    if options.teachers is None:
        return None
    return Vgg(options.teachers, device)


def loaded_denoiser(weights: Path, device: torch.device) -> Denoiser:
    """A denoiser with the weights of a run or of a file, to be used and not trained. Raises InputError."""
    weights = exported(weights, EMA)
    tensors, stored, _ = read_weights(weights)
    denoiser = Denoiser(architecture_of(weights, stored, DenoiserConfig()))
    fill(denoiser, tensors, weights)
    return denoiser.eval().requires_grad_(False).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def made_of(faces: Mixture, weights: Path, device: torch.device, seed: int, precision: torch.dtype) -> Mixture:
    """The same faces, each with what the diffusion model makes of it. Raises InputError."""
    denoiser, rng = loaded_denoiser(weights, device), torch.Generator().manual_seed(seed)
    sets = tuple((images, made_by(denoiser, images, rng, precision)) for (images,) in faces.sets)
    return Mixture(sets, faces.shares, faces.names)


def config_of(options: argparse.Namespace, defaults: Config) -> Config:
    """The architecture: that of ``--init`` where it says one, else the defaults; with ``--config`` on top."""
    if options.init is not None:
        weights = exported(options.init, EMA)
        defaults = architecture_of(weights, read_weights(weights)[1], defaults)
    return with_settings(defaults, options.config)


def architecture_of(weights: Path, stored: dict[str, Any] | None, usual: Config) -> Config:
    """What is stored with weights, the usual one where nothing is. Raises InputError for that of another model."""
    if stored is None:
        return usual
    try:
        return from_stored(type(usual), stored)
    except ValueError as error:
        task, model = run_notes(weights).get("task"), type(usual).__name__.removesuffix("Config").lower()
        held = "" if task is None else f" holds a run of {task}, which"
        raise InputError(f"{weights}{held} does not fit the {model} ({error}). Name weights of a {model}.") from None
