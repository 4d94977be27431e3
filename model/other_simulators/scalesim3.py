"""SCALE-Sim 2 and 3 (PyPI 2.0.2, 3.0.0) without stalls: folds x length, no overlap of folds, full array charged.

Ref: scalesim/compute/systolic_compute_{ws,is,os}.py. Its report prints the index of the last cycle (issue #125).
"""

from hw.base.integer import ceil_div
from model.other_simulators import Convolution, Dataflow, Estimate, Simulator, Term, folds
from model.work.workload import Gemm


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """ws, is: folds x (2R + C + T - 2); os: folds x (R + C + K - 2), results are not shifted out."""
    count, items = folds(gemm, rows, columns, dataflow)
    stream = Term(name="stream", label="stream", cycles=count * items)
    skew = Term(name="skew R + C - 2 in every fold", label="fill", cycles=count * (rows + columns - 2))
    if dataflow == "os":
        return Estimate(terms=(stream, skew), report_offset=-1)
    load = Term(name="load of the stationary operand, R in every fold", label="load", cycles=count * rows)
    return Estimate(terms=(load, stream, skew), report_offset=-1)


def lower(work: Convolution) -> Gemm:
    """Implicit im2col with the output size rounded UP: ceil((H - kernel + stride) / stride).

    SCALE-Sim knows no padding; a padded layer is given to it with the padded input size.
    """
    height = ceil_div(work.height + 2 * work.padding - work.kernel_height + work.stride, work.stride)
    width = ceil_div(work.width + 2 * work.padding - work.kernel_width + work.stride, work.stride)
    return Gemm(
        name=work.name,
        m=height * width,
        n=work.filters,
        k=work.kernel_height * work.kernel_width * work.channels,
    )


SIMULATOR = Simulator(
    title="SCALE-Sim 2 and 3",
    dataflows=("ws", "os", "is"),
    rule=rule,
    lower=lower,
    note="its report prints one cycle less; its os fold lacks the R cycles that shift results out of the columns",
)
