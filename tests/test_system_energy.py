"""Energy of core, vector unit and shared memory of a system: counts by prices, nothing twice."""

import pytest

from hw import chips
from hw.spec.npu_event import EVENTS
from hw.spec.system import SystemSpec
from hw.spec.vector_micro import EVENTS as VECTOR_EVENTS
from model.energy.system_at_gates import PRICES
from model.energy.system_prices import unit_energy


@pytest.mark.parametrize("name", ["npu_aim", "npu_hbm_pim"])
def test_arithmetic_costs_what_its_gates_cost(name: str) -> None:
    spec = chips.load(name).machine_as(SystemSpec)
    low, nominal, high = PRICES[spec.number]["vector.add"]
    found = unit_energy(spec, {"mac_array.mac": 1000}, {"vector.add": 1000}, 0)
    assert found["vector unit"].nominal == pytest.approx(nominal * 1e-9)
    assert found["vector unit"].low == pytest.approx(0.75 * low * 1e-9)
    assert found["vector unit"].high == pytest.approx(1.25 * high * 1e-9)
    assert found["core"].nominal == pytest.approx(PRICES[spec.number]["mac_array.mac"][1] * 1e-9)
    assert found["shared memory"].nominal == 0


def test_every_word_of_the_shared_memory_costs_the_same_whoever_moves_it() -> None:
    spec = chips.load("npu_aim").machine_as(SystemSpec)
    by = [
        unit_energy(spec, {"external_memory.read": 8}, {}, 0),
        unit_energy(spec, {}, {"shared_memory.vector_write": 8}, 0),
        unit_energy(spec, {}, {}, 8),
    ]
    assert len({energy["shared memory"].nominal for energy in by}) == 1
    assert by[0]["shared memory"].nominal > 0
    assert by[1]["vector unit"].nominal == 0


def test_a_row_of_accumulators_is_added_and_stored() -> None:
    spec = chips.load("npu_hbm_pim").machine_as(SystemSpec)
    added, read = (unit_energy(spec, {event: 1}, {}, 0)["core"] for event in ("accumulator.write", "accumulator.read"))
    assert added.nominal == pytest.approx(read.nominal + PRICES["fp16"]["accumulator.write"][1] * 1e-12)


@pytest.mark.parametrize("number", sorted(PRICES))
def test_prices_are_of_events_that_are_counted(number: str) -> None:
    assert set(PRICES[number]) <= set(EVENTS) | set(VECTOR_EVENTS)
    assert all(0 < low <= nominal <= high for low, nominal, high in PRICES[number].values())
