"""The networks as CUDA graphs: the kernels of one call, recorded once and started again by one launch.

At one picture the U-Nets are some hundred small kernels, and a GPU is done with each before Python has started the
next. A graph is recorded for fixed shapes, so batches are padded to the next power of two.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakSet

import torch
from torch import Tensor, nn

from npe_core.device import is_out_of_memory

LOGGER = logging.getLogger("npe.graphs")

Replay = Callable[[], Tensor]
"""Does a recorded call again, with what its inputs hold now; its result is overwritten by the next time."""
Record = Callable[[nn.Module, tuple[Tensor, ...]], Replay]
"""Records the call of a network with inputs that stay where they are. Raises RuntimeError when that cannot be done."""

KEPT = 8
"""Batch sizes and shapes of one network that are kept ready; those that were not used for longest go first."""


class CudaRecorder:
    """Records on one device, all graphs in one pool of memory.

    They may share it because they run one after another on one stream, and because what a graph leaves in it is
    copied out before the next one runs.
    """

    WARM_UP = 3
    """Calls before the recording: libraries choose their kernels and take their work space then."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()

    def __call__(self, network: nn.Module, inputs: tuple[Tensor, ...]) -> Replay:
        """See ``Record``; inputs are on the device."""
        graph = torch.cuda.CUDAGraph()
        # The pool of a graph that lives: that of dead ones only is given back, and cannot be taken up again.
        pool = next((other.pool() for other in self._graphs), None)
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        # The outer stream context is for a recording that fails: torch.cuda.graph may then leave its stream current.
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            for _ in range(self.WARM_UP):
                network(*inputs)
            # thread_local: other threads may go on using the device meanwhile.
            with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
                output = network(*inputs)
        current.wait_stream(self._stream)
        self._graphs.add(graph)

        def replay() -> Tensor:
            graph.replay()
            return output

        return replay


@dataclass
class _Call:
    """One batch size and shape."""

    inputs: tuple[Tensor, ...]
    """What the network is called with, each time: rows are copied into them."""
    used: bool = False
    replay: Replay | None = None


class Graphs(nn.Module):
    """A network with graphs in front of it: the same call, the same results.

    A shape that comes for the first time runs as it is; from the second time on it is worth recording. Where that
    cannot be done the network runs without graphs from then on.
    """

    def __init__(self, network: nn.Module, record: Record, kept: int = KEPT) -> None:
        super().__init__()
        self.config = network.config
        self.network = network
        self._record: Record | None = record
        self._kept = kept
        self._calls: OrderedDict[tuple[object, ...], _Call] = OrderedDict()

    @torch.inference_mode()
    def forward(self, *inputs: Tensor) -> Tensor:
        """inputs (B, ...) on the network's device -> what the network makes of them, a tensor of its own."""
        batch = len(inputs[0])
        call = self._call(inputs)
        for own, given in zip(call.inputs, inputs, strict=True):
            own[:batch].copy_(given)
        if call.used and call.replay is None and self._record is not None:
            call.replay = self._recorded(call.inputs, self._record)
        call.used = True
        if call.replay is None:
            return self.network(*call.inputs)[:batch]
        return call.replay()[:batch].clone()

    def forget(self) -> bool:
        """Give up all graphs and their memory; returns whether there were any."""
        held = any(call.replay is not None for call in self._calls.values())
        self._calls.clear()
        return held

    def _call(self, inputs: tuple[Tensor, ...]) -> _Call:
        """Padded whether it is recorded or not: a batch of another size rounds otherwise."""
        size = bucket(len(inputs[0]))
        key = (size, *((tuple(given.shape[1:]), given.dtype) for given in inputs))
        if key not in self._calls:
            self._calls[key] = _Call(tuple(padded(given, size) for given in inputs))
            if len(self._calls) > self._kept:
                self._calls.popitem(last=False)
        self._calls.move_to_end(key)
        return self._calls[key]

    def _recorded(self, inputs: tuple[Tensor, ...], record: Record) -> Replay | None:
        """Raises OutOfMemoryError for a batch; of one picture it means that there is no room for graphs."""
        try:
            return record(self.network, inputs)
        except RuntimeError as error:
            self.forget()
            no_memory = out_of_memory_behind(error)
            if no_memory is not None and len(inputs[0]) > 1:
                raise no_memory from None
            self._record = None
            reason = str(no_memory or error).partition("\n")[0]
            LOGGER.warning("%s runs without CUDA graphs from now on: %s", type(self.network).__name__, reason)
            return None


def out_of_memory_behind(error: BaseException | None) -> RuntimeError | None:
    """The error of a recording, or the one that it was raised over, that says that there was too little memory.

    The end of a recording that broke off for want of it raises an error of its own, about the broken recording.
    """
    while error is not None:
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            return error
        error = error.__cause__ or error.__context__
    return None


def bucket(batch: int) -> int:
    """The next power of two."""
    return 1 << (batch - 1).bit_length()


def padded(given: Tensor, size: int) -> Tensor:
    """Room for ``size`` rows such as the given ones, pictures channels last."""
    room = torch.zeros((size, *given.shape[1:]), dtype=given.dtype, device=given.device)
    return room.contiguous(memory_format=torch.channels_last) if given.ndim == 4 else room
