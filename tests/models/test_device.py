"""Which precision a processor works in, and which errors say that a device has no memory left."""

import pytest
import torch

from npe_core.device import choose_device, is_out_of_memory, memory_told
from npe_core.errors import OutOfMemory


@pytest.mark.parametrize(("amx", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_only_with_matrix_tiles(amx, dtype, monkeypatch):
    """AVX512-BF16 alone is not enough: there float32 is the faster one."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    choice = choose_device("cpu")
    assert choice.dtype == dtype and str(dtype).removeprefix("torch.") in choice.reason


def test_a_torch_that_cannot_tell_works_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    assert choose_device("cpu").dtype == torch.float32


@pytest.mark.parametrize(
    ("said", "is_memory"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB.", True),
        ("CUDA error: out of memory", True),  # of pinned memory
        ("MPS backend out of memory (MPS allocated: 9.00 GB)", True),
        ("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate", True),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", True),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`", False),
        ("CUDA error: an illegal memory access was encountered", False),
        ("The size of tensor a (3) must match the size of tensor b (4)", False),
    ],
)
def test_which_errors_say_that_there_is_no_memory(said, is_memory):
    assert is_out_of_memory(RuntimeError(said)) == is_memory


def test_a_bug_while_no_memory_is_handled_is_a_bug():
    def second_try():
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        except RuntimeError:
            raise RuntimeError("a bug")  # noqa: B904  as it comes from code that knows nothing of the first

    with pytest.raises(RuntimeError, match="a bug"), memory_told():
        second_try()
    with pytest.raises(OutOfMemory), memory_told():
        raise torch.OutOfMemoryError("CUDA out of memory.")
