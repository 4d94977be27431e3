"""A crossbar core that is reset in any phase, while cells are written or while it computes: what follows is clean."""

# pyright: reportAttributeAccessIssue=false

import cocotb
import numpy as np

from hw import chips
from hw.spec.crossbar import CrossbarSpec
from model import workloads
from model.functional import crossbar_score
from model.lowering.crossbar import place, tile_weights
from model.reference.npu import activations_of
from tb.bench.bench import Bench, bench_test
from tb.bench.scoreboard import first_mismatch
from tb.crossbar.crossbar_tests import CrossbarBench

INPUTS = ("i_command__valid", "i_cell__valid")
"""What offers something to the core."""


@bench_test(timeout_cycles=5_000_000)
async def a_reset_in_any_phase_then_a_clean_job(bench: Bench) -> None:
    spec = chips.machine(chips.load(bench.parameters["chip"]), CrossbarSpec, "this bench")
    unit = CrossbarBench(bench, spec)
    job = workloads.load(bench.parameters["workload"]).jobs(bench.seed)[0]
    layer, inputs = place(spec, [job.gemm])[0], activations_of(job, [])
    wanted = crossbar_score.run(spec, [job])[0]
    first = layer.commands[0]

    async def job_from_reset(where: str) -> tuple[dict[str, int], int]:
        """Counters of a clean job, and its cycles."""
        unit.place(layer, job)
        begun = bench.cycle
        found = await unit.run(layer, inputs)
        mismatch = first_mismatch(f"{where}: {job.gemm.name}", wanted, found)
        assert mismatch is None, str(mismatch)
        return unit.counters(), bench.cycle - begun

    async def stopped(work: object, cycles: int) -> str:
        """Begin `work`, reset after so many cycles; what the core counted most until then."""
        task = cocotb.start_soon(work)  # type: ignore[arg-type]
        await bench.cycles(cycles)
        task.cancel()
        phase = "program" if unit.counters()["program"] else "compute" if not int(idle.value) else "idle"
        for name in INPUTS:
            getattr(bench.dut, name).value = 0
        await bench.reset()
        await bench.edge
        assert int(idle.value), f"a reset after {cycles} cycles must leave the core idle"
        left = {name: count for name, count in unit.counters().items() if count}
        assert not left, f"a reset after {cycles} cycles must clear the counters, not leave {left}"
        return phase

    idle = bench.dut.status__idle
    clean, length = await job_from_reset("the first job")
    phases: dict[str, int] = {}
    for _ in range(int(bench.parameters.get("resets", 8))):
        await bench.reset()
        if writes := bool(bench.rng.random() < 0.4):
            weights = tile_weights(spec, np.asarray(job.weights))[0]
            work = unit.program(first.first_tile, first.array, weights)
        else:
            unit.place(layer, job)
            work = unit.run(layer, inputs)
        cycles = int(bench.rng.integers(1, length))
        phase = await stopped(work, cycles)
        phases[phase] = phases.get(phase, 0) + 1
        where = f"after a reset {cycles} cycles into {'writing' if writes else 'computing'}"
        again, _ = await job_from_reset(where)
        assert again == clean, f"{where}: counted {again}, must be {clean}"
    bench.report(phases=phases, length=length)
