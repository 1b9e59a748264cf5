"""The three models on one device, loaded when first needed: tensors in, tensors out."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.canvas.boxes import box_of, cut, pad, within
from npe_core.device import DeviceChoice, is_out_of_memory, upload
from npe_core.diffusion.cascade import begin_from, lay_out
from npe_core.diffusion.samplers import Denoise
from npe_core.diffusion.schedule import Stream
from npe_core.errors import EnvironmentFault, OutOfMemory, UsageError
from npe_core.models.denoiser import Denoiser
from npe_core.models.graphs import CudaRecorder, Graphs, Record
from npe_core.models.levels import to_float, to_uint8
from npe_core.models.segmenter import Segmenter
from npe_core.models.surroundings import CHANNELS, surroundings_of
from npe_core.models.upscaler import SCALE, TAIL, GeneratorResNet, enlarged
from npe_core.models.weights import COARSE, SMOOTH, Entry, load, read_manifest

AROUND = 4
"""Pixels of 128 around what is marked that are looked at as well: where a face is tiny its result is made smaller."""


class Engine:
    """Runs the models; the only holder of their weights. Safe to share between threads for loading, not for running."""

    def __init__(self, choice: DeviceChoice, weights: Path | None = None, record: Record | None = None) -> None:
        """``record`` records the networks of fixed shape; by default as CUDA graphs, where the device has them."""
        self.choice = choice
        self.device = choice.device
        self.weights = weights
        self.load_seconds = 0.0
        """Seconds spent so far on reading weights."""
        self.largest_batch = 64
        """Pictures that go through a model at once; halved for good when the device runs out of memory."""
        self._models: dict[str, tuple[nn.Module, Entry]] = {}
        self._mixed: dict[float, GeneratorResNet] = {}
        self._record = CudaRecorder(choice.device) if record is None and choice.graphs else record
        self._graphs: list[Graphs] = []
        self._lock = threading.Lock()

    def model(self, kind: str) -> nn.Module:
        """The model of that kind, loaded on first use. Raises WeightsError."""
        return self._loaded(kind)[0]

    def entry(self, kind: str) -> Entry:
        """The manifest's entry of that model."""
        return self._loaded(kind)[1]

    def _loaded(self, kind: str) -> tuple[nn.Module, Entry]:
        with self._lock:
            if kind not in self._models:
                start = time.perf_counter()
                try:
                    self._models[kind] = self._load(kind)
                except RuntimeError as error:
                    if not is_out_of_memory(error):
                        raise
                    raise OutOfMemory(
                        f"{self.choice.name} has no memory left for the {kind}. Free the device, or use --device cpu."
                    ) from None
                self.load_seconds += time.perf_counter() - start
            return self._models[kind]

    def _has(self, kind: str) -> bool:
        return kind in self._models or kind in read_manifest(self.weights)

    def _load(self, kind: str) -> tuple[nn.Module, Entry]:
        if kind not in (
            "denoiser",
            "segmenter",
        ):  # the upscaler's pictures are of any size; no edit waits for the coarse
            return load(kind, self.device, self.choice.dtype, self.weights)
        if self.choice.openvino:
            model, entry = load(kind, self.device, torch.float32, self.weights)
            return with_network(model, compiled(model, entry)), entry
        model, entry = load(kind, self.device, self.choice.dtype, self.weights)
        if self._record is None:
            return model, entry
        self._graphs.append(Graphs(network_of(model), self._record))
        return with_network(model, self._graphs[-1]), entry

    @property
    def shares_batches(self) -> bool:
        """Whether edits that have nothing to do with each other go through a model together.

        On a CPU that saves little, and a batch of another size rounds otherwise: kept apart, the same edit has the
        same bytes in any company.
        """
        return self.device.type != "cpu"

    @property
    def image_size(self) -> int:
        """Side of the pictures that the denoiser works on."""
        return cast(Denoiser, self.model("denoiser")).config.image_size

    @property
    def segment_size(self) -> int:
        """Side of the crops that the segmenter works on."""
        return cast(Segmenter, self.model("segmenter")).config.image_size

    def begin(self, seeds: list[int]) -> tuple[Tensor, int]:
        """x_t (B, 3, 128, 128) on the device, of faces of which nothing is known, and t.

        Weights without a coarse denoiser begin as the denoiser itself would.
        """
        if self._has(COARSE):
            xt, t = begin_from(self._laid_out(seeds), self.image_size, seeds)
        else:
            xt, t = cast(Denoiser, self.model("denoiser")).begin(seeds)
        return upload(xt, self.device), t

    @torch.inference_mode()
    def _laid_out(self, seeds: list[int]) -> Tensor:
        """(B, 3, 32, 32) on the device, in [-1, 1]: the faces that the coarse denoiser makes up."""
        model = cast(Denoiser, self.model(COARSE))
        xt, t = model.begin(Stream.COARSE.of(seeds))
        return lay_out(lambda x, at: self._predicted(model, x, at), upload(xt, self.device), t)

    @torch.inference_mode()
    def denoise(self, xt: Tensor, t: int, known: Tensor | None = None) -> Tensor:
        """x_t (B, 3, 128, 128) on the device -> x0 of the same shape, float32.

        known (B, 4, 128, 128): the clean picture around an edit, see ``surroundings_of``.
        """
        return self._predicted(cast(Denoiser, self.model("denoiser")), xt, t, *(() if known is None else (known,)))

    def _predicted(self, model: Denoiser, xt: Tensor, t: int, *known: Tensor) -> Tensor:
        steps = torch.full((len(xt),), t, dtype=torch.int64, device=self.device)
        return self._run(model, xt.contiguous(memory_format=torch.channels_last), steps, *known)

    def finite(self, made: Tensor, kind: str) -> Tensor:
        """What the ``kind`` of network made, as it is. Raises EnvironmentFault where some of it is not a number."""
        if not bool(made.isfinite().all()):
            raise EnvironmentFault(
                f"The {kind} made no picture on {self.choice.name}: some values are infinite or no numbers. "
                "Try --device cpu, or see with npe weights verify whether the weights are whole."
            )
        return made

    def denoise_within(self, original: Tensor, mask: Tensor) -> Denoise:
        """``denoise`` for edits of ``original`` (B, 3, H, W) where ``mask`` (B, 1, H, W) is above 0."""
        known = upload(surroundings_of(original, mask), self.device).contiguous(memory_format=torch.channels_last)
        return lambda xt, t: self.denoise(xt, t, known)

    @torch.inference_mode()
    def segment(self, x: Tensor) -> Tensor:
        """x (B, 3, 256, 256) in [-1, 1] -> probabilities (B, 11, 256, 256) uint8 in 1/255 on the CPU."""
        x = upload(x, self.device).contiguous(memory_format=torch.channels_last)
        logits = self.finite(self._run(self.model("segmenter"), x), "segmenter")
        levels = [own.contiguous().float().softmax(dim=0).mul_(255).round_().to(torch.uint8) for own in logits]
        return torch.stack(levels).cpu()

    def check_mix(self, sharpness: float) -> None:
        """Raises UsageError when that sharpness needs the smooth weights and there are none."""
        if sharpness < 1 and not self._has(SMOOTH):
            raise UsageError(f"Sharpness below 1 needs {SMOOTH}, which these weights do not have.")

    def upscaler(self, sharpness: float) -> GeneratorResNet:
        """The upscaler between its smooth weights (0) and its sharp ones (1), interpolated (Wang et al. 2018, ESRGAN).

        Raises UsageError as ``check_mix``.
        """
        self.check_mix(sharpness)
        sharp = cast(GeneratorResNet, self.model("upscaler"))
        if sharpness >= 1:
            return sharp
        if sharpness not in self._mixed:
            mixed = copy.deepcopy(sharp)
            with torch.no_grad():
                for own, smooth in zip(mixed.parameters(), self.model(SMOOTH).parameters(), strict=True):
                    own.lerp_(smooth, 1 - sharpness)
            self._mixed = {sharpness: mixed}
        return self._mixed[sharpness]

    @torch.inference_mode()
    def upscale(
        self,
        x: Tensor,
        sharpness: float = 1.0,
        known: Tensor | None = None,
        shown: tuple[slice, slice] | None = None,
    ) -> Tensor:
        """x (B, 3, H, W) in [-1, 1] -> (B, 3, 4H, 4W) float32 on the device, one picture at a time to bound memory.

        ``known`` (B, 4, 4H, 4W): the surroundings at full size, see ``surroundings_of``; ``shown``: the rows and
        columns of x of which alone there is to be a result.
        """
        model = partial(self.upscaler(sharpness), shown=shown)
        x = upload(x, self.device).contiguous(memory_format=torch.channels_last)
        rest = [()] * len(x) if known is None else [(one,) for one in upload(known, self.device).split(1)]
        large = torch.cat([self._run(model, one, *around) for one, around in zip(x.split(1), rest, strict=True)])
        return self.finite(large, "upscaler")

    @torch.inference_mode()
    def upscale_marked(
        self,
        x: Tensor,
        mask: Tensor,
        sharpness: float = 1.0,
        known: Tensor | None = None,
        keep_going: Callable[[], None] | None = None,
    ) -> Tensor:
        """As ``upscale``, but only around what the masks (B, 1, H, W) mark; the rest of (B, 3, 4H, 4W) is 0.

        ``keep_going`` is called before each picture.
        """
        large = torch.zeros((len(x), 3, SCALE * x.shape[2], SCALE * x.shape[3]), device=x.device)
        reach, size = self.upscaler(sharpness).config.reach, (x.shape[2], x.shape[3])
        for i in range(len(x)):
            marked = box_of((mask[i, 0] > 0).cpu().numpy())
            if marked is None:
                continue
            if keep_going is not None:
                keep_going()
            # One pixel more, because the picture is interpolated later; what it looks at more, for the same pixels.
            seen, shown = pad(marked, 1 + reach, size), pad(marked, AROUND + TAIL, size)
            around = None if known is None else known[i : i + 1, :, *map(enlarged, cut(seen))]
            part = self.upscale(x[i : i + 1, :, *cut(seen)], sharpness, around, cut(within(seen, shown)))
            rows, columns = map(enlarged, cut(shown))
            large[i, :, rows, columns] = part[0]
        return large

    @torch.inference_mode()
    def upscale_tiled(
        self,
        image: np.ndarray,
        sharpness: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
        tile: int = 256,
    ) -> np.ndarray:
        """(H, W, 3) uint8 of any size -> (4H, 4W, 3) uint8, by ``upscale`` in tiles with all around them that it sees.

        What is done is held as bytes, and never the whole picture as floats. ``progress`` (done, total) is called
        after each tile.
        """
        margin = self.upscaler(sharpness).config.reach
        height, width = image.shape[:2]
        done, total = 0, math.ceil(height / tile) * math.ceil(width / tile)
        large = np.empty((SCALE * height, SCALE * width, 3), np.uint8)
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                y0, x0 = max(0, top - margin), max(0, left - margin)
                seen = to_tensor([image[y0 : top + tile + margin, x0 : left + tile + margin]])
                part = self.upscale(seen, sharpness)[:, :, SCALE * (top - y0) :, SCALE * (left - x0) :]
                part = part[:, :, : SCALE * tile, : SCALE * tile]
                y, x = SCALE * top, SCALE * left
                large[y : y + part.shape[2], x : x + part.shape[3]] = to_images(part)[0]
                done += 1
                if progress is not None:
                    progress(done, total)
        return large

    def _run(self, model: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """The model on all rows of the inputs, in as many goes as the device's memory asks for."""
        done: list[Tensor] = []
        count, first = len(inputs[0]), 0
        while first < count:
            rows = slice(first, first + self.largest_batch)
            try:
                done.append(model(*(tensor[rows] for tensor in inputs)))
                first = rows.stop
                continue
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Behind the except: as long as there is an error, it holds the tensors of the batch that failed.
            self._take_less(min(count - first, self.largest_batch))
        return done[0] if len(done) == 1 else torch.cat(done)

    def _take_less(self, batch: int) -> None:
        """After a batch that was too large for the device. Raises OutOfMemory if it had one picture only."""
        held = [graphs.forget() for graphs in self._graphs]
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if any(held):  # with their memory it may do
            return
        if batch == 1:
            raise OutOfMemory(
                f"{self.choice.name} ran out of memory on a single picture. Free the device, or use --device cpu."
            )
        self.largest_batch = batch // 2


def network_of(model: nn.Module) -> nn.Module:
    """The network of fixed shape in a denoiser or segmenter."""
    return model.unet if isinstance(model, Denoiser) else model


def with_network(model: nn.Module, network: nn.Module) -> nn.Module:
    """The same denoiser or segmenter with another one in its place, of the same call."""
    if not isinstance(model, Denoiser):
        return network
    model.unet = network  # type: ignore[assignment]
    return model


def compiled(model: nn.Module, entry: Entry) -> nn.Module:
    """The network of a denoiser or segmenter, in float32, by OpenVINO."""
    from npe_core.models.openvino import Compiled

    side = cast(Denoiser | Segmenter, model).config.image_size
    example = [torch.zeros(1, 3, side, side)]
    if isinstance(model, Denoiser):
        example.append(torch.ones(1, dtype=torch.int64))
        if model.config.surroundings:
            example.append(torch.zeros(1, CHANNELS, side, side))
    return Compiled(network_of(model), tuple(example), entry.sha256)


def to_tensor(images: list[np.ndarray]) -> Tensor:
    """[(H, W, 3) uint8, ...] -> (B, 3, H, W) float32 in [-1, 1]."""
    return to_float(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))


def to_images(x: Tensor) -> np.ndarray:
    """(B, 3, H, W) in [-1, 1] (clipped) -> (B, H, W, 3) uint8."""
    return to_uint8(x).permute(0, 2, 3, 1).cpu().numpy()


def to_arrays(x: Tensor) -> list[np.ndarray]:
    """(B, C, H, W) -> B arrays (H, W, C) float32."""
    return list(np.ascontiguousarray(x.float().permute(0, 2, 3, 1).cpu().numpy()))


def resize(x: Tensor, size: int) -> Tensor:
    """(B, C, H, W) -> (B, C, size, size): bicubic, down area-like (cubic of a = -0.5), up plain (a = -0.75)."""
    if x.shape[-1] == size == x.shape[-2]:
        return x
    smaller = size < x.shape[-1]
    return F.interpolate(x, size=(size, size), mode="bicubic", antialias=smaller, align_corners=False)
