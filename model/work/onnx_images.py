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
from model.network.quantised import Scale, quantise_layer
from model.reference.npu import gemm
from model.work.onnx_chain import Convolution, Dense, Layer, Pooling, Window, layers
from model.work.onnx_program import LANES, Builder, Stage, geometry_of, words_of
from model.work.onnx_run import OnnxRun, read_input
from model.work.workload import Gemm, GemmJob, PlacedProgram, Workload


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
    def staged(self) -> tuple[tuple[Stage, ...], Scale, Scale, np.ndarray]:
        """The stages as integers, the scales of input and output, and the result in floating point, (images, channels,
        height, width)."""
        values = self.images
        first = source = _scale(values, self.chain)
        made: list[Stage] = []
        for number, layer in enumerate(self.chain):
            if isinstance(layer, Pooling):
                values = _pooled(values, layer.window, -np.inf)
                made[-1] = replace(made[-1], pooling=layer.window)
                continue
            shape = (values.shape[1], values.shape[2], values.shape[3])
            conv = layer if isinstance(layer, Convolution) else _whole(layer, shape)
            values = _convolved(values, conv)
            target = _scale(values, self.chain[number + 1 :])
            try:
                quantised = quantise_layer(_rows(conv.weights), conv.bias, source, target, relu=conv.relu)
            except InputError as error:
                raise InputError(f"layer {layer.name!r} of {self.path.name}: {error}") from None
            made.append(Stage(name=layer.name, layer=quantised, window=conv.window, pooling=None, shape=shape))
            source = target
        return tuple(made), first, source, values

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer as implicit im2col makes it: output pixels x channels out x taps x channels in."""
        return [
            Gemm(
                name=stage.name,
                m=len(self.images) * stage.window.out[0] * stage.window.out[1],
                n=stage.layer.weights.shape[1],
                k=stage.window.kernel[0] * stage.window.kernel[1] * stage.shape[0],
            )
            for stage in self.staged[0]
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """None: windows and pooling lie between the layers."""
        raise InputError(
            f"a network with convolutions must run as one program, {self.path.name} has some; choose a chip with "
            "convolution, npu_16_cnn"
        )

    def _codes(self) -> np.ndarray:
        """The input as INT8 (images, channels, height, width)."""
        first = self.staged[1]
        return np.clip(np.rint(self.images / first.step) + first.zero_point, -128, 127).astype(np.int8)

    def expected(self) -> np.ndarray:
        """The output words (words, `LANES`) by the integer reference, which knows no program."""
        values = self._codes()
        for stage in self.staged[0]:
            taps = _taps(_in_blocks(values), stage.window, 0)
            sums = gemm(taps.reshape(-1, taps.shape[-1]), stage.layer.weights, stage.layer.output)
            values = sums.reshape(len(values), *stage.window.out, -1).transpose(0, 3, 1, 2)
            if stage.pooling is not None:
                values = _pooled(values, stage.pooling, -128)
        stage = self.staged[0][-1].layer.output
        idle = np.clip(stage.zero_point, stage.low, stage.high)
        return words_of(values, int(idle))

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """How near INT8 is to floating point: the largest error over the output's range, and equal largest outputs."""
        _, _, last, wanted = self.staged
        images, channels, height, width = wanted.shape
        blocks = ceil_div(channels, LANES)
        codes = np.asarray(outputs[-1], np.float64).reshape(blocks, images, height, width, LANES)
        codes = codes.transpose(1, 0, 4, 2, 3).reshape(images, blocks * LANES, height, width)[:, :channels]
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
            If the core is not 16 x 16 INT8 with convolution and copy channels, or something does not fit it.
        """
        array = core.array
        if (
            core.dma is None
            or not core.convolution
            or (array.rows, array.columns, array.activation_format, array.weight_format)
            != (LANES, LANES, "int8", "int8")
            or core.rounding_mode != "exact_rne"
        ):
            raise InputError(
                f"{self.path.name} must run on a {LANES} x {LANES} INT8 core with convolution and copy channels that "
                "rounds to even; take npu_16_cnn"
            )
        return Builder(core, self.path.name, self.staged[0]).build(self._codes())


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
    return Convolution(name=layer.name, weights=weights, bias=layer.bias, window=window, padded=False, relu=layer.relu)


def _rows(weights: np.ndarray) -> np.ndarray:
    """Weights (n, channels, height, width) as (channel blocks x taps x `LANES`, n), the rows of the core's words."""
    n, channels, height, width = weights.shape
    blocks = ceil_div(channels, LANES)
    padded = np.zeros((n, blocks * LANES, height, width))
    padded[:, :channels] = weights
    return padded.reshape(n, blocks, LANES, height, width).transpose(1, 3, 4, 2, 0).reshape(-1, n)


def _in_blocks(values: np.ndarray) -> np.ndarray:
    """Images (images, channels, height, width) as (images, height, width, channels up to whole blocks)."""
    channels = values.shape[1]
    padded = np.pad(values, ((0, 0), (0, -channels % LANES), (0, 0), (0, 0)))
    return padded.transpose(0, 2, 3, 1)


def _taps(values: np.ndarray, window: Window, fill: int) -> np.ndarray:
    """(images, height, width, channel blocks x taps x `LANES`) that a kernel sees of (images, height, width,
    channels)."""
    images, _, _, channels = values.shape
    taps = windows(values, _plain(values, window), fill=fill)
    taps = taps.reshape(len(taps), images, *window.out, channels // LANES, LANES)
    return taps.transpose(1, 2, 3, 4, 0, 5).reshape(images, *window.out, -1)


def _plain(values: np.ndarray, window: Window) -> Geometry:
    return geometry_of("", "", window, len(values), (values.shape[1], values.shape[2]), 1)


def _convolved(values: np.ndarray, layer: Convolution) -> np.ndarray:
    """A convolution in floating point, (images, n, height, width)."""
    taps = _taps(_in_blocks(values), layer.window, 0)
    found = taps @ _rows(layer.weights) + layer.bias
    return (np.maximum(found, 0) if layer.relu else found).transpose(0, 3, 1, 2)


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
    if len(shape) == 3 and any(isinstance(layer, Convolution | Pooling) for layer in layers(path, shape)):
        return OnnxImages(path=path, input=given)
    return OnnxRun(path=path, input=given)
