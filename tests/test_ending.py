"""What a shell and a person are told of the end of a program, with and without click."""

import subprocess
import sys
from pathlib import Path

import pytest

from npe_core.ending import ended
from npe_core.errors import InputError, WeightsError

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = """
import runpy, sys
sys.modules["click"] = None
class Late:
    def find_spec(self, name, *_):
        if name == sys.argv[1] + ".command":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Late())
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("module", ["npe_core.training", "npe_core.training.evaluation"])
def test_ctrl_c_while_a_bare_machine_imports_is_no_traceback(module):
    """A process that ends itself by SIGINT, as Python does by default, would have the code -2."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, module], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "npe: Stopped.\n")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError("It is no photo."), 2, "npe: It is no photo.\n"),
        (WeightsError("They are gone."), 3, "npe: They are gone.\n"),
        (KeyboardInterrupt(), 130, "npe: Stopped.\n"),
        (OSError(24, "Too many open files"), 4, "npe: The system refused: [Errno 24] Too many open files.\n"),
        (MemoryError(), 4, "npe: Not enough memory. Close other programs, or use a smaller photo.\n"),
        (BrokenPipeError(), 141, ""),
        (SystemExit(143), 143, ""),
        (SystemExit("odd"), 2, ""),
        (ValueError("x"), 70, "npe: This is a bug: ValueError: x. Run again with --debug and report it.\n"),
        (ImportError(name="npe_core.gone"), 70, "npe: This is a bug: ImportError: . Run again with --debug and report"),
    ],
)
def test_an_error_is_a_line_and_an_exit_code(capsys, error, code, told):
    def fail(_):
        raise error

    assert ended(fail, []) == code
    err = capsys.readouterr().err
    assert err.startswith(told) and err.count("\n") == bool(told)


def test_where_it_went_wrong_is_shown_to_who_asks(capsys):
    words = []

    def fail(arguments):
        words.extend(arguments)
        raise InputError("It is no photo.")

    assert ended(fail, ["train", "--debug", "x"]) == 2 and words == ["train", "x"]
    err = capsys.readouterr().err
    assert "Traceback" in err and err.endswith("npe: It is no photo.\n")
