"""The analogue side of tiles in Verilator: seeded cells that answer the ports of a core."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from cocotb.types import LogicArray

from hw.base.integer import ceil_div
from hw.spec.crossbar import CrossbarSpec
from tb.bench.bench import Bench
from tb.crossbar.cell_array import CellArray

PORTS = ("wl", "col_sel", "hold", "sample", "code", "code_valid", "array")
WRITING = ("pulse", "row", "column", "level", "verify_level", "array")


class Answerer:
    """Answers `array_<t>` of every tile of `spec` at the top of `bench`, from now on.

    Parameters
    ----------
    bench : Bench
    spec : CrossbarSpec
    arrays : sequence of sequence of CellArray
        By tile and array.
    """

    def __init__(self, bench: Bench, spec: CrossbarSpec, arrays: Sequence[Sequence[CellArray]]) -> None:
        self.bench, self.spec, self.arrays = bench, spec, arrays
        for t in range(spec.tiles):
            cocotb.start_soon(self._answer(t))
            cocotb.start_soon(self._write(t))

    async def _answer(self, tile: int) -> None:
        """One tile: woken when something is held or converted."""
        spec, bench = self.spec, self.bench
        port = {name: getattr(bench.dut, f"array_{tile}__{name}") for name in PORTS}
        port["code_valid"].value = 0
        held = np.zeros(spec.physical_columns)
        due: list[tuple[int, int]] = []  # cycles until codes must be there, codes
        wake = RisingEdge(port["hold"] if spec.sample_and_hold else port["sample"])
        width = spec.converters * spec.adc_bits
        while True:
            await bench.edge
            if int(bench.dut.rst.value):  # converters are reset as the core is
                due.clear()
            # values before the edge: what the cycle that ends asked for
            sample, hold = int(port["sample"].value), int(port["hold"].value)
            array = self.arrays[tile][int(port["array"].value)] if sample or hold else self.arrays[tile][0]
            if sample:
                step = int(port["col_sel"].value)
                sums = held if spec.sample_and_hold else self._sums(array, port["wl"])
                due.append((spec.adc_cycles, self._word(array, sums, step)))
            if hold:
                held = self._sums(array, port["wl"])
            due = [(left - 1, word) for left, word in due]
            if due and due[0][0] == 0:
                port["code"].value = LogicArray.from_unsigned(due.pop(0)[1], width)
                port["code_valid"].value = 1
            else:
                port["code_valid"].value = 0
                if not due and not sample and not hold:
                    await wake  # nothing to do until the next event rises

    async def _write(self, tile: int) -> None:
        """Programming pulses of one tile; what the cell reads as is there from the pulse on."""
        port = {name: getattr(self.bench.dut, f"array_{tile}__{name}") for name in WRITING}
        port["verify_level"].value = 0
        while True:
            await RisingEdge(port["pulse"])
            await self.bench.edge  # the address has settled
            row, column, level, number = (int(port[name].value) for name in ("row", "column", "level", "array"))
            array = self.arrays[tile][number]
            array.pulse(row, column, level)
            port["verify_level"].value = array.read_level(row, column)

    def _word(self, array: CellArray, sums: np.ndarray, step: int) -> int:
        """Codes of all converters in a step, packed."""
        spec, word = self.spec, 0
        mask = (1 << spec.adc_bits) - 1
        for code in reversed(array.convert(sums, step)):
            word = word << spec.adc_bits | code & mask
        return word

    def _sums(self, array: CellArray, wl: Any) -> np.ndarray:
        spec = self.spec
        raw = int(wl.value).to_bytes(ceil_div(spec.rows * spec.plane_bits, 8), "little")
        bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[: spec.rows * spec.plane_bits]
        if spec.plane_bits == 1:
            return array.sums(bits)
        lines = bits.reshape(spec.rows, spec.plane_bits).astype(np.int64) @ (1 << np.arange(spec.plane_bits))
        return array.sums(lines)
