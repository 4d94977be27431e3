"""The output-stationary array: closed form = stepped model = RTL, in cycles and values, for every switch."""

import random
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.npu.output_stationary_array import SUM_BITS, OutputStationaryArray
from hw.spec.mac_array import Drain, MacArraySpec
from model.work.workload import Gemm
from tests.support import output_stationary_array
from tests.support.array_form import output_stationary
from tests.support.output_stationary_engine import OutputStationaryEngine


def spec_of(rows: int, columns: int, drain: Drain = "columns", overlap: bool = True) -> MacArraySpec:
    return MacArraySpec(rows=rows, columns=columns, dataflow="os", drain=drain, fold_overlap=overlap)


def simulate(spec: MacArraySpec, m: int, n: int, k: int, seed: int) -> tuple[int, int, np.ndarray, np.ndarray]:
    """(cycles by the engine's counter, cycle of the last result, sums of the RTL, sums of NumPy)."""
    rng = np.random.default_rng(seed)
    rows, columns = spec.rows, spec.columns
    row_blocks, column_blocks = -(-m // rows), -(-n // columns)
    a = np.zeros((row_blocks * rows, k), np.int64)
    w = np.zeros((k, column_blocks * columns), np.int64)
    a[:m], w[:, :n] = rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, n))
    result = np.zeros((row_blocks * rows, column_blocks * columns), np.int64)
    engine = OutputStationaryEngine(spec)
    seen: dict[str, Any] = {"last": 0, "count": [0] * spec.cells, "rows": 0}

    def pack(values: np.ndarray) -> int:
        return sum((int(v) & 0xFF) << (8 * i) for i, v in enumerate(values))

    def signed(word: int, index: int) -> int:
        value = (word >> (SUM_BITS * index)) & ((1 << SUM_BITS) - 1)
        return value - (1 << SUM_BITS) if value >> (SUM_BITS - 1) else value

    def place(fold: int, r: int, c: int, value: int) -> None:
        result[fold // column_blocks * rows + r, fold % column_blocks * columns + c] = value

    async def bench(ctx: Any) -> None:
        ctx.set(engine.i_row_blocks, row_blocks)
        ctx.set(engine.i_column_blocks, column_blocks)
        ctx.set(engine.i_k, k)
        ctx.set(engine.i_start, 1)
        await ctx.tick()
        ctx.set(engine.i_start, 0)
        cycle = 0
        while ctx.get(engine.o_busy):
            cycle += 1
            valid, sums = ctx.get(engine.o_valid), ctx.get(engine.o_sums)
            if valid:
                seen["last"] = cycle
            if spec.drain == "columns" and valid:
                fold, back = divmod(seen["rows"], rows)
                for c in range(columns):
                    place(fold, rows - 1 - back, c, signed(sums, c))
                seen["rows"] += 1
            elif valid:
                for index in range(spec.cells):
                    if valid >> index & 1:
                        place(seen["count"][index], index // columns, index % columns, signed(sums, index))
                        seen["count"][index] += 1
            word = None
            if ctx.get(engine.o_read):
                i, j = ctx.get(engine.o_activation_address), ctx.get(engine.o_weight_address)
                word = (
                    pack(a[i // k * rows : (i // k + 1) * rows, i % k]),
                    pack(w[j % k, j // k * columns : (j // k + 1) * columns]),
                )
            await ctx.tick()
            if word is not None:
                ctx.set(engine.i_activation, word[0])
                ctx.set(engine.i_weight, word[1])
        seen["cycles"] = ctx.get(engine.o_cycles)

    simulator = Simulator(engine)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen["cycles"], seen["last"], result, a @ w


SHAPES = [
    (2, 2, 2, 2, 2),
    (4, 4, 8, 8, 16),
    (4, 4, 9, 7, 5),
    (3, 5, 7, 11, 6),
    (5, 3, 11, 7, 9),
    (4, 2, 8, 4, 1),
    (4, 4, 12, 8, 2),
    (2, 6, 5, 13, 3),
    (6, 2, 6, 2, 6),
]


@pytest.mark.parametrize(("drain", "overlap"), [("columns", True), ("columns", False), ("link", True), ("link", False)])
@pytest.mark.parametrize(("rows", "columns", "m", "n", "k"), SHAPES)
def test_rtl_agrees_with_both_models_in_cycles_and_values(
    rows: int, columns: int, m: int, n: int, k: int, drain: Drain, overlap: bool
) -> None:
    spec, gemm = spec_of(rows, columns, drain, overlap), Gemm(name="g", m=m, n=n, k=k)
    cycles, last, sums, expected = simulate(spec, m, n, k, seed=rows * 1000 + k)
    run = output_stationary_array.step(spec, gemm)
    assert cycles == last == run.cycles == output_stationary(spec, gemm).cycles
    assert np.array_equal(sums, expected)


def test_base_form_is_the_published_one() -> None:
    for rows, columns, m, n, k in SHAPES:
        folds = -(-m // rows) * -(-n // columns)
        form = output_stationary(spec_of(rows, columns), Gemm(name="g", m=m, n=n, k=k))
        assert form.cycles == (folds - 1) * max(k, rows) + k + 2 * rows + columns - 1


def test_closed_form_is_the_stepped_model_on_ten_thousand_draws() -> None:
    draw = random.Random(20)
    for _ in range(10_000):
        spec = spec_of(draw.randint(2, 40), draw.randint(2, 40), draw.choice(["columns", "link"]), draw.random() < 0.7)
        gemm = Gemm(name="g", m=draw.randint(1, 90), n=draw.randint(1, 90), k=draw.randint(1, 80))
        assert output_stationary(spec, gemm) == output_stationary_array.step(spec, gemm).budget, (spec, gemm)


def test_results_of_one_fold_are_all_out_before_the_next_fold_overwrites_them() -> None:
    run = output_stationary_array.step(spec_of(8, 4), Gemm(name="g", m=16, n=8, k=3))
    for before, after in zip(run.folds, run.folds[1:], strict=False):
        assert after.first_result > before.last_result


def test_other_dataflows_are_refused() -> None:
    with pytest.raises(InputError, match="dataflow must be 'os', not 'ws'"):
        OutputStationaryArray(MacArraySpec(rows=2, columns=2))
    with pytest.raises(InputError, match="dataflow must be 'os', not 'ws'"):
        output_stationary_array.step(MacArraySpec(rows=2, columns=2), Gemm(name="g", m=2, n=2, k=2))
