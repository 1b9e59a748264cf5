"""Weights from elsewhere, into the weights folder and its manifest: our own safetensors, and PyTorch checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors.torch import save

from npe_core import locks
from npe_core.errors import EnvironmentFault, WeightsError
from npe_core.files import replace_file, written
from npe_core.models.checkpoints import read_checkpoint
from npe_core.models.halves import halved
from npe_core.models.recognising import recognise
from npe_core.models.weights import (
    MANIFEST,
    SMOOTH,
    Entry,
    read_former,
    read_manifest,
    sha256_of,
    shipped_folder,
    verify,
    weights_folder,
    write_manifest,
)


def import_weights(path: Path, folder: Path | None = None) -> Entry:
    """Put the weights of a file into the weights folder as fp16, and into its manifest.

    The file is named after its content: the weights before stay in theirs, and importing that file goes back to them,
    byte for byte: to their entry, and from an upscaler to the smooth weights that belong to it too. So does importing a
    file of the shipped weights. The other models stay as they are; the very file that is in use already changes
    nothing, but takes the place of a copy of it that was damaged. Raises InputError when the file is not a checkpoint,
    fits none of the models, or has values that float16 does not hold.
    """
    folder = folder or weights_folder()
    if path.is_file():
        digest = sha256_of(path)
        entry = _in_use(path, digest, folder) or _brought_back(path, digest, folder)
        if entry is not None:
            return entry
    state, stored_config = read_checkpoint(path)
    kind, config, state = recognise(state, stored_config, path)
    content = save(
        halved(state, path), metadata={"config": json.dumps(config)}
    )  # by which it can be imported elsewhere
    with _written(folder), changing(folder) as entries:
        entry = put(new_entry(kind, content, config, {"imported_from": path.name}), content, folder)
        exchange({kind: entry}, entries, folder)
    return entry


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[dict[str, Entry]]:
    """The manifest of a weights folder, until ``exchange`` has written it: whoever else would change it waits.

    A folder without one is first filled with the shipped weights: no model is missing. Raises EnvironmentFault.
    """
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        with written(folder):
            _fill(folder)
        yield read_manifest(folder) if (folder / MANIFEST).exists() else {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = None
    try:
        with contextlib.suppress(OSError):  # not every system can open or lock a folder
            descriptor = os.open(folder, os.O_RDONLY)
            locks.wait_for(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _fill(folder: Path) -> None:
    shipped = shipped_folder()
    if (folder / MANIFEST).exists() or not (shipped / MANIFEST).exists():
        return
    files = [path.name for path in sorted(shipped.iterdir()) if path.is_file() and path.name != MANIFEST]
    for name in (*files, MANIFEST):  # that last: killed before, the next call begins again
        with replace_file(folder / name) as temporary:
            shutil.copyfile(shipped / name, temporary)


def new_entry(kind: str, content: bytes, config: dict[str, Any], provenance: dict[str, Any]) -> Entry:
    """The entry of weights whose file is to be named after its content."""
    digest = hashlib.sha256(content).hexdigest()
    return Entry(kind, _name_of(kind, digest), digest, config, provenance)


def known_entry(kind: str, digest: str, folder: Path) -> Entry | None:
    """The entry that these bytes have as that kind: in the manifest, before others took their place, or as shipped.

    What it says of where they come from, their file does not say.
    """
    now = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    entries = (models.get(kind) for models in (now, *read_former(folder)[::-1], _shipped()))
    return next((entry for entry in entries if entry is not None and entry.sha256 == digest), None)


def put(entry: Entry, content: bytes, folder: Path) -> Entry:
    """The entry with its file in the folder, written there if need be: under its name, unless others have that."""
    if (folder / entry.file).exists() and not _is_whole(entry, folder):
        entry = dataclasses.replace(entry, file=_name_of(entry.kind, entry.sha256))
    if not _is_whole(entry, folder):
        with replace_file(folder / entry.file) as temporary:
            temporary.write_bytes(content)  # save_file would let nobody but its owner read it
    return entry


def _name_of(kind: str, digest: str) -> str:
    return f"{kind}-{digest[:12]}.safetensors"


def exchange(new: dict[str, Entry], entries: dict[str, Entry], folder: Path, remember: bool = True) -> None:
    """Write the manifest: ``new``, the first of them the model that has come, in the place of what belongs together.

    Until here everything is as it was, whatever kills it. ``remember``: note what left, so that it can come back.
    """
    old = _with_its_own(next(iter(new)), entries)
    came, went = _digest(new), _digest(old)
    former = [models for models in read_former(folder) if _digest(models) not in (came, went)]
    if remember and old and came != went:
        former.append(old)
    kept = {kind: entry for kind, entry in {**entries, **new}.items() if kind in new or kind not in old}
    write_manifest(kept, folder, former)


def way_back(kind: str, folder: Path) -> str | None:
    """The command by which the weights before, of a kind, come back; None where there are none.

    Smooth weights come back by a release, which knows their entry again: an import would make the upscaler of them.
    """
    left = [models[kind].file for models in read_former(folder) if next(iter(models), None) == kind]
    if not left or not (folder / left[-1]).exists():
        return None
    command = f"npe train release {SMOOTH}" if kind == SMOOTH else "npe weights import"
    if folder.resolve() != weights_folder().resolve():
        command = f"NPE_WEIGHTS={shlex.quote(str(folder))} {command}"
    return f"{command} {shlex.quote(str(folder / left[-1]))}"


def _digest(models: dict[str, Entry]) -> str:
    """By which weights that belong together are known: the sha256 of the first."""
    return next((entry.sha256 for entry in models.values()), "")


def _with_its_own(kind: str, entries: dict[str, Entry]) -> dict[str, Entry]:
    """The entry of a kind and those that come and go with it: the smooth weights belong to the upscaler."""
    kinds = (kind, SMOOTH) if kind == "upscaler" else (kind,)
    return {one: entries[one] for one in kinds if one in entries}


def _in_use(path: Path, digest: str, folder: Path) -> Entry | None:
    """The entry of the manifest that names the same bytes; where its own file is not whole, it is put there again.

    A whole upscaler_smooth does not count: who imports its file wants it as the upscaler.
    """
    if not (folder / MANIFEST).exists():
        return None
    for entry in read_manifest(folder).values():
        if entry.sha256 != digest:
            continue
        if not _is_whole(entry, folder):
            with _written(folder), replace_file(folder / entry.file) as temporary:
                shutil.copyfile(path, temporary)
            return entry
        if entry.kind != SMOOTH:
            return entry
    return None


def _brought_back(path: Path, digest: str, folder: Path) -> Entry | None:
    """The entry that these bytes had in the manifest, or have in the shipped one, put back with what belongs to it.

    Smooth weights that are whole nowhere any more stay away.
    """
    shipped = _shipped()
    known = [*read_former(folder)[::-1], *(_with_its_own(kind, shipped) for kind in shipped)]
    matching = [models for models in known if _digest(models) == digest and next(iter(models)) != SMOOTH]
    if not matching:
        return None
    (kind, entry), *others = max(matching, key=len).items()  # once it may have gone without what belongs to it
    with _written(folder), changing(folder) as entries:
        new = {kind: put(entry, path.read_bytes(), folder)}
        for other, one in others:
            home = next((place for place in (folder, shipped_folder()) if _is_whole(one, place)), None)
            if home is not None:
                new[other] = put(one, (home / one.file).read_bytes(), folder)
        exchange(new, entries, folder)
    return new[kind]


def _shipped() -> dict[str, Entry]:
    with contextlib.suppress(WeightsError):
        return read_manifest(shipped_folder())
    return {}


def _is_whole(entry: Entry, folder: Path) -> bool:
    try:
        verify(entry, folder)
    except WeightsError:
        return False
    return True


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Around the writing of weights: what the system refuses is raised as EnvironmentFault that says what to do."""
    try:
        with written(folder):
            yield
    except EnvironmentFault as fault:
        raise EnvironmentFault(f"{fault} Name another folder in NPE_WEIGHTS.") from None
