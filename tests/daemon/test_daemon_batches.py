"""Jobs in one batch: the time and the room that they have, and who is tried alone when it fails."""

import sys
import time

from crashing import in_a_process
from daemon_stubs import QUICK, EndlessWorker, StubWorker, drop, names, reason_of
from waiting import wait_for

from npe_core.daemon.claimed import Claimed
from npe_core.daemon.pipeline import Pipeline
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.daemon.worker import Read, Stopping, TimeUp
from npe_core.errors import EnvironmentFault


def test_a_batch_that_fails_is_over_before_its_jobs_are_tried_alone(tmp_path):
    """What it held would be held meanwhile, and each new error would seem to have come of it."""
    tried = []

    class Failing(StubWorker):
        def edit(self, jobs, keep_going):
            tried.append((len(jobs), sys.exception()))
            raise RuntimeError("out of memory" if len(jobs) > 1 else "a bug")

    pipeline = Pipeline(Failing(), lambda: None)
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "ab"])
    finally:
        pipeline.close()
    assert tried == [(2, None), (1, None), (1, None)]
    assert [(str(error), error.__context__) for error in errors] == [("a bug", None)] * 2


def test_an_edit_that_takes_too_long_is_cut_off_and_told(folders, serve):
    drop(folders.inbox)
    code, _ = serve(EndlessWorker(), time_limit=0.05)
    assert code == 1 and reason_of(folders, "a")["code"] == "time-limit" and reason_of(folders, "a")["attempts"] == 3


def test_an_edit_that_does_not_even_stop_ends_the_process_and_the_next_one_tries_again(folders, serve):
    """As a device that hangs: nobody can take it out of its call."""

    class Stuck(StubWorker):
        def edit(self, jobs, keep_going):
            time.sleep(20)
            return super().edit(jobs, keep_going)

    drop(folders.inbox)
    quick = Settings(**{**QUICK, "time_limit": 0.05, "grace": 0.05})
    assert in_a_process(lambda: Service(folders, Stuck(), quick).run()) == EnvironmentFault.exit_code
    code, _ = serve(attempts=2)
    assert code == 0 and names(folders.outbox) == ["a.json", "a.png"]


def test_who_hangs_costs_those_in_its_batch_no_attempt(tmp_path):
    class Hanging(StubWorker):
        def edit(self, jobs, keep_going):
            found = [job.job.folder.name for job in jobs]
            try:
                while "slow" in found:
                    keep_going()
                    time.sleep(0.01)
            except TimeUp as error:  # as the editor does: each drops out by itself
                return [error for _ in jobs]
            return found

    pipeline = Pipeline(Hanging(), lambda: None, time_limit=0.05)
    try:
        outcomes = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in ("good", "slow", "fine")])
    finally:
        pipeline.close()
    assert (outcomes[0], type(outcomes[1]), outcomes[2]) == ("good", TimeUp, "fine")


def test_a_batch_has_the_time_of_all_its_jobs_and_each_alone_its_own(tmp_path):
    now, allowed = [0.0], []

    class Slow(StubWorker):
        def edit(self, jobs, keep_going):
            began = now[0]
            try:
                while True:
                    keep_going()
                    now[0] += 1
            finally:
                allowed.append((len(jobs), now[0] - began - 1))

    pipeline = Pipeline(Slow(), lambda: None, time_limit=10, clock=lambda: now[0])
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "abc"])
    finally:
        pipeline.close()
    assert allowed == [(3, 30), (1, 10), (1, 10), (1, 10)] and all(isinstance(error, TimeUp) for error in errors)


def test_who_would_be_tried_alone_is_given_back_when_the_daemon_ends(tmp_path):
    class Ending(StubWorker):
        def edit(self, jobs, keep_going):
            pipeline.stop()
            raise TimeUp("too slow")

    pipeline = Pipeline(Ending(), lambda: None)
    try:
        errors = pipeline._edit([Read(Claimed(tmp_path / name, None), 1.0) for name in "ab"])
    finally:
        pipeline.close()
    assert [type(error) for error in errors] == [Stopping, Stopping]


def test_the_room_of_a_photo_is_free_again_when_it_is_written(tmp_path):
    class Large(StubWorker):
        def read(self, job):
            return Read(job, 12.0)

        def write(self, job, outcome, folder):
            pass

        def edit(self, jobs, keep_going):
            return ["edited" for _ in jobs]

    pipeline = Pipeline(Large(), lambda: None, megapixels=48)
    done = []
    try:
        for number in range(5):
            pipeline.submit(Claimed(tmp_path / str(number), None))
        wait_for(lambda: done.extend(pipeline.take()) or len(done) == 5)
    finally:
        pipeline.close()
    assert all(finished.error is None for finished in done)
