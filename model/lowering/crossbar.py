"""From GEMM jobs to layers of a crossbar core: tiles, their weights, words of the buffer and of the output stage."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import LayerCommand
from model.work.workload import Gemm, GemmJob, OutputStage


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLayer:
    """One GEMM with its weights in tiles of its own.

    Parameters
    ----------
    gemm : Gemm
        Shape of the whole layer: m input vectors of k values, n outputs each.
    commands : tuple of LayerCommand
        Batches of vectors, one after the other, each as large as the buffer holds.
    """

    gemm: Gemm
    commands: tuple[LayerCommand, ...]


def place(spec: CrossbarSpec, gemms: Sequence[Gemm]) -> list[PlacedLayer]:
    """Layers for `gemms`, `count` of each: weights stay put, so all of them must fit the tiles together.

    A layer takes tiles of one array; where those that are left do not hold it, it begins the next array.

    A batch lies in the buffer from word 0 on, its results behind it. Parameters of all layers follow one another.

    Raises
    ------
    InputError
        If there are too few tiles or parameter words, or the buffer does not hold one vector.
    """
    layers, tile, array, parameter = [], 0, 0, 0
    for gemm in itertools.chain.from_iterable([g] * g.count for g in gemms):
        row_tiles, column_tiles = ceil_div(gemm.k, spec.rows), ceil_div(gemm.n, spec.columns)
        if tile + row_tiles * column_tiles > spec.tiles:
            array, tile = array + (tile > 0), 0
        if array >= spec.arrays or row_tiles * column_tiles > spec.tiles:
            raise InputError(
                f"weights must fit the {spec.label}, each layer in one array of its tiles, and {gemm.name!r} needs "
                f"{row_tiles * column_tiles} tiles where {0 if array >= spec.arrays else spec.tiles} are left; choose "
                "a smaller workload or a chip with more tiles or arrays"
            )
        words, results = row_tiles * spec.load_beats, column_tiles * spec.drain_beats
        most = min(spec.buffer_words // (words + results), (1 << 16) - 1)
        if most < 1:
            raise InputError(
                f"a buffer of {spec.buffer_words} words must hold one vector of {gemm.name!r} and its results, "
                f"{words + results} words; give it more"
            )
        if parameter + results > spec.parameter_words:
            raise InputError(
                f"parameters of {gemm.name!r} must end within {spec.parameter_words} words, not at "
                f"{parameter + results}; give the core more"
            )
        commands = []
        for first in range(0, gemm.m, most):
            vectors = min(most, gemm.m - first)
            commands.append(
                LayerCommand(
                    vectors=vectors,
                    first_tile=tile,
                    row_tiles=row_tiles,
                    column_tiles=column_tiles,
                    input_stride=words,
                    output_address=vectors * words,
                    output_stride=results,
                    parameter_address=parameter,
                    array=array,
                )
            )
        layers.append(PlacedLayer(gemm=gemm, commands=tuple(commands)))
        tile, parameter = tile + row_tiles * column_tiles, parameter + results
    return layers


def tile_weights(spec: CrossbarSpec, weights: np.ndarray) -> list[np.ndarray]:
    """Weights (columns, rows at most) of each tile of a layer in the order of its tiles; `weights` is (k, n)."""
    matrix = weights.T.astype(np.int64)
    return [
        matrix[n : n + spec.columns, k : k + spec.rows]
        for k in range(0, matrix.shape[1], spec.rows)
        for n in range(0, matrix.shape[0], spec.columns)
    ]


def output_stage(spec: CrossbarSpec, job: GemmJob) -> OutputStage:
    """The job's output stage, whose bias takes back what offset inputs add: 2**(input_bits - 1) sum(w)."""
    if not spec.input_offset:
        return job.output
    surplus = job.weights.astype(np.int64).sum(axis=0) << (spec.input_bits - 1)
    return replace(job.output, bias=(job.output.bias.astype(np.int64) - surplus).astype(np.int32))


def tile_inputs(spec: CrossbarSpec, inputs: np.ndarray) -> np.ndarray:
    """Vectors (B, row_tiles * rows) of `inputs` (B, K), filled up with zeros."""
    padded = ceil_div(inputs.shape[1], spec.rows) * spec.rows
    whole = np.zeros((len(inputs), padded), np.int64)
    whole[:, : inputs.shape[1]] = inputs
    return whole


def input_words(spec: CrossbarSpec, inputs: np.ndarray) -> list[int]:
    """Words of the buffer for `inputs` (B, K): per vector and row of tiles load_beats words of `lanes` bytes."""
    whole = tile_inputs(spec, inputs).reshape(len(inputs), -1, spec.rows)
    lanes = np.zeros((*whole.shape[:2], spec.load_beats * spec.lanes), np.uint8)
    lanes[:, :, : spec.rows] = (whole & 255).astype(np.uint8)
    return [int.from_bytes(word.tobytes(), "little") for word in lanes.reshape(-1, spec.lanes)]


def cell_words(spec: CrossbarSpec, levels: np.ndarray) -> list[int]:
    """Words of a digital array's memory, one per conversion step, for `levels` (rows, cell columns)."""
    pairs, bits = spec.cells_per_column, spec.cell_bits
    places = np.zeros((spec.steps, spec.converters * pairs, spec.rows, bits), np.uint8)
    for column in range(spec.physical_columns):
        converter, step = divmod(column, spec.columns_per_adc)
        for pair in range(pairs):
            cells = levels[:, column * pairs + pair]
            places[step, converter * pairs + pair] = cells[:, None] >> np.arange(bits) & 1
    packed = np.packbits(places.reshape(spec.steps, -1), axis=1, bitorder="little")
    return [int.from_bytes(word.tobytes(), "little") for word in packed]


def output_matrix(spec: CrossbarSpec, words: Sequence[int], vectors: int, outputs: int) -> np.ndarray:
    """INT8 (vectors, outputs) of a layer's result words."""
    raw = np.frombuffer(b"".join(word.to_bytes(spec.lanes, "little") for word in words), np.int8)
    lanes = raw.reshape(vectors, -1, spec.drain_beats * spec.lanes)[:, :, : spec.columns]
    return lanes.reshape(vectors, -1)[:, :outputs].copy()


def parameter_fields(spec: CrossbarSpec, stage: OutputStage, lanes: int) -> list[dict[str, Any]]:
    """Parameter words of a layer in the order of its results, as fields of the output stage of `lanes` lanes."""
    outputs, words = len(stage.bias), []
    for n in range(0, outputs, spec.columns):
        for first in range(0, spec.columns, spec.lanes):
            fields = []
            for lane in range(lanes):
                i = n + first + lane
                used = first + lane < spec.columns and lane < spec.lanes and i < outputs
                fields.append(
                    {"bias": int(stage.bias[i]), "multiplier": int(stage.multiplier[i]), "shift": int(stage.shift[i])}
                    if used
                    else {}
                )
            common = {"zero_point": stage.zero_point, "low": stage.low, "high": stage.high}
            words.append({"lanes": fields, **common})
    return words
