"""An ONNX network with convolutions on the images of a .npy file, quantised to INT8: one program for the core's RTL.

Quantised as `model.work.onnx_run` does, except that an activation in front of a convolution that pads has zero point 0:
what lies outside an image is zero for the core. Layers follow one another inside the core. A fully connected layer is a
convolution whose kernel is the whole image; max pooling happens where results go back to the activations.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import (
    CONFIG_FIELDS,
    OPCODE_CONV,
    Command,
    Copy,
    Geometry,
    activation_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from model.functional.npu import beats_of, windows
from model.lowering import lower
from model.lowering.program import Program
from model.network.quantised import QuantisedLayer, Scale, quantise_layer
from model.reference.npu import gemm
from model.work.onnx_chain import Convolution, Dense, Layer, Pooling, Window, layers
from model.work.onnx_run import OnnxRun, read_input
from model.work.workload import Gemm, GemmJob, PlacedProgram

LANES = 16
"""Channels of a word; rows and columns of the core that runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One convolution of the program, with the pooling behind it.

    Parameters
    ----------
    name : str
        Of the layer in the file.
    layer : QuantisedLayer
        Weights (channel blocks x taps x `LANES`, n), rows in the order of the core's words.
    window : Window
        Of the kernel.
    pooling : Window or None
        Of the maxima taken of its results.
    shape : (int, int, int)
        Channels, height and width that enter.
    """

    name: str
    layer: QuantisedLayer
    window: Window
    pooling: Window | None
    shape: tuple[int, int, int]

    @property
    def blocks(self) -> tuple[int, int]:
        """Blocks of channels that enter and leave."""
        return ceil_div(self.shape[0], LANES), ceil_div(self.layer.weights.shape[1], LANES)

    @property
    def words(self) -> tuple[int, int, int]:
        """Words of one image that enter, that are computed, and that go on behind the pooling."""
        first, last = self.blocks
        out = self.window.out
        left = out if self.pooling is None else self.pooling.out
        return (
            first * self.shape[1] * self.shape[2],
            last * out[0] * out[1],
            last * left[0] * left[1],
        )


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
        return _words(values, int(idle))

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
        return _Builder(core, self.path.name, self.staged[0]).build(self._codes())


class _Builder:
    """The program as it grows, with its external memory."""

    def __init__(self, core: CoreSpec, name: str, stages: tuple[Stage, ...]) -> None:
        self.core, self.name, self.stages = core, name, stages
        self.beat, self.external, self.program = 0, list[tuple[int, np.ndarray]](), Program()

    def build(self, codes: np.ndarray) -> PlacedProgram:
        """Everything for the images `codes` (images, channels, height, width)."""
        batch = min(self._batch(), len(codes))
        weights = self._parameters()
        images = len(codes)
        parts = [codes[start : start + batch] for start in range(0, images, batch)]
        inside = [self._outside([int.from_bytes(word.tobytes(), "little") for word in _words(part, 0)],
                                activation_word_bits(self.core)) for part in parts]  # fmt: skip
        last = self.stages[-1].words[2]
        assert self.core.dma is not None
        if self.beat + images * last > self.core.dma.external_beats:
            raise InputError(
                f"{images} images of {self.name} need {self.beat + images * last} beats outside, the core has "
                f"{self.core.dma.external_beats}; take fewer"
            )
        output, blocks = self.beat, self.stages[-1].blocks[1]
        plane = last // blocks  # of one image and block of channels
        for number, part in enumerate(parts):
            self._images(len(part), inside[number], weights)
            for block in range(blocks):
                self.program.append(
                    Copy(
                        target="output_to_external",
                        words=len(part) * plane,
                        address=block * len(part) * plane,
                        other_address=output + block * images * plane + number * batch * plane,
                    )
                )
        return PlacedProgram(program=self.program, external=self.external, output=output, words=images * last)

    def _batch(self) -> int:
        """Images that fit at a time."""
        most = min(
            [self.core.activation_words // (entering + left) for entering, _, left in (s.words for s in self.stages)]
            + [self.core.output_words // computed for _, computed, _ in (s.words for s in self.stages)]
            + [(1 << CONFIG_FIELDS["images"]) - 1]
        )
        if most < 1:
            raise InputError(
                f"an image of {self.name} must fit the core between two layers, {self.core.activation_words} words of "
                f"activations and {self.core.output_words} of results; take smaller images or larger memories"
            )
        return most

    def _outside(self, words: list[int], bits: int) -> int:
        beats = beats_of(self.core, words, bits)
        self.external.append((self.beat, beats))
        self.beat += len(beats)
        return self.external[-1][0]

    def _parameters(self) -> list[tuple[int, int]]:
        """Copies of all weights and parameters; the first word of each stage in their memories."""
        places, here, block = [], 0, 0
        for stage in self.stages:
            words = lower.integers(lower.weight_words(self.core, stage.layer.weights))
            common = lower.parameter_words(self.core, stage.layer.output)
            if here + len(words) > self.core.weight_words or block + len(common) > self.core.parameter_words:
                raise InputError(
                    f"all weights of {self.name} must fit the core, {self.core.weight_words} words of weights and "
                    f"{self.core.parameter_words} of parameters; layer {stage.name!r} is the first that does not"
                )
            for target, values, address, bits in (
                ("external_to_weight", words, here, weight_word_bits(self.core)),
                ("external_to_parameter", common, block, parameter_word_bits(self.core)),
            ):
                first = self._outside(values, bits)
                self.program.append(Copy(target=target, words=len(values), address=address, other_address=first))
            places.append((here, block))
            here, block = here + len(words), block + len(common)
        return places

    def _images(self, images: int, outside: int, places: list[tuple[int, int]]) -> None:
        """One batch through all layers; activations lie in turn at the start and at the end of their memory."""
        at = 0
        first = self.stages[0].words[0] * images
        self.program.append(Copy(target="external_to_activation", words=first, address=at, other_address=outside))
        for number, stage in enumerate(self.stages):
            inside, outputs = stage.blocks
            geometry = _geometry(self.name, stage.name, stage.window, images, stage.shape[1:], outputs)
            self.program.append(geometry)
            self.program.append(
                Command(
                    opcode=OPCODE_CONV,
                    m=geometry.pixels,
                    n_blocks=outputs,
                    k_blocks=inside,
                    activation_address=at,
                    weight_address=places[number][0],
                    parameter_address=places[number][1],
                )
            )
            last, left = number == len(self.stages) - 1, stage.words[2] * images
            if last and stage.pooling is None:
                return
            at = 0 if at else self.core.activation_words - left
            if stage.pooling is None:
                self.program.append(Copy(target="output_to_activation", words=left, other_address=at))
                continue
            if last:
                raise InputError(
                    f"{self.name} must end with a layer behind its pooling; the core takes maxima on the way back to "
                    "the activations, not on the way out"
                )
            self.program.append(
                replace(_geometry(self.name, stage.name, stage.pooling, images, stage.window.out, 1), groups=outputs)
            )
            self.program.append(Copy(target="output_to_activation_max", words=left, other_address=at))


def _geometry(network: str, name: str, window: Window, images: int, size: tuple[int, int], blocks: int) -> Geometry:
    """The CONFIG of a window; `InputError` if its fields are too narrow."""
    made = Geometry(
        images=images,
        height=size[0],
        width=size[1],
        out_height=window.out[0],
        out_width=window.out[1],
        kernel_height=window.kernel[0],
        kernel_width=window.kernel[1],
        stride=window.stride,
        dilation=window.dilation,
        pad_top=window.pads[0],
        pad_left=window.pads[1],
        group_blocks=blocks,
    )
    for field, bits in CONFIG_FIELDS.items():
        if field != "opcode" and getattr(made, field) >= 1 << bits:
            raise InputError(
                f"{field} of layer {name!r} of {network} must be below {1 << bits} for the core, not "
                f"{getattr(made, field)}; take smaller images or pool before it"
            )
    return made


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
    return _geometry("", "", window, len(values), (values.shape[1], values.shape[2]), 1)


def _words(values: np.ndarray, idle: int) -> np.ndarray:
    """Images (images, channels, height, width) as words (words, `LANES`): [channel block][image][row][pixel]."""
    images, channels, height, width = values.shape
    blocks = ceil_div(channels, LANES)
    padded = np.full((images, blocks * LANES, height, width), idle, np.int8)
    padded[:, :channels] = values
    return np.ascontiguousarray(
        padded.reshape(images, blocks, LANES, height, width).transpose(1, 0, 3, 4, 2).reshape(-1, LANES)
    )


def _convolved(values: np.ndarray, layer: Convolution) -> np.ndarray:
    """A convolution in floating point, (images, n, height, width)."""
    taps = _taps(_in_blocks(values), layer.window, 0)
    found = taps @ _rows(layer.weights) + layer.bias
    return (np.maximum(found, 0) if layer.relu else found).transpose(0, 3, 1, 2)


def _pooled(values: np.ndarray, window: Window, fill: float) -> np.ndarray:
    """The largest of each window of (images, channels, height, width)."""
    planes = values.transpose(0, 2, 3, 1)
    return windows(planes, _plain(planes, window), fill=fill).max(axis=0).transpose(0, 3, 1, 2)  # type: ignore[arg-type]
