"""Operand streams of the array's cells, event energies, scaling."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.gates import activity, library, scaling, streams
from hw.gates.block import Block
from hw.rtl.cell import Cell
from hw.spec.error import InputError
from hw.spec.mac_array import MacArraySpec
from tb import gates

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


def test_a_kept_measurement_equals_a_new_one(cell, tmp_path: Path) -> None:
    given = gates.with_reset(cell, streams.cell_streams(ARRAY, [streams.operand_class("sparse", 64, 8, 8, 1)]))
    assert cell.measure(given, tmp_path) == cell.measure(given, tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_a_wide_port_is_given_bit_by_bit() -> None:
    values = np.array([[5, 2]])
    planes = (values[..., None] >> np.arange(3)) & 1
    assert all(np.array_equal(activity.bit_of(values, k), activity.bit_of(planes, k)) for k in range(3))


def test_a_chip_without_a_core_is_refused() -> None:
    with pytest.raises(InputError, match="has none; try npu_16"):
        gates.core_of(chips.load("nvidia_l4"), "nvidia_l4")


def test_the_scaling_range_holds_its_nominal_and_shrinks_with_the_node() -> None:
    factors = [scaling.factor(n) for n in (45, 28, 22, 16, 14, 7, 5)]
    assert factors[0].nominal == pytest.approx(1.0)
    assert all(f.low <= f.nominal <= f.high for f in factors)
    assert all(b.nominal < a.nominal for a, b in itertools.pairwise(factors))
    assert [f.node_nm for f in factors if f.extrapolated] == [5]


def test_an_unknown_node_is_refused() -> None:
    with pytest.raises(InputError, match="not 3; choose"):
        scaling.factor(3)
