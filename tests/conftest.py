"""What many tests share: the sample portraits that ship with the project, and one editor with the shipped weights."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A sample portrait, 512x512 PNG."""
    return ROOT / "samples" / "ana.png"


@pytest.fixture(scope="session")
def editor():
    """The editor on the CPU with the weights of the repository; its models are loaded once."""
    from npe_core.editor import Editor

    return Editor(device="cpu")
