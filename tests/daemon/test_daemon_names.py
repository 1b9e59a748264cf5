"""Which files make a job, by their names."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_core.daemon.names import MASK, final_name, part_of, sort_out
from npe_core.filenames import printable, shortened
from npe_core.formats import INPUT_SUFFIXES


@pytest.mark.parametrize(
    ("name", "stem", "role"),
    [
        ("ana.png", "ana", "photo"),
        ("ana.JPG", "ana", "photo"),
        ("ana.mask.png", "ana", "mask"),
        ("ana.MASK.PNG", "ana", "mask"),
        ("ana.json", "ana", "parameters"),
        ("a.b.c.webp", "a.b.c", "photo"),
        ("-rf.png", "-rf", "photo"),
        ("ana.mask.jpg", "ana.mask", "photo"),
    ],
)
def test_what_a_name_says(name, stem, role):
    part = part_of(name)
    assert (part.stem, part.role) == (stem, role)


@pytest.mark.parametrize(
    "name",
    [".hidden.png", ".png", "~ana.png", "~$ana.png", "ana.png.part", "ana.tmp", "ana.png.crdownload",
     "ana.png.filepart", "notes.txt", "ana", ".ana.png.Xa81Yz", "ana.png~"],
)  # fmt: skip
def test_names_that_are_not_for_us(name):
    assert part_of(name) is None


@pytest.mark.parametrize(
    ("name", "final"),
    [("ana.json.part", "ana.json"), ("ana.mask.png.tmp", "ana.mask.png"), (".ana.png.Xa81Yz", "ana.png"),
     ("ana.jpg.filepart", "ana.jpg"), ("ana.png", None)],
)  # fmt: skip
def test_a_file_on_its_way_tells_what_it_will_be_called(name, final):
    assert final_name(name) == final


def sorted_out(*files):
    return sort_out(files, set(files))


def test_pairs_are_ready_and_the_rest_waits_and_says_why():
    found = sorted_out(
        "a.png", "a.mask.png", "b.jpg", "b.json", "c.png", "d.mask.png", "e.json", "g.mask.jpg", "notes.txt"
    )
    assert [(group.stem, group.names) for group in found.ready] == [
        ("a", ("a.png", "a.mask.png")),
        ("b", ("b.jpg", "b.json")),
    ]
    assert {one.names: one.why for one in found.waiting} == {
        ("c.png",): "waits for c.mask.png or c.json",
        ("g.mask.jpg",): "looks like a mask; name it g.mask.png, saved as PNG",
        ("d.mask.png",): "waits for its photo",
        ("e.json",): "waits for its photo",
    }


def test_two_photos_of_one_name_wait_because_the_mask_could_be_meant_for_either():
    found = sorted_out("a.png", "a.jpg", "a.mask.png")
    assert not found.ready and "more than one photo" in found.waiting[0].why


def test_a_job_waits_for_all_files_of_its_name():
    files = ["a.png", "a.mask.png", "a.json"]
    assert sort_out(files, {"a.png", "a.mask.png"}).unsettled == ["a"]
    assert sort_out([*files[:2], "a.json.part"], set(files[:2])).unsettled == ["a"]
    assert len(sort_out(files, set(files)).ready) == 1


def test_a_job_waits_for_a_file_on_its_way_by_name_unless_it_was_given_up():
    files = ["a.png", "a.mask.png", "a.json.part", ".a.json.Xa81Yz"]
    found = sort_out(files, set(files))
    assert found.unsettled == ["a"] and not found.ready
    assert found.waiting[0].names == ("a.mask.png", "a.png") and ".a.json.Xa81Yz, a.json.part" in found.waiting[0].why
    found = sort_out(files, set(files), {"a.json.part", ".a.json.Xa81Yz"})
    assert [group.stem for group in found.ready] == ["a"] and not found.waiting and not found.unsettled


def test_who_waits_is_told_under_which_temporary_name_the_rest_lies():
    files = [
        "a.json",
        "a.png.part",
        "b.png",
        "b.mask.png.tmp",
        ".b.json.Xa81Yz",
        "b.jpg.part",
        "c.mask.png",
        "d.png.part",
    ]
    found = sort_out(files, set(files), {"a.png.part", "b.mask.png.tmp"})
    assert {one.names: one.why for one in found.waiting} == {
        ("a.json",): "waits for its photo; a.png.part was left behind: rename it to a.png if it is whole",
        ("b.png",): "waits for b.mask.png or b.json; .b.json.Xa81Yz is on its way; "
        "b.mask.png.tmp was left behind: rename it to b.mask.png if it is whole",
        ("c.mask.png",): "waits for its photo",
    }


def test_what_was_left_beside_a_file_that_is_whole_keeps_no_job():
    files = ["a.png", "a.mask.png", "a.png.part", ".a.mask.png.Xa81Yz"]
    assert [group.stem for group in sort_out(files, set(files)).ready] == ["a"]
    assert sort_out(files, set(files) - {"a.png"}).unsettled == ["a"]


STEMS = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30).filter(
    lambda stem: not stem.startswith((".", "~"))
)


@given(st.lists(STEMS, min_size=1, max_size=8, unique=True), st.sampled_from(INPUT_SUFFIXES))
def test_any_name_finds_its_mask(stems, suffix):
    taken = {stem + end for stem in stems for end in (MASK, *INPUT_SUFFIXES)}
    stems = [stem for stem in stems if stem not in taken and part_of(stem + suffix).stem == stem]
    found = sorted_out(*(stem + end for stem in stems for end in (suffix, MASK)))
    own = {group.stem: group for group in found.ready}
    for stem in stems:
        if part_of(stem + suffix).role == "photo" and stem in own:
            assert own[stem].names == (stem + suffix, stem + MASK)
    assert len(found.ready) + len(found.waiting) >= 1 or not stems


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1), st.integers(1, 60))
def test_shortened_names_are_whole_letters_within_their_room(stem, room):
    short = shortened(stem, room)
    assert stem.startswith(short) and len(short.encode()) <= room
    longer = stem[: len(short) + 1]
    assert short == stem or len(longer.encode()) > room


def test_names_of_any_bytes_can_be_shown():
    name = os.fsdecode(b"caf\xe9\n\xff.png")
    assert printable(name) == "caf\\xe9\\n\\xff.png" and printable(name).encode("utf-8")
    assert os.fsencode(shortened(name, 5)) == b"caf\xe9\n"


# --- the tracker -------------------------------------------------------------------------------------------------


def test_names_that_differ_by_capital_letters_are_pointed_out():
    names = {"Ana.png", "ana.json", "ben.jfif", "ben.mask.png"}
    found = sort_out(names, names)
    assert [group.photo for group in found.ready] == ["ben.jfif"]
    assert {one.names[0]: one.why for one in found.waiting} == {
        "Ana.png": "waits for Ana.mask.png or Ana.json; ana differs from it by capital letters",
        "ana.json": "waits for its photo; Ana differs from it by capital letters",
    }


def test_names_that_look_the_same_and_are_spelt_otherwise_are_pointed_out():
    """As a Mac writes them, with accents of their own, and as everything else does."""
    apart, whole = unicodedata.normalize("NFD", "Zo\u00eb"), "Zo\u00eb"
    names = {f"{apart}.png", f"{whole}.json", f"{whole.upper()}.mask.png"}
    why = {one.names[0]: one.why for one in sort_out(names, names).waiting}
    assert why[f"{apart}.png"].endswith("; ZO\u00cb, Zo\u00eb is spelt with other Unicode letters that look the same")
    assert why[f"{whole}.json"] == (
        f"waits for its photo; ZO\u00cb differs from it by capital letters; "
        f"{apart} is spelt with other Unicode letters that look the same"
    )
