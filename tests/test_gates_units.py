"""Units put together from modules, output-stationary and INT4 arrays: what their netlists compute."""

# A component's members come from its signature at run time.
# pyright: reportAttributeAccessIssue=false

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from hw.gates import hierarchy, library, streams, synthesis
from hw.gates.block import Block
from hw.gates.blocks import Adder
from hw.rtl.npu.cell import Cell
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from tb import cli
from tb.bench import measure
from tb.gates import core as gates
from tb.gates import pim, pim_unit
from tb.gates.output_stationary_array import OutputStationaryIntegers

PROCESS = library.load("mini45")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


class _Four(wiring.Component):
    """a + b + c + d by two equal adders and one of another width."""

    def __init__(self) -> None:
        super().__init__({**dict.fromkeys("abcd", In(8)), "sum": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.low, m.submodules.high, m.submodules.last = low, high, last = Adder(8), Adder(8), Adder(16)
        m.d.comb += [
            low.a.eq(self.a),
            low.b.eq(self.b),
            high.a.eq(self.c),
            high.b.eq(self.d),
            last.a.eq(low.sum),
            last.b.eq(high.sum),
            self.sum.eq(last.sum),
        ]
        return m


def test_a_unit_mapped_module_by_module_computes_the_same_and_lists_equal_modules_once(build: Path) -> None:
    made = synthesis.synthesise(_Four(), "four", PROCESS, build, by_module=True)
    parts = {p.copies: p for p in hierarchy.parts(made.folder, PROCESS.library) if p.name != hierarchy.TOP}
    assert set(parts) == {1, 2}
    assert sum(p.copies * p.area_um2 for p in parts.values()) == pytest.approx(made.netlist.area_um2)
    block = Block(_Four(), "four", PROCESS, build, by_module=True)
    given = {p: np.random.default_rng(1).integers(0, 256, (50, 8)) for p in "abcd"}
    seen = block.simulator.run(given)[1]["sum"]
    assert np.array_equal(seen, (given["a"] + given["b"] & 255) + (given["c"] + given["d"] & 255))


def test_the_streams_of_int4_pairs_make_the_netlist_compute_the_matrix_product(build: Path) -> None:
    array = MacArraySpec(rows=4, columns=4, activation_format="int4", weight_format="int4")
    cell = Block(Cell(array), "cell", PROCESS, build)
    a, w = streams.operand_class("random", 9, 16, 4, 3, (4, 4))
    assert (a.min(), a.max(), w.min(), w.max()) == (-8, 7, -8, 7)
    given = streams.cell_streams(array, [(a, w)])
    sums = cell.simulator.run(gates.with_reset(cell, given))[1]["o_partial_sum"]
    bits = array.partial_sum_bits
    bottom = ((sums ^ (1 << bits - 1)) - (1 << bits - 1))[1:, 12:16]
    # four cycles of loading, then nine rows of each block of K = 8; the very last row appears after the end
    assert np.array_equal(bottom[4:12] + bottom[13:21], (a @ w)[:8])


def _os(number: str, build: Path) -> OutputStationaryIntegers:
    array = MacArraySpec(rows=4, columns=4, dataflow="os", activation_format=number, weight_format=number)
    core = CoreSpec(array=array, activation_words=64, weight_words=64, accumulator_rows=64, output_words=64)
    return OutputStationaryIntegers(core, PROCESS, build, 0.25)


@pytest.mark.parametrize(("number", "k"), [("int8", 9), ("int8", 3), ("int4", 14)])
def test_an_output_stationary_netlist_gives_every_product_and_drains_it_row_by_row(
    number: str, k: int, build: Path
) -> None:
    bits = {"int8": (8, 8), "int4": (4, 4)}[number]
    array = _os(number, build)
    a, w = streams.operand_class("random", 8, k, 4, 5, bits)
    given, leaving = array.cell_streams([(a, w)])
    assert 0 < leaving <= 1
    # what the bottom row shows after the last fold is its own sums and then those of the rows above
    bottom = array.run(streams.lanes_of(given, range(12, 16)))
    last = int(np.flatnonzero(given["i_last"][:, 12])[-1])
    assert np.array_equal(bottom[last + 1 : last + 4], (a @ w)[[7, 6, 5]])


def test_an_output_stationary_netlist_that_computes_something_else_is_refused(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = _os("int8", build)
    run = array.run
    monkeypatch.setattr(array, "run", lambda given: run(given) + 1)
    with pytest.raises(InputError, match="must give the products"):
        array.cell_streams([streams.operand_class("random", 4, 5, 4, 1)])


def test_zeros_cost_less_than_random_operands_in_an_output_stationary_cell(build: Path) -> None:
    array = _os("int8", build)

    def energy(name: str) -> float:
        given, _ = array.cell_streams([streams.operand_class(name, 32, 16, 8, 1)])
        return array.cell.energy(gates.with_reset(array.cell, given), 20).dynamic_fj

    assert energy("zeros") < 0.7 * energy("random")


@pytest.mark.volume
@pytest.mark.parametrize(("make", "device"), [(pim_unit.hbm_pim_unit, "hbm_pim"), (pim_unit.aim_unit, "aim")])
def test_the_netlist_of_a_whole_pim_unit_computes_its_macs(make: Any, device: str, build: Path) -> None:
    spec = pim.spec_of(device)
    unit = make(spec, PROCESS, build, 2, commands=24)
    registers = sum(f.entries * f.bits for f in spec.registers if f.per == "unit")
    assert unit.flip_flops > registers
    assert unit.compared >= 23 * pim_unit.LANES
    assert sum(p.copies * p.area_um2 for p in unit.parts) == pytest.approx(unit.area_um2)


def test_a_pim_unit_that_computes_something_else_is_refused(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = Block(Adder(8), "adder", PROCESS, build)
    cycles = pim_unit.LEAD + 8
    given = {p: np.full((cycles, pim_unit.LANES), 3) for p in ("a", "b")}
    right = pim_unit.Work(streams=given, interval=2, macs=1, port="sum", results=np.full((4, pim_unit.LANES), 6))
    assert pim_unit._compare(block, given, right, "adder") == 3 * pim_unit.LANES
    wrong = pim_unit.Work(streams=given, interval=2, macs=1, port="sum", results=np.full((4, pim_unit.LANES), 7))
    with pytest.raises(InputError, match="12 of 12 results differ"):
        pim_unit._compare(block, given, wrong, "adder")


def test_an_array_that_is_not_covered_is_one_sentence(build: Path) -> None:
    core = chips.load("npu_16_bf16").core
    assert core is not None
    with pytest.raises(InputError, match="covers integers that drain through the columns"):
        OutputStationaryIntegers(core, PROCESS, build, 0.25)


@pytest.mark.volume
@pytest.mark.rtl
def test_a_stopped_energy_run_does_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["energy", "--chip", "tiny", "--workload", "gemm_16", "--build", str(tmp_path)]
    glitches, simulate, stop_after = Block.glitches, measure.simulate, 6
    done: list[str] = []

    def counted(block: Block, *given: Any, **named: Any) -> Any:
        if len(done) == stop_after:
            raise KeyboardInterrupt
        done.append(block.name)
        return glitches(block, *given, **named)

    def simulated(*given: Any) -> Any:
        done.append("the RTL run")
        return simulate(*given)

    monkeypatch.setattr(Block, "glitches", counted)
    monkeypatch.setattr(measure, "simulate", simulated)
    assert main("tb", cli, arguments) == 130
    assert len(done) == stop_after
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "gates" / "measured").glob("*.json")}
    assert len(kept) >= stop_after - 1
    stop_after = -1
    assert main("tb", cli, arguments) == 0
    assert done.count("the RTL run") == 1
    assert all(p.stat().st_mtime_ns == at for p, at in kept.items())
    again = len(done)
    assert main("tb", cli, arguments) == 0
    assert len(done) == again
