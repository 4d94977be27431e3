"""Weights written cell by cell through the programming controller of a crossbar core, then used: nothing by back door
but inputs and parameters."""

from amaranth.lib import wiring

from hw import chips
from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from model import workloads
from model.functional import crossbar_score
from model.lowering.crossbar import place, tile_weights
from model.reference.npu import activations_of
from tb.bench.bench import Bench, bench_test
from tb.bench.scoreboard import first_mismatch
from tb.crossbar import crossbar_tests
from tb.crossbar.crossbar_tests import PUBLIC_IF_THERE, CrossbarBench

__all__ = ["MACHINE", "PUBLIC_IF_THERE", "suits", "top"]

MACHINE = CrossbarSpec
WORKLOAD = "gemm_16"
SWITCHING = 0.7
"""Chance that a pulse switches a cell of the bench: three of ten have to be repeated."""
LARGEST_CELLS = 1 << 12


def suits(machine: CrossbarSpec) -> bool:
    """Cores whose arrays are written in seconds."""
    return machine.rows * machine.physical_columns <= LARGEST_CELLS and crossbar_tests.suits(machine)


def top(chip: Chip) -> wiring.Component:
    """The core of `chip`."""
    return crossbar_tests.top(chip)


@bench_test(timeout_cycles=5_000_000)
async def a_layer_is_written_verified_retried_and_computed(bench: Bench) -> None:
    spec = chips.machine(chips.load(bench.parameters["chip"]), CrossbarSpec, "the programming bench")
    unit = CrossbarBench(bench, spec, switching=SWITCHING)
    job = workloads.load(WORKLOAD).jobs(bench.seed)[0]
    layer = place(spec, [job.gemm])[0]
    unit.place_parameters(layer, job)
    before, cells = unit.counters(), 0
    assert not before["array.cell_pulse"]
    for offset, weights in enumerate(tile_weights(spec, job.weights)):
        cells += await unit.program(layer.commands[0].first_tile + offset, layer.commands[0].array, weights)
    counts = unit.counters()
    pulses = sum(int(a.pulses.sum()) for arrays in unit.arrays for a in arrays) if unit.arrays else cells
    bench.report(cells=cells, pulses=pulses, program_cycles=counts["program"])
    assert counts["array.cell_pulse"] == counts["array.cell_verify"] == pulses, "a pulse and a reading for each try"
    assert counts["program"] == pulses * (spec.write_cycles + spec.verify_cycles)
    assert not counts["array.cell_given_up"]
    if unit.arrays:
        # an erased array takes one pulse for every cell, and each is repeated until the cell reads right
        assert cells < pulses < cells * 2
    found = await unit.run(layer, activations_of(job, []))
    mismatch = first_mismatch(job.gemm.name, crossbar_score.run(spec, [job])[0], found)
    assert mismatch is None, str(mismatch)
