"""A state machine over the spool: whatever is dropped, killed, failed or retried, an input is in one place."""

import os
import tempfile
from pathlib import Path

from daemon_stubs import everything, names, result_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from npe_core.daemon import journal
from npe_core.daemon.failed import failed_jobs
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders
from npe_core.daemon.names import sort_out
from npe_core.daemon.retry import retry
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import scan


class Dead(BaseException):
    """The process ends here."""


class Mortal(Files):
    """Files that die before the change of a chosen number."""

    def __init__(self):
        self.left = None

    def _count(self):
        if self.left is not None:
            if self.left == 0:
                raise Dead
            self.left -= 1


def mortal(name):
    def call(self, *arguments):
        self._count()
        return getattr(Files, name)(self, *arguments)

    return call


for _name in ("make_folder", "write", "rename", "move_folder", "take", "give", "remove_folder"):
    setattr(Mortal, _name, mortal(_name))


class WatchFolder(RuleBasedStateMachine):
    """People drop files, a daemon works and dies."""

    def __init__(self):
        super().__init__()
        self._root = tempfile.TemporaryDirectory()
        self.root = Path(self._root.name)
        self.folders = Folders.of(self.root / "inbox", self.root / "outbox")
        self.folders.prepare()
        self.inputs = set()
        self.number = 0
        self.start()

    def teardown(self):
        self._root.cleanup()

    def start(self):
        self.spool = Spool(self.folders, Mortal())
        self.jobs = self.spool.recover()

    def live(self, work, lives):
        """Does something that a death may cut off; then a new process starts."""
        self.spool.files.left = lives
        try:
            work()
        except Dead:
            self.start()
        finally:
            self.spool.files.left = None

    @rule(stem=st.sampled_from("ab"), ending=st.sampled_from([".png", ".mask.png", ".json"]))
    def drop_one(self, stem, ending):
        target = self.folders.inbox / (stem + ending)
        if not target.exists():
            self.number += 1
            content = f"input {self.number}".encode()
            target.write_bytes(content)
            self.inputs.add(content)

    @rule(lives=st.none() | st.integers(0, 8))
    def claim(self, lives):
        stamps = scan(self.folders.inbox)

        def work():
            for group in sort_out(stamps, set(stamps)).ready:
                job = self.spool.claim(group, stamps)
                if job is not None:
                    self.jobs.append(job)

        self.live(work, lives)

    @precondition(lambda self: self.jobs)
    @rule(lives=st.none() | st.integers(0, 12), fails=st.booleans())
    def run(self, lives, fails):
        job = self.jobs.pop(0)

        def work():
            folder = self.spool.new_result(job)
            counted = self.spool.count_attempt(job)
            if fails:
                self.spool.fail(counted, b"{}")
                return
            (folder / "photo.png").write_bytes(result_of(job.record.id.encode()))
            (folder / journal.REPORT).write_bytes(b"{}")
            self.spool.publish(self.spool.commit(counted))

        self.live(work, lives)

    @precondition(lambda self: self.jobs)
    @rule(lives=st.none() | st.integers(0, 5))
    def give_back(self, lives):
        job = self.jobs.pop(0)
        self.live(lambda: self.spool.give_back(job), lives)

    @precondition(lambda self: failed_jobs(self.folders))
    @rule()
    def retry(self):
        retry(self.folders, failed_jobs(self.folders)[0])

    @precondition(lambda self: names(self.folders.outbox))
    @rule()
    def fetch(self):
        (self.folders.outbox / names(self.folders.outbox)[0]).unlink()

    @rule()
    def restart(self):
        self.start()

    @invariant()
    def every_input_is_in_exactly_one_place(self):
        found = everything(self.root)
        for content in self.inputs:
            assert len(found.get(content, [])) == 1, (content, found.get(content))

    @invariant()
    def the_spool_holds_the_jobs_that_are_known_and_no_more(self):
        assert {job.folder.name for job in self.jobs} == {path.name for path in self.folders.run.iterdir()}
        assert not list(self.folders.tmp.iterdir()) and not list(self.folders.out.iterdir())


TestWatchFolder = WatchFolder.TestCase

TestWatchFolder.settings = settings(
    max_examples=int(os.environ.get("NPE_EXAMPLES", "25")), stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
