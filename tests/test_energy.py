"""Counts meet a table: prices by hand, intervals, named gaps, activity weights."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec
from model import energy, record
from model.count import Counts
from model.energy import origin
from model.energy import table as tables
from model.energy.price import CLOCK, GATE_ACTIVITY, RANDOM_OPERANDS, RTL_ACTIVITY, Interval

CORE = CoreSpec(
    array=MacArraySpec(rows=16, columns=16),
    activation_words=512,
    weight_words=2048,
    accumulator_rows=512,
    output_words=2048,
)
"""Memories of 8, 32, 32 and 32 KiB: sizes the 45 nm table prints."""

NPU_16 = chips.load("npu_16").core
MEASURED = "mini45_npu_16"
DIGITS = Path(__file__).parents[1] / "measurements" / "npu_16" / "digits.1.rtl.json"


def test_every_published_table_prices_the_events_of_a_core() -> None:
    assert set(energy.published()) >= {"horowitz_45nm", "tpuv4i_7nm"}
    for name in energy.published():
        table = energy.table_for(name, CORE)
        assert {"mac_array.mac", "weight_memory.read", "output_stage.requantise"} <= table.energies.keys()
        assert table.error.nominal > 0
        assert table.leaves_out
        assert all(fact.source for fact in table.energies.values())


def test_a_mac_at_45_nm_is_multiply_add_and_registers_by_hand() -> None:
    table = energy.table_for("horowitz_45nm", CORE)
    # partial sum of 16 INT8 products: 16 + 4 = 20 bits; registers of 8 + 20 bits
    assert table.energies["mac_array.mac"].nominal == pytest.approx(0.2 + 0.1 * 20 / 32 + 28 * 0.005)
    assert table.energies["mac_array.weight_load"].nominal == pytest.approx(8 * 0.005)


def test_memories_cost_what_the_table_prints_at_its_own_sizes() -> None:
    table = energy.table_for("horowitz_45nm", CORE)
    assert table.energies["activation_memory.read"].nominal == pytest.approx(2 * 10.0)  # 128 bits from 8 KiB
    assert table.energies["weight_memory.read"].nominal == pytest.approx(2 * 20.0)  # 128 bits from 32 KiB
    assert table.energies["accumulator.write"].nominal == pytest.approx(8 * 20.0)  # 512 bits from 32 KiB
    between = energy.table_for("horowitz_45nm", replace(CORE, weight_words=16384)).energies["weight_memory.read"]
    assert 2 * 20.0 < between.nominal < 2 * 100.0
    assert between.minimum == pytest.approx(2 * 10.0)


def test_price_is_counts_times_energy_with_the_stated_error_around() -> None:
    table = energy.table_for("horowitz_45nm", CORE)
    priced = energy.price(Counts({"mac_array.mac": 10**12}), table)
    mac = table.energies["mac_array.mac"]
    assert priced.total_j.nominal == pytest.approx(mac.nominal)
    assert priced.total_j.low == pytest.approx(mac.minimum * 0.7)
    assert priced.total_j.high == pytest.approx(mac.maximum * 1.3)
    assert priced.activity == RANDOM_OPERANDS


def test_price_is_linear_and_sums_over_components() -> None:
    table = energy.table_for("tpuv4i_7nm", CORE)
    counts = Counts({"mac_array.mac": 500, "mac_array.weight_load": 30, "weight_memory.read": 7})
    once, thrice = energy.price(counts, table), energy.price(counts * 3, table)
    assert thrice.total_j.nominal == pytest.approx(3 * once.total_j.nominal)
    assert {c.component for c in once.components} == {"mac_array", "weight_memory"}
    assert sum(c.energy_j.nominal for c in once.components) == pytest.approx(once.total_j.nominal)


def test_events_without_a_price_are_named_not_dropped() -> None:
    priced = energy.price(
        Counts({"mac_array.mac": 1, "command.accept": 4, "mac_array.pass": 0}),
        energy.table_for("horowitz_45nm", CORE),
    )
    assert priced.unpriced == ("command.accept",)


def test_fewer_toggles_than_on_random_operands_price_lower_but_keep_the_high_end() -> None:
    table = energy.table_for("horowitz_45nm", CORE)
    counts = Counts({"mac_array.mac": 100})
    plain = energy.price(counts, table)
    weighed = energy.price(
        counts, table, toggles={"mac_array": 1000}, reference=({"mac_array.mac": 50}, {"mac_array": 1000})
    )
    assert weighed.activity == RTL_ACTIVITY
    assert weighed.components[0].weight == pytest.approx(0.5)
    assert weighed.total_j.nominal == pytest.approx(plain.total_j.nominal / 2)
    assert weighed.total_j.low == pytest.approx(plain.total_j.low / 2)
    assert weighed.total_j.high == pytest.approx(plain.total_j.high)


def test_more_advanced_nodes_price_lower() -> None:
    counts = Counts({name: 1000 for name in energy.table_for("horowitz_45nm", CORE).energies})
    old, new = (energy.price(counts, energy.table_for(n, CORE)).total_j for n in ("horowitz_45nm", "tpuv4i_7nm"))
    assert new.nominal < old.nominal


def test_an_npu_16_mac_with_its_memories_lies_between_core_and_system_publications() -> None:
    """512^3 at 7 nm: more than a core alone at 22 nm (0.12 pJ), less than a system at 16 nm (1.25 pJ)."""
    macs = 512**3
    counts = Counts(
        {
            "mac_array.mac": macs,
            "activation_memory.read": macs // 256,
            "accumulator.read": macs // 256,
            "accumulator.write": macs // 256,
            "weight_memory.read": macs // 512 // 16,
        }
    )
    per_mac = energy.price(counts, energy.table_for("tpuv4i_7nm", CORE)).total_j * (1e12 / macs)
    assert 0.12 < per_mac.nominal < 1.25


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"error": Fact(nominal=1.5, unit="1", confidence="assumed", source="x")},
            "must be a ratio from 0 to below 1",
        ),
        ({"kind": "guessed"}, "must be one of published, measured, not 'guessed'"),
        (
            {"energies": {"a.b": Fact(nominal=1, unit="nJ", confidence="assumed", source="x")}},
            "a.b must be in pJ",
        ),
        (
            {"energies": {"a.b": Fact(nominal=-1, unit="pJ", confidence="assumed", source="x")}},
            "at least 0 pJ",
        ),
    ],
)
def test_bad_tables_are_refused(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        replace(energy.table_for("horowitz_45nm", CORE), **change)


def test_wrong_tables_and_formats_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="did you mean 'horowitz_45nm'"):
        energy.table_for("horowitz_45", CORE)
    with pytest.raises(InputError, match="must price at least one counted event"):
        energy.price(Counts({"bank.activate": 1}), energy.table_for("horowitz_45nm", CORE))
    array = MacArraySpec(rows=4, columns=4, activation_format="fp16", weight_format="fp16")
    fp16 = replace(CORE, array=array, output_format="fp16")
    with pytest.raises(InputError, match="prices INT8 x INT8 cores, not fp16 x fp16"):
        energy.table_for("horowitz_45nm", fp16)
    with pytest.raises(InputError, match="low <= nominal <= high"):
        Interval(low=2, nominal=1, high=3)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> energy.EnergyTable:
    """The committed table as if measured on the present core, so that a change of the core does not hide the rules."""
    assert NPU_16 is not None
    kept = energy.load_operations(MEASURED)
    assert isinstance(kept, energy.EnergyTable)
    assert kept.gates is not None
    table = replace(
        kept,
        gates=replace(
            kept.gates,
            blocks_digest=origin.blocks_digest(NPU_16),
            liberty_digest=origin.file_digest(kept.gates.liberty),
            rtl={path: origin.file_digest(path) for path in origin.RTL_FILES},
        ),
    )
    load = tables.load_operations
    monkeypatch.setattr(tables, "load_operations", lambda name: table if name == MEASURED else load(name))
    return energy.table_for(MEASURED, NPU_16)


def test_a_measured_table_prices_exactly_what_it_covers_and_names_the_rest(measured) -> None:
    table, result = measured, record.read(DIGITS).result
    priced = energy.price(result.counts, table, cycles=result.cycles)
    assert priced.activity == GATE_ACTIVITY
    assert {c.component for c in priced.components} == {CLOCK, "mac_array", "accumulator", "output_stage"}
    assert {
        "activation_memory.read",
        "weight_memory.read",
        "accumulator.read",
        "accumulator.drain_read",
        "output_memory.write",
        "parameter_memory.read",
    } <= set(priced.unpriced)
    by_hand = table.cycle.nominal * result.cycles + sum(  # type: ignore[union-attr]
        fact.nominal * result.counts.get(event, 0) for event, fact in table.energies.items()
    )
    assert priced.total_j.nominal == pytest.approx(by_hand * 1e-12)
    assert sum(c.energy_j.nominal for c in priced.components) == pytest.approx(priced.total_j.nominal)


def test_toggles_do_not_weigh_a_measured_table_again(measured) -> None:
    table, counts = measured, Counts({"mac_array.mac": 100})
    plain = energy.price(counts, table, cycles=1)
    weighed = energy.price(
        counts, table, toggles={"mac_array": 1}, cycles=1, reference=({"mac_array.mac": 50}, {"mac_array": 1000})
    )
    assert plain.total_j == weighed.total_j


def test_a_table_that_prices_cycles_must_be_given_their_number(measured) -> None:
    with pytest.raises(InputError, match="their number must be given"):
        energy.price(Counts({"mac_array.mac": 1}), measured)


def test_a_measured_table_is_not_applied_to_another_array(measured) -> None:
    assert NPU_16 is not None
    other = replace(NPU_16, array=replace(NPU_16.array, rows=8))
    with pytest.raises(InputError, match="must price those only"):
        energy.table_for(MEASURED, other)
    found, notices = energy.measured_for("npu_16", other)
    assert found == []
    assert "is of an earlier core" in notices[0]
    assert len(notices) == 1


def test_deeper_memories_and_queues_leave_a_measured_table_valid(measured) -> None:
    assert NPU_16 is not None
    other = replace(NPU_16, activation_words=2 * NPU_16.activation_words, command_entries=2 * NPU_16.command_entries)
    assert energy.measured_for("npu_16", other) == ([measured], [])


@pytest.mark.parametrize(("path", "says"), [(None, "is of cells"), ("hw/rtl/npu/cell.py", "is of hw/rtl/npu/cell.py")])
def test_an_edited_cell_library_and_edited_blocks_are_noticed(
    measured, path: str | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert NPU_16 is not None
    assert energy.measured_for("npu_16", NPU_16)[1] == []
    edited = path or measured.gates.liberty
    for file in (measured.gates.liberty, *origin.RTL_FILES):
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((origin.ROOT / file).read_bytes() + (b" " if file == edited else b""))
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    found, notices = energy.measured_for("npu_16", NPU_16)
    assert found == [measured]
    assert len(notices) == 1
    assert says in notices[0]
    assert "run `make energy CHIP=npu_16`" in notices[0]


def test_a_missing_measured_table_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert NPU_16 is not None
    monkeypatch.setattr(tables, "names", lambda: ["horowitz_45nm"])
    found, notices = energy.measured_for("npu_16", NPU_16)
    assert found == []
    assert "`make energy CHIP=npu_16` measures one" in notices[0]


def test_a_measured_table_says_on_which_gates(measured) -> None:
    with pytest.raises(InputError, match="measured exactly if it says on which gates"):
        replace(measured, gates=None)
