"""Operand streams of the array's cells, event energies, scaling."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.gates import activity, library, scaling, streams
from hw.gates.block import Block
from hw.rtl.npu.cell import Cell
from hw.rtl.npu.output_stage import OutputStage
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format
from model import workloads
from model.reference import npu as reference
from model.sweep.prices import MAC_ENERGY
from model.work.workload import OutputStage as OutputParameters
from tb.gates import capture, floating, report
from tb.gates import core as gates

ARRAY = MacArraySpec(rows=4, columns=4)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Block:
    return Block(Cell(ARRAY), "cell", library.load("mini45"), tmp_path_factory.mktemp("build"))


def test_the_streams_make_the_netlist_compute_the_matrix_product(cell) -> None:
    rng = np.random.default_rng(3)
    a, w = rng.integers(-128, 128, (9, 8)), rng.integers(-128, 128, (8, 4))
    given = streams.cell_streams(ARRAY, [(a, w)])
    _, outputs = cell.simulator.run(gates.with_reset(cell, given))
    bits = ARRAY.partial_sum_bits
    sums = (outputs["o_partial_sum"] ^ (1 << (bits - 1))) - (1 << (bits - 1))
    bottom = sums[1:, 12:16]  # row 3 of the array, one cycle later
    # Four cycles of loading come first; the last row's sum would appear after the stream's end.
    first, second = bottom[4 : 4 + 8], bottom[4 + 9 : 4 + 17]
    assert np.array_equal(first + second, (a @ w)[:8])


def test_zeros_cost_less_than_random_operands(cell) -> None:
    def energy(name: str) -> float:
        given = streams.cell_streams(ARRAY, [streams.operand_class(name, 64, 8, 8, 1)])
        return cell.energy(gates.with_reset(cell, given), 20).dynamic_fj

    assert energy("zeros") < 0.7 * energy("random")
    assert energy("zeros") < energy("sparse") < energy("random")


@pytest.mark.parametrize("number", ["int8", "int4"])
def test_the_price_of_a_cells_cycle_in_a_sweep_is_mostly_that_of_the_cell_at_the_gates(
    number: str, tmp_path: Path
) -> None:
    array = MacArraySpec(rows=4, columns=4, activation_format=number, weight_format=number)
    block = Block(Cell(array), f"cell_{number}", library.load("mini45"), tmp_path)
    bits = number_format(number).bits
    pair = streams.operand_class("random", 64, 8 * array.terms_per_lane, 4, 1, (bits, bits))
    energy, glitches = block.measure(gates.with_reset(block, streams.cell_streams(array, [pair])), tmp_path)
    pj = ((energy.switching_fj + energy.internal_fj) * glitches.mean + energy.clock_fj) / 1000
    # skew, adders and output lanes are the rest
    assert 0.5 * MAC_ENERGY[number].nominal < pj < MAC_ENERGY[number].nominal


@pytest.mark.volume
@pytest.mark.parametrize("name", ["npu_16", "npu_16_int4"])
def test_the_price_of_a_cells_cycle_in_a_sweep_is_that_of_the_array_at_the_gates(name: str) -> None:
    spec = chips.load(name).machine_as(CoreSpec)
    core, array = gates.Core(spec, library.load("mini45"), Path("build"), 0.25), spec.array
    bits = number_format(array.activation_format).bits
    pair = [streams.operand_class("random", 256, 64 * array.terms_per_lane, 32, 1, (bits, bits))]
    found = report.per_mac(core.measure(core.synthetic(pair), core.duty(pair)), array.cells)
    price = MAC_ENERGY[array.activation_format]
    assert found == pytest.approx((price.minimum, price.nominal, price.maximum), rel=0.02)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Debian's package iverilog")
def test_a_kept_measurement_equals_a_new_one(cell, tmp_path: Path) -> None:
    given = gates.with_reset(cell, streams.cell_streams(ARRAY, [streams.operand_class("sparse", 64, 8, 8, 1)]))
    assert cell.measure(given, tmp_path) == cell.measure(given, tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_a_wide_port_is_given_bit_by_bit() -> None:
    values = np.array([[5, 2]])
    planes = (values[..., None] >> np.arange(3)) & 1
    assert all(np.array_equal(activity.bit_of(values, k), activity.bit_of(planes, k)) for k in range(3))


def test_a_chip_without_a_core_is_refused() -> None:
    with pytest.raises(InputError, match=r"has none; choose one of .*npu_16"):
        gates.core_of(chips.load("nvidia_l4"))


def test_the_scaling_range_holds_its_nominal_and_shrinks_with_the_node() -> None:
    factors = [scaling.factor(n) for n in (45, 28, 22, 16, 14, 7, 5)]
    assert factors[0].nominal == pytest.approx(1.0)
    assert all(f.low <= f.nominal <= f.high for f in factors)
    assert all(b.nominal < a.nominal for a, b in itertools.pairwise(factors))
    assert [f.node_nm for f in factors if f.extrapolated] == [5]


def test_an_unknown_node_is_refused() -> None:
    with pytest.raises(InputError, match="not 3; choose"):
        scaling.factor(3)


def test_a_stream_in_parts_counts_what_it_counts_in_one(cell) -> None:
    given = gates.with_reset(cell, streams.cell_streams(ARRAY, [streams.operand_class("random", 40, 8, 8, 1)]))
    whole = cell.simulator.run(given, 0)[0]
    state = cell.simulator.start()
    parts = [cell.simulator.run({p: v[a:b] for p, v in given.items()}, 0, state)[0] for a, b in ((0, 17), (17, 900))]
    assert next(iter(given.values())).shape[0] < 900
    for net in cell.simulator.nets:
        assert whole.rises[net] == sum(p.rises[net] for p in parts)


def test_sums_of_windows_are_the_energy_of_the_stream(cell) -> None:
    given = gates.with_reset(cell, streams.cell_streams(ARRAY, [streams.operand_class("random", 40, 8, 8, 1)]))
    cycles = next(iter(given.values())).shape[0]
    energy = cell.energy(given, 10)
    moving = (energy.switching_fj + energy.internal_fj) * (cycles - 10) * ARRAY.cells
    assert sum(cell.by_window(given, [10, 30, cycles])) == pytest.approx(moving)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Debian's package iverilog")
def test_glitches_of_a_late_window_know_the_weight_loaded_before_it(cell) -> None:
    given = gates.with_reset(cell, streams.cell_streams(ARRAY, [streams.operand_class("random", 900, 4, 4, 1)]))
    late = {p: v[600:] for p, v in given.items()}
    assert cell.glitches(given, lanes=4, cycles=100).mean > 1.15
    # without the stream before, the weights are zero and nothing multiplies
    assert cell.glitches(late, lanes=4, cycles=100).mean < cell.glitches(given, lanes=4, cycles=100).mean


@pytest.mark.rtl
def test_the_operands_an_rtl_run_moves_are_those_of_the_lowering_and_give_the_counted_events(tmp_path: Path) -> None:
    spec = gates.core_of(chips.load("tiny"))
    captured = capture.capture("tiny", spec, "gemm_16", 1, tmp_path)
    gemms = gates.operands_of(workloads.load("gemm_16"), 1)
    capture.check_order(captured, spec, gemms)
    a, w = gemms[0]
    assert captured.events["macs"].sum() == a.size * w.shape[1]
    block = Block(Cell(spec.array), "cell", library.load("mini45"), tmp_path)
    bottom = [(spec.array.rows - 1) * spec.array.columns + c for c in range(spec.array.columns)]
    given = streams.lanes_of(captured.streams["cells"], bottom)
    _, outputs = block.simulator.run(gates.with_reset(block, given))
    bits = spec.array.partial_sum_bits
    sums = (outputs["o_partial_sum"] ^ (1 << (bits - 1))) - (1 << (bits - 1))
    # the last column's sums leave the array as they are; each is the netlist's for the captured operands
    with np.load(next((tmp_path / "gates" / "captured").glob("*.npz"))) as kept:
        assert np.array_equal(sums[10:], kept["bottom"][10:])
    wrong = [(a, w[:, ::-1])]
    with pytest.raises(InputError, match="must be those of the lowering"):
        capture.check_order(captured, spec, wrong)


def test_bfloat16_codes_are_the_upper_half_of_the_nearest_fp32_code() -> None:
    values = np.array([1.0, -2.5, 1 + 2.0**-9, 1 + 3 * 2.0**-9])
    codes = floating.codes("bf16", values)
    assert [hex(c) for c in codes] == ["0x3f80", "0xc020", "0x3f80", "0x3f81"]
    assert floating.values_of("bf16", codes).tolist() == [1.0, -2.5, 1.0, 1 + 2.0**-7]


def test_sums_above_a_bfloat16_cell_are_the_products_of_the_rows_above() -> None:
    a, w = (floating.codes("bf16", np.array(x)) for x in ([[1.0, 2.0, 3.0]], [[0.5], [4.0], [1.0]]))
    sums = floating.sums_above("bf16", a, w).astype(np.uint32).view(np.float32)
    assert sums[0, :, 0].tolist() == [0.0, 0.5, 8.5]


def check_output_stage(block: Block, core: CoreSpec, cycles: int = 200) -> None:
    rng = np.random.default_rng(11)
    sums, bias = rng.integers(-(1 << 20), 1 << 20, (cycles, 2)), rng.integers(-5000, 5000, 2)
    multiplier, shift = rng.integers(1 << 30, 1 << 31, 2), np.array([9, 12])
    lanes = {"bias": bias & 0xFFFFFFFF, "multiplier": multiplier, "shift": shift}
    values = {name: np.full(cycles, value & 0xFF) for name, value in (("zero_point", -3), ("low", -100), ("high", 90))}
    values |= {name: np.broadcast_to(value, (cycles, 2)) for name, value in lanes.items()}
    given = capture.output_streams({**values, "valid": np.ones(cycles, np.int64), "sums": sums & 0xFFFFFFFF}, 2)
    _, outputs = block.simulator.run(gates.with_reset(block, given))
    parameters = OutputParameters(bias=bias, multiplier=multiplier, shift=shift, zero_point=-3, low=-100, high=90)
    exact = reference.requantise(sums, parameters, core.rounding_mode).astype(np.int64)
    got = np.stack([outputs["o_data"][:, 0] >> 8 * k & 0xFF for k in (0, 1)], axis=1)
    late = OutputStage.latency
    assert np.array_equal(got[late:], (exact & 0xFF)[:-late])


@pytest.mark.volume
def test_the_netlist_of_the_output_stage_requantises_like_the_reference(tmp_path: Path) -> None:
    core = chips.load("npu_16").core
    assert core is not None
    narrow = replace(core, array=MacArraySpec(rows=core.array.rows, columns=2))
    check_output_stage(Block(OutputStage(narrow), "output_stage_2", library.load("mini45"), tmp_path), narrow)
