"""Decoder, adder, multiplier and converter in Amaranth's simulator, bit for bit against model/number."""

import gc
import warnings
from collections.abc import Mapping

import numpy as np
import pytest
from amaranth.hdl import Module, UnusedElaboratable
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.arithmetic.fp_form import OperandForm
from hw.rtl.arithmetic.fp_lane import FpLane
from hw.rtl.arithmetic.fp_mac import FpMac
from hw.rtl.arithmetic.fp_mul import FpMul
from model.number.codec import code_type, decode, encode
from model.number.fused import fp32_add, fused_mac
from model.number.half import fp16_add, fp16_multiply
from tb.arithmetic.fp_vectors import FLOATS, PAIRS, adder_operands, all_classes, near_codes, special_codes


def play(dut: wiring.Component, inputs: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Outputs `o` of `dut` for one row of `inputs` per cycle, exactly `dut.latency` cycles later."""
    latency = dut.latency
    found = np.zeros(count, dtype=np.uint32)
    ports = [(getattr(dut, name), np.asarray(values).tolist()) for name, values in inputs.items()]

    async def bench(ctx) -> None:
        for cycle in range(count + latency):
            if cycle < count:
                for port, values in ports:
                    ctx.set(port, values[cycle])
            if latency == 0:
                await ctx.delay(1e-9)
            if cycle >= latency:
                found[cycle - latency] = ctx.get(dut.o)
            if latency:
                await ctx.tick()

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    if latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("latency", range(7))
def test_fp16_adder_equals_the_model(latency: int) -> None:
    x, y = adder_operands("fp16", 60, np.random.default_rng(latency))
    assert np.array_equal(play(FpAdd("fp16", latency=latency), {"x": x, "y": y}, x.size), fp16_add(x, y))


@pytest.mark.parametrize("latency", [0, 1, 3, 6])
def test_fp32_adder_equals_the_model(latency: int) -> None:
    x, y = adder_operands("fp32", 60, np.random.default_rng(latency))
    assert np.array_equal(play(FpAdd("fp32", latency=latency), {"x": x, "y": y}, x.size), fp32_add(x, y))


@pytest.mark.parametrize("latency", range(5))
def test_fp16_multiplier_equals_the_model(latency: int) -> None:
    x, y = adder_operands("fp16", 60, np.random.default_rng(latency))
    assert np.array_equal(play(FpMul("fp16", latency=latency), {"x": x, "y": y}, x.size), fp16_multiply(x, y))


@pytest.mark.parametrize("latency", range(4))
def test_converter_equals_the_model(latency: int) -> None:
    rng = np.random.default_rng(latency)
    inputs: dict[str, list[np.ndarray]] = {"x": [], "select": [], "saturate": []}
    expected = []
    for index, name in enumerate(FLOATS):
        x = near_codes(name, 120, rng)
        for saturate in (0, 1):
            columns = (x, np.full(x.size, index), np.full(x.size, saturate))
            for column, value in zip(inputs.values(), columns, strict=True):
                column.append(value)
            expected.append(encode(x.view(np.float32), name, saturate=bool(saturate)).astype(np.uint32))
    vectors = {k: np.concatenate(v) for k, v in inputs.items()}
    found = play(FpConvert(FLOATS, latency=latency), vectors, vectors["x"].size)
    assert np.array_equal(found, np.concatenate(expected))


def test_converter_of_one_format_needs_no_selection() -> None:
    x = special_codes("fp32")
    found = play(FpConvert(["fp8_e4m3"]), {"x": x, "saturate": np.ones(x.size, dtype=int)}, x.size)
    assert np.array_equal(found, encode(x.view(np.float32), "fp8_e4m3", saturate=True))


@pytest.mark.parametrize("formats", [*[(name,) for name in FLOATS], FLOATS, ("fp8_e4m3", "fp8_e5m2")], ids="-".join)
def test_decoded_form_is_normalised_and_worth_the_code(formats: tuple[str, ...]) -> None:
    dut = FpDecode(formats)
    rng = np.random.default_rng(9)
    failures: list[str] = []

    async def bench(ctx) -> None:
        for index, name in enumerate(formats):
            codes = np.arange(256) if code_type(name) is np.uint8 else rng.integers(0, 1 << 16, 150)
            for code in np.concatenate([codes, special_codes(name)]).tolist():
                ctx.set(dut.code, code)
                ctx.set(dut.select, index)
                await ctx.delay(1e-9)
                o = ctx.get(dut.o)
                value = float(decode(np.array(code), name))
                exact = (-1.0) ** o.sign * o.significand * 2.0 ** (o.exponent - (dut.form.significand_bits - 1))
                classes = (o.zero, o.infinity, o.nan) == (value == 0, np.isinf(value), np.isnan(value))
                normal = o.significand >> (dut.form.significand_bits - 1) == 1 or value == 0
                if not classes or (np.isfinite(value) and (exact != value or not normal)):
                    failures.append(f"{name} {code:#x}: {value} decoded as {exact}")
                elif np.isinf(value) and (value < 0) != o.sign:
                    failures.append(f"{name} {code:#x}: sign of infinity")

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert not failures


def test_operand_form_is_as_narrow_as_its_formats_allow() -> None:
    widths = {
        names: (OperandForm(names).exponent_bits, OperandForm(names).significand_bits)
        for names in [
            ("fp8_e4m3",),
            ("fp16",),
            ("bf16",),
            FLOATS,
        ]
    }
    assert list(widths.values()) == [(5, 4), (6, 11), (9, 8), (9, 11)]


@pytest.mark.parametrize("latency", range(1, 9))
def test_fused_mac_of_every_format_pair_equals_the_model(latency: int) -> None:
    columns: dict[str, list[np.ndarray]] = {k: [] for k in ("a", "b", "c", "select_a", "select_b", "expected")}
    for pair in PAIRS:
        a, b, c = all_classes(pair, 4, np.random.default_rng(latency))
        selects = [np.full(a.size, FLOATS.index(name)) for name in pair]
        values = (a, b, c, *selects, fused_mac(c, a, b, *pair))
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    vectors = {k: np.concatenate(v) for k, v in columns.items()}
    expected = vectors.pop("expected")
    assert np.array_equal(play(FpLane(FLOATS, FLOATS, latency=latency), vectors, expected.size), expected)


@pytest.mark.parametrize("pair", [("fp8_e4m3", "fp8_e5m2"), ("bf16", "bf16"), ("fp16", "fp8_e4m3")], ids="-".join)
def test_narrow_build_computes_what_the_wide_one_does(pair: tuple[str, str]) -> None:
    a, b, c = all_classes(pair, 40, np.random.default_rng(10))
    dut = FpLane([pair[0]], [pair[1]], latency=3)
    assert np.array_equal(play(dut, {"a": a, "b": b, "c": c}, a.size), fused_mac(c, a, b, *pair))


REFUSED = (
    (lambda: FpMac(OperandForm(["fp16"]), OperandForm(["fp16"]), latency=9), "from 1 to 8 cycles, not 9"),
    (lambda: FpAdd("fp8_e4m3"), "floating-point format with infinity, not 'fp8_e4m3'"),
    (lambda: FpMul("int8"), "must be fp16, bf16 or fp8_e5m2, not 'int8'"),
    (lambda: FpDecode(["fp32"]), "8- or 16-bit floating-point format, not 'fp32'"),
    (lambda: FpConvert([]), "at least one floating-point format, none was given"),
)


def test_unbuildable_units_are_refused() -> None:
    for build, message in REFUSED:
        with warnings.catch_warnings():
            # Amaranth warns of components that were made but never elaborated; here none could be made.
            warnings.simplefilter("ignore", UnusedElaboratable)
            with pytest.raises(InputError, match=message):
                build()
            gc.collect()
