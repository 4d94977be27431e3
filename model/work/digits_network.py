"""The convolutional digits network as one program of a 16-column core: convolutions, sum, pooling, dense layer."""

from pathlib import Path

import numpy as np

from hw.base.error import InputError
from hw.spec.command import (
    OPCODE_CONV,
    Command,
    Copy,
    Geometry,
    activation_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from model.functional.npu import beats_of
from model.lowering import lower
from model.lowering.program import Program
from model.network.quantised import read
from model.work.workload import PlacedProgram

PARAMETERS = Path(__file__).parent.parent / "workloads" / "digits_cnn.npz"
SIDE = 8
CHANNELS = 16


def build(core: CoreSpec, images: int, batch: int = 60) -> PlacedProgram:
    """The first `images` test images, `batch` at a time; weights and parameters stay in their memories.

    The outputs are one word per image, its ten figures in the low lanes.

    Raises
    ------
    InputError
        If the core is not 16 x 16 INT8 with convolution and copy channels, or `images` is not a multiple of `batch`.
    """
    array = core.array
    if core.dma is None or not core.convolution or (array.rows, array.columns) != (CHANNELS, CHANNELS):
        raise InputError("the digits network needs a 16 x 16 core with convolution and copy channels; take npu_16_cnn")
    if images % batch:
        raise InputError(f"images must be a multiple of {batch}, not {images}")
    network = read(PARAMETERS)
    beat = 0
    external: list[tuple[int, np.ndarray]] = []
    program: Program = []
    weights, parameters = [0], []

    def outside(beats: np.ndarray) -> int:
        nonlocal beat
        external.append((beat, beats))
        beat += len(beats)
        return external[-1][0]

    for number, layer in enumerate(network.layers):
        matrix = _sixteen(layer.weights) if number == 0 else layer.weights
        words = lower.integers(lower.weight_words(core, matrix))
        program.append(
            Copy(
                target="external_to_weight",
                words=len(words),
                address=weights[-1],
                other_address=outside(beats_of(core, words, weight_word_bits(core))),
            )
        )
        weights.append(weights[-1] + len(words))
        stage = lower.parameter_words(core, layer.output)
        program.append(
            Copy(
                target="external_to_parameter",
                words=1,
                address=number,
                other_address=outside(beats_of(core, stage, parameter_word_bits(core))),
            )
        )
        parameters.append(number)
    pixels = outside(beats_of(core, _pixels(images), activation_word_bits(core)))
    output = beat
    if output + images > core.dma.external_beats:
        raise InputError(
            f"{images} images need {output + images} beats outside, the core has {core.dma.external_beats}; take fewer"
        )

    plane, small = batch * SIDE * SIDE, batch * SIDE * SIDE // 4
    same = Geometry(
        images=batch,
        height=SIDE,
        width=SIDE,
        out_height=SIDE,
        out_width=SIDE,
        kernel_height=3,
        kernel_width=3,
        pad_top=1,
        pad_left=1,
    )
    pool = Geometry(
        images=batch, height=SIDE, width=SIDE, out_height=4, out_width=4, kernel_height=2, kernel_width=2, stride=2
    )
    third = Geometry(
        images=batch,
        height=4,
        width=4,
        out_height=4,
        out_width=4,
        kernel_height=3,
        kernel_width=3,
        pad_top=1,
        pad_left=1,
    )
    dense = Geometry(images=batch, height=4, width=4, out_height=1, out_width=1, kernel_height=4, kernel_width=4)

    def compute(number: int, m: int, source: int, target: int, *, opcode: int = OPCODE_CONV, k: int = 1) -> Command:
        return Command(
            opcode=opcode,
            m=m,
            n_blocks=1,
            k_blocks=k,
            activation_address=source,
            weight_address=weights[number],
            parameter_address=parameters[number],
            output_address=target,
        )

    def back(words: int, source: int, target: int, kind: str = "output_to_activation") -> Copy:
        return Copy(target=kind, words=words, address=source, other_address=target)

    for start in range(0, images, batch):
        program += [
            Copy(target="external_to_activation", words=plane, other_address=pixels + start * SIDE * SIDE),
            same,
            compute(0, plane, 0, 0),
            back(plane, 0, plane),
            compute(1, plane, plane, plane),
            back(plane, plane, 2 * plane),
            compute(2, plane, plane, 2 * plane, opcode=1, k=2),
            pool,
            back(small, 2 * plane, 0, "output_to_activation_max"),
            third,
            compute(3, small, 0, 0),
            back(small, 0, small),
            dense,
            compute(4, batch, small, small),
            Copy(target="output_to_external", words=batch, address=small, other_address=output + start),
        ]
    return PlacedProgram(program=program, external=external, output=output, words=images)


def _sixteen(weights: np.ndarray) -> np.ndarray:
    """Weights (taps, n) of one input channel with 15 channels of zeros: (taps * 16, n)."""
    padded = np.zeros((len(weights), CHANNELS, weights.shape[1]), np.int8)
    padded[:, 0] = weights
    return padded.reshape(-1, weights.shape[1])


def _pixels(images: int) -> list[int]:
    """One word per pixel, the pixel in lane 0."""
    from model.train.digits import data
    from model.train.digits_cnn import pixels

    return [int(value) for value in pixels(data()[2][:images]).ravel()]
