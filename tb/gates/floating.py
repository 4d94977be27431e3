"""A floating-point array at the gates: cells, decoders, skew, accumulators and output stage, pJ by operand class."""

from functools import partial
from pathlib import Path

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.gates import streams as operands
from hw.gates.activity import Streams
from hw.gates.block import Block
from hw.gates.blocks import Delay
from hw.gates.library import Process
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.npu.cell import Cell
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format
from tb.gates.core import Measured, with_reset

CLASSES = ("random", "trained-like", "zeros")
DTYPES = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp8_e4m3": ml_dtypes.float8_e4m3fn}
LATENCY = 4
"""Cycles of a cell, as in the BF16 core; a chip may say otherwise."""
TILES = 2
"""Blocks of K per operand class: every second row of sums leaves through the output stage."""
_COLUMNS_RUN = 4
"""Columns of the array that are simulated; the others are alike."""


def codes(number: str, values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Values as codes of a format, rounded to nearest even."""
    rounded = values.astype(DTYPES[number])
    return rounded.view(np.uint8 if rounded.itemsize == 1 else np.uint16).astype(np.int64)


def values_of(number: str, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Codes of a format as FP32 values."""
    width = np.uint8 if number_format(number).bits == 8 else np.uint16
    return codes.astype(width).view(DTYPES[number]).astype(np.float32)


def sums_above(number: str, activations: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """FP32 codes of what enters every cell, rounded after every row: (m, R, C)."""
    products = values_of(number, activations)[:, :, None] * values_of(number, weights)[None]
    sums = np.cumsum(products, axis=1, dtype=np.float32)
    above = np.concatenate([np.zeros_like(sums[:, :1]), sums[:, :-1]], axis=1)
    return above.view(np.uint32).astype(np.int64)


class FloatArray:
    """The blocks of a weight-stationary array of one floating-point format, FP32 sums; `output`: format they leave in,
    the array's own if empty."""

    def __init__(
        self,
        number: str,
        process: Process,
        build: Path,
        clock_ghz: float,
        latency: int = LATENCY,
        output: str = "",
        rows: int = 16,
        columns: int = 16,
    ) -> None:
        self.number, self.clock_ghz, self.build, self.latency = number, clock_ghz, build, latency
        self.rows, self.columns = rows, columns
        output = output or number
        bits = number_format(number).bits
        self.array = MacArraySpec(
            rows=rows, columns=_COLUMNS_RUN, activation_format=number, weight_format=number, mac_latency=latency
        )
        self.cell = Block(Cell(self.array), f"cell_{number}", process, build)
        self.decode = Block(FpDecode([number]), f"decode_{number}", process, build)
        self.operand_delay = Block(Delay(bits), f"delay{bits}", process, build)
        self.sum_delay = Block(Delay(32), "delay32", process, build)
        self.accumulate = Block(FpAdd("fp32", latency=0), "add_fp32", process, build)
        # FP32 sums leave through registers alone.
        self.output = (
            Block(Delay(32), "delay32", process, build)
            if output == "fp32"
            else Block(FpConvert([output], latency=3), f"convert_{output}", process, build)
        )
        self.output_copies = 3 * columns if output == "fp32" else columns

    @classmethod
    def of(cls, core: CoreSpec, process: Process, build: Path, clock_ghz: float) -> "FloatArray":
        """The array of a core; raises `InputError` for one that is not covered."""
        array = core.array
        if (
            array.rows_per_word > 1
            or array.activation_format != array.weight_format
            or (array.activation_format not in DTYPES)
        ):
            raise InputError(
                f"floating-point energy at the gates covers weight-stationary arrays of "
                f"{', '.join(DTYPES)} alone, not {array.activation_format} x {array.weight_format} with "
                f"dataflow {array.dataflow!r}; try npu_16_bf16"
            )
        return cls(
            array.activation_format,
            process,
            build,
            clock_ghz,
            array.mac_latency,
            core.output_format,
            array.rows,
            array.columns,
        )

    @property
    def blocks(self) -> tuple[tuple[str, Block, float], ...]:
        """(component, block, instances in the array)."""
        r, c = self.rows, self.columns
        return (
            ("cells", self.cell, r * c),
            ("decoders", self.decode, r + c),
            ("operand skew", self.operand_delay, self.latency * r * (r - 1) / 2 + c * (c - 1) / 2),
            ("sum skew", self.sum_delay, c * (c - 1) / 2),
            ("accumulate", self.accumulate, c),
            ("output stage", self.output, self.output_copies),
        )

    def operands(self, name: str, seed: int) -> tuple[NDArray, NDArray]:
        """Codes of a class: "random" (uniform in sign, fraction and eight binades), "trained-like" (half of the
        activations zero, the rest and the weights normally distributed) or "zeros" (activations)."""
        rng, shapes = np.random.default_rng(seed), ((128, TILES * self.rows), (TILES * self.rows, _COLUMNS_RUN))
        if name == "random":
            a, w = (np.ldexp(rng.uniform(1, 2, s), rng.integers(-4, 4, s)) * rng.choice([-1, 1], s) for s in shapes)
        else:
            a, w = np.maximum(rng.standard_normal(shapes[0]), 0), 0.05 * rng.standard_normal(shapes[1])
        return codes(self.number, a * (name != "zeros")), codes(self.number, w)

    def streams(self, name: str, seed: int) -> dict[str, Streams]:
        """Streams of every component, rows back to back."""
        given = operands.cell_streams(
            self.array, [self.operands(name, seed)], sums_above=partial(sums_above, self.number)
        )
        left = operands.lanes_of(given, [r * _COLUMNS_RUN for r in range(self.rows)])["i_activation"]
        for port in ("i_activation", "i_weight"):
            given[port] = self._run(self.decode, {"code": given[port]})
        bottom = operands.lanes_of(given, range((self.rows - 1) * _COLUMNS_RUN, self.rows * _COLUMNS_RUN))
        sums = self._run(self.cell, bottom)
        before = np.roll(sums, len(sums) // TILES, axis=0)
        leaving = "x" if "x" in self.output.netlist.inputs else "i"
        return {
            "cells": given,
            "decoders": {"code": left},
            "operand skew": {"i": left},
            "sum skew": {"i": sums},
            "accumulate": {"x": before, "y": sums},
            "output stage": {leaving: sums},
        }

    def _run(self, block: Block, given: Streams) -> NDArray[np.int64]:
        """The values of a block's data output: the decoder's only one, the cell's sum."""
        outputs = block.simulator.run(with_reset(block, given), 0)[1]
        return outputs.get("o_partial_sum", next(iter(outputs.values())))

    def measure(self, name: str, seed: int) -> list[Measured]:
        """Every component on one operand class, per cycle; sums leave once per `TILES` blocks of K."""
        streams, found = self.streams(name, seed), []
        for component, block, instances in self.blocks:
            energy, glitches = block.measure(with_reset(block, streams[component]), self.build)
            found.append(
                Measured(
                    block=component,
                    instances=instances,
                    energy=energy,
                    glitches=glitches,
                    clock_ghz=self.clock_ghz,
                    duty=1 / TILES if component == "output stage" else 1.0,
                )
            )
        return found
