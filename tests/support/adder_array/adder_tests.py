"""Rows of random bytes into the adders."""

from amaranth.lib import wiring

from hw import chips
from hw.spec.chip import Chip
from model import workloads
from model.work.workload import Workload
from tb.bench.bench import Bench, bench_test
from tests.support.adder_array.reference import sums
from tests.support.adder_array.rtl import Adders
from tests.support.adder_array.spec import AdderSpec

MEASURES = True
MACHINE = AdderSpec


def top(chip: Chip) -> wiring.Component:
    return Adders(chips.machine(chip, AdderSpec, "the adder bench"))


def check(chip: Chip, workload: Workload, seed: int) -> None:
    chips.machine(chip, AdderSpec, "the adder bench")


@bench_test(timeout_cycles=10_000)
async def every_sum_is_the_reference(bench: Bench) -> None:
    spec = chips.machine(chips.load(bench.parameters["chip"]), AdderSpec)
    rows = sum(gemm.k for gemm in workloads.load(bench.parameters["workload"]).gemms())
    given = bench.rng.integers(0, 256, (rows, spec.lanes))
    for row in given.tolist():
        bench.dut.i_data.value = int.from_bytes(bytes(row), "little")
        bench.dut.i_valid.value = 1
        await bench.edge
    bench.dut.i_valid.value = 0
    await bench.cycles(3)
    word = int(bench.dut.o_sums.value)
    assert [word >> 16 * lane & 0xFFFF for lane in range(spec.lanes)] == sums(given).tolist()
    busy, added = int(bench.dut.o_busy.value), int(bench.dut.o_added.value)
    bench.report(
        cycles=busy,
        phases={"add": busy},
        counts={"adder_array.add": added},
        figures={"macs": added},
        layers=[],
        simulated_cycles=bench.cycle,
    )
