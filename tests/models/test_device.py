"""Which precision a processor works in."""

import pytest
import torch

from npe_core.device import choose_device


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
