"""A lane of fused multiply-accumulate with all four floating-point formats on either side, against SoftFloat."""

from amaranth.lib import wiring

from hw import chips
from hw.rtl.arithmetic.fp_lane import FpLane
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from tb.arithmetic import softfloat
from tb.arithmetic.fp_vectors import CLASSES, FLOATS, PAIRS, directed, widened
from tb.bench.bench import Bench, bench_test

MACHINE = CoreSpec


def top(chip: Chip) -> wiring.Component:
    """The design under test: a lane as deep as the chip's MAC."""
    return FpLane(FLOATS, FLOATS, latency=chips.machine(chip, MACHINE, "the fp_mac bench").array.mac_latency)


async def _latency(bench: Bench) -> int:
    """Cycles from 1 * 1 + 1 to 2, after a row of zeros."""
    dut, one = bench.dut, 0x3C00  # FP16
    for port in (dut.a, dut.b, dut.c, dut.select_a, dut.select_b):
        port.value = 0
    await bench.cycles(10)
    dut.a.value, dut.b.value, dut.c.value = one, one, 0x3F800000
    for cycles in range(12):
        await bench.edge
        if int(dut.o.value) == 0x40000000:
            return cycles
    raise AssertionError("1 * 1 + 1 did not give 2 within 12 cycles")


@bench_test(timeout_cycles=100)
async def a_sum_leaves_after_the_depth_of_the_pipeline(bench: Bench) -> None:
    latency = await _latency(bench)
    assert 1 <= latency <= 8, f"a multiply-accumulate takes 1 to 8 cycles, this one took {latency}"
    bench.report(mac_latency=latency)


@bench_test(timeout_cycles=100_000)
async def one_sum_per_cycle_equals_softfloat_for_every_pair_and_class(bench: Bench) -> None:
    dut, latency = bench.dut, await _latency(bench)
    for pair in PAIRS:
        for kind in CLASSES:
            a, b, c = directed(kind, pair, 60, bench.rng)
            expected = softfloat.f32_mul_add(widened(a, pair[0]), widened(b, pair[1]), c).tolist()
            dut.select_a.value, dut.select_b.value = (FLOATS.index(name) for name in pair)
            rows = list(zip(a.tolist(), b.tolist(), c.tolist(), strict=True))
            for cycle in range(len(rows) + latency + 1):
                if cycle < len(rows):
                    dut.a.value, dut.b.value, dut.c.value = rows[cycle]
                await bench.edge
                row = cycle - latency
                if 0 <= row < len(rows):
                    found = int(dut.o.value)
                    assert found == expected[row], (
                        f"{pair[0]} x {pair[1]}, {kind}, row {row}: a {rows[row][0]:#x}, b {rows[row][1]:#x}, "
                        f"c {rows[row][2]:#x} gave {found:#010x}, expected {expected[row]:#010x}, {bench.cycle} ns"
                    )
