"""A chain of convolutions as one program of a core: weights once, then batches of images through all layers."""

from dataclasses import dataclass, replace

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
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from model.functional.npu import beats_of
from model.lowering import lower
from model.lowering.program import Program
from model.network.quantised import QuantisedLayer
from model.work.onnx_layer import Window
from model.work.workload import PlacedProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One convolution of the program, with the pooling behind it.

    Parameters
    ----------
    name : str
        Of the layer in the file.
    lanes : int
        Channels of a word: rows and columns of the core that runs it.
    layer : QuantisedLayer
        Weights (channel blocks x taps x lanes, n), rows in the order of the core's words.
    window : Window
        Of the kernel.
    pooling : Window or None
        Of the maxima taken of its results.
    shape : (int, int, int)
        Channels, height and width that enter.
    """

    name: str
    lanes: int
    layer: QuantisedLayer
    window: Window
    pooling: Window | None
    shape: tuple[int, int, int]

    @property
    def blocks(self) -> tuple[int, int]:
        """Blocks of channels that enter and leave."""
        return ceil_div(self.shape[0], self.lanes), ceil_div(self.layer.weights.shape[1], self.lanes)

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


class Builder:
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
        packed = [words_of(part, 0, self.core.array.rows) for part in parts]
        inside = [
            self._outside([int.from_bytes(word.tobytes(), "little") for word in words], activation_word_bits(self.core))
            for words in packed
        ]
        last = self.stages[-1].words[2]
        assert self.core.dma is not None
        beats = self.core.dma.beats(output_word_bits(self.core))
        if (needed := self.beat + images * last * beats) > self.core.dma.external_beats:
            raise InputError(
                f"{images} images of {self.name} need {needed} beats outside, the core has "
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
                        other_address=output + (block * images * plane + number * batch * plane) * beats,
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
            geometry = geometry_of(self.name, stage.name, stage.window, images, stage.shape[1:], outputs)
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
            left = stage.words[2] * images
            if number == len(self.stages) - 1:
                assert stage.pooling is None, "a chain ends with a layer behind its pooling"
                return
            at = 0 if at else self.core.activation_words - left
            if stage.pooling is None:
                self.program.append(Copy(target="output_to_activation", words=left, other_address=at))
                continue
            self.program.append(
                replace(geometry_of(self.name, stage.name, stage.pooling, images, stage.window.out, 1), groups=outputs)
            )
            self.program.append(Copy(target="output_to_activation_max", words=left, other_address=at))


def geometry_of(network: str, name: str, window: Window, images: int, size: tuple[int, int], blocks: int) -> Geometry:
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


def words_of(values: np.ndarray, idle: int, lanes: int) -> np.ndarray:
    """Images (images, channels, height, width) as words (words, lanes): [channel block][image][row][pixel]."""
    images, channels, height, width = values.shape
    blocks = ceil_div(channels, lanes)
    padded = np.full((images, blocks * lanes, height, width), idle, np.int8)
    padded[:, :channels] = values
    return np.ascontiguousarray(
        padded.reshape(images, blocks, lanes, height, width).transpose(1, 0, 3, 4, 2).reshape(-1, lanes)
    )
