"""The aligned dot product: RTL = NumPy, and how far both are from the exact sum."""

from fractions import Fraction

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_dot import FRACTION_BITS, FpDot
from model.number import aligned
from model.number.aligned import aligned_dot
from model.number.codec import decode, encode
from tb.arithmetic.fp_vectors import special_codes


def operands(rows: int, lanes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A third each of unit normals, any codes and special ones; accumulators likewise, some cancelling."""
    shape = (rows, lanes)
    normals = [encode(rng.standard_normal(shape).astype(np.float32), "bf16") for _ in range(2)]
    anything = [rng.integers(0, 1 << 16, shape).astype(np.uint16) for _ in range(2)]
    special = [rng.choice(special_codes("bf16"), shape) for _ in range(2)]
    a, b = (np.concatenate(parts) for parts in zip(normals, anything, special, strict=True))
    few = rng.random(a.shape) < np.repeat(rng.random(3 * rows), lanes).reshape(a.shape)
    a = np.where(few, a, 0).astype(np.uint16)  # anything and special would hardly ever stay finite
    c = rng.standard_normal(3 * rows).astype(np.float32).view(np.uint32)
    c[rows : 2 * rows] = rng.integers(0, 1 << 32, rows, dtype=np.uint64).astype(np.uint32)
    c[2 * rows :] = rng.choice(special_codes("fp32"), rows)
    zero = np.zeros(c[::5].size, dtype=np.uint32)
    c[::5] = aligned_dot(zero, a[::5], b[::5]) ^ np.uint32(1 << 31)
    return a, b, c


@pytest.mark.parametrize(("lanes", "latency"), [(16, 0), (16, 1), (4, 3), (5, 6), (1, 2), (3, 4), (2, 5)])
def test_dot_product_equals_the_model(lanes: int, latency: int) -> None:
    a, b, c = operands(40, lanes, np.random.default_rng(latency))
    expected = aligned_dot(c, a, b)
    dut = FpDot(lanes=lanes, latency=latency)
    found = np.zeros(c.size, dtype=np.uint32)
    packed = [[int.from_bytes(row.astype("<u2").tobytes(), "little") for row in v] for v in (a, b)]

    async def bench(ctx) -> None:
        for cycle in range(c.size + latency):
            if cycle < c.size:
                ctx.set(dut.a, packed[0][cycle])
                ctx.set(dut.b, packed[1][cycle])
                ctx.set(dut.c, int(c[cycle]))
            if latency == 0:
                await ctx.delay(1e-9)
            if cycle >= latency:
                found[cycle - latency] = ctx.get(dut.o)
            if latency:
                await ctx.tick()

    simulator = Simulator(dut)
    if latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert np.array_equal(found, expected)


def test_model_and_rtl_keep_the_same_number_of_bits() -> None:
    assert aligned.FRACTION_BITS == FRACTION_BITS


def test_error_stays_below_one_unit_of_the_largest_term_and_half_a_unit_of_the_result() -> None:
    a, b, c = operands(400, 16, np.random.default_rng(15))
    found = aligned_dot(c, a, b).view(np.float32)
    x, y, z = decode(a, "bf16"), decode(b, "bf16"), c.view(np.float32)
    checked = 0
    for i in np.flatnonzero(np.isfinite(found) & np.isfinite(z)):
        terms = [Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x[i], y[i], strict=True)]
        terms.append(Fraction(float(z[i])))
        largest = max(max(map(abs, terms)), Fraction(2) ** -126)
        rounding = max(abs(Fraction(float(found[i]))) / 2**24, Fraction(2) ** -150)
        assert abs(sum(terms) - Fraction(float(found[i]))) <= 17 * largest / 2**FRACTION_BITS + rounding
        checked += 1
    assert checked > 500


def test_sums_that_need_no_truncation_are_rounded_once() -> None:
    rng = np.random.default_rng(16)
    a, b = (encode(rng.integers(-15, 16, (300, 16)).astype(np.float32), "bf16") for _ in range(2))
    c = rng.integers(-(1 << 12), 1 << 12, 300).astype(np.float32)
    exact = (decode(a, "bf16") * decode(b, "bf16")).sum(axis=-1, dtype=np.float64) + c
    assert np.array_equal(aligned_dot(c.view(np.uint32), a, b).view(np.float32), exact.astype(np.float32))


def test_wrong_lane_counts_are_refused() -> None:
    with pytest.raises(InputError, match="1 to 16 lanes"):
        aligned_dot(np.zeros(1, np.uint32), np.zeros((1, 17), np.uint16), np.zeros((1, 17), np.uint16))
