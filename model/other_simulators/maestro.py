"""MAESTRO (4eb08d1): two cluster levels, one cluster per row; every step is the larger of compute and traffic.

Ref: CA_cost-analysis-engine.hpp, AHW_noc-model.hpp. Delay of moving v words at b words per step is ceil(v / b).
Inner level: T items, one step each; the first also waits for its operands: T + 1. Outer level: one inner run per
fold; the very first also waits for the operands of its fold.
"""

from hw.base.integer import ceil_div
from model.other_simulators import Dataflow, Estimate, Simulator, Term, folds
from model.work.workload import Gemm

UNLIMITED = 100_000
"""Words per step that stand for unlimited bandwidth: a fold that needs more waits a step more.

The measured rows bound it between 98,304 (768 x 256 words take two steps) and 196,607; ZigZag's rows of the same
series, run with 100,000 bytes per cycle, fix that number.
"""


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """folds x (T + 1) + ceil(words of the first fold / UNLIMITED)."""
    count, items = folds(gemm, rows, columns, dataflow)
    if dataflow == "ws":
        used_rows, used_columns = min(rows, gemm.k), min(columns, gemm.n)
        words = items * used_rows + used_rows * used_columns
    else:
        used_rows, used_columns = min(rows, gemm.m), min(columns, gemm.n)
        words = items * (used_rows + used_columns)
    return Estimate(
        terms=(
            Term(name="stream", label="stream", cycles=count * items),
            Term(name="one step per change of fold", label="bubble", cycles=count),
            Term(name="operands of the first fold", label="load", cycles=ceil_div(words, UNLIMITED)),
        )
    )


SIMULATOR = Simulator(title="MAESTRO", dataflows=("ws", "os"), rule=rule, note="broadcast network: no skew, no drain")
