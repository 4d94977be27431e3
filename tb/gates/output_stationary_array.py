"""An integer output-stationary array at the gates: cells, skew and output stage, on operands of any GEMM.

The marks of a fold and what moves through the drain registers are made here from the array's rules
(`OutputStationaryArray`) instead of captured; the netlist of the cell must give every product back.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.gates.activity import Streams
from hw.gates.block import Block
from hw.gates.blocks import Delay
from hw.gates.library import Process
from hw.gates.streams import Matrix, in_lanes, lanes_of, padded
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.output_stationary_array import SUM_BITS, OutputStationaryCell
from hw.spec.core import CoreSpec
from tb.gates.core import Measured, finished_sums, measured, two_columns, with_reset

Gemms = Sequence[tuple[Matrix, Matrix]]
"""Activations (M, K) and weights (K, N)."""


class OutputStationaryIntegers:
    """The blocks of an output-stationary core of integers. The accumulator only buffers there: it is a memory."""

    def __init__(self, core: CoreSpec, process: Process, build: Path, clock_ghz: float) -> None:
        array = core.array
        if array.is_floating_point or array.drain != "columns":
            raise InputError(
                "output-stationary energy at the gates covers integers that drain through the columns, "
                f"not {array.activation_format} with drain {array.drain!r}; try npu_16_os"
            )
        self.core, self.array, self.process, self.build, self.clock_ghz = core, array, process, build, clock_ghz
        self.cell = Block(OutputStationaryCell(array), f"os_cell_{array.activation_format}", process, build)

    @cached_property
    def blocks(self) -> tuple[tuple[str, Block, float], ...]:
        """(component, block, instances in the core)."""
        r, c = self.array.rows, self.array.columns
        made = {
            name: Block(component, name, self.process, self.build)
            for name, component in (
                ("delay8", Delay(8)),
                (f"delay{SUM_BITS}", Delay(SUM_BITS)),
                ("output_stage_2", OutputStage(two_columns(self.core))),
            )
        }
        operand_delay, sum_delay, output = made.values()
        return (
            ("cells", self.cell, r * c),
            ("operand skew", operand_delay, (r * (r - 1) + c * (c - 1)) / 2),
            ("sum skew", sum_delay, c * (c - 1) / 2),
            ("requantise", output, c / 2),
        )

    def measure(self, gemms: Gemms) -> list[Measured]:
        """Every component on the operands of `gemms`, per cycle, folds back to back."""
        cells, duty = self.cell_streams(gemms)
        r, c = self.array.rows, self.array.columns
        left, top = lanes_of(cells, [k * c for k in range(r)]), lanes_of(cells, range(c))
        bottom = lanes_of(cells, range((r - 1) * c, r * c))
        streams: dict[str, Streams] = {
            "cells": cells,
            "sum skew": {"i": self.run(bottom)},
            "requantise": finished_sums(gemms),
            "operand skew": {"i": np.concatenate([left["i_activation"], top["i_weight"]], axis=1)},
        }
        return measured(self.blocks, streams, self.build, self.clock_ghz, duty)

    def run(self, given: Streams) -> NDArray[np.int64]:
        """The drain registers of some cells' netlist, signed, (cycles, lanes)."""
        value = self.cell.simulator.run(with_reset(self.cell, given))[1]["o_drain"]
        return (value ^ (1 << SUM_BITS - 1)) - (1 << SUM_BITS - 1)

    def cell_streams(self, gemms: Gemms) -> tuple[dict[str, NDArray[np.int64]], float]:
        """Streams of the cells' ports, lane r * columns + c at the time at which the fold is in that cell, and the part
        of the cycles in which a row of results leaves. Raises `InputError` if the netlist computes another product."""
        R, C = self.array.rows, self.array.columns
        activations, weights, results, lasts = [], [], [], []
        cycles = 1  # one for the registers to settle
        for a, w in gemms:
            height, width = ceil_div(a.shape[0], R) * R, ceil_div(w.shape[1], C) * C
            exact = padded(a, R, 1) @ padded(w, 1, C)
            a, w = (padded(x, *to) for x, to in zip(in_lanes(self.array, a, w), ((R, 1), (1, C)), strict=True))
            # results leave one row a cycle: the last words of two folds are R cycles apart
            words = max(w.shape[0], R)
            for m in range(0, height, R):
                for n in range(0, width, C):
                    activations.append(np.pad(a[m : m + R].T, ((words - w.shape[0], 0), (0, 0))))
                    weights.append(np.pad(w[:, n : n + C], ((words - w.shape[0], 0), (0, 0))))
                    results.append(exact[m : m + R, n : n + C])
                    cycles += words
                    lasts.append(cycles - 1)
        tail = R
        a, w = (np.concatenate([x[0][:1], *x, np.repeat(x[-1][-1:], tail, axis=0)]) for x in (activations, weights))
        first, last = np.zeros((2, len(a)), np.int64)
        last[lasts] = 1
        first[[1, *(k + 1 for k in lasts[:-1])]] = 1
        shift, above = self._drain(lasts, results, len(a))
        shape = (len(a), R * C)

        def everywhere(values: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.ascontiguousarray(np.broadcast_to(values, (len(a), R, C))).reshape(shape)

        streams = {
            "i_activation": everywhere(a[:, :, None]),
            "i_weight": everywhere(w[:, None]),
            "i_first": everywhere(first[:, None, None]),
            "i_last": everywhere(last[:, None, None]),
            "i_shift": everywhere(shift[:, :, None]),
            "i_drain": above.reshape(shape),
        }
        some = list(range(0, R * C, max(1, R * C // 64)))[:64]
        drained = self.run(lanes_of(streams, some))[np.array(lasts) + 1]
        if not np.array_equal(drained, np.stack(results).reshape(len(results), -1)[:, some]):
            raise InputError(
                "the netlist of an output-stationary cell must give the products of its operands, but "
                "does not; correct the cell or the synthesis"
            )
        return streams, len(lasts) * R / len(a)

    def _drain(
        self, lasts: Sequence[int], results: Sequence[NDArray[np.int64]], cycles: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """i_shift (cycles, R) and i_drain (cycles, R, C), each row in its own time: row r is one cycle behind the one
        above, shifts R - r to R - 1 cycles after its last word, and then sees what the row above shows."""
        R, C = self.array.rows, self.array.columns
        shift, above = np.zeros((cycles, R), np.int64), np.zeros((cycles, R, C), np.int64)
        held = np.zeros((cycles + 1, C), np.int64)  # the row above the first has none
        for r in range(R):
            above[:, r] = held[1:]
            own = np.zeros((cycles + 1, C), np.int64)
            events = {last: result[r] for last, result in zip(lasts, results, strict=True)}
            for last in lasts:
                shift[last + R - r : last + R, r] = 1
            for t in range(cycles):
                own[t + 1] = events[t] if t in events else above[t, r] if shift[t, r] else own[t]
            held = own
        return shift, above
