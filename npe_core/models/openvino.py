"""The U-Nets by OpenVINO on a CPU: converted from the torch modules once, kept on disk by what they came from."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from platformdirs import PlatformDirs
from torch import Tensor, nn


class Compiled(nn.Module):
    """A network with OpenVINO behind it: the same call, the same shapes, in bfloat16 on the CPU."""

    def __init__(self, network: nn.Module, example: tuple[Tensor, ...], weights: str) -> None:
        """``network`` is in float32, ``example`` are inputs of one picture, ``weights`` is the sha256 of its file."""
        super().__init__()
        import openvino

        self.config = network.config
        core, folder = openvino.Core(), cache_folder()
        told = repr([network.config, [tuple(one.shape) for one in example], openvino.__version__, weights])
        kept = folder / f"{type(network).__name__.lower()}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.xml"
        settings = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        self._run = core.compile_model(read_or_convert(core, network, example, kept), "CPU", settings)

    @torch.inference_mode()
    def forward(self, *inputs: Tensor) -> Tensor:
        """Picture by picture: the same bytes in any company, and one shape to be compiled for."""
        rows = zip(*(tensor.split(1) for tensor in inputs), strict=True)
        return torch.cat([torch.from_numpy(self._run([x.contiguous().numpy() for x in row])[0].copy()) for row in rows])


def read_or_convert(core: Any, network: nn.Module, example: tuple[Tensor, ...], kept: Path) -> Any:
    """The network as OpenVINO's model, from ``kept`` where that reads, else converted and written there."""
    import openvino

    if kept.exists():
        with contextlib.suppress(RuntimeError):  # torn, or of another version
            return core.read_model(kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing tells of every shape that it takes for a constant
        model = openvino.convert_model(network, example_input=example, input=[one.shape for one in example])
    try:
        keep(model, kept)
        return core.read_model(kept)  # read back: as it comes from the converter it rounds otherwise
    except OSError:  # nowhere to keep it: converted again next time
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / kept.name
            openvino.save_model(model, path)
            return core.read_model(path)


def keep(model: Any, path: Path) -> None:
    """Write model and weights beside each other; the model, which is looked for, last."""
    import openvino

    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        openvino.save_model(model, folder / path.name)  # in fp16, as the weights are
        for suffix in (".bin", ".xml"):
            (folder / path.name).with_suffix(suffix).replace(path.with_suffix(suffix))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cache_folder() -> Path:
    """Where converted networks are kept: ``~/.cache/npe/openvino`` on Linux."""
    return PlatformDirs("npe", appauthor=False).user_cache_path / "openvino"
