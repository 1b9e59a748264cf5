"""Which files of a folder are whole: clocks that stand still, and stamps of files that nobody has written."""

import os

import pytest

from npe_core.daemon.tracker import Stamp, Tracker, scan


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


def test_a_folder_that_went_away_takes_what_was_heard_of_it_along(clock):
    """Another medium may be mounted there, with a file of that very name and stamp still being written."""
    tracker = Tracker(60.0, clock)
    tracker.renamed("a.png", Stamp(5, 5, 7))
    tracker.forget()
    assert tracker.look({"a.png": Stamp(5, 5, 7)}) == set()
