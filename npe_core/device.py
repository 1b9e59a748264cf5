"""Which device and which precision the models run in, and why."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from npe_core.errors import EnvironmentFault, OutOfMemory, UsageError

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|ALLOC(ATION)?_FAILED")
"""In the words of torch's allocators, and of cuBLAS and cuDNN, which ask the device for work space themselves."""


@dataclass(frozen=True)
class DeviceChoice:
    """A device, the dtype of the networks on it, and the reason in words."""

    device: torch.device
    dtype: torch.dtype
    reason: str
    openvino: bool = False
    """Whether OpenVINO runs the U-Nets, on the CPU."""

    @property
    def name(self) -> str:
        """``cpu``, ``openvino``, ``cuda:0`` or ``mps``."""
        return "openvino" if self.openvino else str(self.device)

    @property
    def graphs(self) -> bool:
        """Whether the networks of fixed shape run as CUDA graphs."""
        return self.device.type == "cuda"


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """``auto``, ``cpu``, ``openvino``, ``cuda``, ``cuda:N`` or ``mps`` -> a device that works here.

    Raises UsageError on another word, EnvironmentFault when the device is not there.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return _cuda(0)
        if torch.backends.mps.is_available():
            return DeviceChoice(
                torch.device("mps"), torch.float32, "Apple GPU found; float32, the precision it runs safely"
            )
        return _cpu("no GPU found")
    kind, _, number = wanted.partition(":")
    if kind == "cpu" and not number:
        return _cpu("asked for")
    if wanted == "openvino":
        if importlib.util.find_spec("openvino") is None:
            raise EnvironmentFault("OpenVINO is not installed. Use --device cpu, or install it: pip install openvino.")
        if not cpu_has_bf16():  # OpenVINO 2026.4 dies on these networks in float32
            raise EnvironmentFault(
                "OpenVINO needs a processor with bfloat16 here (AVX512-BF16, AMX). Use --device cpu."
            )
        return replace(_cpu("asked for, the U-Nets by OpenVINO"), openvino=True)
    if kind == "mps" and not number:
        if not torch.backends.mps.is_available():
            raise EnvironmentFault("There is no Apple GPU (mps) here. Use --device cpu.")
        return DeviceChoice(torch.device("mps"), torch.float32, "asked for; float32, the precision it runs safely")
    if kind == "cuda" and (not number or number.isdecimal()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= count:
            build = "this torch is a CPU build" if torch.version.cuda is None else f"{count} CUDA devices are visible"
            raise EnvironmentFault(
                f"There is no device {wanted}: {build}. Use --device cpu, or install torch with CUDA."
            )
        return _cuda(int(number or 0))
    raise UsageError(f"{wanted!r} is not a device. Choose auto, cpu, openvino, cuda, cuda:N or mps.")


def _cuda(index: int) -> DeviceChoice:
    name = torch.cuda.get_device_name(index)
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return DeviceChoice(torch.device("cuda", index), dtype, f"{name}; {str(dtype).removeprefix('torch.')}, CUDA graphs")


def _cpu(why: str) -> DeviceChoice:
    if cpu_has_amx():
        return DeviceChoice(torch.device("cpu"), torch.bfloat16, f"{why}; bfloat16: the processor has AMX")
    return DeviceChoice(torch.device("cpu"), torch.float32, f"{why}; float32: without AMX it is the faster one")


def cpu_has_amx() -> bool:
    """Whether the processor has matrix tiles for bfloat16, and the system lets them be used.

    With AVX512-BF16 alone these networks take 1.6 times as long in bfloat16 as in float32.
    """
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe is not None and probe())


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware (AVX512-BF16 or AMX), however fast."""
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe is not None and probe())


def upload(x: Tensor, device: torch.device) -> Tensor:
    """x on the device. To a GPU from pinned memory: neither the processor nor what the GPU still does has to wait."""
    if device.type == "cuda" and x.device.type == "cpu":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


def wait_for(device: torch.device) -> None:
    """Until a GPU has done all that it was told to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the device, of whatever kind, had too little memory.

    What was being handled when it came is another matter: a bug in the second try of what found no memory is a bug.
    """
    if not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.OutOfMemoryError) or _NO_MEMORY.search(str(error)) is not None


def out_of_memory() -> OutOfMemory:
    """What a person is told of it, where no more is known."""
    return OutOfMemory("The device ran out of memory. Make the photo smaller, free the device, or use --device cpu.")


@contextlib.contextmanager
def memory_told() -> Iterator[None]:
    """Around work on the device, or above a function of it: too little memory for it is raised as OutOfMemory."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory() from None
