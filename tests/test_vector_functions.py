"""exp2, exp, reciprocal, reciprocal root: every 16-bit input against the true value, and RTL against NumPy."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from hw.rtl.arithmetic.fp32 import Fp32Multiply
from hw.rtl.npu.vector_unit.function import EXP2, RECIPROCAL, ROOT, Function
from hw.rtl.npu.vector_unit.lane import Lane, UnitCode
from model.number import function
from model.number.codec import decode, encode
from tb.arithmetic.fp_vectors import adder_operands

LOG2E = np.array(0x3FB8AA3B, np.uint32)
LARGEST_ERROR = {  # in units of the last place of the format: what docs/numeric-contract.md states
    ("exp", "bf16"): 0.502,
    ("exp", "fp16"): 0.515,
    ("exp2", "bf16"): 0.502,
    ("exp2", "fp16"): 0.515,
    ("reciprocal", "bf16"): 0.502,
    ("reciprocal", "fp16"): 0.515,
    ("root", "bf16"): 0.502,
    ("root", "fp16"): 0.507,
}


def all_inputs(name: str) -> np.ndarray:
    """FP32 codes of every finite number of the format."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    values = decode(codes, name).astype(np.float32)
    return np.ascontiguousarray(values[np.isfinite(values)]).view(np.uint32)


def evaluate(which: str, codes: np.ndarray) -> np.ndarray:
    if which == "exp":
        return function.exp2(function.multiply(codes, np.broadcast_to(LOG2E, codes.shape)))
    return getattr(function, which)(codes)


def exact(which: str, x: np.ndarray) -> np.ndarray:
    """The true values in extended precision: far beyond 24 bits."""
    wide = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        return {"exp": np.exp, "exp2": np.exp2, "reciprocal": lambda v: 1 / v, "root": lambda v: 1 / np.sqrt(v)}[which](
            wide
        )


def unit_of_last_place(name: str, value: np.ndarray) -> np.ndarray:
    fraction, least = {"bf16": (7, -126), "fp16": (10, -14)}[name]
    _, exponent = np.frexp(np.abs(value))
    return np.ldexp(np.longdouble(1), np.maximum(exponent - 1, least) - fraction)


@pytest.mark.parametrize(("which", "name"), list(LARGEST_ERROR))
def test_every_16_bit_input_is_within_the_stated_error(which: str, name: str) -> None:
    codes = all_inputs(name)
    x = function.floats(codes)
    true = exact(which, x)
    largest = {"bf16": np.longdouble(2) ** 128, "fp16": np.longdouble(65520)}[name]
    usable = np.isfinite(true) & (np.abs(true) < largest * (1 - np.longdouble(2) ** -9))
    found = evaluate(which, codes)
    stored = decode(encode(function.floats(found), name), name).astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        error = np.abs(stored - true) / unit_of_last_place(name, true)
    assert error[usable].max() <= LARGEST_ERROR[which, name]
    beyond = ~usable & (np.abs(true) > largest)
    assert np.isinf(stored[beyond]).all()


def test_functions_of_special_values() -> None:
    infinity, nan = 0x7F800000, 0x7FC00000
    codes = np.array([0, 0x80000000, infinity, 0xFF800000, 0x7F800001, 0xBF800000], np.uint32)
    assert function.exp2(codes).tolist() == [0x3F800000, 0x3F800000, infinity, 0, nan, 0x3F000000]
    assert function.reciprocal(codes).tolist() == [infinity, 0xFF800000, 0, 0x80000000, nan, 0xBF800000]
    assert function.root(codes).tolist() == [infinity, 0xFF800000, 0, nan, nan, nan]


def test_bases_of_the_tables_are_the_rounded_values() -> None:
    from hw.spec.function_table import exp2_table, reciprocal_table, root_table

    with localcontext() as context:
        context.prec = 50
        for i, (base, _) in enumerate(exp2_table()):
            assert abs(base - Decimal(2) ** (20 + Decimal(i) / 128)) <= Decimal("0.5")
        for i, (base, _) in enumerate(reciprocal_table()):
            assert abs(base - Decimal(2**28) / (128 + i)) <= Decimal("0.5")
        for i, (base, _) in enumerate(root_table()):
            m = Decimal(128 + i % 128) / 128 * (1 + i // 128)
            assert abs(base - 2**21 / m.sqrt()) <= Decimal("0.5")


def play(dut, settings: dict[str, np.ndarray], outputs: tuple[str, ...] = ("o",)) -> list[np.ndarray]:
    """Outputs of a combinational component for one row of settings after another."""
    count = len(next(iter(settings.values())))
    found = [np.zeros(count, np.int64) for _ in outputs]

    async def bench(ctx) -> None:
        for i in range(count):
            for port, values in settings.items():
                ctx.set(getattr(dut, port), values[i])
            await ctx.delay(1e-9)
            for place, port in zip(found, outputs, strict=True):
                place[i] = ctx.get(getattr(dut, port))

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def interesting(rng: np.random.Generator, count: int) -> np.ndarray:
    """Codes of all kinds: any bits, subnormals, moderate numbers, powers of two, special values."""
    special = np.array(
        [
            0,
            1 << 31,
            0x7F800000,
            0xFF800000,
            0x7FC00000,
            0x7F800001,
            1,
            0x7FFFFF,
            0x800000,
            0x7F7FFFFF,
            0x00400000,
            0x00200000,
            0x00200001,
            0x7E800000,
            0x7F000000,
            0x3F800000,
            0x437FFFFF,
            0xC3160000,
            0xC2FC0000,
            0xC2FC0001,
            0x43000000,
            0x42FFFFFF,
            0x80000001,
        ],
        np.uint32,
    )
    moderate = (rng.standard_normal(count) * np.exp(rng.uniform(-6, 6, count))).astype(np.float32).view(np.uint32)
    small = rng.integers(0, 1 << 23, count // 4, dtype=np.uint32) | (
        rng.integers(0, 2, count // 4, dtype=np.uint32) << 31
    )
    return np.concatenate([special, moderate, small, rng.integers(0, 1 << 32, count, dtype=np.uint32)])


@pytest.mark.parametrize(("select", "which"), [(EXP2, "exp2"), (RECIPROCAL, "reciprocal"), (ROOT, "root")])
def test_rtl_function_equals_numpy(select: int, which: str) -> None:
    codes = interesting(np.random.default_rng(select), 400)
    (found,) = play(Function(), {"x": codes.tolist(), "i_select": [select] * len(codes)})
    assert np.array_equal(found, getattr(function, which)(codes))


def test_rtl_product_equals_numpy() -> None:
    x, y = adder_operands("fp32", 60, np.random.default_rng(4))
    (found,) = play(Fp32Multiply(), {"x": x.tolist(), "y": y.tolist()})
    assert np.array_equal(found, function.multiply(x, y))


def test_rtl_order_and_selection() -> None:
    rng = np.random.default_rng(9)
    x, y = interesting(rng, 150), interesting(rng, 150)
    y[::5] = x[::5]
    ix, iy = rng.integers(0, 4, x.size), rng.integers(0, 4, x.size)
    kx, ky = function.order_key(x), function.order_key(y)
    ports = {"x": x.tolist(), "y": y.tolist(), "i_x_index": ix.tolist(), "i_y_index": iy.tolist()}
    (found,) = play(Lane(), {**ports, "i_unit": [UnitCode.MAXIMUM] * x.size})
    assert np.array_equal(found, np.where(ky > kx, y, x))
    wins = (ky > kx) | ((ky == kx) & (iy < ix))
    found, won = play(Lane(), {**ports, "i_unit": [UnitCode.SELECT] * x.size}, ("o", "o_y_wins"))
    assert np.array_equal(won, wins)
    assert np.array_equal(found, np.where(wins, y, x))
