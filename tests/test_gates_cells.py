"""The 45 nm cells, their library and its reader."""

from pathlib import Path

import numpy as np
import pytest

from hw.base.error import InputError
from hw.cells import MINI45_LIBERTY, mini45
from hw.cells.boolean import evaluate, parse
from hw.cells.deck import walk
from hw.gates import liberty, library, write_library


def _broken(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "broken.lib"
    path.write_text(MINI45_LIBERTY.read_text().replace(old, new))
    return path


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("!(A & B)", 0b0111),
        ("(A & !B) | (!A & B)", 0b0110),
        ("A'B + A B'", 0b0110),
        ("A ^ B", 0b0110),
        ("!A", 0b0101),
    ],
)
def test_a_function_text_means_its_truth_table(text: str, truth: int) -> None:
    # bit k of a value belongs to the inputs (A, B) = (bit 0 of k, bit 1 of k)
    assert evaluate(parse(text), {"A": 0b1010, "B": 0b1100}, 0b1111) == truth


@pytest.mark.parametrize("cell", mini45.CELLS, ids=lambda c: c.name)
def test_the_walk_sees_every_reachable_single_input_transition(cell) -> None:
    seen = {(tuple(s.inputs.values()), s.pin, tuple(s.before.values())) for s in walk(cell)}
    if not cell.clock:
        assert len(seen) == len(cell.inputs) * 2 ** len(cell.inputs)


@pytest.mark.parametrize("cell", [c for c in mini45.CELLS if not c.clock], ids=lambda c: c.name)
def test_the_transistors_conduct_as_the_function_says(cell) -> None:
    pulled: dict[str, tuple] = {}
    for stage in cell.devices:
        pulled[stage.output] = parse(stage.down)
    for state in range(2 ** len(cell.inputs)):
        values = {p: state >> k & 1 for k, p in enumerate(cell.inputs)}
        for stage in cell.devices:
            values[stage.output] = 1 - evaluate(pulled[stage.output], values)
        for pin, text in cell.functions.items():
            assert values[pin] == evaluate(parse(text), values)


def test_the_committed_models_are_those_the_description_gives() -> None:
    assert (MINI45_LIBERTY.parent / "mini45.v").read_text() == write_library.verilog()
    assert (MINI45_LIBERTY.parent / "mini45.sp").read_text() == write_library.spice()


def test_the_committed_library_has_all_cells_with_sane_figures() -> None:
    read = library.load("mini45").library
    assert set(read.cells) == {c.name for c in mini45.CELLS}
    inverter = read.cells["INV_X1"]
    assert 1.0 < inverter.capacitance_ff["A"] < 3.0
    delays = inverter.arcs[0].delay["rise"].values
    assert np.all(np.diff(delays, axis=1) > 0)
    assert read.cells["DFF_X1"].clock == "CK"


def test_a_table_is_bilinear_between_and_beyond_its_points() -> None:
    table = liberty.Table(
        slews_ns=np.array([0.0, 1.0]), loads_ff=np.array([0.0, 10.0]), values=np.array([[0.0, 10.0], [2.0, 12.0]])
    )
    assert table.at(0.5, 5.0) == pytest.approx(6.0)
    assert table.at(2.0, 20.0) == pytest.approx(24.0)


def test_a_cell_without_power_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cell INV_X1 of broken\.lib has none"):
        liberty.read(_broken(tmp_path, "internal_power", "no_power"))


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="time_unit as one of"):
        liberty.read(_broken(tmp_path, '"1ns"', '"1fortnight"'))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.lib"
    path.write_text(MINI45_LIBERTY.read_text()[:20000])
    with pytest.raises(InputError, match=r"close its groups|must be Liberty"):
        liberty.read(path)


def test_an_edited_library_has_another_digest(tmp_path: Path) -> None:
    edited = _broken(tmp_path, "area : 0.532", "area : 0.6")
    assert liberty.read(edited).digest != library.load("mini45").library.digest
