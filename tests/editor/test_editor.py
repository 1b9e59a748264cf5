"""Whole edits with the shipped models: nothing moves outside the mask, and inside is what was asked for."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from npe_core.canvas import Canvas, Fill
from npe_core.canvas.morphology import distance_inside
from npe_core.colour import parse_colour, srgb_to_lab
from npe_core.editor import Editor, EditResult, FaceChoice
from npe_core.editor.underway import absent_from
from npe_core.editor.views import bare_and_thin, own_texture
from npe_core.errors import Cancelled, EnvironmentFault, InputError, UsageError
from npe_core.faces import FaceCrop
from npe_core.photo import Photo
from npe_core.regions import region_by_name


@pytest.fixture(scope="module")
def photo(portrait):
    return Photo.open(portrait)


@pytest.fixture(scope="module")
def regions(editor, photo):
    return editor.segment(photo)


def disc(size, x, y, radius):
    rows, columns = np.ogrid[: size[1], : size[0]]
    return np.clip(radius - np.hypot(columns + 0.5 - x, rows + 0.5 - y), 0, 1).astype(np.float32)


def test_segment_finds_the_face_where_it_is(photo, regions):
    """The sample is an aligned portrait: eyes level at about 0.47 of the height, lips below the nose, hair on top."""
    assert regions.ids.shape == (512, 512) and regions.ids.dtype == np.uint8
    middle = {}
    for name in ("eyes", "nose", "lips", "hair", "skin", "brows"):
        rows, columns = np.nonzero(regions.ids == region_by_name(name).id)
        assert len(rows) > 100, name
        middle[name] = rows.mean(), columns.mean()
    assert middle["brows"][0] < middle["eyes"][0] < middle["nose"][0] < middle["lips"][0]
    assert middle["eyes"][0] == pytest.approx(0.47 * 512, abs=26)
    assert all(abs(middle[name][1] - 256) < 40 for name in ("eyes", "nose", "lips"))
    assert regions.ids[5, 256] in (0, 7) and middle["hair"][0] < 300


def test_probabilities_agree_with_the_ids(regions):
    box = (150, 150, 350, 400)
    likely = np.stack([regions.probability(region, box) for region in range(11)])
    assert float(likely.min()) >= 0 and np.allclose(likely.sum(axis=0), 1, atol=5 / 255)
    agree = likely.argmax(axis=0) == regions.ids[150:400, 150:350]
    assert agree.mean() > 0.99


@pytest.mark.parametrize(("name", "colour", "limit"), [("hair", "#8b2500", 8), ("lips", "#b00020", 8)])
def test_a_region_gets_its_colour_and_the_rest_stays(editor, photo, regions, name, colour, limit):
    canvas = Canvas(photo.image, regions)
    canvas.fill(name, colour)
    result = editor.edit(photo, canvas, timestep=300, seed=1)
    assert isinstance(result, EditResult) and result.image.shape == photo.image.shape
    assert np.array_equal(result.image[canvas.mask == 0], photo.image[canvas.mask == 0])
    inside = canvas.mask > 0.9
    mean = srgb_to_lab(result.image[inside]).mean(axis=0)
    wanted = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    assert float(np.linalg.norm(mean - wanted)) < limit
    before = srgb_to_lab(photo.image[inside]).mean(axis=0)
    assert float(np.linalg.norm(before - wanted)) > 2 * limit


def test_a_spot_under_a_mask_goes(editor, photo):
    """Drawn on the forehead: four fifths of what it was has to go, and the mask leaves no spot of its own."""
    spot, mask = disc(photo.size, 260, 150, 6), disc(photo.size, 260, 150, 18)
    drawn = photo.image + spot[..., None] * (np.array([90, 50, 45]) - photo.image)
    spotted = Photo.from_array(np.rint(drawn).astype(np.uint8))
    canvas = Canvas(spotted.image)
    canvas.select(mask)
    found = editor.edit(spotted, canvas, seed=1).image

    def error(image, where):
        return np.sqrt(np.square(image[where].astype(float) - photo.image[where]).mean())

    assert error(found, spot == 1) < 0.2 * error(spotted.image, spot == 1)
    assert error(found, (mask > 0) & (spot == 0)) < 12


def test_the_background_of_a_portrait_is_filled_up_to_its_borders_and_to_the_hair(editor, photo, regions):
    canvas = Canvas(photo.image, regions)
    canvas.fill("background", "#204030")
    nobody = regions.ids == 0
    apart = distance_inside(nobody, 20) == np.inf
    assert apart.sum() > 20_000 and (canvas.mask[apart] == 1).all()
    assert canvas.mask[distance_inside(~nobody, 20) == np.inf].max() == 0
    # Around the hair the ground is bright: hardly any of it may be left beside the mask.
    rim = nobody & ~apart & (regions.ids.shape[0] // 2 > np.arange(512)[:, None])
    bright = rim & (photo.image.min(axis=2) > 190)
    assert bright.sum() > 2000 and canvas.mask[bright].mean() > 0.9


@pytest.mark.parametrize("width", [8, 14])
def test_a_scratch_under_a_narrow_mask_goes(editor, photo, width):
    """Two photo pixels wide it is half a pixel to the diffusion model, and nearly all fine detail of the photo."""

    def line(thickness, beyond=0):
        drawn = Image.new("L", photo.size)
        ImageDraw.Draw(drawn).line((200 - beyond, 110 - beyond // 3, 300 + beyond, 140 + beyond // 3), 255, thickness)
        return np.asarray(drawn) > 0

    scratch, mask = line(2), line(width, beyond=4)
    drawn = photo.image.copy()
    drawn[scratch] = (120, 45, 45)
    scratched = Photo.from_array(drawn)
    canvas = Canvas(scratched.image)
    canvas.select(mask.astype(np.float32))
    found = editor.edit(scratched, canvas, seed=1).image

    def error(image):
        return np.sqrt(np.square(image[scratch].astype(float) - photo.image[scratch]).mean())

    assert error(found) < 0.3 * error(drawn)
    assert np.array_equal(found[~mask], drawn[~mask])


def test_only_what_is_bare_and_narrow_is_thin():
    wide, line, faint = np.zeros((3, 512, 512), np.float32)
    wide[100:260, 150:330] = 1
    line[300:304, 40:480] = 1
    faint[400:410, 40:480] = 0.25
    (found,) = bare_and_thin([wide + line + faint], 128).numpy()[:, 0]
    rows = {int(row): float(found[row, 64]) for row in np.flatnonzero(found[:, 64])}
    assert rows == {row: 1.0 for row in (74, 75, 76)} | {row: 0.25 for row in range(99, 104)}
    assert found[26:64, 40:80].max() == 0


def test_the_texture_of_a_tint_is_known_as_the_photos_up_to_its_hard_edge(editor, photo):
    """Of a thin streak in the hair: flat paint has none."""
    (crop,) = editor.choose(photo).crops

    def own_in(tint):
        canvas = Canvas(photo.image)
        canvas.stroke([(60, 330), (80, 230), (110, 150)], "#2050d0", radius=7, tint=tint)
        inside = crop.extract((canvas.levels == 255).astype(np.float32), editor.engine.image_size) > 0.9
        return own_texture(photo, canvas, [crop], editor.engine)[0, 0].cpu().numpy()[inside]

    assert own_in(True).min() > 0.6 and own_in(True).mean() > 0.9 and own_in(False).mean() < 0.3


def test_chained_edits_leave_the_rest_bit_for_bit(editor, photo):
    ever = np.zeros(photo.image.shape[:2], bool)
    current = photo
    for number in range(3):
        mask = disc(photo.size, 120 + 30 * number, 380, 14)
        canvas = Canvas(current.image)
        canvas.select(mask, "#20a040")
        result = editor.edit(current, canvas, timestep=150, steps=1, seed=number, choice=crop(photo), upscale=False)
        current = result.photo
        ever |= mask > 0
    assert np.array_equal(current.image[~ever], photo.image[~ever])
    assert (current.image[ever] != photo.image[ever]).any(axis=1).mean() > 0.9


def crop(photo):
    return FaceChoice((FaceCrop.centred(*photo.size),))


def edit_spot(editor, photo, **options):
    canvas = Canvas(photo.image)
    canvas.select(disc(photo.size, 250, 300, 40), "#d02040")
    return editor.edit(photo, canvas, **{"choice": crop(photo), "steps": 4, **options})


def test_a_drawn_seed_is_told_and_repeats_the_edit_and_another_makes_another(editor, photo):
    """Noise is added on the way from the first step to the second."""

    def edited(seed):
        return edit_spot(editor, photo, steps=2, upscale=False, seed=seed)

    first = edited(None)
    seed = first.parameters["seed"]
    assert np.array_equal(edited(seed).image, first.image)
    assert not np.array_equal(edited(seed ^ 1).image, first.image)


@pytest.mark.parametrize("sampler", ["lcm", "ddim", "ddpm", "dpmpp"])
def test_every_sampler_edits(editor, photo, sampler):
    result = edit_spot(editor, photo, sampler=sampler, seed=1, steps=3, upscale=False)
    assert (result.image != photo.image).any() and result.parameters["sampler"] == sampler


@pytest.mark.parametrize("size", [(333, 610), (128, 128), (1600, 1200)])
def test_any_size_and_shape_comes_back_as_it_was(editor, photo, size):
    from PIL import Image

    image = np.asarray(Image.fromarray(photo.image).resize(size, Image.Resampling.LANCZOS))
    resized = Photo.from_array(image)
    side = min(size)
    canvas = Canvas(image)
    canvas.select(disc(size, size[0] / 2, size[1] / 2, side / 6), "#3060c0")
    result = editor.edit(resized, canvas, steps=1, seed=0, choice=FaceChoice((FaceCrop.centred(*size),)), upscale=False)
    assert result.image.shape == image.shape
    assert np.array_equal(result.image[canvas.mask == 0], image[canvas.mask == 0])
    assert (result.image != image).any()


def test_mask_beyond_the_crop_is_left_alone_and_told(editor, photo):
    small = FaceCrop.from_box((0, 0, 100, 100))
    canvas = Canvas(photo.image)
    canvas.select(np.ones(photo.image.shape[:2], np.float32), "#808080")
    result = editor.edit(photo, canvas, steps=1, seed=0, choice=FaceChoice((small,)), upscale=False)
    outside = np.ones(photo.image.shape[:2], bool)
    outside[:188, :188] = False  # the crop and one ring of tiles beside it, overlapping by their fades
    assert (result.image[:180, :180] != photo.image[:180, :180]).any(axis=2).mean() > 0.9
    assert np.array_equal(result.image[outside], photo.image[outside])
    assert any("too far from the chosen faces" in warning for warning in result.warnings)


def test_previews_come_at_every_step_and_seconds_by_stage(editor, photo):
    seen = []
    seconds = edit_spot(editor, photo, seed=1, progress=seen.append).seconds
    assert [preview.step for preview in seen] == [1, 2, 3, 4] and seen[0].steps == 4
    assert [preview.timestep for preview in seen] == sorted((p.timestep for p in seen), reverse=True)
    assert seen[-1].images.shape == (1, 128, 128, 3) and seen[-1].images.dtype == np.uint8
    assert seconds.keys() == {"load", "diffusion", "upscale", "total"}
    assert seconds["total"] >= seconds["diffusion"] + seconds["upscale"] and min(seconds.values()) >= 0


def test_progress_can_cancel_within_one_step(editor, photo):
    calls = []

    def stop(preview):
        calls.append(preview.step)
        raise Cancelled("asked to")

    with pytest.raises(Cancelled):
        edit_spot(editor, photo, progress=stop)
    assert calls == [1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timestep": 0}, "between 1 and 499"),
        ({"timestep": 500}, "between 1 and 499"),
        ({"steps": 0}, "steps"),
        ({"timestep": 5, "steps": 6}, "steps"),
        ({"sampler": "euler"}, "dpmpp"),
        ({"sampler": "restart"}, "lcm"),  # for pictures out of noise alone
    ],
)
def test_arguments_that_cannot_be_meant(editor, photo, options, words):
    with pytest.raises(UsageError, match=words):
        edit_spot(editor, photo, **options)


def test_an_empty_canvas_and_one_of_another_size_are_refused(editor, photo):
    with pytest.raises(InputError, match=r"Nothing is marked\. Fill"):
        editor.edit(photo, Canvas(photo.image))
    other = Canvas(np.zeros((64, 64, 3), np.uint8))
    other.select(np.ones((64, 64)), "#000000")
    with pytest.raises(UsageError, match="64x64"):
        editor.edit(photo, other)


def test_sampling_depends_on_the_seed_alone(editor):
    both = editor.sample(2, steps=3, seed=4)
    assert both.shape == (2, 128, 128, 3) and both.dtype == np.uint8
    # bfloat16 rounds differently in another batch; the pictures are the same to the eye
    difference = np.abs(both[1].astype(int) - editor.sample(1, steps=3, seed=5)[0].astype(int))
    assert difference.mean() < 2


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": -1}, {"steps": 0}, {"seed": -1}, {"sampler": "euler"}])
def test_what_cannot_be_sampled_is_refused(editor, wrong):
    with pytest.raises(UsageError, match=str(next(iter(wrong.values())))):
        editor.sample(**({"count": 1} | wrong))


def test_upscaling_in_tiles_gives_the_same_pixels(editor, photo):
    from npe_core.editor.engine import to_images, to_tensor

    image = photo.image[200:240, 140:280]
    whole, tiled = to_images(editor.engine.upscale(to_tensor([image])))[0], editor.engine.upscale_tiled(image, tile=48)
    assert whole.shape == tiled.shape == (160, 560, 3)
    assert np.abs(whole.astype(int) - tiled).max() <= 4  # it is 55 where a tile sees nothing around it


def test_upscaled_picture_is_the_same_picture(editor, photo):
    from PIL import Image

    small = np.asarray(Image.fromarray(photo.image).resize((128, 128), Image.Resampling.BICUBIC))
    large = editor.upscale(Photo.from_array(small))
    assert large.size == (512, 512)
    back = np.asarray(Image.fromarray(large.image).resize((128, 128), Image.Resampling.BICUBIC)).astype(float)
    assert abs(float((back - small).mean())) < 1


def test_a_grey_photo_is_upscaled_to_a_grey_one(editor, photo):
    grey = np.repeat(photo.image[200:264, 200:264, 1:2], 3, axis=2)
    large = editor.upscale(Photo.from_array(grey)).image
    raw = editor.engine.upscale_tiled(grey)
    assert np.ptp(raw, axis=2).max() > 0, "the model tints it"
    assert np.ptp(large, axis=2).max() == 0
    assert np.abs(large[..., 0] - raw @ [0.299, 0.587, 0.114]).max() <= 1


def test_what_was_not_found_for_a_group_is_told():
    fills = [Fill("skin+ears+neck", "#6a4028", 9, ("ears", "neck")), Fill("hair", "#6a4028", 9)]
    assert absent_from(fills) == ["no ears and no neck found for the fill of skin+ears+neck; the rest of it was made"]


def test_a_painted_smile_keeps_its_teeth(editor, portrait):
    """Around it a mouth is closed, and each call of the denoiser would leave less of it: 19 levels in the end."""
    photo = Photo.open(portrait.with_name("dora.png"))
    layer = Image.new("RGBA", photo.size)
    ImageDraw.Draw(layer).ellipse((196, 362, 314, 416), fill="#be6062")
    ImageDraw.Draw(layer).ellipse((208, 374, 304, 396), fill="#eee8e0")
    paint, canvas = np.asarray(layer), Canvas(photo.image)
    canvas.paint_image(paint[..., :3], paint[..., 3])
    light = editor.edit(photo, canvas, timestep=425, seed=1).image.mean(axis=2)
    assert light[380:392, 230:282].mean() > light[402:410, 240:272].mean() + 50


def test_what_is_not_a_number_makes_no_picture(photo, regions):
    broken = Editor(device="cpu")
    with torch.no_grad():
        next(broken.engine.model("denoiser").parameters()).fill_(torch.nan)
    canvas = Canvas(photo.image, regions)
    canvas.fill("lips", "#b00020")
    with pytest.raises(EnvironmentFault, match="denoiser made no picture"):
        broken.edit(photo, canvas, seed=1)
