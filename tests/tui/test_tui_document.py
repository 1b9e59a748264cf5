"""The document under the editor, with a real canvas: what is shown, saved, recovered."""

import numpy as np
import pytest
from PIL import Image
from tui_fakes import LIPS, invented

from npe_core.canvas import Canvas
from npe_core.errors import InputError
from npe_core.photo import Photo, read_mask, read_paint
from npe_tui.document.document import EditDocument
from npe_tui.document.packing import pack, unpack
from npe_tui.files.autosave import Autosave, left_behind
from npe_tui.hand.hand import Hand


@pytest.fixture
def document(photo_file, ids):
    document = EditDocument(Photo.open(photo_file))
    document.canvas.regions = ids
    return document


@pytest.mark.parametrize("name", ["L" * 246, "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 83])
def test_a_long_name_leaves_room_for_what_is_written_beside_it(image, tmp_path, name):
    photo = tmp_path / f"{name}.png"
    Image.fromarray(image).save(photo)
    document = EditDocument(Photo.open(photo))
    document.proposed_name().write_bytes(b"taken")
    second = document.proposed_name("edited")
    assert second.name.endswith("-edited-2.png") and second.stem[:60] == name[:60]
    autosave = Autosave(tmp_path / "state", photo, 5, lambda: b"canvas")
    autosave.touch()
    assert autosave.flush() and [saved.photo for saved in left_behind(tmp_path / "state", photo)] == []
    autosave.close()
    assert [saved.read() for saved in left_behind(tmp_path / "state", photo)] == [b"canvas"]


def test_what_is_shown_follows_the_canvas_box_by_box(document):
    assert document.refresh() is None
    document.canvas.fill("hair", "#8b2500")
    x0, y0, x1, y1 = document.refresh()
    assert (document.shown == document.canvas.guide).all()
    assert (x0, y0, x1, y1) == (16, 8, 64, 50)
    document.canvas.undo()
    document.refresh()
    assert (document.shown == document.photo.image).all()


def test_what_changes_while_it_is_looked_at_is_looked_at_again(document, monkeypatch):
    document.canvas.fill("hair", "#8b2500")
    document.canvas.undo()
    looks, levels = [], Canvas.levels.fget

    def looked_at(canvas):
        looks.append(seen := levels(canvas).copy())
        if len(looks) == 1:  # another thread takes the undo back meanwhile
            canvas.redo()
        return seen

    monkeypatch.setattr(Canvas, "levels", property(looked_at))
    assert not document.marked and document.marked


def test_a_result_stays_in_sight_where_nothing_was_painted_since(document):
    document.canvas.fill("hair", "#8b2500")
    result = invented(document, 77)
    document.accept(result)
    assert (document.shown == result.image).all() and not document.stale
    document.canvas.fill("lips", "#b00020")
    document.refresh()
    lips = document.canvas.regions.ids == LIPS
    assert document.stale
    assert (document.shown[lips] == document.canvas.guide[lips]).all()
    assert (document.shown[~lips] == result.image[~lips]).all()
    document.canvas.undo()
    document.refresh()
    assert (document.shown == result.image).all()


def test_unsaved_follows_what_was_done(document, tmp_path):
    assert not document.unsaved
    document.canvas.fill("hair", "#8b2500")
    assert document.unsaved
    document.accept(invented(document, 9))
    assert document.unsaved
    document.save(tmp_path / "out.png")
    assert not document.unsaved
    document.canvas.stroke([(40, 40)], "#ffffff", 5)
    document.refresh()
    assert document.unsaved and not document.unsaved_result
    document.save_paint(tmp_path / "paint.png")
    assert not document.unsaved
    document.accept(invented(document, 8))
    assert document.unsaved, "another picture"


def test_saved_paint_is_no_more_lost_than_a_saved_picture(document, tmp_path):
    document.canvas.stroke([(40, 40)], "#ffffff", 5)
    assert document.unsaved_paint
    document.save_paint(tmp_path / "paint.png")
    assert not document.unsaved
    document.canvas.stroke([(20, 20)], "#ffffff", 5)
    assert document.unsaved


def test_who_takes_back_what_was_painted_has_the_enhanced_picture_again(document, tmp_path):
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 9))
    document.save(tmp_path / "out.png")
    document.canvas.stroke([(40, 40)], "#ffffff", 5)
    document.canvas.stroke([(10, 90)], None, 5)
    document.refresh()
    assert document.stale and document.unsaved
    document.canvas.undo()
    document.refresh()
    assert document.stale
    document.canvas.undo()
    document.refresh()
    assert not document.stale and not document.unsaved and (document.shown == document.result.image).all()


def test_saving_writes_the_result_with_its_parameters_and_nothing_else(document, tmp_path):
    with pytest.raises(InputError, match="enhance first"):
        document.save(tmp_path / "out.png")
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 9))
    document.save(tmp_path / "out.png")
    again = Photo.open(tmp_path / "out.png")
    outside = document.canvas.mask == 0
    assert (again.image[outside] == document.photo.image[outside]).all()
    assert (again.image[~outside] == 9).all()
    assert again.parameters["regions"] == {"hair": "#8b2500"} and again.parameters["seed"] == 9


def test_the_proposed_name_is_never_taken(document, tmp_path):
    first = document.proposed_name()
    assert first == tmp_path / "me-edited.png"
    first.touch()
    assert document.proposed_name() == tmp_path / "me-edited-2.png"
    assert document.proposed_name(taken=[tmp_path / "me-edited-2.png"]) == tmp_path / "me-edited-3.png"


@pytest.mark.parametrize(
    ("there", "saved", "proposed"),
    [
        ([], "lips.webp", "lips-2.webp"),
        (["lips-2.webp"], "lips.webp", "lips-3.webp"),
        (["lips.webp"], "lips-2.webp", "lips-3.webp"),
        ([], "shot-2024.png", "shot-2024-2.png"),
        ([], "-2.png", "-2-2.png"),
        ([], f"{250 * 'L'}.png", f"{240 * 'L'}-2.png"),
    ],
)
def test_the_next_is_proposed_beside_the_last_that_was_saved(document, tmp_path, there, saved, proposed):
    folder = tmp_path / "out"
    folder.mkdir()
    for name in there:
        (folder / name).touch()
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 9))
    document.save(folder / saved)
    assert document.proposed_name() == folder / proposed
    assert document.proposed_name("paint") == tmp_path / "me-paint.png"


def test_saved_paint_is_what_npe_edit_reads(document, tmp_path):
    canvas = document.canvas
    canvas.stroke([(20, 20), (60, 70)], "#3355aa", 6, hardness=0.2)
    canvas.fill("hair", "#8b2500")
    canvas.feather(3)
    canvas.stroke([(30, 60)], "#ffffff", 5, hardness=0.1, opacity=0.5)
    assert document.save_paint(tmp_path / "paint.png") == ()
    again = Canvas(document.photo.image)
    again.paint_image(*read_paint(tmp_path / "paint.png", document.size))
    assert (again.levels == canvas.levels).all() and ((again.levels % 255) > 0).any()
    assert np.abs(again.guide.astype(int) - canvas.guide).max() <= 1
    assert (again.painted == canvas.painted).all()
    with pytest.raises(InputError, match="PNG"):
        document.save_paint(tmp_path / "paint.jpg")


def test_a_mask_without_paint_is_saved_as_a_mask_and_with_paint_it_is_told(document, tmp_path):
    document.canvas.stroke([(40, 40)], None, 9, hardness=0.3)
    (note,) = document.save_paint(tmp_path / "mask.png")
    assert "--mask" in note
    mask = read_mask(tmp_path / "mask.png", document.size)
    assert (np.rint(255 * mask) == document.canvas.levels).all()
    document.canvas.stroke([(20, 20)], "#3355aa", 3)
    (note,) = document.save_paint(tmp_path / "paint.png")
    assert "without paint" in note
    again = Canvas(document.photo.image)
    again.paint_image(*read_paint(tmp_path / "paint.png", document.size))
    assert (again.levels == document.canvas.levels).all() and (again.guide == document.canvas.guide).all()


def test_paint_is_written_as_it_was_whatever_was_done_since(document, tmp_path):
    document.canvas.fill("hair", "#8b2500")
    document.canvas.begin_stroke("#3355aa", 6)
    document.canvas.extend_stroke([(60, 70)])
    paint, levels, guide = document.paint(), document.canvas.levels.copy(), document.canvas.guide.copy()
    while document.undo():
        pass
    document.canvas.fill("lips", "#b00020")
    document.save_paint(tmp_path / "paint.png", paint=paint)
    again = Canvas(document.photo.image)
    again.paint_image(*read_paint(tmp_path / "paint.png", document.size))
    assert (again.levels == levels).all() and np.abs(again.guide.astype(int) - guide).max() <= 1
    assert document.unsaved_paint, "the lips are in no file"


def test_a_snapshot_brings_paint_and_mask_back(document, photo_file):
    document.canvas.fill("hair", "#8b2500")
    document.canvas.stroke([(30, 60)], "#3355aa", 6)
    again = EditDocument(Photo.open(photo_file))
    again.recover(document.snapshot())
    assert (again.canvas.guide == document.canvas.guide).all() and (again.canvas.mask == document.canvas.mask).all()
    assert (again.shown == document.canvas.guide).all() and again.unsaved


def test_a_snapshot_of_another_picture_is_refused(document, image, tmp_path):
    document.canvas.fill("hair", "#8b2500")
    Image.fromarray(image[::-1]).save(tmp_path / "other.png")
    other = EditDocument(Photo.open(tmp_path / "other.png"))
    with pytest.raises(InputError, match="another picture"):
        other.recover(document.snapshot())


def test_the_region_overlay_mixes_photo_and_legend(document):
    overlay = document.region_overlay(strength=1.0)
    assert (overlay[10, 20] == (140, 70, 170)).all()
    mixed = document.region_overlay(strength=0.5)[10, 20].astype(int)
    half = (document.photo.image[10, 20] + np.array([140.0, 70.0, 170.0])) / 2
    assert np.abs(mixed - half).max() <= 1


@pytest.mark.parametrize(("tool", "painted", "marked"), [("brush", True, True), ("marker", False, True)])
def test_the_hand_paints_by_its_tool(document, tool, painted, marked):
    hand = Hand(tool=tool, colour="#102030", radius=5, hardness=1.0)
    hand.press(document.canvas, 40, 20)
    hand.drag(document.canvas, 50, 20)
    assert hand.drawing
    assert hand.release(document.canvas) and not hand.drawing
    assert (document.canvas.mask[20, 40:51] == 1).all() is np.True_ if marked else True
    shows = (document.canvas.guide[20, 45] == (16, 32, 48)).all()
    assert shows == painted
    hand.tool = "eraser"
    hand.press(document.canvas, 45, 20)
    hand.release(document.canvas)
    assert document.canvas.mask[20, 45] == 0 and document.canvas.mask[20, 37] > 0


def test_one_drag_is_one_undo_step(document):
    hand = Hand(tool="brush", radius=4)
    hand.press(document.canvas, 10, 10)
    for x in range(10, 60, 7):
        hand.drag(document.canvas, x, 30)
    hand.release(document.canvas)
    document.canvas.undo()
    assert not document.canvas.mask.any() and not document.canvas._history.done


@pytest.mark.parametrize("radius", [0.5, 1, 3.9, 4, 7, 200])
def test_the_brush_grows_and_shrinks_at_any_size(radius):
    hand = Hand(radius=radius)
    hand.resize(1.25, most=300)
    assert radius < hand.radius <= 300
    hand.resize(0.8, most=300)
    hand.resize(0.8, most=300)
    assert 0.5 <= hand.radius <= radius


def steps(document, step):
    """Does a step until there is none; what the picture is after each: a seed, painted or untouched."""
    found = []
    while step():
        document.refresh()
        mask = document.canvas.mask > 0
        if not document.stale:
            assert (document.shown == document.result.image).all()
            found.append(document.result.parameters["seed"])
        else:
            found.append("painted" if mask.any() else "untouched")
            assert document.result is not None or (document.shown == document.canvas.guide).all()
    return found


def test_results_are_steps_that_can_be_taken_back_and_done_again(document):
    document.canvas.fill("hair", "#8b2500")
    for seed in (5, 6, 7):
        document.accept(invented(document, seed))
    document.canvas.fill("lips", "#b00020")
    document.refresh()
    document.accept(invented(document, 8))
    assert steps(document, document.undo) == ["painted", 7, 6, 5, "painted", "untouched"]
    assert not document.unsaved, "there is nothing to lose"
    assert steps(document, document.redo) == ["painted", 5, 6, 7, "painted", 8]


def test_a_step_is_named(document):
    document.canvas.fill("hair", "#8b2500")
    document.refresh()
    document.accept(invented(document, 5))
    document.canvas.fill("hair", "#2e6f9e")
    document.canvas.fill("skin+lips", "#b00020")
    document.canvas.stroke([(40, 30)], "#112233", 4)
    document.canvas.clear()
    names = ["all taken away", "paint or mask", "skin+lips filled", "hair filled", "Enhance", "hair filled"]
    assert [document.undo() for _ in range(7)] == [*names, ""]
    document.refresh()
    assert not document.marked
    assert [document.redo() for _ in range(7)] == [*reversed(names), ""]


def test_the_fills_are_those_of_the_face_whose_regions_are_known(document, ids):
    document.canvas.fill("lips", "#b00020")
    document.canvas.fill("hair", "#8b2500")
    assert [fill.region for fill in document.fills] == ["lips", "hair"]
    document.canvas.regions = np.where(ids == LIPS, 0, ids)
    assert [fill.region for fill in document.fills] == ["hair"]
    other = np.zeros_like(ids)
    other[90:94, 4:12] = LIPS
    document.canvas.regions = other
    assert not document.fills
    document.canvas.fill("lips", "#2e6f9e")
    assert [fill.colour for fill in document.fills][-1] == "#2e6f9e"


def test_what_is_painted_after_undo_takes_the_place_of_later_results(document):
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 5))
    document.accept(invented(document, 6))
    document.undo()
    document.refresh()
    document.canvas.fill("lips", "#b00020")
    document.refresh()
    document.undo()
    document.refresh()
    assert (document.shown == document.result.image).all() and document.result.parameters["seed"] == 5
    assert steps(document, document.redo) == ["painted"]


def test_a_result_that_comes_back_is_saved_or_not_as_it_was(document, tmp_path):
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 5))
    document.save(tmp_path / "out.png")
    document.accept(invented(document, 6))
    assert document.unsaved_result
    document.undo()
    document.refresh()
    assert not document.unsaved


def test_every_result_knows_its_own_file(document, tmp_path):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    document.canvas.fill("hair", "#8b2500")
    document.accept(invented(document, 5))
    assert document.file_for(document.made) is None
    document.save(first)
    document.accept(invented(document, 6))
    assert document.file_for(document.made) == first, "by default it takes the place of the one before"
    document.save(second)
    document.undo()
    document.refresh()
    assert not document.unsaved and document.file_for(document.made) == first
    document.save(second, force=True)
    document.redo()
    document.refresh()
    assert document.unsaved_result, "its file is another's now"


def test_old_results_make_room_for_new_ones(document, monkeypatch):
    monkeypatch.setattr("npe_tui.document.results._ROOM", 8 * document.photo.image.nbytes)
    document.canvas.fill("hair", "#8b2500")
    for seed in range(10):
        document.accept(invented(document, seed))
    assert 1 < len(document._results._before) < 9
    kept = steps(document, document.undo)
    assert kept[0] == 8 and kept[-1] == "untouched"


def test_an_enhanced_picture_is_the_same_after_it_was_packed(image, ids, icc_profile, tmp_path):
    """To the samples of a file in another profile than sRGB, where how far the mask reaches counts, too."""
    Image.fromarray(image).save(tmp_path / "wide.png", icc_profile=icc_profile())
    document = EditDocument(Photo.open(tmp_path / "wide.png"))
    document.canvas.regions = ids
    document.canvas.fill("hair", "#8b2500")
    document.canvas.feather(6)
    document.accept(invented(document, 77))
    made, packed = document.made, pack(document.made)
    again = unpack(document.photo, packed)
    for was, now in ((made, again), (made.result, again.result)):
        names = ("guide", "levels") if was is made else ("image", "mask")
        assert all((getattr(was, name) == getattr(now, name)).all() for name in names)
    assert 0 < again.result.mask[again.result.mask > 0].min() < 1, "part of it is marked in part"
    rest = ("parameters", "faces", "face_numbers", "seconds", "warnings")
    assert all(getattr(made.result, name) == getattr(again.result, name) for name in rest)
    for name, result in (("was.png", made.result), ("now.png", again.result)):
        result.save(tmp_path / name)
    assert (tmp_path / "was.png").read_bytes() == (tmp_path / "now.png").read_bytes()
    for damaged in (packed[:-9], packed[:40], b"", packed.replace(b'"format": 1', b'"format": 2')):
        with pytest.raises(InputError, match=r"damaged|format 2"):
            unpack(document.photo, damaged)
