"""The closed form of the SCALE-Sim paper: folds x (2R + C + T - 2) for every dataflow.

Ref: Samajdar et al., ISPASS 2020, analytical model. The released code is R cycles per fold shorter for os.
"""

from model.other_simulators import Dataflow, Estimate, Simulator, Term, folds
from model.work.workload import Gemm


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """folds x (2R + C + T - 2): R to load (ws, is) or to shift results out (os)."""
    count, items = folds(gemm, rows, columns, dataflow)
    edge = (
        Term(name="results shifted out, R in every fold", label="drain", cycles=count * rows)
        if dataflow == "os"
        else Term(name="load of the stationary operand, R in every fold", label="load", cycles=count * rows)
    )
    return Estimate(
        terms=(
            edge,
            Term(name="stream", label="stream", cycles=count * items),
            Term(name="skew R + C - 2 in every fold", label="fill", cycles=count * (rows + columns - 2)),
        )
    )


SIMULATOR = Simulator(title="ISPASS 2020 equation", dataflows=("ws", "os", "is"), rule=rule)
