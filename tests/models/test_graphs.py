"""The networks behind recorded calls: results whatever the batch, what is kept, and too little memory."""

import copy
import logging

import pytest
import torch
from recordings import Recorder, denoiser, noise, segmenter, timesteps

from npe_core.models.graphs import Graphs, bucket, out_of_memory_behind


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
        assert torch.allclose(other(x, t, known), plain(x, t, known), atol=1e-5)
        assert torch.allclose(other(x, t), plain(x, t), atol=1e-5)
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
