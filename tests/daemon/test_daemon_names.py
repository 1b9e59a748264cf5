"""Which files make a job, by their names, and when they are whole, by a clock of the test's own."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_core.daemon.names import MASK, final_name, part_of, sort_out
from npe_core.daemon.tracker import Stamp, Tracker, scan
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


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_file_settles_when_it_has_not_changed_for_a_while(clock):
    tracker = Tracker(2.0, clock)
    assert tracker.look({"a": Stamp(1, 1, 7)}) == set()
    clock.now += 1.9
    assert tracker.look({"a": Stamp(1, 1, 7)}) == set()
    clock.now += 0.2
    assert tracker.look({"a": Stamp(1, 1, 7)}) == {"a"}


@pytest.mark.parametrize("change", [Stamp(2, 1, 7), Stamp(1, 2, 7), Stamp(1, 1, 8)])
def test_any_change_starts_the_wait_again(clock, change):
    tracker = Tracker(2.0, clock)
    tracker.look({"a": Stamp(1, 1, 7)})
    clock.now += 1.9
    assert tracker.look({"a": change}) == set()
    clock.now += 1.9
    assert tracker.look({"a": change}) == set()
    clock.now += 0.2
    assert tracker.look({"a": change}) == {"a"}


@pytest.mark.parametrize("temporary", ["a.png.part", "a.png.tmp", ".a.png.Xa81Yz"])
def test_renamed_from_a_temporary_name_is_whole_at_once(clock, temporary):
    tracker = Tracker(60.0, clock)
    tracker.look({temporary: Stamp(5, 5, 7)})
    assert tracker.look({"a.png": Stamp(5, 5, 7)}) == {"a.png"}
    assert tracker.look({"a.png": Stamp(6, 6, 7)}) == set()  # and is watched from then on as any other


def test_a_number_that_another_file_had_makes_nothing_whole(clock):
    """File systems give the inode of a deleted file to the next one."""
    tracker = Tracker(60.0, clock)
    tracker.look({"a.png.part": Stamp(5, 5, 7)})
    assert tracker.look({"b.png": Stamp(1, 6, 7)}) == set()
    tracker.look({"c.png.part": Stamp(5, 5, 8)})
    assert tracker.look({"c.png": Stamp(9, 9, 8)}) == {"c.png"}  # written to its end and renamed between two looks


def test_a_rename_between_two_scans_is_told_by_an_event(clock):
    tracker = Tracker(60.0, clock)
    tracker.renamed("a.png", Stamp(5, 5, 7))
    assert tracker.look({"a.png": Stamp(5, 5, 7), "b.png": Stamp(5, 5, 8)}) == {"a.png"}


def test_the_event_of_a_rename_may_come_after_the_scan_that_saw_it_or_before(clock):
    late, early = Tracker(60.0, clock), Tracker(60.0, clock)
    assert late.look({"a.png": Stamp(5, 5, 7)}) == set()
    late.renamed("a.png", Stamp(5, 5, 7))
    assert late.look({"a.png": Stamp(5, 5, 7)}) == {"a.png"}
    early.renamed("a.png", Stamp(5, 5, 7))  # told while a scan was under way that had passed the place
    assert early.look({}) == set()
    assert early.look({"a.png": Stamp(5, 5, 7)}) == {"a.png"}


def test_an_event_says_nothing_of_another_file_of_that_name(clock):
    tracker = Tracker(60.0, clock)
    tracker.renamed("a.png", Stamp(5, 5, 7))
    assert tracker.look({"a.png": Stamp(1, 6, 8)}) == set()
    assert tracker.look({"a.png": Stamp(5, 5, 7)}) == set()  # it has been used up


def test_a_temporary_name_is_given_up_a_few_settling_times_after_its_last_change(clock):
    tracker = Tracker(2.0, clock, wall=lambda: 5000.0)
    tracker.look({"a.png": Stamp(1, 0, 7)})  # ancient by its own time, which says nothing of a file that comes later
    for size in (1, 2):
        tracker.look({"a.json.part": Stamp(size, 0, 8)})
        clock.now += 9.9
        tracker.look({"a.json.part": Stamp(size, 0, 8)})
        assert not tracker.given_up
    clock.now += 0.2
    tracker.look({"a.json.part": Stamp(2, 0, 8), "a.png": Stamp(1, 0, 7)})
    assert tracker.given_up == {"a.json.part"}
    tracker.look({"a.json.part": Stamp(3, 0, 8)})
    assert not tracker.given_up


def test_what_was_given_up_before_the_daemon_started_is_told_by_its_own_time(clock):
    tracker = Tracker(2.0, clock, wall=lambda: 5000.0)
    files = {"old.json.part": Stamp(1, 4989 * 10**9, 7), "new.json.part": Stamp(1, 4991 * 10**9, 8),
             "tomorrow.json.part": Stamp(1, 90_000 * 10**9, 9), "a.png": Stamp(1, 0, 10)}  # fmt: skip
    assert "a.png" not in tracker.look(files)
    assert tracker.given_up == {"old.json.part"}


def test_times_of_files_do_not_matter_only_that_they_stay(clock):
    tracker = Tracker(1.0, clock)
    for mtime in (0, 4102444800 * 10**9, -1):  # 1970, 2100, before 1970
        tracker.forget()
        tracker.look({"a": Stamp(1, mtime, 7)})
        clock.now += 1.0
        assert tracker.look({"a": Stamp(1, mtime, 7)}) == {"a"}


def test_the_scan_sees_regular_files_only(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert set(scan(tmp_path)) == {"a.png"}


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
