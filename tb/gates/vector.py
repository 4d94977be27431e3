"""The lanes of the vector unit at the gates: area, clock and energy of each operation of one lane."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from amaranth.hdl import Elaboratable
from numpy.typing import NDArray

from hw.gates.block import Block
from hw.gates.library import Process
from hw.rtl.arithmetic.fp32 import Fp32Multiply
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.npu.vector_unit.function import EXP2, RECIPROCAL, ROOT, Function
from tb.gates.pim import Unit, measured

_CYCLES, _STREAMS = 120, 8


def units(process: Process, build: Path, seed: int) -> Iterator[Unit]:
    """Product, sum, the three functions and the rounding to BF16 of one lane, on ordinary numbers of eight binades."""
    rng = np.random.default_rng(seed)
    blocks: tuple[tuple[str, str, Elaboratable], ...] = (
        ("product", "vector_product", Fp32Multiply()),
        ("sum", "vector_sum", FpAdd("fp32", latency=0)),
        ("rounding to BF16", "vector_rounding", FpConvert(["bf16"], latency=0)),
    )
    for operation, name, made in blocks:
        block = Block(made, name, process, build)
        given = {port: _numbers(rng) for port in ("x", "y") if port in block.netlist.inputs}
        yield measured(block, "vector lane, FP32", operation, given | _constants(block, {"saturate": 0}))
    function = Block(Function(), "vector_function", process, build)
    for operation, select in (("exp2", EXP2), ("reciprocal", RECIPROCAL), ("reciprocal root", ROOT)):
        numbers = _numbers(rng)
        if select == ROOT:
            numbers &= 0x7FFFFFFF
        given = {"x": numbers, **_constants(function, {"i_select": select})}
        yield measured(function, "vector lane, function", operation, given)


def numbers_for(block: Block, seed: int) -> dict[str, NDArray[np.int64]]:
    """Ordinary FP32 numbers of eight binades at the data ports of a block."""
    rng = np.random.default_rng(seed)
    given = {port: _numbers(rng) for port in ("x", "y") if port in block.netlist.inputs}
    return given | _constants(block, {"saturate": 0})


def _numbers(rng: np.random.Generator) -> NDArray[np.int64]:
    shape = (_CYCLES, _STREAMS)
    values = np.ldexp(rng.uniform(1, 2, shape), rng.integers(-4, 4, shape)) * rng.choice([-1, 1], shape)
    return values.astype(np.float32).view(np.uint32).astype(np.int64)


def _constants(block: Block, values: dict[str, int]) -> dict[str, NDArray[np.int64]]:
    return {
        port: np.full((_CYCLES, _STREAMS), value, np.int64)
        for port, value in values.items()
        if port in block.netlist.inputs
    }
