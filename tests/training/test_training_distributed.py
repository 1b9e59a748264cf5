"""Two processes that train together are one process with the same batches."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from two_processes import train

from npe_core.errors import UsageError
from npe_core.training.distributed import World
from npe_core.training.report import read_log

SCRIPT = Path(__file__).with_name("two_processes.py")
ROOT = SCRIPT.parents[2]


@pytest.mark.skipif(not dist.is_gloo_available(), reason="no gloo here")
def test_two_processes_learn_what_one_learns_and_go_on_together(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **together, "PYTHONPATH": str(ROOT)}
    (tmp_path / "two").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path / "two")],
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        told = process.communicate(timeout=240)[1].decode()
    finally:
        with contextlib.suppress(ProcessLookupError):  # both have ended
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, told
    first, second = (torch.load(tmp_path / f"two/weights{rank}.pt") for rank in range(2))
    assert torch.equal(first, second)
    assert torch.allclose(first, train(tmp_path / "one", World()), atol=1e-6)
    two, one = ([entry["loss"] for entry in read_log(tmp_path / name / "log.jsonl")][:2] for name in ("two", "one"))
    assert len(one) == 2 and two == pytest.approx(one, rel=1e-5)


def test_a_batch_is_shared_evenly_or_refused():
    assert World().share(7) == 7 and World(1, 2).share(8) == 4
    with pytest.raises(UsageError, match="7 does not divide among 2"):
        World(0, 2).share(7)
