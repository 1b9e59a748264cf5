"""The unit for systemd that npe watch prints."""

import shutil
import subprocess
import sys

import pytest

from npe_core.cli.app import run


@pytest.mark.parametrize("script", [True, False])
def test_the_unit_is_one_that_systemd_takes(at, tmp_path, monkeypatch, capsys, script):
    odd = tmp_path / "in box $5 100%"
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    for file in (python, python.with_name("npe"))[: 1 + script]:
        file.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NPE_WEIGHTS", "my weights $5 100%" if script else "")
    options = ["--batch", "4", "--no-events", "--metrics", "prom/npe.prom"]
    assert run(["watch", *at, "--inbox", str(odd), "--print-unit", *options]) == 0
    text = capsys.readouterr().out
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    npe = str(python.with_name("npe")) if script else f"{python} -m npe_core"
    inbox, outbox, failed = f"{tmp_path}/in box $5 100%%", f"{tmp_path}/outbox", f"{tmp_path}/failed"
    doubled = inbox.replace("$", "$$")
    assert lines["ExecStart"] == (
        f'{npe} watch --inbox "{doubled}" --outbox {outbox} --failed {failed} '
        f"--metrics {tmp_path}/prom/npe.prom --batch 4 --no-events"
    )
    assert lines["RequiresMountsFor"] == f'"{inbox}" {outbox} {failed}'
    assert lines["ReadWritePaths"] == f'"{inbox}" {outbox} {failed} {tmp_path}/prom'
    named = [line for line in text.splitlines() if line.startswith("Environment=")]
    assert named == [f'Environment="NPE_WEIGHTS={tmp_path}/my weights $5 100%%"'][: int(script)]
    assert lines["Type"] == "notify" and lines["Description"].endswith(inbox)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "npe-test.service"
    unit.write_text(text.replace("User=npe", "User=root").replace("Group=npe", "Group=root"))
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    complaints = [line for line in checked.stderr.splitlines() if "npe-test.service" in line]
    assert not complaints, complaints
