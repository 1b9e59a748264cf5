"""The networks behind recorded calls: the recorder of these tests runs the network again into the same tensor, as a
graph does, so that all but the GPU's own part is tried here."""

import contextlib
import copy
import logging

import pytest
import torch

from npe_core.canvas import Canvas
from npe_core.defaults import SAMPLERS
from npe_core.device import DeviceChoice, choose_device, out_of_memory_behind, upload
from npe_core.diffusion.masked import Strength, masked_edit
from npe_core.editor.engine import Engine
from npe_core.errors import EnvironmentFault
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.graphs import CudaRecorder, Graphs, bucket
from npe_core.models.segmenter import Segmenter, SegmenterConfig

CUDA = torch.cuda.is_available()


class Recorder:
    """Keeps what it was given; ``fault`` is raised instead while it is set."""

    def __init__(self, fault=None):
        self.fault = fault
        self.recorded, self.replayed = [], []

    def __call__(self, network, inputs):
        self.recorded.append(len(inputs[0]))
        if self.fault is not None:
            raise self.fault
        places = [x.data_ptr() for x in inputs]
        output = network(*inputs).clone()

        def replay():
            assert [x.data_ptr() for x in inputs] == places
            self.replayed.append(len(inputs[0]))
            return output.copy_(network(*inputs))

        return replay


def denoiser(**config):
    shape = {"image_size": 32, "base": 16, "mults": (1, 2), "attention": (8,), "head_width": 16}
    return awake(Denoiser(DenoiserConfig(**shape, **config)))


def segmenter():
    return awake(Segmenter(SegmenterConfig(image_size=32, base=16, mults=(1, 2))))


def awake(model):
    """Without the zeros that training starts from."""
    torch.manual_seed(0)
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.05)
    return model.eval().requires_grad_(False)


def noise(batch, seed=1):
    return torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def timesteps(batch):
    return torch.arange(1, batch + 1) * 50


def test_batches_go_into_powers_of_two():
    assert [bucket(batch) for batch in (1, 2, 3, 4, 5, 8, 9, 33, 64)] == [1, 2, 4, 4, 8, 8, 16, 64, 64]


def test_results_are_those_of_the_network_whatever_the_batch():
    network, recorder = denoiser().unet, Recorder()
    graphs = Graphs(network, recorder)
    for batch in (1, 2, 3, 5, 1, 2, 3, 5, 4, 3, 1):
        x, t = noise(batch, seed=batch), timesteps(batch)
        assert torch.allclose(graphs(x, t), network(x, t), atol=1e-5)
    assert recorder.recorded == [1, 2, 4, 8]  # each at its second time
    assert recorder.replayed == [1, 2, 4, 8, 4, 4, 1]


def test_denoiser_and_what_surrounds_the_edit():
    plain, recorder = denoiser(surroundings=True), Recorder()
    other = copy.deepcopy(plain)
    other.unet = Graphs(other.unet, recorder)
    t = timesteps(3)
    for seed in (1, 2, 3):
        x = noise(3, seed)
        known = torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(seed))
        assert torch.allclose(other.predict(x, t, known), plain.predict(x, t, known), atol=1e-5)
        assert torch.allclose(other.predict(x, t), plain.predict(x, t), atol=1e-5)
    assert recorder.recorded == [4]


def test_a_result_outlives_the_next_call():
    graphs = Graphs(segmenter(), Recorder())
    results = [graphs(noise(2, seed)) for seed in range(4)]
    again = [graphs(noise(2, seed)) for seed in range(4)]
    assert all(torch.equal(first, second) for first, second in zip(results, again, strict=True))
    assert not torch.equal(results[2], results[3])


def test_rows_left_over_from_a_larger_batch_change_nothing():
    graphs = Graphs(segmenter(), Recorder())
    few = graphs(noise(3)), graphs(noise(3))
    graphs(noise(4, seed=9) * 100)
    assert torch.equal(graphs(noise(3)), few[0]) and torch.equal(*few)


def test_another_shape_or_precision_is_another_recording():
    recorder = Recorder()
    graphs = Graphs(segmenter(), recorder)
    for x in (noise(2), torch.zeros(2, 3, 64, 64), noise(2).double()):
        assert graphs(x).shape == graphs(x).shape == (2, 11, *x.shape[2:])
    assert recorder.recorded == [2, 2, 2]


def test_what_was_not_used_for_longest_goes_first():
    recorder = Recorder()
    graphs = Graphs(segmenter(), recorder, kept=2)
    for batch in (1, 1, 2, 2, 1, 4, 4):  # 4 takes the place of 2
        graphs(noise(batch))
    assert recorder.recorded == [1, 2, 4]
    graphs(noise(1))
    assert recorder.recorded == [1, 2, 4]
    for _ in range(2):
        graphs(noise(2))
    assert recorder.recorded == [1, 2, 4, 2]


def test_where_nothing_can_be_recorded_the_network_runs_and_one_note_says_so(caplog):
    network, recorder = segmenter(), Recorder(RuntimeError("operation not permitted when stream is capturing\nstack"))
    graphs = Graphs(network, recorder)
    with caplog.at_level(logging.WARNING, logger="npe.graphs"):
        for batch in (1, 1, 1, 4, 4, 4):
            assert torch.allclose(graphs(noise(batch)), network(noise(batch)), atol=1e-5)
    assert recorder.recorded == [1]
    (note,) = caplog.messages
    assert "without CUDA graphs" in note and "not permitted" in note and "stack" not in note


def no_memory_behind_another():
    """What a recording that runs out of memory ends in."""
    try:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        finally:
            raise RuntimeError("the capture was invalidated")
    except RuntimeError as error:
        return error


def test_memory_is_found_behind_another_error():
    assert isinstance(out_of_memory_behind(no_memory_behind_another()), torch.OutOfMemoryError)
    assert out_of_memory_behind(RuntimeError("device-side assert")) is None


def test_too_little_memory_for_a_batch_is_told_and_the_next_one_may_do():
    recorder = Recorder()
    graphs = Graphs(segmenter(), recorder)
    for _ in range(2):
        graphs(noise(2))
    recorder.fault = no_memory_behind_another()
    graphs(noise(8))
    with pytest.raises(torch.OutOfMemoryError):
        graphs(noise(8))
    assert not graphs.forget()  # none is left, their memory was asked for
    recorder.fault = None
    for _ in range(2):
        graphs(noise(2))
    assert recorder.recorded == [2, 8, 2]


def test_too_little_memory_for_one_picture_is_no_room_for_graphs(caplog):
    recorder = Recorder(torch.OutOfMemoryError("CUDA out of memory."))
    graphs = Graphs(segmenter(), recorder)
    with caplog.at_level(logging.WARNING, logger="npe.graphs"):
        results = [graphs(noise(1)) for _ in range(3)]
    assert torch.equal(results[0], results[2]) and recorder.recorded == [1] and len(caplog.messages) == 1


@pytest.fixture(scope="module")
def engines():
    """The shipped networks, plain and with recordings."""
    recorder = Recorder()
    return Engine(choose_device("cpu")), Engine(choose_device("cpu"), record=recorder), recorder


def test_engine_puts_both_networks_behind_recordings(engines):
    plain, quick, recorder = engines
    recorder.recorded.clear()
    xt = torch.randn(1, 3, plain.image_size, plain.image_size)
    x = torch.rand(1, 3, plain.segment_size, plain.segment_size) * 2 - 1
    mask = torch.ones(1, 1, plain.image_size, plain.image_size)
    within, other = (engine.denoise_within(xt.clamp(-1, 1), mask) for engine in (plain, quick))
    for t in (400, 200):
        assert torch.equal(within(xt, t), other(xt, t))
    for _ in range(2):
        assert torch.equal(plain.segment(x), quick.segment(x))
    assert recorder.recorded == [1, 1]


def test_engine_gives_up_recordings_before_it_takes_smaller_batches(engines, monkeypatch):
    _, quick, recorder = engines
    recorder.recorded.clear()
    xt = torch.randn(1, 3, quick.image_size, quick.image_size)
    for _ in range(2):
        quick.denoise(xt, 250)
    tried = []

    def model(x):
        tried.append(len(x))
        if len(tried) == 1 or len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return x

    monkeypatch.setattr(quick, "largest_batch", 64)
    assert len(quick._run(model, torch.zeros(4, 3))) == 4
    assert tried == [4, 4, 2, 2]
    for _ in range(2):
        quick.denoise(xt, 250)
    assert recorder.recorded[-1:] == [1]
    monkeypatch.setattr(quick, "largest_batch", 1)
    with pytest.raises(EnvironmentFault, match="single picture"):
        quick._run(lambda x: model(torch.zeros(3)), torch.zeros(1, 3))


@pytest.fixture(scope="module")
def engine_without_values():
    return Engine(DeviceChoice(torch.device("meta"), torch.bfloat16, "shapes only"))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_step_of_an_edit_waits_for_the_device(sampler, engine_without_values):
    """On the meta device there are no values: whoever reads one, which on a GPU means to wait for it, fails."""
    engine, side = engine_without_values, engine_without_values.image_size
    pictures = torch.zeros(2, 3, side, side, device="meta")
    mask = torch.zeros(2, 1, side, side, device="meta")
    within = engine.denoise_within(pictures, mask)
    result = masked_edit(within, pictures, pictures, mask, Strength(250, 3, sampler), [1, 2])
    assert result.device.type == "meta" and result.shape == pictures.shape
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool((mask > 0).any())


def test_uploading_to_where_it_is_copies_nothing():
    x = torch.zeros(3)
    assert upload(x, torch.device("cpu")) is x


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
