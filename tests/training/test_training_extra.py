"""What the extra ``[train]`` asks for."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_extra_for_training_asks_for_nothing_that_training_does_not_import():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    imported = set()
    for file in (ROOT / "npe_core/training").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    asked = {re.split(r"[^\w-]", requirement)[0] for requirement in extras["train"]}
    assert asked <= imported
