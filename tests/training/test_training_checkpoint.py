"""Runs that end and go on; weights that leave a run."""

import dataclasses
import json
import shutil

import pytest
import torch

from npe_core.errors import InputError, UsageError
from npe_core.models.upscaler import GeneratorResNet
from npe_core.models.weights import SMOOTH, load, read_manifest
from npe_core.training.averaging import average
from npe_core.training.checkpoint import export_weights, joined, pieces_of, read_weights, split, warm_start
from npe_core.training.data import Mixture
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.release import release
from npe_core.training.report import read_log
from npe_core.training.super_resolution import SuperResolutionTask, UpscalerConfig

CPU = torch.device("cpu")
RECIPE = TrainingRecipe(batch=2, images=24, warmup=3, ema=(0.9, 0.99))


def trained(task, folder, steps, recipe=RECIPE):
    trainer = Trainer(task, recipe, folder, CPU)
    for _ in range(steps):
        trainer.train_step()
    return trainer


@pytest.fixture(scope="module")
def saved(diffusion_task, tmp_path_factory):
    """A run of two steps, saved."""
    trainer = trained(diffusion_task(), tmp_path_factory.mktemp("saved"), 2)
    trainer.save()
    return trainer


@pytest.fixture
def run(saved, tmp_path):
    """Its folder, copied."""
    return shutil.copytree(saved.folder, tmp_path / "run")


def everything(trainer):
    """All tensors that a run is made of."""
    tensors = {f"model.{name}": tensor for name, tensor in trainer.task.model.state_dict().items()}
    for number, ema in enumerate(trainer.emas):
        tensors |= {f"ema{number}.{name}": tensor for name, tensor in ema.shadow.items()}
    for key, values in trainer.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{key}.{name}": tensor for name, tensor in values.items()}
    if trainer.task.adversary is not None:
        tensors |= {f"adversary.{name}": tensor for name, tensor in trainer.task.adversary.state_dict().items()}
    return tensors


def everything_but_the_log(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "log.jsonl"}


def assert_same(one, other):
    one, other = everything(one), everything(other)
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different


def test_a_resumed_run_is_the_uninterrupted_one(diffusion_task, tmp_path):
    whole = trained(diffusion_task(), tmp_path / "whole", 8)
    first = trained(diffusion_task(), tmp_path / "parts", 5)
    first.save()
    first.train_step()  # what a killed run did after its last checkpoint is lost
    second = trained(diffusion_task(), tmp_path / "parts", 3)
    assert second.step == 8
    assert_same(whole, second)
    third = trained(
        diffusion_task(), tmp_path / "other", 8, TrainingRecipe(batch=2, images=24, warmup=3, ema=(0.9, 0.99), seed=1)
    )
    assert not torch.equal(everything(third)["ema0.unet.stem.weight"], everything(whole)["ema0.unet.stem.weight"])


def test_resume_with_an_adversary_is_exact(pixels, tmp_path):
    def task():
        torch.manual_seed(0)
        faces = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8)
        data = Mixture.of([(faces,)], [None], CPU, ("made/up",))
        return SuperResolutionTask(data, CPU, UpscalerConfig(width=4, blocks=1), pixels, patch=32)

    whole = trained(task(), tmp_path / "whole", 4)
    before = everything(whole)["adversary.net.0.bias"].clone()
    trained(task(), tmp_path / "parts", 2).save()
    assert_same(whole, trained(task(), tmp_path / "parts", 2))
    assert before.abs().sum() > 0
    log = whole.train_step().log
    assert set(log) == {"l1", "lpips", "fooled"}


def test_a_run_may_be_given_an_adversary_later(diffusion_task, pixels, run, tmp_path):
    def judged():
        return diffusion_task(perceptual=pixels, adversary_weight=0.1)

    later = Trainer(judged(), RECIPE, run, CPU)
    assert later.step == 2 and not later.adversary_optimizer.state
    trained(judged(), run, 2).save()
    shutil.copytree(run, tmp_path / "copy")
    assert_same(trained(judged(), run, 3), trained(judged(), tmp_path / "copy", 3))


def test_a_run_goes_on_by_the_recipe_that_it_is_given(diffusion_task, pixels, tmp_path):
    """A rate too small to move the weights: all that moves them is their decay. Its moments forget as told."""

    def judged():
        return diffusion_task(perceptual=pixels, adversary_weight=0.1)

    trained(judged(), tmp_path, 2).save()
    recipe = dataclasses.replace(RECIPE, lr=1e-9, warmup=0, cooldown=0.0, betas=(0.0, 0.5), weight_decay=1e8)
    trainer = Trainer(judged(), recipe, tmp_path, CPU)
    for optimizer, network in (
        (trainer.optimizer, trainer.task.model),
        (trainer.adversary_optimizer, trainer.task.adversary),
    ):
        before = {name: tensor.clone() for name, tensor in network.named_parameters()}
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr
        optimizer.step()
        for name, tensor in network.named_parameters():
            assert torch.allclose(tensor, 0.9 * before[name], atol=1e-6), name
            assert torch.equal(optimizer.state[tensor]["exp_avg"], torch.ones_like(tensor)), name


def test_a_folder_of_another_run_is_refused(diffusion_task, run):
    with pytest.raises(UsageError, match="batch"):
        Trainer(diffusion_task(), TrainingRecipe(batch=4, images=24), run, CPU)


def test_a_run_of_before_a_setting_goes_on_as_that_setting_is_by_default(diffusion_task, run):
    """``prior`` came later: notes of earlier runs do not have it."""
    notes = json.loads((run / "run.json").read_text())
    assert notes["config"].pop("prior") == 0
    (run / "run.json").write_text(json.dumps(notes))
    assert Trainer(diffusion_task(), RECIPE, run, CPU).step == 2
    (run / "run.json").write_text(json.dumps(notes))
    with pytest.raises(UsageError, match="architecture"):
        Trainer(diffusion_task(prior=2), RECIPE, run, CPU)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.9])
def test_a_damaged_checkpoint_is_told_and_left_alone(diffusion_task, run, part):
    content = (run / "state.pt").read_bytes()
    damaged = content[: int(part * len(content))]
    (run / "state.pt").write_bytes(damaged)
    with pytest.raises(InputError, match=r"state\.pt is damaged"):
        Trainer(diffusion_task(), RECIPE, run, CPU)
    assert (run / "state.pt").read_bytes() == damaged


def test_the_log_is_cut_back_to_the_checkpoint(diffusion_task, run):
    log = run / "log.jsonl"
    log.write_text('{"images": 2, "loss": 1.0}\n{"images": 40, "loss": 1.0}\n{"images": 4')
    Trainer(diffusion_task(), RECIPE, run, CPU)
    assert [entry["images"] for entry in read_log(log)] == [2]


def test_a_run_ends_by_images_and_by_time(diffusion_task, tmp_path):
    trainer = Trainer(diffusion_task(), RECIPE, tmp_path, CPU)
    trainer.run(seconds=0)
    assert trainer.images == 0
    trainer.run()
    assert trainer.images == 24
    assert {path.name for path in tmp_path.iterdir()} >= {"state.pt", "ema_short.safetensors", "sheet_00000024.png"}
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("network", "value"), [("model", float("nan")), ("adversary", float("nan")), ("model", 1e5)])
def test_weights_that_are_no_longer_finite_replace_no_checkpoint(diffusion_task, pixels, tmp_path, network, value):
    """The last update may be the first that fails: no loss is looked at after it."""
    task = diffusion_task(perceptual=pixels, adversary_weight=0.1)
    trainer = trained(task, tmp_path, 2)
    trainer.save()
    before = everything_but_the_log(tmp_path)
    step = trainer.train_step

    def last_step():
        loss = step()
        if trainer.images == RECIPE.images:
            next(getattr(task, network).parameters()).data.view(-1)[0] = value  # 1e5 is infinite in float16
        return loss

    trainer.train_step = last_step
    with pytest.raises(UsageError, match="no longer finite"):
        trainer.run()
    assert everything_but_the_log(tmp_path) == before
    assert trained(diffusion_task(perceptual=pixels, adversary_weight=0.1), tmp_path, 1).step == 3


def test_exported_weights_of_the_same_content_are_the_same_bytes(tmp_path):
    tensors = {"b": torch.arange(5.0), "a": torch.ones(3, 2)}
    written = set()
    for number in range(20):
        path = tmp_path / f"{number}.safetensors"
        export_weights(path, tensors, {"base": 8, "mults": [1, 2]}, 7)
        written.add(path.read_bytes())
    assert len(written) == 1
    loaded, config, images = read_weights(path)
    assert loaded.keys() == tensors.keys() and all(torch.equal(loaded[name], x) for name, x in tensors.items())
    assert (config, images) == ({"base": 8, "mults": [1, 2]}, 7)
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_pieces_join_to_the_same_bytes(tmp_path):
    path = tmp_path / "weights.safetensors"
    export_weights(path, {"a": torch.arange(100.0)}, {"base": 8}, 7)
    content = path.read_bytes()
    pieces = split(path, 64)
    assert [len(piece.read_bytes()) for piece in pieces[:-1]] == [64] * (len(pieces) - 1)
    assert split(path, 100) == pieces_of(path)  # the smaller pieces are gone
    path.unlink()
    assert joined(path) == content
    tensors, config, images = read_weights(path)
    assert torch.equal(tensors["a"], torch.arange(100.0)) and (config, images) == ({"base": 8}, 7)
    pieces_of(path)[1].unlink()
    with pytest.raises(InputError, match="missing"):
        read_weights(path)
    with pytest.raises(InputError, match="part00"):
        joined(tmp_path / "nothing.safetensors")


def test_a_warm_start_takes_the_averaged_weights(diffusion_task, saved, tmp_path):
    task, source = diffusion_task(), saved
    averaged = source.folder / "ema_short.safetensors"
    Trainer(task, RECIPE, tmp_path / "next", CPU, init=averaged)
    expected = source.emas[0].shadow["unet.stem.weight"].half().float()
    assert torch.equal(task.model.state_dict()["unet.stem.weight"], expected)
    for _ in range(2):  # and once more from its own checkpoint
        following = Trainer(diffusion_task(), RECIPE, tmp_path / "next", CPU, init=averaged)
        following.train_step()
        following.save()
    assert read_weights(tmp_path / "next" / "ema_long.safetensors")[2] == source.images + 2 * RECIPE.batch
    with pytest.raises(InputError, match="does not fit"):
        warm_start(torch.nn.Linear(2, 2), averaged)


def test_released_weights_load_as_the_editor_loads_them(saved, run, small_release, tmp_path):
    trainer, folder = saved, tmp_path / "weights"
    (tmp_path / "measured.json").write_text(json.dumps({"vgg_fd": 1.5}))
    entry = release("denoiser", run, "short", tmp_path / "measured.json", folder=folder)
    assert entry == read_manifest(folder)["denoiser"]
    assert entry.provenance["images_seen"] == 4 and entry.provenance["data"] == ["made/up"]
    assert entry.provenance["measured"] == {"vgg_fd": 1.5}
    model, _ = load("denoiser", CPU, torch.float32, folder)
    xt, t = torch.randn(2, 3, 16, 16), torch.tensor([10, 400])
    with torch.no_grad():
        expected = trainer.emas[0].copy_of(trainer.task.model)(xt, t)
        assert torch.allclose(model(xt, t), expected, atol=2e-2)
    with pytest.raises(InputError, match="segmentation"):
        release("segmenter", run, folder=folder)


def test_a_released_upscaler_keeps_only_smooth_weights_of_its_own_architecture(no_shipped, tmp_path):
    """Between tensors of other shapes there is no sharpness."""
    narrow, wide = ({"width": width, "blocks": 2, "skip": "bicubic"} for width in (8, 16))
    for name, config in (("narrow", narrow), ("wide", wide)):
        tensors = GeneratorResNet(UpscalerConfig(**config)).state_dict()
        export_weights(tmp_path / f"{name}.safetensors", tensors, config, 10)
    folder = tmp_path / "weights"
    for kind in ("upscaler", SMOOTH, "upscaler"):
        release(kind, tmp_path / "narrow.safetensors", folder=folder)
    assert read_manifest(folder).keys() == {"upscaler", SMOOTH}
    with pytest.raises(InputError, match="Release the upscaler first"):
        release(SMOOTH, tmp_path / "wide.safetensors", folder=folder)
    release("upscaler", tmp_path / "wide.safetensors", folder=folder)
    assert read_manifest(folder).keys() == {"upscaler"}


def test_the_average_of_runs_is_the_weighted_mean_of_their_weights(diffusion_task, saved, small_release, tmp_path):
    shutil.copytree(saved.folder, tmp_path / "one")
    trained(diffusion_task(), tmp_path / "two", 4).save()
    file = average([str(tmp_path / "one"), f"{tmp_path / 'two'}=3"], tmp_path / "mean", "short")
    (one, *_), (two, *_), (mean, config, images) = (
        read_weights(tmp_path / name / "ema_short.safetensors") for name in ("one", "two", "mean")
    )
    assert file == tmp_path / "mean" / "ema_short.safetensors" and images == 4 * RECIPE.batch
    for name, tensor in mean.items():
        assert torch.allclose(tensor, 0.25 * one[name] + 0.75 * two[name], atol=1e-3), name
    assert any(not torch.equal(one[name], two[name]) for name in one)
    entry = release("denoiser", tmp_path / "mean", "short", folder=tmp_path / "weights")
    assert entry.config == config and entry.provenance["data"] == ["made/up"]
    assert [part["share"] for part in entry.provenance["average"]] == [0.25, 0.75]
    tensors, config, _ = read_weights(tmp_path / "one" / "ema_short.safetensors")
    del config["prior"]  # as weights of before it was thought of say it
    export_weights(tmp_path / "older.safetensors", tensors, config, 5)
    average([str(tmp_path / "older.safetensors"), str(tmp_path / "two")], tmp_path / "mixed", "short")
    trained(diffusion_task(prior=2), tmp_path / "more", 2).save()
    average([str(tmp_path / "one"), f"{tmp_path / 'more'}=3"], tmp_path / "knowing", "short")  # one knows no prior
    (more, _, _), (knowing, config, _) = (
        read_weights(tmp_path / name / "ema_short.safetensors") for name in ("more", "knowing")
    )
    own = [name for name in more if name.startswith("prior.")]
    assert config["prior"] == 2 and own and all(torch.equal(knowing[name], more[name]) for name in own)
    trained(diffusion_task(prior=4), tmp_path / "finer", 2).save()
    average([str(tmp_path / "finer"), str(tmp_path / "more")], tmp_path / "last", "short")  # kinds have no mean
    last, config, _ = read_weights(tmp_path / "last" / "ema_short.safetensors")
    assert config["prior"] == 2 and all(torch.equal(last[name], more[name]) for name in own)
    shutil.move(tmp_path / "one" / "ema_short.safetensors", tmp_path / "alone.safetensors")  # away from its notes
    average([str(tmp_path / "alone.safetensors"), str(tmp_path / "two")], tmp_path / "noted", "short")
    assert (
        release("denoiser", tmp_path / "noted", "short", folder=tmp_path / "weights").provenance["recipe"]["batch"] == 2
    )


def test_runs_that_have_no_average_are_told(run, tmp_path):
    tensors, config, _ = read_weights(run / "ema_long.safetensors")
    wider = {
        name: tensor.repeat(2, *[1] * (tensor.ndim - 1)) if tensor.ndim else tensor for name, tensor in tensors.items()
    }
    export_weights(tmp_path / "wider.safetensors", wider, config, 5)
    for texts, error, words in (
        ([run, tmp_path / "gone"], InputError, "part00"),
        ([run, tmp_path / "wider.safetensors"], InputError, "another architecture"),
        ([run], UsageError, "at least two"),
        ([run, f"{run}=0"], UsageError, "above 0"),
    ):
        with pytest.raises(error, match=words):
            average([str(text) for text in texts], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
