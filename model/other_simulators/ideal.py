"""The floor: multiply-accumulates only, edge folds padded. Timeloop's temporal loops give the same."""

from model.other_simulators import Dataflow, Estimate, Simulator, Term, folds
from model.work.workload import Gemm


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """folds x T."""
    count, items = folds(gemm, rows, columns, dataflow)
    return Estimate(terms=(Term(name="one step per item of each fold", label="stream", cycles=count * items),))


SIMULATOR = Simulator(title="ideal (MACs only; Timeloop's loops)", dataflows=("ws", "os", "is"), rule=rule)
