"""SCALE-Sim 1 (ARM, bb76184): only the rows and columns really used are charged.

Ref: sram_traffic_{ws,is,os}.py. A GEMM is a 1x1 convolution over M pixels with K channels and N filters.
When K fits the rows more than once, floor(R / K) groups of columns are stacked in the rows ("parallel windows").
"""

from hw.base.integer import ceil_div
from model.other_simulators import Dataflow, Estimate, Simulator, Term
from model.work.workload import Gemm


def _weight_stationary(m: int, n: int, k: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    """(load, stream, skew, drain): a fold loads its rows, waits for its rows and columns, then M outputs leave."""
    if rows < k:
        blocks, count = ceil_div(n, columns), ceil_div(k, rows)
        return blocks * k, blocks * count * m, blocks * k, count * n
    windows = rows // k
    blocks = ceil_div(n, windows * columns)
    last = n - (blocks - 1) * windows * columns
    drain = (blocks - 1) * columns + min(last, columns)
    return k * ceil_div(n, columns), blocks * m, blocks * k, drain


def _input_stationary(m: int, n: int, k: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    """The mirrored problem, counted one cycle per fold shorter."""
    if rows < k:
        blocks, count = ceil_div(m, columns), ceil_div(k, rows)
        return blocks * k, blocks * count * n, blocks * k, count * (m - blocks)
    windows = rows // k
    blocks = ceil_div(m, windows * columns)
    last = m - (blocks - 1) * windows * columns
    return k * ceil_div(m, columns), blocks * n, blocks * k, (blocks - 1) * (columns - 1) + min(last, columns) - 1


def _output_stationary(m: int, n: int, k: int, rows: int, columns: int) -> int:
    """The later of the last operand read and the last result written.

    Folds follow one another without a gap. Reads: row r starts r cycles late, column c starts c cycles late, a
    partly used last fold leaves the later rows and columns one fold less to do. Writes: one row of results per
    cycle and at least min(rows, M) cycles between folds.
    """
    row_folds, column_folds = ceil_div(m, rows), ceil_div(n, columns)
    last_rows, last_columns = m - (row_folds - 1) * rows, n - (column_folds - 1) * columns
    steps = row_folds * column_folds * k
    read = steps + last_columns - 1
    if column_folds > 1:
        read = max(read, steps - row_folds * k + columns - 1)
    if k > 1:
        # with K = 1 the tool's end test sees every row at a fold boundary and stops with the last column
        read = max(read, steps + last_rows - 1)
        if row_folds > 1:
            read = max(read, steps - k + rows - 1)
    within = (row_folds - 1) * max(k, rows)
    used = min(columns, n)
    write = k + used - 1
    if column_folds > 1:  # from one column fold to the next; only the last of them is narrower
        between = max(last_rows, k + 1 - last_rows)
        write += (column_folds - 2) * (within + between)
        write += within + max(last_rows, k + last_columns - (last_rows + used - 1))
    return max(read, write + within + last_rows)


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """ws: per fold 2 r + c + M; is: per fold 2 r + c + N - 1; os: folds back to back plus the skew once."""
    if dataflow == "os":
        total = _output_stationary(gemm.m, gemm.n, gemm.k, rows, columns)
        stream = ceil_div(gemm.m, rows) * ceil_div(gemm.n, columns) * gemm.k
        return Estimate(
            terms=(
                Term(name="stream, folds back to back", label="stream", cycles=stream),
                Term(name="skew and last results, once", label="fill", cycles=total - stream),
            )
        )
    by_dataflow = _weight_stationary if dataflow == "ws" else _input_stationary
    load, stream, skew, drain = by_dataflow(gemm.m, gemm.n, gemm.k, rows, columns)
    return Estimate(
        terms=(
            Term(name="load of the rows used, in every fold", label="load", cycles=load),
            Term(name="stream", label="stream", cycles=stream),
            Term(name="wait for the rows used, in every fold", label="fill", cycles=skew),
            Term(name="wait for the columns used, in every fold", label="drain", cycles=drain),
        )
    )


SIMULATOR = Simulator(
    title="SCALE-Sim 1",
    dataflows=("ws", "os", "is"),
    rule=rule,
    note="its os results leave by links a plain array does not have (authors, issue #26)",
)
