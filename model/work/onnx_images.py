"""An ONNX network with convolutions on the images of a .npy file, quantised to INT8: one program for the core's RTL.

Quantised as `model.work.onnx_run` does, except that an activation in front of a convolution that pads has zero point 0:
what lies outside an image is zero for the core. Layers follow one another inside the core. A fully connected layer is a
convolution whose kernel is the whole image; max pooling happens where results go back to the activations.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import Geometry
from hw.spec.core import CoreSpec
from model.functional.npu import windows
from model.network.quantised import Scale
from model.reference.npu import gemm
from model.work.onnx_chain import declared, layers
from model.work.onnx_layer import Convolution, Dense, Layer, Pooling, Window
from model.work.onnx_program import Builder, Stage, geometry_of, words_of
from model.work.onnx_run import OnnxRun, limited, quantise, read_input
from model.work.workload import Gemm, GemmJob, PlacedProgram, Workload

USUAL_LANES = 16
"""Channels of a word where no core is known; only the order of words depends on it."""


@dataclass(frozen=True, kw_only=True)
class OnnxImages(OnnxRun):
    """The network in `path` on the images in `input`, a .npy of floats (images, channels, height, width)."""

    @cached_property
    def images(self) -> np.ndarray:
        """The input as it is in the file."""
        return read_input(self.input)

    @cached_property
    def chain(self) -> tuple[Layer, ...]:
        """The layers in floating point."""
        return layers(self.path, self.images.shape[1:])

    @cached_property
    def floating(self) -> tuple[tuple[np.ndarray, Convolution, Scale, Scale], ...]:
        """Of each layer that is not pooling: the images that enter, itself, the scales of what enters and leaves."""
        values, found = self.images, []
        source = _scale(values, self.chain)
        for number, layer in enumerate(self.chain):
            if isinstance(layer, Pooling):
                values = _pooled(values, layer.window, -np.inf)
                continue
            shape = (values.shape[1], values.shape[2], values.shape[3])
            conv = layer if isinstance(layer, Convolution) else _whole(layer, shape)
            entered, values = values, _convolved(values, conv)
            target = _scale(values, self.chain[number + 1 :])
            found.append((entered, conv, source, target))
            source = target
        return tuple(found)

    @property
    def wanted(self) -> np.ndarray:
        """The result in floating point, (images, channels, height, width)."""
        entered, last, _, _ = self.floating[-1]
        return _convolved(entered, last)

    def stages(self, lanes: int) -> tuple[Stage, ...]:
        """The stages as integers for a core of `lanes` rows and columns."""
        made, found = list[Stage](), iter(self.floating)
        for layer in self.chain:
            if isinstance(layer, Pooling):
                made[-1] = replace(made[-1], pooling=layer.window)
                continue
            entered, conv, source, target = next(found)
            quantised = quantise(conv, _rows(conv.weights, lanes), source, target, self.path.name)
            shape = (entered.shape[1], entered.shape[2], entered.shape[3])
            made.append(
                Stage(name=conv.name, lanes=lanes, layer=quantised, window=conv.window, pooling=None, shape=shape)
            )
        return tuple(made)

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer as implicit im2col makes it: output pixels x channels out x taps x channels in."""
        return [
            Gemm(
                name=stage.name,
                m=len(self.images) * stage.window.out[0] * stage.window.out[1],
                n=stage.layer.weights.shape[1],
                k=stage.window.kernel[0] * stage.window.kernel[1] * stage.shape[0],
            )
            for stage in self.stages(USUAL_LANES)
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """None: windows and pooling lie between the layers."""
        raise InputError(
            f"a network with convolutions must run as one program, {self.path.name} has some; choose a chip with "
            "convolution, npu_16_cnn"
        )

    def _codes(self) -> np.ndarray:
        """The input as INT8 (images, channels, height, width)."""
        first = self.floating[0][2]
        return np.clip(np.rint(self.images / first.step) + first.zero_point, -128, 127).astype(np.int8)

    def expected(self, core: CoreSpec) -> np.ndarray:
        """The output words (words, lanes) of `core` by the integer reference, which knows no program."""
        values, stages, lanes = self._codes(), self.stages(core.array.rows), core.array.rows
        for stage in stages:
            taps = _taps(_in_blocks(values, lanes), stage.window, 0, lanes)
            sums = gemm(taps.reshape(-1, taps.shape[-1]), stage.layer.weights, stage.layer.output)
            values = sums.reshape(len(values), *stage.window.out, -1).transpose(0, 3, 1, 2)
            if stage.pooling is not None:
                values = _pooled(values, stage.pooling, -128)
        stage = stages[-1].layer.output
        idle = np.clip(stage.zero_point, stage.low, stage.high)
        return words_of(values, int(idle), lanes)

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """How near INT8 is to floating point: the largest error over the output's range, and equal largest outputs."""
        last, wanted = self.floating[-1][3], self.wanted
        images, channels, height, width = wanted.shape
        lanes = outputs[-1].shape[-1]
        blocks = ceil_div(channels, lanes)
        codes = np.asarray(outputs[-1], np.float64).reshape(blocks, images, height, width, lanes)
        codes = codes.transpose(1, 0, 4, 2, 3).reshape(images, blocks * lanes, height, width)[:, :channels]
        found = ((codes - last.zero_point) * last.step).reshape(images, -1)
        wanted = wanted.reshape(images, -1)
        span = float(wanted.max() - wanted.min()) or 1.0
        return {
            "samples": images,
            "same_largest_output": int((found.argmax(axis=1) == wanted.argmax(axis=1)).sum()),
            "largest_error_of_range": float(f"{np.abs(found - wanted).max() / span:.6g}"),
        }

    def program(self, core: CoreSpec) -> PlacedProgram:
        """The program for `core`: weights once, then as many images at a time as its memories hold.

        Raises
        ------
        InputError
            If the core is not a square one of INT8 with convolution and copy channels, or something does not fit it.
        """
        array = core.array
        if (
            core.dma is None
            or not core.convolution
            or array.rows != array.columns
            or (array.activation_format, array.weight_format) != ("int8", "int8")
            or core.rounding_mode != "exact_rne"
        ):
            raise InputError(
                f"{self.path.name} must run on an INT8 core with as many rows as columns, with convolution and copy "
                "channels, that rounds to even; take npu_16_cnn"
            )
        return Builder(core, self.path.name, self.stages(array.rows)).build(self._codes())


def _scale(values: np.ndarray, after: tuple[Layer, ...]) -> Scale:
    """The scale of activations with these values, in front of the layers `after`."""
    following = next((layer for layer in after if not isinstance(layer, Pooling)), None)
    if isinstance(following, Convolution) and following.padded:
        return Scale(step=float(np.abs(values).max()) / 127 or 1.0, zero_point=0)
    return Scale.covering(float(values.min()), float(values.max()))


def _whole(layer: Dense, shape: tuple[int, int, int]) -> Convolution:
    """A fully connected layer as a convolution with the whole image as its kernel."""
    weights = layer.weights.T.reshape(-1, *shape)
    window = Window(kernel=(shape[1], shape[2]), out=(1, 1))
    return Convolution(
        name=layer.name, weights=weights, bias=layer.bias, window=window, padded=False, relu=layer.relu, most=layer.most
    )


def _rows(weights: np.ndarray, lanes: int) -> np.ndarray:
    """Weights (n, channels, height, width) as (channel blocks x taps x lanes, n), the rows of the core's words."""
    n, channels, height, width = weights.shape
    blocks = ceil_div(channels, lanes)
    padded = np.zeros((n, blocks * lanes, height, width))
    padded[:, :channels] = weights
    return padded.reshape(n, blocks, lanes, height, width).transpose(1, 3, 4, 2, 0).reshape(-1, n)


def _in_blocks(values: np.ndarray, lanes: int) -> np.ndarray:
    """Images (images, channels, height, width) as (images, height, width, channels up to whole blocks)."""
    channels = values.shape[1]
    padded = np.pad(values, ((0, 0), (0, -channels % lanes), (0, 0), (0, 0)))
    return padded.transpose(0, 2, 3, 1)


def _taps(values: np.ndarray, window: Window, fill: int, lanes: int) -> np.ndarray:
    """(images, height, width, channel blocks x taps x lanes) that a kernel sees of (images, height, width,
    channels)."""
    images, _, _, channels = values.shape
    taps = windows(values, _plain(values, window), fill=fill)
    taps = taps.reshape(len(taps), images, *window.out, channels // lanes, lanes)
    return taps.transpose(1, 2, 3, 4, 0, 5).reshape(images, *window.out, -1)


def _plain(values: np.ndarray, window: Window) -> Geometry:
    return geometry_of("", "", window, len(values), (values.shape[1], values.shape[2]), 1)


def _convolved(values: np.ndarray, layer: Convolution) -> np.ndarray:
    """A convolution in floating point, (images, n, height, width)."""
    taps = _taps(_in_blocks(values, USUAL_LANES), layer.window, 0, USUAL_LANES)
    return limited(taps @ _rows(layer.weights, USUAL_LANES) + layer.bias, layer).transpose(0, 3, 1, 2)


def _pooled(values: np.ndarray, window: Window, fill: float) -> np.ndarray:
    """The largest of each window of (images, channels, height, width)."""
    planes = values.transpose(0, 2, 3, 1)
    return windows(planes, _plain(planes, window), fill=fill).max(axis=0).transpose(0, 3, 1, 2)  # type: ignore[arg-type]


def run_of(path: Path, given: Path) -> Workload:
    """The network in `path` on the samples in `given`: jobs if all its layers are fully connected, else one program.

    Raises
    ------
    InputError
        If the input is none, or a layer is one that the RTL lacks.
    """
    shape = read_input(given).shape[1:]
    wanted, name = declared(path)
    if wanted is not None and (
        len(shape) != len(wanted) or any(want not in (0, size) for want, size in zip(wanted, shape, strict=True))
    ):
        listed = ", ".join(str(size or "any") for size in wanted)
        raise InputError(
            f"the input {given} must have samples of [{listed}] as input {name!r} of {path.name} declares, not of "
            f"{list(shape)}, one sample behind the other along its first axis; reshape it, or export the network for it"
        )
    if len(shape) == 3 and any(isinstance(layer, Convolution | Pooling) for layer in layers(path, shape)):
        return OnnxImages(path=path, input=given)
    return OnnxRun(path=path, input=given)
