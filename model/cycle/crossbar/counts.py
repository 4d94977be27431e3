"""Events of a layer on a crossbar core: those that shapes decide, and those that inputs decide."""

import numpy as np

from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import OPCODE_LAYER, REFUSALS, LayerCommand
from model.count import Counts


def refusal(spec: CrossbarSpec, command: LayerCommand) -> int:
    """The code a core of `spec` refuses `command` with, 0 if it runs it."""
    tiles, steps = command.row_tiles * command.column_tiles, command.vectors - 1
    inputs = command.input_address + steps * command.input_stride + command.row_tiles * spec.load_beats
    words = command.column_tiles * spec.drain_beats
    outputs = command.output_address + steps * command.output_stride + words
    checks = {
        "opcode": command.opcode != OPCODE_LAYER,
        "size": 0 in (command.vectors, command.row_tiles, command.column_tiles),
        "tiles": command.first_tile + tiles > spec.tiles,
        "input": not command.from_stream and inputs > spec.buffer_words,
        "output": not command.to_stream and (outputs > spec.buffer_words or command.sums),
        "parameter": not command.sums and command.parameter_address + words > spec.parameter_words,
        "array": command.array >= spec.arrays,
    }
    return next((REFUSALS[name] for name, broken in checks.items() if broken), 0)


def layer_counts(spec: CrossbarSpec, command: LayerCommand) -> Counts:
    """Events of one command that runs, by its shape alone (`VALUE_EVENTS` are not among them).

    Per vector and tile: P planes, P C conversions and additions, N outputs merged and added; per vector and column of
    tiles N outputs requantised; row_tiles * load_beats words in, column_tiles * drain_beats words out.
    """
    tiles, vectors = command.row_tiles * command.column_tiles, command.vectors
    outputs, words = command.column_tiles * spec.columns, command.column_tiles * spec.drain_beats
    loaded = vectors * command.row_tiles * spec.load_beats
    return Counts(
        {
            "array.plane": vectors * tiles * spec.planes,
            "array.conversion": vectors * tiles * spec.conversions,
            "array.cell_pulse": 0,
            "array.cell_verify": 0,
            "array.cell_given_up": 0,
            "digital.shift_add": vectors * tiles * spec.conversions,
            "digital.merge": vectors * tiles * spec.columns,
            "digital.tile_add": vectors * tiles * spec.columns,
            "output_stage.requantise": 0 if command.sums else vectors * outputs,
            "parameter_memory.read": 0 if command.sums else vectors * words,
            "buffer.read": 0 if command.from_stream else loaded,
            "stream.input": loaded if command.from_stream else 0,
            "buffer.write": 0 if command.to_stream else vectors * words,
            "stream.output": vectors * words if command.to_stream else 0,
            "command.accept": 1,
            "command.refuse": 0,
        }
    )


def value_counts(spec: CrossbarSpec, inputs: np.ndarray, column_tiles: int) -> Counts:
    """Word-line events of a layer on `inputs` (B, K), K of any size, all `rows` of each tile given.

    A word line carries its plane until the next one; it is 0 before and after a vector. Every column of tiles has word
    lines of its own.
    """
    bits, d = spec.input_bits, spec.plane_bits
    offset = 1 << (bits - 1) if spec.input_offset else 0
    codes = np.asarray(inputs, np.int64) + offset & (1 << bits) - 1
    shifts = [d * p for p in reversed(range(spec.planes))]
    planes = np.stack([codes >> shift & (1 << d) - 1 for shift in shifts])
    blank = np.zeros((1, *planes.shape[1:]), np.int64)
    changed = np.concatenate([blank, planes]) ^ np.concatenate([planes, blank])
    toggles = sum(int((changed >> bit & 1).sum()) for bit in range(d))
    return Counts(
        {"array.wordline_toggle": toggles * column_tiles, "array.wordline_active": int(planes.sum()) * column_tiles}
    )
