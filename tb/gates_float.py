"""The BF16 cell at the gates: pJ per MAC by operand class."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.gates import streams as operands
from hw.gates.block import Block, Glitches
from hw.gates.library import Process
from hw.rtl.cell import Cell
from hw.rtl.fp_decode import FpDecode
from hw.spec.mac_array import MacArraySpec
from tb.gates import with_reset

CLASSES = ("random", "trained-like", "zeros")


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatMac:
    """pJ per MAC of one cell with glitches: without leakage, at the glitch factor of all lanes and of the extremes."""

    operands: str
    low_pj: float
    pj: float
    high_pj: float
    glitches: Glitches


def bfloat16_cells(process: Process, build: Path, seed: int) -> tuple[Block, list[FloatMac]]:
    """The BF16 cell of a 16-row array, four columns of it, on every class of operands."""
    array = MacArraySpec(rows=16, columns=4, activation_format="bf16", weight_format="bf16", mac_latency=4)
    cell = Block(Cell(array), "cell_bf16", process, build)
    decode = Block(FpDecode(["bf16"]), "decode_bf16", process, build)
    found = []
    for name in CLASSES:
        codes = operands.bfloat16_class(name, 128, 32, 4, seed)
        streams = operands.cell_streams(array, [codes], sums_above=operands.bfloat16_sums)
        for port in ("i_activation", "i_weight"):
            streams[port] = _decoded(decode, streams[port])
        energy, glitches = cell.measure(with_reset(cell, streams), build)
        moving = energy.switching_fj + energy.internal_fj
        low, middle, high = ((moving * g + energy.clock_fj) / 1000
                             for g in (glitches.low, glitches.mean, glitches.high))
        found.append(FloatMac(operands=name, low_pj=low, pj=middle, high_pj=high, glitches=glitches))
    return cell, found


def _decoded(decode: Block, codes: np.ndarray) -> np.ndarray:
    """Codes as the cells take them, by the netlist of the decoder."""
    given = with_reset(decode, {"code": codes})
    (port,) = decode.netlist.outputs
    return decode.simulator.run(given, 0)[1][port]
