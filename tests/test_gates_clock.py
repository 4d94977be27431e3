"""Clock gates: the same function, less clock where registers stand still, and nothing else left out."""

# A component's members come from its signature at run time.
# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.command_line import main
from hw.gates import clock_gating, library, synthesis, timed
from hw.gates.block import Block
from tb import cli

PROCESS = library.load("mini45")
CYCLES, LANES = 300, 8


class File(wiring.Component):
    """Eight words of 16 bits, one of them not zero after reset; the word read is a register that is always clocked."""

    def __init__(self) -> None:
        super().__init__({"data": In(16), "write": In(1), "place": In(3), "read": In(3), "o": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = Array(Signal(16, init=5 if i == 1 else 0, name=f"word_{i}") for i in range(8))
        with m.If(self.write):
            m.d.sync += words[self.place].eq(self.data)
        m.d.sync += self.o.eq(words[self.read])
        return m


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(scope="module")
def blocks(build: Path) -> tuple[Block, Block]:
    recipes = synthesis.RECIPE, clock_gating.gated(synthesis.RECIPE)
    return Block(File(), "file", PROCESS, build, recipes[0]), Block(File(), "file", PROCESS, build, recipes[1])


def streams(writes: float, resets: float = 0.0) -> dict[str, np.ndarray]:
    rng, shape = np.random.default_rng(4), (CYCLES, LANES)
    return {
        "data": rng.integers(0, 1 << 16, shape),
        "write": (rng.random(shape) < writes).astype(np.int64),
        "place": rng.integers(0, 8, shape),
        "read": rng.integers(0, 8, shape),
        "rst": (rng.random(shape) < resets).astype(np.int64),
    }


def test_a_block_with_clock_gates_shows_the_same_outputs_through_writes_and_resets(blocks) -> None:
    plain, gated = blocks
    given = streams(0.3, 0.03)
    assert np.array_equal(plain.simulator.run(given)[1]["o"], gated.simulator.run(given)[1]["o"])


def test_each_word_has_its_own_gates_and_what_is_always_written_has_none(blocks) -> None:
    netlist = blocks[1].netlist
    assert blocks[0].netlist.gates == ()
    assert sorted(g.registers for g in netlist.gates) == [16] * 8
    assert all(g.pairs == 2 for g in netlist.gates)
    behind = {f.name for f in netlist.flops if f.pins["CK"] != netlist.clock}
    assert len(behind) == 8 * 16
    assert len(netlist.flops) == 9 * 16
    own = sum(i.cell.area_um2 for i in netlist.instances)
    pair = sum(PROCESS.library.cell(name).area_um2 for name in ("MUX2_X1", "AND2_X1"))
    assert netlist.area_um2 == pytest.approx(own + 16 * pair)


def test_the_clock_costs_what_is_always_clocked_plus_each_cycle_that_a_gate_lets_through(blocks) -> None:
    plain, gated = blocks
    still, busy = (gated.energy(streams(writes), 20) for writes in (0.0, 1.0))
    always = gated.coefficients.clock_fj
    assert still.clock_fj == pytest.approx(always)
    # sixteen registers of 144 are outside; a pair costs less than two registers
    each = plain.coefficients.clock_fj / 144
    assert 16 * each < always < (16 + 2 * 16) * each
    # one word of eight is let through in every cycle: its registers, and what stands behind the AND
    assert always + 16 * each < busy.clock_fj < always + 1.5 * 16 * each
    activity, _ = gated.simulator.run(streams(1.0), 20)
    assert sum(activity.opened.values()) == activity.samples == (CYCLES - 20) * LANES


def test_a_block_whose_registers_mostly_stand_still_costs_less_with_gates(blocks, build: Path) -> None:
    energies = []
    for block in blocks:
        energy, glitches = block.measure(streams(0.3), build)
        energies.append((energy.switching_fj + energy.internal_fj) * glitches.mean + energy.clock_fj)
    assert energies[1] < 0.7 * energies[0]


def test_with_delays_a_gated_register_ends_where_it_does_without(blocks, build: Path) -> None:
    gated, given = blocks[1], {p: v[:60, :2] for p, v in streams(0.3, 0.03).items()}
    settled, _ = gated.simulator.run(given)
    glitched = timed.TimedSimulator(gated.netlist, gated.timing, build).run(given)
    for flop in gated.netlist.flops:
        net = flop.pins["Q"]
        assert glitched.rises[net] == pytest.approx(settled.rises[net])


def test_an_enable_must_come_before_the_clock(blocks) -> None:
    gated = blocks[1]
    arrivals = [max(gated.timing.arrival_ns[g.enable].values()) for g in gated.netlist.gates]
    assert gated.timing.critical_ns >= max(arrivals) + PROCESS.library.cell("DFF_X1").setup_ns


@pytest.mark.parametrize("chip", ["npu_16_os", "npu_16_bf16", "tiny_crossbar"])
def test_what_has_no_streams_for_it_is_refused_in_one_sentence(chip: str, tmp_path: Path, capsys) -> None:
    assert main("tb", cli, ["energy", "--chip", chip, "--clock-gating", "--build", str(tmp_path / "build")]) == 2
    error = capsys.readouterr().err
    assert "leave --clock-gating out" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "build").exists()
