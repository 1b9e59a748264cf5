"""Whole photos, composed here from the sample portraits: which face is edited, and what the file keeps."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from npe_core.canvas import Canvas
from npe_core.cli.app import run
from npe_core.editor import FaceChoice, RegionMap
from npe_core.editor.engine import Engine
from npe_core.editor.region_map import Look
from npe_core.errors import InputError
from npe_core.faces import FaceCrop, find_faces
from npe_core.photo import Photo
from npe_core.regions import region_by_name

SIZE = (1900, 1100)
HAIR = region_by_name("hair").id
FEW = ["--steps", "1", "--no-upscale", "--seed", "1"]


@dataclass(frozen=True)
class Sitter:
    """A sample portrait in the group: the side of its square, its turn in degrees, and where its middle lies."""

    name: str
    side: int
    turn: float
    middle: tuple[int, int]


SITTERS = (
    Sitter("ana", 420, 0, (230, 300)),
    Sitter("ben", 560, 25, (760, 560)),
    Sitter("clara", 300, 0, (1230, 350)),
    Sitter("dora", 520, 0, (1700, 700)),  # beyond the right border by 60 pixels
)


@dataclass(frozen=True, eq=False)
class Group:
    photo: Photo
    owner: np.ndarray
    """(H, W) uint8: 1.. in the disc of that sitter's head and hair, 0 elsewhere"""


def placed(picture, sitter, colour):
    """A picture of a sitter's square (mode RGBA or L) on an empty one of the group's size."""
    turned = picture.resize((sitter.side, sitter.side), Image.Resampling.LANCZOS)
    turned = turned.rotate(sitter.turn, Image.Resampling.BICUBIC, expand=True)
    whole = Image.new(picture.mode, SIZE, colour)
    whole.paste(turned, (sitter.middle[0] - turned.width // 2, sitter.middle[1] - turned.height // 2))
    return whole


@pytest.fixture(scope="module")
def group(portrait):
    x, y = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    gradient = np.stack([190 + 30 * x, 195 + 20 * y, 205 - 20 * x], axis=-1)
    picture, owner = Image.fromarray(gradient.astype(np.uint8)).convert("RGBA"), np.zeros(SIZE[::-1], np.uint8)
    edge = np.clip((256 - np.abs(np.arange(512) - 255.5)) / 40, 0, 1)
    soft = Image.fromarray((255 * np.minimum(edge[:, None], edge)).astype(np.uint8))
    head = Image.new("L", (512, 512))
    ImageDraw.Draw(head).circle((256, 256), 215, 255)
    for number, sitter in enumerate(SITTERS, start=1):
        face = Image.open(portrait.with_name(f"{sitter.name}.png")).convert("RGB")
        face.putalpha(soft)
        picture.alpha_composite(placed(face, sitter, (0, 0, 0, 0)))
        owner[np.asarray(placed(head, sitter, 0)) > 127] = number
    return Group(Photo.from_array(np.asarray(picture.convert("RGB"))), owner)


def recolour(editor, photo, face, region="hair", colour="#2060c0", **options):
    choice = editor.choose(photo, face)
    canvas = Canvas(photo.image, editor.segment(photo, choice))
    canvas.fill(region, colour)
    return editor.edit(photo, canvas, steps=2, seed=1, choice=choice, upscale=False, **options)


@pytest.fixture(scope="module")
def largest(editor, group):
    """The group with other hair on its largest face, which is the second."""
    return recolour(editor, group.photo, "largest")


def changed(result, photo):
    return (result.image != photo.image).any(axis=-1)


def test_faces_are_numbered_from_the_left_at_any_size_and_turn(group):
    middles = [((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in find_faces(group.photo.image)]
    assert len(middles) == len(SITTERS)
    for sitter, middle in zip(SITTERS, middles, strict=True):
        assert np.hypot(*np.subtract(middle, sitter.middle)) < 0.15 * sitter.side


def check_edited_alone(result, group, number):
    assert result.faces == 1
    owners = np.bincount(group.owner[changed(result, group.photo)], minlength=5)
    assert set(np.flatnonzero(owners)) <= {0, number}
    assert owners[number] > 0.08 * SITTERS[number - 1].side ** 2


@pytest.mark.parametrize("number", [3, 4])
def test_one_face_is_edited_and_the_others_stay(editor, group, number):
    check_edited_alone(recolour(editor, group.photo, number), group, number)


def test_the_largest_face_is_edited_and_the_others_stay(largest, group):
    check_edited_alone(largest, group, 2)


def test_all_faces_are_edited_in_one_batch(editor, group, monkeypatch):
    batches, denoise = [], editor.engine.denoise
    monkeypatch.setattr(editor.engine, "denoise", lambda xt, t, known: batches.append(len(xt)) or denoise(xt, t, known))
    seen = []
    result = recolour(editor, group.photo, "all", region="lips", colour="#30a040", progress=seen.append)
    assert result.faces == 4 and batches == [4, 4]
    assert [preview.images.shape for preview in seen] == [(4, 128, 128, 3)] * 2
    owners = np.bincount(group.owner[changed(result, group.photo)], minlength=5)
    sides = np.array([sitter.side for sitter in SITTERS])
    assert (owners[1:] > 0.003 * sides**2).all() and (owners[1:] < 0.05 * sides**2).all()


def test_hair_of_a_turned_face_is_where_the_hair_is(largest, group, portrait):
    """Ben's hair is what is nearly black above his ears; the brows and eyes below it are not."""
    face = np.asarray(Image.open(portrait.with_name("ben.png")).convert("L"))
    black = np.zeros_like(face)
    black[:170] = np.where(face[:170] < 45, 255, 0)
    hair = np.asarray(placed(Image.fromarray(black), SITTERS[1], 0)) > 127
    moved = changed(largest, group.photo)
    assert moved[hair].mean() > 0.9
    inside = np.asarray(placed(Image.new("L", (512, 512), 255), SITTERS[1], 0)) > 0
    face_only = np.zeros((512, 512), np.uint8)
    face_only[230:420, 190:350] = 255  # from between the brows to the chin
    assert not moved[np.asarray(placed(Image.fromarray(face_only), SITTERS[1], 0)) > 0].any()
    assert (moved & inside).sum() > 0.85 * moved.sum()


def test_hair_of_a_neighbour_is_not_filled(editor, portrait):
    """Shoulder to shoulder the wider look at one face holds half of the other."""
    names = ("dora", "clara")
    faces = [Image.open(portrait.with_name(f"{name}.png")).convert("RGB").resize((320, 320)) for name in names]
    photo = Photo.from_array(np.hstack([np.asarray(face) for face in faces]))
    for number, own in ((1, np.s_[:, :320]), (2, np.s_[:, 320:])):
        regions = editor.segment(photo, editor.choose(photo, number))
        hair = regions.ids == HAIR
        assert hair[own].sum() > 0.97 * hair.sum() > 10_000
    both = editor.segment(photo, editor.choose(photo, "all")).ids == HAIR
    assert both[:, :320].mean() > 0.2 and both[:, 320:].mean() > 0.2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save_mask(size, box):
    mask = np.zeros(size[::-1], np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 255
    Image.fromarray(mask).save("mask.png")
    return mask > 0


PAINT = ["--mask", "mask.png", "--color", "#20a040", *FEW]


def test_a_turned_jpeg_comes_back_upright_once_with_its_exif(portrait, folder):
    upright = Image.open(portrait).convert("RGB").crop((0, 0, 480, 512))
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = 6, "Cam"
    upright.transpose(Image.Transpose.ROTATE_90).save("phone.jpg", exif=tags, quality=95)
    shown = np.asarray(ImageOps.exif_transpose(Image.open("phone.jpg")).convert("RGB"))
    mask = save_mask((480, 512), (200, 330, 300, 370))  # of the upright photo, whose shape is not the stored one
    for out in ("out.png", "out.jpg"):
        assert run(["edit", "phone.jpg", "-o", out, *PAINT]) == 0
        with Image.open(out) as picture:
            found = picture.getexif()
            assert (picture.size, found.get(0x0112, 1), found.get(0x010F)) == ((480, 512), 1, "Cam")
            after = np.asarray(picture.convert("RGB"))
        if out == "out.png":
            assert np.array_equal(after[~mask], shown[~mask])
        assert after[mask].astype(int)[:, 1].mean() > shown[mask].astype(int)[:, 1].mean() + 15
    assert Photo.open("out.jpg").size == (480, 512)


def test_colour_profile_and_alpha_are_kept_bit_for_bit_outside(portrait, folder, icc_profile):
    profile = icc_profile()  # the primaries of Display P3
    picture = Image.open(portrait).convert("RGB")
    alpha = np.tile(np.linspace(0, 255, 512).astype(np.uint8), (512, 1))
    picture.putalpha(Image.fromarray(alpha))
    picture.save("wide.png", icc_profile=profile)
    mask = save_mask(picture.size, (200, 330, 300, 370))
    for out in ("out.png", "out.webp", "out.tiff"):
        assert run(["edit", "wide.png", "-o", out, *PAINT]) == 0
        with Image.open(out) as edited:
            assert edited.info["icc_profile"] == profile and edited.mode == "RGBA"
            before, after = np.asarray(picture), np.asarray(edited)
        assert np.array_equal(after[~mask], before[~mask]) and np.array_equal(after[..., 3], alpha)
        assert (after != before).any(axis=-1)[mask].mean() > 0.9


def test_a_grey_photo_becomes_rgb_and_is_told(portrait, folder, capsys):
    Image.open(portrait).convert("L").save("grey.jpg")
    assert run(["edit", "grey.jpg", "-o", "out.png", "--region", "hair=#8b2500", *FEW, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert any("grey" in warning for warning in told["warnings"])
    grey = np.asarray(Image.open("grey.jpg"))
    after = np.asarray(Image.open("out.png"))
    kept = (after == grey[..., None]).all(axis=-1)
    assert 0.3 < kept.mean() < 0.95
    assert (after[~kept][:, 0].astype(int) - after[~kept][:, 2]).mean() > 40


def test_a_box_names_a_face_that_was_not_found(portrait, folder, capsys):
    image = np.asarray(Image.open(portrait).convert("RGB")).copy()
    image[150:420, 130:380] = (200, 160, 140)  # a face without features, in its hair
    photo = np.full((700, 900, 3), 120, np.uint8)
    photo[100:612, 300:812] = image
    Image.fromarray(photo).save("hidden.png")
    arguments = ["edit", "hidden.png", "-o", "out.png", "--region", "hair=#2060c0", *FEW]
    assert run(arguments) == 2
    assert "--box" in capsys.readouterr().err and not (folder / "out.png").exists()
    assert run([*arguments, "--box", "300,100,512,512"]) == 0
    moved = (np.asarray(Image.open("out.png")) != photo).any(axis=-1)
    assert moved[120:300, 450:650].mean() > 0.3 and moved[250:520, 430:680].mean() < 0.2


def test_a_photo_with_nearly_no_hair_is_refused_and_nothing_written(portrait, folder, monkeypatch, capsys):
    def all_skin(engine, x):
        seen = torch.zeros((len(x), 11, *x.shape[2:]), dtype=torch.uint8)
        seen[:, 1], seen[:, 1, :4, :4], seen[:, HAIR, :4, :4] = 255, 0, 255
        return seen

    monkeypatch.setattr(Engine, "segment", all_skin)
    assert run(["edit", str(portrait), "-o", "out.png", "--region", "hair=#2060c0", "--aligned", *FEW]) == 2
    assert "No hair found in this picture (only 0.02% of it)" in capsys.readouterr().err
    assert not (folder / "out.png").exists()


def test_no_hair_of_its_own_beside_a_neighbour_who_has_some(editor):
    """What the segmenter calls hair must be the chosen face's; here everything belongs to the other one."""
    chosen, other = FaceCrop.from_box((0, 0, 200, 200), 64), FaceCrop.from_box((200, 0, 400, 200), 64)
    seen = np.zeros((11, 64, 64), np.uint8)
    seen[HAIR, :, 60:], seen[1, :, :60] = 255, 255
    look = Look(FaceCrop.from_box((0, 0, 400, 400), 64), seen)
    regions = RegionMap.of(FaceChoice((chosen,), (other,)), [(look,)], (400, 200))
    canvas = Canvas(np.full((200, 400, 3), 128, np.uint8), regions)
    with pytest.raises(InputError, match="No hair found"):
        canvas.fill("hair", "#2060c0")
    assert not canvas.mask.any()


def test_each_place_is_as_the_nearest_of_the_chosen_faces_saw_it():
    """The wide look at the left face takes the right one's hair for cloth, and the other way round."""
    left, right = FaceCrop.from_box((0, 0, 200, 200), 64), FaceCrop.from_box((200, 0, 400, 200), 64)
    wide = FaceCrop.from_box((0, 0, 400, 400), 64)
    attire = region_by_name("attire").id
    looks = []
    for own in (np.s_[:, :32], np.s_[:, 32:]):
        seen = np.zeros((11, 64, 64), np.uint8)
        seen[attire] = 255
        seen[attire][own], seen[HAIR][own] = 0, 255
        looks.append((Look(wide, seen),))
    regions = RegionMap.of(FaceChoice((left, right)), looks, (400, 200))
    assert (regions.ids == HAIR).all()
    likely = regions.probability(HAIR, (0, 0, 400, 200))
    assert likely.max() <= 1 and likely.min() > 0.7  # no notch where one face's share ends and the other's begins


@pytest.fixture(scope="module")
def lips(editor, portrait):
    photo = Photo.open(portrait)
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill("lips", "#b00020")
    return editor.edit(photo, canvas, timestep=222, steps=2, sampler="ddim", seed=1, upscale=False)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_the_parameters_are_in_every_format_that_can_hold_them(lips, folder, suffix):
    lips.save(f"out{suffix}")
    found = Photo.open(f"out{suffix}").parameters
    assert found.pop("version") and found.pop("models").keys() == {"denoiser", "segmenter"}
    assert found == {
        "regions": {"lips": "#b00020"},
        "timestep": 222,
        "steps": 2,
        "sampler": "ddim",
        "seed": 1,
        "upscale": False,
        "sharpness": 1.0,
        "painted": False,
        "feather": 0.0,
    }
