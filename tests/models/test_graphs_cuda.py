"""Recording as CUDA graphs: what is asked of ``torch.cuda``, written down by a stand-in; a GPU where there is one."""

import contextlib

import pytest
import torch

from npe_core.canvas import Canvas
from npe_core.device import choose_device
from npe_core.editor.engine import Engine
from npe_core.models.graphs import CudaRecorder

CUDA = torch.cuda.is_available()


def test_only_cuda_devices_have_graphs(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "a card")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    choice = choose_device("auto")
    assert choice.graphs and choice.dtype == torch.bfloat16 and "CUDA graphs" in choice.reason
    assert not choose_device("cpu").graphs


class Streams:
    """Stands in for ``torch.cuda``: writes down what a recording asks of it, and breaks one off if told to."""

    def __init__(self, monkeypatch, breaks=False):
        self.told, self.current, self.breaks = [], "own", breaks
        told = self.told

        class Stream:
            def __init__(self, name):
                self.name = name

            def wait_stream(self, other):
                told.append(f"{self.name} waits for {other.name}")

        streams = {"own": Stream("own"), "side": Stream("side")}

        @contextlib.contextmanager
        def stream(chosen):
            before, self.current = self.current, chosen.name
            try:
                yield
            finally:
                self.current = before

        class Graph:
            def pool(self):
                return "pool"

            def replay(self):
                told.append("replay")

        @contextlib.contextmanager
        def graph(graph, pool, stream, capture_error_mode):
            told.append(f"record, {pool}, on {stream.name}, {capture_error_mode}")
            yield
            if self.breaks:
                raise RuntimeError("the capture was invalidated")

        monkeypatch.setattr(torch.cuda, "Stream", lambda device: streams["side"])
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: streams[self.current])
        monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
        monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
        monkeypatch.setattr(torch.cuda, "stream", stream)
        monkeypatch.setattr(torch.cuda, "graph", graph)


def test_recording_on_a_side_stream_after_a_warm_up(monkeypatch):
    streams = Streams(monkeypatch)

    def network(x):
        streams.told.append(f"call on {streams.current}")
        return x

    record, x = CudaRecorder(torch.device("cuda", 0)), torch.zeros(1)
    first = record(network, (x,))
    side = [*3 * ["call on side"], "record, {}, on side, thread_local", "call on side"]
    whole = ["side waits for own", *side, "own waits for side"]
    assert streams.told == [line.format(None) for line in whole]
    assert first() is x and streams.told.pop() == "replay"
    streams.told.clear()
    second = record(network, (x,))
    assert streams.told == [line.format("pool") for line in whole]  # the first graph's
    del first, second
    streams.told.clear()
    record(network, (x,))
    assert streams.told[4] == "record, None, on side, thread_local"  # nobody's: the others are gone
    streams.breaks = True
    with pytest.raises(RuntimeError, match="invalidated"):
        record(network, (x,))
    assert streams.current == "own"


@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
def test_on_a_gpu_graphs_and_plain_calls_agree():
    choice = choose_device("cuda")
    plain, quick = Engine(choice, record=lambda network, inputs: lambda: network(*inputs)), Engine(choice)
    for batch in (1, 3, 8, 1, 3, 8):
        xt = torch.randn(batch, 3, plain.image_size, plain.image_size, device=choice.device)
        mask = torch.ones(batch, 1, plain.image_size, plain.image_size, device=choice.device)
        kept = []
        for _ in range(3):
            results = [engine.denoise_within(xt.clamp(-1, 1), mask)(xt, 250) for engine in (plain, quick)]
            assert torch.allclose(*results, atol=0.02)
            kept.append(results[1])
        assert torch.allclose(kept[0], kept[2], atol=0.02)
        x = torch.rand(batch, 3, plain.segment_size, plain.segment_size) * 2 - 1
        assert torch.allclose(plain.segment(x), quick.segment(x), atol=0.02)
    assert any(graphs.forget() for graphs in quick._graphs)  # there were some: none has failed


@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
def test_on_a_gpu_an_edit_is_the_same_again(portrait):
    from npe_core.editor import Editor
    from npe_core.photo import Photo

    photo, editor = Photo.open(portrait), Editor("cuda")
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill("lips", "#b00020")
    pictures = [editor.edit(photo, canvas, steps=4, seed=1).image for _ in range(2)]
    assert (pictures[0] == pictures[1]).all()
