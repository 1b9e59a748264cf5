"""Two that change one weights folder at once: the second waits, and neither is lost."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from foreign_weights import denoiser_of_side
from safetensors.torch import save_file
from small_upscaler import CONFIG

from npe_core import locks
from npe_core.models import importing
from npe_core.models.importing import import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import COARSE, read_former, read_manifest
from npe_core.training.release import release


@pytest.fixture
def upscaler(tmp_path):
    path = tmp_path / "new.safetensors"
    save_file(GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(path), {"config": json.dumps(CONFIG)})
    return path


@pytest.fixture
def before_it_writes(monkeypatch):
    """A function that runs a second change, as far as it gets, before the first one writes the manifest."""

    def during(second):
        arrived, wait, exchange = threading.Event(), locks.wait_for, importing.exchange
        pool, others = ThreadPoolExecutor(1), []

        def wait_told(descriptor):
            if others:
                arrived.set()
            wait(descriptor)

        def exchange_late(*arguments, **options):
            if not others:
                others.append(None)
                others[0] = pool.submit(second)
                others[0].add_done_callback(lambda _: arrived.set())
                assert arrived.wait(60)
            exchange(*arguments, **options)

        monkeypatch.setattr(locks, "wait_for", wait_told)
        for module in ("npe_core.models.importing", "npe_core.training.release"):
            monkeypatch.setattr(f"{module}.exchange", exchange_late)
        return lambda: (others[0].result(60), pool.shutdown())[0]

    return during


@pytest.mark.skipif(locks.fcntl is None, reason="no locks here")
@pytest.mark.parametrize("first", ["import", "release", "way back"])
def test_what_two_bring_at_once_is_both_there(folder, upscaler, tmp_path, before_it_writes, first):
    if first == "way back":
        old = folder / read_manifest(folder)["upscaler"].file
        import_weights(upscaler, folder)
        upscaler = old
    coarse = denoiser_of_side(32, tmp_path / "coarse.safetensors")
    second = before_it_writes(lambda: import_weights(coarse, folder))
    mine = release("upscaler", upscaler, folder=folder) if first == "release" else import_weights(upscaler, folder)
    other = second()
    assert read_manifest(folder) == {"upscaler": mine, COARSE: other}
    assert len(read_former(folder)) == 1
