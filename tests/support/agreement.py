"""Random chains of GEMMs for a core, run on its RTL: counters back, values checked in the simulator."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from model.lowering import lower
from model.work.workload import Gemm
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.agreement_tests import MEMORIES, PORTS, Case, parameters

Shape = tuple[int, int, int]


def random_case(core: CoreSpec, rng: np.random.Generator) -> Case:
    """One to four GEMMs that fit the memories together; in two of three cases ports are blocked at random."""
    array = core.array
    size = int(rng.choice([4, 2 * max(array.rows, array.columns), 3 * max(array.rows, array.columns)]))
    while True:
        count = int(rng.integers(1, 5))
        m, n, k = (rng.integers(1, size + 1, count).tolist() for _ in range(3))
        shapes: list[Shape] = list(zip(m, n, k, strict=True))
        tiles = [lower.split(core, Gemm(name="drawn", m=m, n=n, k=k)) for m, n, k in shapes]
        if all(len(t) == 1 for t in tiles) and len(lower.place(core, [t[0].command for t in tiles])) == 1:
            break
    late = rng.random() < 0.3
    offered = np.sort(rng.integers(0, 400 if late else 1, count))
    blocked = {} if rng.random() < 1 / 3 else {port: float(rng.choice([0.0, 0.1, 0.5, 0.9])) for port in PORTS}
    return Case(
        shapes=shapes,
        seed=int(rng.integers(1 << 30)),
        offered=(offered - offered[0]).tolist(),
        blocked=blocked,
        stalled_cycles=int(rng.integers(50, 1500)) if blocked else 0,
    )


def run_cases(
    core: CoreSpec, cases: Sequence[Case], name: str = "core_top", values: Counter[str] | None = None
) -> list[dict[str, int]]:
    """The counters of the RTL after each case; those that operands decide are compared there and added to `values`.

    Raises
    ------
    AssertionError
        With the simulator's words if a value is not the reference's or a stream rule is broken.
    """
    built = build(
        emit(Checked(CoreTop(core)), name, BUILD / "rtl"), public=[f"{name}.dut.{path}" for path in MEMORIES.values()]
    )
    outcome = run(built, "tb.npu.agreement_tests", seed=1, parameters=parameters(core, cases))
    assert outcome.passed, outcome.explain()
    if values is not None:
        values.update(outcome.data["values"])
    return outcome.data["counters"]
