"""The parameters in a file: what was stored comes back, what a stranger wrote gets no further than an error."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.canvas.selection import as_regions
from npe_core.daemon.parameters import read_parameters
from npe_core.editor import FaceChoice
from npe_core.editor.job import EditJob
from npe_core.editor.laying import ByHand, lay
from npe_core.editor.recipe import Recipe, other_weights, read_recipe
from npe_core.editor.region_map import RegionMap
from npe_core.editor.underway import models_of
from npe_core.errors import InputError, UsageError
from npe_core.photo import Photo
from npe_core.regions import REGION_NAMES, region_by_name

colours = st.integers(0, 2**24 - 1).map("#{:06x}".format)
recipes = st.integers(1, 499).flatmap(
    lambda timestep: st.builds(
        Recipe,
        regions=st.dictionaries(st.sampled_from(REGION_NAMES), colours),
        timestep=st.just(timestep),
        steps=st.integers(1, timestep),
        sampler=st.sampled_from(["lcm", "dpmpp", "ddim", "ddpm"]),
        seed=st.integers(0, 2**63 - 1),
        upscale=st.booleans(),
        sharpness=st.floats(0, 1),
        feather=st.floats(0, 1e4),
        painted=st.booleans(),
    )
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
KEYS = [*vars(Recipe()), "version", "models"]


@given(recipes)
def test_what_is_stored_comes_back(recipe):
    stored = json.loads(json.dumps({"version": "0.1.0", **recipe.parameters(), "models": {"denoiser": "0123"}}))
    found = read_recipe(stored, "edited.png")
    assert found == recipe and list(found.regions) == list(recipe.regions)


def test_the_fills_are_told_in_the_order_in_which_they_lie_over_each_other():
    """A region that is filled again lies over its soft neighbours."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    probabilities = np.zeros((11, 64, 64), np.float32)
    probabilities[7] = np.clip((np.arange(64) - 16) / 32, 0, 1)
    probabilities[10] = 1 - probabilities[7]
    regions = SimpleNamespace(ids=np.where(probabilities[7] > 0.5, 7, 10).astype(np.uint8), probabilities=probabilities)
    canvas, again = Canvas(image, regions), Canvas(image, regions)
    for region, colour in (("hair", "#8b2500"), ("attire", "#2040c0"), ("hair", "#d8b070")):
        canvas.fill(region, colour)
    recipe = EditJob(Photo.from_array(image), canvas, seed=1).recipe()
    assert list(recipe.regions) == ["attire", "hair"] and not recipe.painted
    for region, colour in recipe.regions.items():
        again.fill(region, colour)
    assert (again.guide == canvas.guide).all() and (again.levels == canvas.levels).all()


@pytest.mark.parametrize(
    ("fills", "stored"),
    [
        ([("nose+skin", "#8b6040")], ["skin+nose"]),
        ([("skin+nose", "#8b6040"), ("nose", "#604030")], ["skin+nose", "nose"]),
        ([("nose", "#604030"), ("hair", "#101010"), ("skin+nose", "#8b6040")], ["skin+nose", "hair"]),
        ([("brows", "#b08050"), ("skin", "#604030")], ["skin", "brows"]),
        ([("brows", "#b08050"), ("skin", "#604030"), ("brows", "#101010")], ["skin", "brows"]),
    ],
)
def test_what_is_stored_of_groups_makes_the_same_picture(fills, stored):
    ids = np.ones((96, 96), np.uint8)
    for name, where in (("nose", np.s_[50:70, 40:56]), ("brows", np.s_[30:38, 20:76]), ("hair", np.s_[:16])):
        ids[where] = region_by_name(name).id
    shares = (ids == np.arange(11)[:, None, None]).astype(np.float32)
    probabilities = sum(np.roll(shares, (dy, dx), (1, 2)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) / np.float32(9)
    image = np.random.default_rng(0).integers(90, 160, (96, 96, 3), dtype=np.uint8)
    image[ids == region_by_name("brows").id] //= 3
    regions = SimpleNamespace(ids=ids, probabilities=probabilities)
    canvas, again = Canvas(image, regions), Canvas(image, regions)
    for region, colour in fills:
        canvas.fill(region, colour)
    canvas = Canvas.restore(image, canvas.save_state(), regions)
    recipe = EditJob(Photo.from_array(image), canvas, seed=1).recipe()
    assert list(recipe.regions) == stored and not recipe.painted
    told = json.loads(json.dumps(recipe.parameters()))
    lay(again, read_recipe(told, "edited.png").regions, ByHand())
    assert (again.guide == canvas.guide).all() and (again.levels == canvas.levels).all()


def test_a_whole_number_for_the_sharpness_is_stored_as_what_is_read_back():
    image = np.zeros((8, 8, 3), np.uint8)
    recipe = EditJob(Photo.from_array(image), Canvas(image), seed=1, sharpness=1).recipe()
    assert read_recipe(json.loads(json.dumps(recipe.parameters())), "edited.png") == recipe


@pytest.mark.parametrize(("timestep", "steps"), [(1, 1), (3, 3), (4, 4), (499, 4)])
def test_where_no_steps_are_named_the_timestep_has_room_for_them(timestep, steps):
    image = np.zeros((8, 8, 3), np.uint8)
    assert EditJob(Photo.from_array(image), Canvas(image), timestep).recipe().steps == steps
    assert read_recipe({"timestep": timestep}, "edited.png").steps == steps
    assert read_parameters(b'{"timestep": %d}' % timestep, "job.json").steps is None
    with pytest.raises(UsageError, match=f"between 1 and {timestep}, the timestep, not {timestep + 1}"):
        EditJob(Photo.from_array(image), Canvas(image), timestep, timestep + 1).recipe()


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=9), anything, max_size=len(KEYS)))
def test_anything_else_is_an_input_error_or_a_recipe_that_can_be_meant(parameters):
    try:
        recipe = read_recipe(parameters, "edited.png")
    except InputError as error:
        assert len(str(error)) < 300 and "\n" not in str(error)
        return
    assert 1 <= recipe.steps <= recipe.timestep <= 499 and set(recipe.regions) <= set(REGION_NAMES)


GOOD = Recipe({"hair": "#8b2500"}, seed=7).parameters()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timestep": 500}, "between 1 and 499"),
        ({"timestep": True}, "'timestep' is true or false, expected a whole number"),
        ({"timestep": 300.0}, "'timestep' is the number 300.0, expected a whole number"),
        ({"steps": 301}, "between 1 and 250"),
        ({"sampler": "euler"}, "dpmpp"),
        ({"sampler": ["dpmpp"]}, "'sampler' is a list, expected a string"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"feather": -1.0}, "0 or more"),
        ({"feather": float("inf")}, "0 or more"),
        ({"feather": 10**400}, "0 or more"),
        ({"feather": -(10**400)}, "0 or more"),
        ({"upscale": "no"}, "'upscale' is a string, expected true or false"),
        ({"regions": [["hair", "#8b2500"]]}, "'regions'"),
        ({"regions": {"hiar": "#8b2500"}}, "Did you mean 'hair'"),
        ({"regions": {"hair": "red"}}, "#RRGGBB"),
        ({"regions": {"hair": 7}}, "'hair' must be a string such as"),
        ({"strokes": []}, "'strokes' is not known"),
    ],
)
def test_refusals_name_the_file_and_what_is_wrong(change, words):
    with pytest.raises(InputError, match=r"edited\.png cannot be used") as caught:
        read_recipe(GOOD | change, "edited.png")
    assert words in str(caught.value)


def test_numbers_may_be_written_without_a_point():
    assert read_recipe(GOOD | {"sharpness": 1, "feather": 3}, "edited.png") == Recipe(**GOOD | {"feather": 3.0})


def test_a_file_without_parameters_says_so():
    with pytest.raises(InputError, match=r"plain\.png holds no edit parameters"):
        read_recipe(None, "plain.png")


@pytest.mark.parametrize(
    ("told", "differ"),
    [({"denoiser": "aa"}, False), ({"denoiser": "bb"}, True), ({}, False), (None, False), ({"upscaler": "cc"}, False)],
)
def test_other_weights_are_noticed(told, differ):
    assert other_weights({"models": told}, {"denoiser": "aa"}) == differ


HAIR = {"hair": "#8b2500"}
SEGMENTED = RegionMap(np.zeros((8, 8), np.uint8), FaceChoice(()), ())


@pytest.mark.parametrize(
    ("recipe", "regions", "kinds"),
    [
        (Recipe(), None, ["denoiser", "upscaler"]),
        (Recipe(HAIR), SEGMENTED, ["denoiser", "segmenter", "upscaler"]),
        (Recipe(HAIR, upscale=False, sharpness=0.5), SEGMENTED, ["denoiser", "segmenter"]),
        (Recipe(HAIR, sharpness=0.5), as_regions(SEGMENTED.ids, (8, 8)), ["denoiser", "upscaler", "upscaler_smooth"]),
        (Recipe(painted=True), SEGMENTED, ["denoiser", "upscaler"]),
    ],
)
def test_the_weights_that_had_a_part_in_the_picture(recipe, regions, kinds):
    assert models_of(recipe, regions) == kinds


def test_a_sharpness_beyond_all_floats_is_refused_as_any_other():
    with pytest.raises(InputError, match="between 0 and 1"):
        read_parameters(b'{"sharpness": 1' + b"0" * 400 + b"}", "job.json")
