"""GEMV on data: where weights lie in the banks, what the writes of the stream carry, and reading the results back."""

from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from model.cycle.dram_pim.run import HbmPim
from model.cycle.dram_pim.stream import flatten
from model.functional.hbm_pim import HbmPimDevice
from model.lowering.dram_pim.assembler import assemble

_WORDS = 8  # words of one register file: one weight tile is 8 outputs x 8 input words


@dataclass(frozen=True, slots=True)
class TimedCommand:
    """One device command.

    Parameters
    ----------
    cycle : int
        Command clock in which it is issued.
    name : str
        Device command, e.g. "ACT" or "MAC16".
    bank : int
        Bank it names; 0 for AiM commands that name none.
    row : int
        Row of the bank; of AiM only an activate needs it.
    column : int
        Column of the open row, of AiM's global buffer for WRGB; 0 where a command has none.
    data : tuple of int
        The word written, 16 codes of 16 bits; empty if it writes none.
    accumulator : int
        Register of AiM's accumulators; 0 on HBM-PIM and where a command uses none.
    """

    cycle: int
    name: str
    bank: int
    row: int
    column: int
    data: tuple[int, ...] = ()
    accumulator: int = 0


def gemv_program(tiles: int) -> str:
    """The instruction memory of a GEMV over `tiles` input tiles (128 inputs each)."""
    even, odd = ceil_div(tiles, 2), tiles // 2
    text = f"even: MAC GRF_B[0], GRF_A[0], EVEN_BANK, aligned\nJUMP even, {_WORDS * even - 1}\n"
    if odd:
        text += f"odd: MAC GRF_B[0], GRF_A[0], ODD_BANK, aligned\nJUMP odd, {_WORDS * odd - 1}\n"
    return text + "NOP 7\nEXIT\n"


def weight_words(system: HbmPim, weights: np.ndarray) -> dict[tuple[int, int, int], np.ndarray]:
    """(bank, row, column) -> word of one channel's share of `weights` (uint16 FP16 codes, (out, in)), zero padded.

    Column k of a tile holds output (k mod 8) and input word (k div 8) of the tile.
    """
    spec = system.spec
    lanes, units, columns = spec.lanes, spec.units, spec.dram.organisation.columns
    outputs, inputs = weights.shape
    passes, tiles = system.builder.gemv_tiles(outputs, inputs, 1)
    padded = np.zeros((passes * units * _WORDS, tiles * _WORDS * lanes), np.uint16)
    padded[:outputs, :inputs] = weights
    half = ceil_div(tiles, 2)
    words = {}
    for j in range(passes):
        for t in range(tiles):
            for unit in range(units):
                first = (j * units + unit) * _WORDS
                for k in range(_WORDS * _WORDS):
                    place = (j * half + t // 2) * _WORDS * _WORDS + k
                    start = (t * _WORDS + k // _WORDS) * lanes
                    words[2 * unit + t % 2, place // columns, place % columns] = padded[
                        first + k % _WORDS, start : start + lanes
                    ]
    return words


def gemv_commands(system: HbmPim, outputs: int, vectors: np.ndarray) -> list[TimedCommand]:
    """The whole command stream of one channel of `system` (one channel, default preset) with its data.

    `vectors`: uint16 FP16 codes (batch, in).
    """
    if system.channels != 1 or not system.builder.exact:
        raise InputError("data runs on one channel with the default preset, not on several or with another preset")
    spec = system.spec
    batch, inputs = vectors.shape
    lanes = spec.lanes
    passes, tiles = system.builder.gemv_tiles(outputs, inputs, 1)
    padded = np.zeros((batch, tiles * _WORDS * lanes), np.uint16)
    padded[:, :inputs] = vectors
    program = assemble(spec.commands, gemv_program(tiles), entries=spec.register("CRF").entries)
    program += [0] * (-len(program) % 8)
    code = np.array(program, dtype=np.uint32).view(np.uint16).reshape(-1, lanes)
    order = (*range(0, tiles, 2), *range(1, tiles, 2))
    loads = iter(
        [
            padded[b, (t * _WORDS + k) * lanes : (t * _WORDS + k + 1) * lanes]
            for _ in range(passes)
            for b in range(batch)
            for t in order
            for k in range(_WORDS)
        ]
    )
    crf = spec.register("CRF")
    toggle = [0]
    controller = system.controller()
    controller.trace = []
    controller.give(flatten(system.stream("gemv", outputs=outputs, inputs=inputs, batch=batch).segments))
    controller.run()

    def payload(row: int, column: int, kind: str) -> tuple[int, ...]:
        if kind == "register_load":
            return tuple(int(v) for v in next(loads))
        if kind == "mode" and row == crf.row and crf.column is not None and column >= crf.column:
            return tuple(int(v) for v in code[column - crf.column])
        if kind == "mode" and row == crf.row:
            toggle[0] ^= 1
            return (toggle[0],) + (0,) * (lanes - 1)
        return (0,) * lanes

    return [
        TimedCommand(cycle, name, bank, row, column, payload(row, column, kind) if name == "WR" else ())
        for cycle, name, bank, row, column, kind in controller.trace
    ]


def result_words(system: HbmPim, outputs: int, inputs: int, batch: int) -> list[list[tuple[int, int, int]]]:
    """For each vector the (bank, row, column) of every output's 16 lane sums."""
    spec = system.spec
    columns = spec.dram.organisation.columns
    passes, tiles = system.builder.gemv_tiles(outputs, inputs, 1)
    start = _WORDS * _WORDS * passes * ceil_div(tiles, 2)
    places = []
    for b in range(batch):
        one = []
        for output in range(outputs):
            j, rest = divmod(output, spec.units * _WORDS)
            unit, k = divmod(rest, _WORDS)
            place = start + (j * batch + b) * _WORDS + k
            one.append((2 * unit + 1, place // columns, place % columns))
        places.append(one)
    return places


def run_gemv(system: HbmPim, weights: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, HbmPimDevice]:
    """Lane sums (batch, out, lanes) computed by playing the schedule on a device, and the device."""
    device = HbmPimDevice(system.spec, system.timing)
    for (bank, row, column), word in weight_words(system, weights).items():
        device.row(bank, row)[column] = word
    for c in gemv_commands(system, len(weights), vectors):
        data = np.array(c.data, dtype=np.uint16) if c.data else None
        device.issue(c.name, c.bank, c.row, c.column, c.cycle, data)
    places = result_words(system, len(weights), weights.shape[1], len(vectors))
    sums = np.array([[device.row(bank, row)[column] for bank, row, column in one] for one in places])
    return sums, device
