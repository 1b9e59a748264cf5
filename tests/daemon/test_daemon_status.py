"""What the daemon tells: npe status, the numbers for Prometheus, the log."""

import errno
import io
import json
import os
import shutil
import stat
import time

import pytest
from daemon_stubs import StubWorker, drop

from npe_core.cli.app import run
from npe_core.daemon.folders import Lock, is_held
from npe_core.daemon.log import set_up
from npe_core.daemon.status import metrics_text, read_status, report_lines
from npe_core.errors import AlreadyRunning, EnvironmentFault, InputError, WeightsError


def test_status_tells_what_waits_and_what_failed(folders, serve):
    drop(folders.inbox, "bad")
    drop(folders.inbox, "alone", mask=None)
    serve(StubWorker(lambda job: InputError("No face was found in bad.png.")))
    told = read_status(folders)
    assert told["daemon"] == "not running" and told["waiting"][0]["files"] == ["alone.png"]
    assert told["failed"][0]["reason"] == "No face was found in bad.png."
    lines = "\n".join(report_lines(told))
    assert "waits for alone.mask.png or alone.json" in lines and "(bad-input): No face" in lines


def test_a_second_line_of_what_is_told_is_indented_as_the_first(folders, serve):
    def load():
        raise WeightsError("The weights are missing.\nReinstall the package.")

    worker = StubWorker()
    worker.load = load
    drop(folders.inbox)
    _, service = serve(worker)
    assert service.status.line() == "paused: The weights are missing. Reinstall the package."
    lines = "\n".join(report_lines(read_status(folders))).splitlines()
    first = lines.index("stopped   while paused by models: The weights are missing.")
    assert lines[first + 1] == " " * len("stopped   ") + "Reinstall the package."


def test_a_link_that_cannot_be_followed_hides_no_failed_job(folders, serve):
    drop(folders.inbox, "bad")
    serve(StubWorker(lambda job: InputError("No face was found in bad.png.")))
    (folders.failed / "elsewhere").symlink_to("x" * 300)  # refused to root as well, as a closed folder is to others
    assert [one["code"] for one in read_status(folders)["failed"]] == ["bad-input"]


def test_status_names_what_is_in_the_inbox_and_will_never_be_taken(folders, serve):
    serve(settle=60)
    assert read_status(folders)["ignored"] == []
    for name in ("scan.pdf", "photo", "README.md", ".DS_Store", "~a.png", "late.part", "alone.png"):
        (folders.inbox / name).write_bytes(b"1")
    (folders.inbox / "trip").mkdir()
    (folders.inbox / "link.png").symlink_to(folders.inbox / "alone.png")
    told = read_status(folders)
    assert told["ignored"] == ["link.png", "photo", "scan.pdf", "trip/"] and told["ignored_count"] == 4
    for i in range(200):
        (folders.inbox / f"film_{i:03}.mov").write_bytes(b"1")
    told = read_status(folders)
    assert len(told["ignored"]) == 100 and told["ignored_count"] == 204
    (line,) = (line for line in report_lines(told) if line.startswith("ignored"))
    assert line.startswith("ignored   film_000.mov, film_001.mov,") and "film_004.mov and 199 more: no photo" in line


def test_temporary_names_are_never_taken_once_the_daemon_has_lost_patience(folders, serve):
    """By what was told of its patience, five settling times, and else that of a daemon without options."""
    for name in (
        "old.png.part",
        "notes.crdownload",
        ".ana.png.Xa81Yz",
        ".bashrc.backup",
        ".hidden.part",
        "new.png.tmp",
    ):
        (folders.inbox / name).write_bytes(b"1")
        if "new" not in name:
            os.utime(folders.inbox / name, (time.time() - 200,) * 2)
    left = [".ana.png.Xa81Yz", "notes.crdownload", "old.png.part"]
    assert read_status(folders)["ignored"] == left
    serve(settle=60)
    assert read_status(folders)["ignored"] == []
    serve(settle=39)
    assert read_status(folders)["ignored"] == left
    assert f"ignored   {', '.join(left)}: no photo" in "\n".join(report_lines(read_status(folders)))


def test_status_tells_after_the_end_what_kept_the_last_run_from_working(folders, serve):
    drop(folders.inbox)
    serve(least_free=1 << 60)
    assert any(
        line.startswith("stopped   while paused by space: The disk of the outbox is nearly full")
        for line in report_lines(read_status(folders))
    )
    serve()
    assert not any(line.startswith("stopped") for line in report_lines(read_status(folders)))


@pytest.mark.parametrize(
    "change",
    [
        {"paused": None},
        {"since_start": None},
        {"since_start": {"done": "many"}},
        {"waiting": [{}]},
        {"waiting": {}},
        {"running": 3},
        {"updated": "now"},
        {"claimed": [1]},
    ],
)
def test_what_somebody_wrote_into_status_json_is_left_out(folders, serve, change):
    drop(folders.inbox)
    serve()
    whole = json.loads(folders.status.read_text())
    folders.status.write_text(json.dumps(whole | change))
    told = read_status(folders)
    assert "so far" in "".join(report_lines(told)) and told.keys() & change.keys() == set()
    assert told["last"] == whole["last"]


def test_status_tells_of_jobs_that_a_killed_daemon_had_in_work(folders, serve):
    assert read_status(folders)["state"] == "stopped"  # none has been there
    serve()
    assert read_status(folders)["state"] == "stopped"
    told = json.loads(folders.status.read_text()) | {"claimed": 2, "state": "working"}
    folders.status.write_text(json.dumps(told))
    told = read_status(folders)
    assert (told["daemon"], told["state"], told["claimed"]) == ("not running", "died", 2)
    first, *others = report_lines(told)
    assert first == "daemon    not running; the last one died, or could not write down its end"
    assert "left over 2 in work when it ended; the next start goes on with them" in others


def test_a_daemon_that_fell_silent_before_an_outbox_that_is_read_only_is_told_as_paused(folders, serve, monkeypatch):
    """It cannot even write its status then. chmod means nothing to root, so the system's answer is put in its place."""
    serve()
    with Lock(folders):
        assert read_status(folders)["paused"] == {}
        told = json.loads(folders.status.read_text()) | {"updated": time.time() - 60, "state": "idle"}
        folders.status.write_text(json.dumps(told))
        assert (read_status(folders)["state"], read_status(folders)["paused"]) == ("silent", {})
        monkeypatch.setattr(os, "access", lambda path, mode: path != folders.spool)
        told = read_status(folders)
    assert told["state"] == "silent" and "cannot be written to" in told["paused"]["outbox"]
    assert any(line.startswith("PAUSED    outbox") for line in report_lines(told))


def test_a_disk_too_full_for_the_status_is_told_by_who_asks(folders, serve, monkeypatch):
    serve()
    with Lock(folders):
        told = json.loads(folders.status.read_text()) | {"updated": time.time() - 60, "state": "idle"}
        folders.status.write_text(json.dumps(told))
        monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 30, 1 << 30, 4096))
        assert "full" in read_status(folders)["paused"]["disk"]


def test_a_status_of_the_future_is_no_sign_of_life(folders, serve):
    """The daemon hangs, and the clock was set back since."""
    serve()
    with Lock(folders):
        told = json.loads(folders.status.read_text()) | {"updated": time.time() + 3600, "state": "idle"}
        folders.status.write_text(json.dumps(told))
        assert read_status(folders)["state"] == "silent"


@pytest.mark.parametrize("said", [{"state": "starting"}, {"state": "paused", "paused": {"models": "no weights"}}])
def test_a_daemon_that_loads_its_models_has_as_long_as_the_unit_gives_it(folders, serve, said):
    serve()
    whole = json.loads(folders.status.read_text()) | said
    with Lock(folders):
        for age, state in ((60, said["state"]), (130, "silent")):
            folders.status.write_text(json.dumps(whole | {"updated": time.time() - age}))
            told = read_status(folders)
            assert told["state"] == state
            assert ("but silent for 130 s" in report_lines(told)[0]) == (state == "silent")


def test_a_daemon_is_at_work_though_its_spool_was_removed(folders, serve):
    serve()
    with Lock(folders):
        shutil.rmtree(folders.spool)
        assert is_held(folders)
        folders.prepare()
        with pytest.raises(AlreadyRunning):
            Lock(folders)
        assert is_held(folders)
    assert not is_held(folders)


def test_what_was_there_already_is_counted(folders, serve):
    drop(folders.inbox)
    serve()
    drop(folders.inbox)
    serve()
    assert any("0 done, 0 failed, 1 there already" in line for line in report_lines(read_status(folders)))


def test_where_nobody_may_look_it_is_not_said_that_no_daemon_runs(folders, serve, monkeypatch):
    """chmod means nothing to root, so the system's answer is put in its place."""
    serve()

    def refuse(path, flags, *mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EnvironmentFault, match="permission denied"):
        read_status(folders)


def test_an_outbox_with_nothing_in_it_is_not_told_as_one_without_a_daemon(at, folders, capsys):
    with Lock(folders):
        shutil.rmtree(folders.outbox)
        folders.outbox.mkdir()
        assert run(["status", *at]) == 2
        assert "A daemon is at work" in (told := capsys.readouterr().err) and "restart the daemon" in told
    assert run(["status", *at]) == 2 and "No daemon has worked" in capsys.readouterr().err


def test_status_of_a_folder_where_no_daemon_has_been(at, capsys):
    assert run(["status", *at]) == 2 and "No daemon has worked" in capsys.readouterr().err


def test_the_metrics_are_what_prometheus_reads(folders, serve, tmp_path):
    drop(folders.inbox)
    _, service = serve(metrics=tmp_path / "npe.prom")
    text = (tmp_path / "npe.prom").read_text()
    assert "\nnpe_jobs_done_total 1\n" in text and text == metrics_text(service.status)
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or (
            float(line.split()[1]) >= 0 and line.split()[0].isidentifier()
        )


def test_the_metrics_may_be_read_by_other_users_under_any_umask(folders, serve, tmp_path):
    """The unit's keeps the photos from others; Prometheus' exporter is one of them."""
    before = os.umask(0o007)
    try:
        serve(metrics=tmp_path / "npe.prom")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "npe.prom").stat().st_mode) == 0o644


def test_metrics_that_cannot_be_written_are_told_once_and_stop_nothing(folders, serve, tmp_path, caplog):
    drop(folders.inbox)
    assert serve(metrics=tmp_path / "no" / "such" / "npe.prom")[0] == 0
    (told,) = (record.fields["why"] for record in caplog.records if "metrics" in record.getMessage())
    assert "no/such" in told and "No such file" in told


def test_the_log_is_one_object_a_line_with_the_job(folders, serve):
    stream = io.StringIO()
    set_up(as_json=True, stream=stream)
    drop(folders.inbox)
    serve()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    events = [(row["event"], row.get("job", "")[:2]) for row in rows]
    assert events == [("started", ""), ("claimed", "a-"), ("done", "a-"), ("stopped", "")]
    assert rows[2]["seconds"] == 0.1
