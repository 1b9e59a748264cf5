"""npe doctor: what works here, and what to do about what does not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass

import click

from npe_core.cli.options import device_option
from npe_core.errors import NpeError
from npe_core.filenames import printable
from npe_core.packages import importing
from npe_core.terminal import has_true_colour


@dataclass(frozen=True)
class Check:
    """One row of the report: what was looked at, whether it works, what was found, and the exit code of what failed."""

    name: str
    ok: bool
    detail: str
    exit_code: int


@click.command()
@device_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(device: str, as_json: bool) -> int:
    """Check device, precision, weights and terminal. Exit code 0 when edits can run here."""
    torch = check_torch()
    devices = [check_device(device)] if torch.ok else []
    checks = [check_python(), torch, *devices, *check_weights(), check_faces(), check_terminal()]
    worst = max(check.exit_code for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": worst == 0, "checks": [asdict(check) for check in checks]}))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{'ok' if check.ok else 'NO'}  {check.name:{width}}  {check.detail}")
    return int(worst)


def _check(name: str, detail: str, exit_code: int = 0) -> Check:
    return Check(name, exit_code == 0, detail, exit_code)


def check_python() -> Check:
    try:
        with importing():
            import numpy
            import PIL
    except NpeError as error:
        return _check("python", str(error), error.exit_code)
    versions = f"numpy {numpy.__version__}, pillow {PIL.__version__}"
    return _check("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}; {versions}")


def check_torch() -> Check:
    try:
        with importing():
            import torch
    except NpeError as error:
        return _check("torch", str(error), error.exit_code)
    return _check("torch", torch.__version__)


def check_device(wanted: str) -> Check:
    import torch

    from npe_core.device import choose_device

    try:
        choice = choose_device(wanted)
    except NpeError as error:
        return _check("device", str(error), error.exit_code)
    threads = f", {torch.get_num_threads()} threads" if choice.device.type == "cpu" else ""
    return _check("device", f"{choice.name} ({choice.reason}{threads})")


def check_weights() -> list[Check]:
    from npe_core.models.weights import entry_of, kinds_of, read_manifest, verify, weights_folder

    try:
        entries = read_manifest()
    except NpeError as error:
        return [_check("weights", str(error), error.exit_code)]
    rows = []
    for kind in kinds_of(entries):
        try:
            entry = entry_of(kind, entries)
            verify(entry)
            rows.append(_check(kind, f"{entry.file} in {printable(str(weights_folder()))}, sha256 {entry.sha256[:12]}"))
        except NpeError as error:
            rows.append(_check(kind, str(error), error.exit_code))
    return rows


def check_faces() -> Check:
    try:
        with importing():
            from npe_core.faces.detection import require_detector
        require_detector()
    except NpeError as error:
        return _check("faces", str(error), error.exit_code)
    import cv2

    return _check("faces", f"detector YuNet in OpenCV {cv2.__version__}")


def check_terminal() -> Check:
    size = shutil.get_terminal_size()
    colours = "true colour" if has_true_colour(os.environ) else os.environ.get("TERM", "no TERM")
    attached = "a terminal" if sys.stdout.isatty() else "not a terminal"
    return _check("terminal", f"{attached}, {size.columns}x{size.lines}, {colours}")
