"""Failed jobs: what lies with them, whose they are, and npe retry, which sends them back to the inbox."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from daemon_stubs import QUICK, StubWorker, drop, names

from npe_core.cli.app import run
from npe_core.daemon.folders import Folders
from npe_core.daemon.retry import find_failed, retry
from npe_core.daemon.service import Service
from npe_core.daemon.settings import Settings
from npe_core.errors import InputError, OutOfMemory


@pytest.mark.parametrize("own", [None, b'{"own": 1}'])
def test_a_failed_job_called_reason_keeps_its_own_json(folders, serve, own):
    drop(folders.inbox, "reason", parameters=own)
    serve(StubWorker(lambda job: InputError("no")))
    (job,) = folders.failed.iterdir()
    inside, outside = (["reason.json.input"], ["reason.json"]) if own else ([], [])
    assert names(job) == ["reason.json", *inside, "reason.mask.png", "reason.png"]
    assert json.loads((job / "reason.json").read_text())["reason"] == "no"
    assert retry(folders, job) == ("", []) and names(folders.inbox) == [*outside, "reason.mask.png", "reason.png"]
    assert own is None or (folders.inbox / "reason.json").read_bytes() == own


def test_a_job_whose_name_others_have_by_now_goes_back_beside_them(folders, serve):
    drop(folders.inbox, "ana", parameters=b"{}")
    serve(StubWorker(lambda job: InputError("no face")))
    (job,) = folders.failed.iterdir()
    (folders.inbox / "ana.json").write_bytes(b'{"face": 2}')
    assert retry(folders, job) == ("ana~1", [])
    assert names(folders.inbox) == ["ana.json", "ana~1.json", "ana~1.mask.png", "ana~1.png"]


def test_what_people_left_with_a_failed_job_outlives_its_next_failure(folders, serve):
    """The same bytes fail under the same name; sent back by `npe retry`, or dropped once more."""

    def refuse():
        return serve(StubWorker(lambda job: InputError("no face")))

    drop(folders.inbox, "ana", parameters=b"{}")
    refuse()
    (job,) = folders.failed.iterdir()
    (job / "by hand.psd").write_bytes(b"hours of work")
    (job / "tries").mkdir()
    (job / "tries" / "1.png").write_bytes(b"first")
    assert retry(folders, job) == ("", ["by hand.psd", "tries"])
    refuse()
    (job / "ana.json").write_bytes(b'{"face": 2}')  # corrected, and not sent back
    drop(folders.inbox, "ana", parameters=b"{}")
    refuse()
    assert [path.name for path in folders.failed.iterdir()] == [job.name]
    assert names(job) == ["ana.json", "ana.mask.png", "ana.png", "ana~2.json", "by hand.psd", "reason.json", "tries"]
    assert (job / "by hand.psd").read_bytes() == b"hours of work" and (job / "tries" / "1.png").exists()
    assert (job / "ana.json").read_bytes() == b"{}" and (job / "ana~2.json").read_bytes() == b'{"face": 2}'


def test_what_to_do_can_be_pasted_into_a_shell(folders, serve):
    drop(folders.inbox, "-my photo's")
    serve(StubWorker(lambda job: OutOfMemory("no memory")), attempts=1)
    (job,) = folders.failed.iterdir()
    said = json.loads((job / "reason.json").read_text())["what_to_do"]
    words = shlex.split(said.partition("npe retry ")[2].rstrip("."))
    assert words == ["--", job.name] and find_failed(folders, words[1]) == job


def test_failed_jobs_go_back_to_the_inbox(at, tmp_path, folders, capsys):
    fail_all(folders, "ana", "ben", "clara")
    jobs = sorted(path.name for path in folders.failed.iterdir())
    assert run(["retry", *at, "anna"]) == 2 and run(["retry", *at]) == 2
    assert "Did you mean" in capsys.readouterr().err
    assert run(["retry", *at, "--all", "ana"]) == 2 and "not both" in capsys.readouterr().err
    assert run(["retry", *at, "ana"]) == 0 and names(folders.inbox) == ["ana.mask.png", "ana.png"]
    assert run(["retry", *at, "ben", jobs[1], "ben"]) == 0 and len(names(folders.failed)) == 1
    (folders.inbox / "clara.png").write_bytes(b"another clara")
    (folders.failed / jobs[2]).rename(tmp_path / "away")
    fail_all(folders, "dora")
    (tmp_path / "away").rename(folders.failed / jobs[2])
    assert run(["retry", *at, "emma", "dora"]) == 1 and "no failed job 'emma'" in capsys.readouterr().err
    assert {"dora.png", "dora.mask.png"} <= set(names(folders.inbox))
    assert run(["retry", *at, "--all"]) == 0 and not names(folders.failed)
    assert {"clara.png", "clara~1.png", "clara~1.mask.png"} <= set(names(folders.inbox))


@pytest.fixture
def neighbour(tmp_path):
    """The folders of a daemon whose outbox lies beside that of ``folders``, and the options that name them."""
    made = Folders.of(tmp_path / "their in", tmp_path / "their out")
    made.prepare()
    return made, ["--inbox", str(made.inbox), "--outbox", str(made.outbox)]


def test_daemons_side_by_side_leave_each_others_failed_jobs_alone(at, folders, neighbour, capsys):
    theirs, at_theirs = neighbour
    assert theirs.failed == folders.failed
    fail_all(folders, "ana")
    fail_all(theirs, "ben")
    ana, ben = sorted(folders.failed.iterdir())
    for options, job in ((at, ana), (at_theirs, ben)):
        assert run(["status", *options, "--json"]) == 0
        assert [one["job"] for one in json.loads(capsys.readouterr().out)["failed"]] == [job.name]
    assert (
        json.loads((ben / "reason.json").read_text()).items()
        >= {"inbox": "../their in", "outbox": "../their out"}.items()
    )
    for name in ("ben", ben.name):
        assert run(["retry", *at, name]) == 2
        said = capsys.readouterr().err
        assert f"{ben.name} is another daemon's" in said
        assert f"--inbox '{theirs.inbox}' --outbox '{theirs.outbox}'" in said and "--failed" not in said
    assert run(["retry", *at, "--all"]) == 0
    assert names(folders.inbox) == ["ana.mask.png", "ana.png"] and names(folders.failed) == [ben.name]
    assert run(["retry", *at_theirs, "ben"]) == 0 and names(theirs.inbox) == ["ben.mask.png", "ben.png"]


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"inbox": 7, "outbox": [7]},
        {"inbox": "../in", "outbox": "\0"},
        {"inbox": "\ud800", "outbox": ""},
        "gone",
        "moved",
    ],
)
def test_a_failed_job_that_is_nobody_elses_is_everybodys(at, tmp_path, folders, neighbour, says):
    """Of a version that did not say, tampered with, of an outbox that is none any more, or moved with all the rest."""
    theirs, _ = neighbour
    fail_all(theirs, "ben")
    (ben,) = folders.failed.iterdir()
    reason = json.loads((ben / "reason.json").read_text())
    if isinstance(says, dict):
        kept = {key: value for key, value in reason.items() if key not in ("inbox", "outbox")}
        (ben / "reason.json").write_text(json.dumps(kept | says))
    elif says == "gone":
        shutil.rmtree(theirs.outbox)
    else:
        (tmp_path / "new").mkdir()
        for folder in (theirs.inbox, theirs.outbox, theirs.failed):
            folder.rename(tmp_path / "new" / folder.name)
        theirs.prepare()  # another daemon takes the old place
        at = ["--inbox", str(tmp_path / "new/their in"), "--outbox", str(tmp_path / "new/their out")]
    assert run(["retry", *at, "ben"]) == 0
    assert names(Path(at[1])) == ["ben.mask.png", "ben.png"]


def test_a_job_whose_record_is_damaged_says_whose_it_is(folders):
    (folders.run / "a-0123456789ab").mkdir()
    (folders.run / "a-0123456789ab" / "a.png").write_bytes(b"photo")
    Service(folders, StubWorker(), Settings(**QUICK)).run()
    reason = json.loads((folders.failed / "a-0123456789ab" / "reason.json").read_text())
    assert (reason["code"], reason["inbox"], reason["outbox"]) == ("damaged", "../inbox", "../outbox")


def fail_all(folders, *stems, **dropped):
    """Jobs that have failed."""
    for stem in stems:
        drop(folders.inbox, stem, **dropped)
    refuse = StubWorker(lambda job: InputError("no"))
    Service(folders, refuse, Settings(**QUICK)).run()


def test_what_was_put_beside_a_failed_job_goes_back_with_it(at, folders, capsys):
    fail_all(folders, "ben", "reason", mask=None, parameters=b"{}")
    ben, reason = sorted(folders.failed.iterdir())
    for job in (ben, reason):
        (job / f"{job.name.partition('-')[0]}.mask.png").write_bytes(b"my mask")
    (ben / "notes.txt").write_bytes(b"mine")
    (ben / "other.png").write_bytes(b"mine too")
    assert run(["retry", *at, "ben"]) == 0
    assert names(folders.inbox) == ["ben.json", "ben.mask.png", "ben.png"]
    assert (folders.inbox / "ben.mask.png").read_bytes() == b"my mask"
    assert sorted(path.name for path in ben.iterdir()) == ["notes.txt", "other.png"]
    assert "left in" in (told := capsys.readouterr().out) and "notes.txt, other.png" in told
    assert run(["retry", *at, "--all"]) == 0 and not reason.exists()
    assert {"reason.json", "reason.mask.png", "reason.png"} <= set(names(folders.inbox))
    assert (folders.inbox / "reason.json").read_bytes() == b"{}"


def test_one_damaged_job_keeps_no_other_from_going_back(at, folders, capsys):
    fail_all(folders, "ana", "ben", "clara")
    _, ben, _ = sorted(folders.failed.iterdir())
    (ben / ".job.json").write_text("[]")
    (ben / "reason.json").write_text("[]")
    assert run(["status", *at]) == 0 and f"{ben.name} (unknown)" in capsys.readouterr().out
    assert run(["retry", *at, "--all"]) == 1
    assert names(folders.inbox) == ["ana.mask.png", "ana.png", "clara.mask.png", "clara.png"]
    assert "no record of its inputs" in capsys.readouterr().err
    assert run(["retry", *at, "ben"]) == 2 and names(ben) == ["ben.mask.png", "ben.png", "reason.json"]
