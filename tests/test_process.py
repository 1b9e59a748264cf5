"""Threads, settled before torch is imported."""

import os
import subprocess
import sys

import pytest

from npe_core import process

PROGRAM = """
import os, sys
from npe_core import process
process.load_average = lambda: {load}
process.prepare()
print(os.environ.get("OMP_WAIT_POLICY", "-"), "torch" in sys.modules, "numpy" in sys.modules)
"""


def test_an_idle_machine_keeps_what_openmp_does_by_itself():
    assert process.thread_settings(cores=8, load=0.3, present=8) == {}


def test_threads_of_a_busy_machine_sleep_while_they_wait():
    assert process.thread_settings(cores=2, load=1.5, present=2) == {"OMP_WAIT_POLICY": "PASSIVE"}


@pytest.mark.parametrize(("cores", "threads"), [(2.0, "2"), (2.5, "2"), (0.5, "1")])
def test_a_share_of_the_machine_limits_the_threads(cores, threads):
    assert process.thread_settings(cores, load=0, present=64) == {"OMP_NUM_THREADS": threads}


@pytest.mark.parametrize(("text", "cores"), [("200000 100000", 2.0), ("max 100000", float("inf")), ("", float("inf"))])
def test_quota_of_a_container(tmp_path, text, cores):
    file = tmp_path / "cpu.max"
    file.write_text(text)
    assert process._quota(file) == cores


def test_without_cgroups_there_is_no_quota(tmp_path):
    assert process._quota(tmp_path / "missing") == float("inf")


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setattr(process, "load_average", lambda: 100.0)
    environment = {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "7"}
    process.prepare(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "7"}


@pytest.mark.parametrize(("load", "policy"), [(100, "PASSIVE"), (0, "-")])
def test_prepare_in_a_process_of_its_own(load, policy):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(load=load)], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == [policy, "False", "False"]
