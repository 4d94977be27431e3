"""Blocks as netlists: function, timing, activity, glitches, energy."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.cells.boolean import evaluate
from hw.gates import activity, blocks, library, power, synthesis, timed, timing
from hw.gates.block import Block
from hw.gates.netlist import Netlist
from tests.support import pulse

EDGES = ("fall", "rise")
"""By the value that is reached."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(scope="module")
def process() -> library.Process:
    return library.load("mini45")


@pytest.fixture(scope="module")
def multiplier(build: Path, process: library.Process) -> synthesis.Synthesised:
    return synthesis.synthesise(blocks.Multiplier(8), "mul8", process, build)


def _streams(netlist: Netlist, cycles: int, lanes: int = 64, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {p: rng.integers(0, 1 << len(b), (cycles, lanes)) for p, b in netlist.inputs.items()}


def test_the_netlist_multiplies_like_the_rtl(multiplier, build) -> None:
    a, b = np.meshgrid(np.arange(-128, 128), np.arange(-128, 128))
    streams = {"a": a.reshape(-1, 64), "b": b.reshape(-1, 64)}
    _, outputs = activity.Simulator(multiplier.netlist, build).run(streams)
    assert np.array_equal(outputs["product"], streams["a"] * streams["b"] & 0xFFFF)


def test_a_small_netlist_is_proved_equal_to_its_rtl(build, process) -> None:
    adder = synthesis.synthesise(blocks.Adder(8), "add8", process, build)
    synthesis.prove_equal(adder)


def test_a_wrong_netlist_is_not_proved(build, process, tmp_path) -> None:
    adder = synthesis.synthesise(blocks.Adder(8), "add8", process, build)
    text = (adder.folder / "netlist.v").read_text()
    assert "XNOR2_X1" in text
    for name in ("block.il", "netlist.json"):
        (tmp_path / name).write_text((adder.folder / name).read_text())
    (tmp_path / "netlist.v").write_text(text.replace("XNOR2_X1", "XOR2_X1", 1))
    with pytest.raises(InputError, match="netlist must equal its RTL"):
        synthesis.prove_equal(synthesis.Synthesised(netlist=adder.netlist, folder=tmp_path))


def test_counts_equal_those_of_a_plain_evaluation(multiplier, build) -> None:
    netlist = multiplier.netlist
    streams = _streams(netlist, 40, lanes=3)
    counted, outputs = activity.Simulator(netlist, build).run(streams, warm_up=5)
    assert counted.samples == 35 * 3
    for bit, net in enumerate(netlist.outputs["product"]):
        values = outputs["product"] >> bit & 1
        assert counted.rises[net] == int(((values[4:-1] == 0) & (values[5:] == 1)).sum())
        assert counted.falls[net] == int(((values[4:-1] == 1) & (values[5:] == 0)).sum())


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="needs Debian's package ngspice")
def test_the_rule_of_short_pulses_is_near_what_a_single_cell_does() -> None:
    pulses = pulse.measure("XOR2_X1", 0.008, 5.0, True, [0.02, 0.03, 0.04, 0.06, 0.1, 1.5])
    wide = pulses[-1]
    shortest = timed.shortest_pulse(wide.width_ns / wide.per_delay, wide.width_ns / wide.per_ramp)
    through = min(p.width_ns for p in pulses if p.swing >= 0.5)
    assert abs(through - shortest) < 0.35 * wide.width_ns / wide.per_delay


def test_with_delays_no_net_moves_less_than_without(multiplier, build, process) -> None:
    netlist = multiplier.netlist
    times = timing.analyse(netlist, process.wire, process.input_slew_ns)
    streams = _streams(netlist, 120, lanes=3)
    settled, _ = activity.Simulator(netlist, build).run(streams)
    glitched = timed.TimedSimulator(netlist, times, build).run(streams)
    assert glitched.samples == settled.samples
    for net in settled.rises:
        # rises and falls differ by the settled change alone: a glitch is one of each
        assert glitched.rises[net] >= settled.rises[net] - 1e-9
        assert glitched.rises[net] - glitched.falls[net] == pytest.approx(settled.rises[net] - settled.falls[net])
        assert glitched.inner_rises.get(net, 1e9) >= glitched.rises[net] - 1e-9


def test_registers_with_delays_end_where_those_without_do(build, process) -> None:
    block = synthesis.synthesise(blocks.Delay(4), "delay4", process, build)
    times = timing.analyse(block.netlist, process.wire, process.input_slew_ns)
    streams = {"i": np.array([[3, 5], [5, 9], [12, 1], [0, 7], [15, 15]]), "rst": np.zeros((5, 2), int)}
    streams = {p: streams[p] for p in block.netlist.inputs}
    settled, _ = activity.Simulator(block.netlist, build).run(streams)
    glitched = timed.TimedSimulator(block.netlist, times, build).run(streams)
    for net in settled.rises:
        assert glitched.rises[net] == pytest.approx(settled.rises[net])
        assert glitched.falls[net] == pytest.approx(settled.falls[net])


def test_pulses_that_die_are_counted_by_what_they_move_and_cost_more_inside_than_outside(
    multiplier, build, process
) -> None:
    times = timing.analyse(multiplier.netlist, process.wire, process.input_slew_ns)
    moved = timed.TimedSimulator(multiplier.netlist, times, build).run(_streams(multiplier.netlist, 60, lanes=2))
    assert any(0.05 < moved.rises[n] % 1 < 0.95 for n in moved.rises)
    assert sum(moved.inner_rises.values()) > 1.02 * sum(moved.rises.values())


def test_the_shortest_pulse_is_half_a_ramp_for_one_stage_and_longer_with_an_inner_node() -> None:
    assert timed.shortest_pulse(10.0, 20.0) == 10.0
    assert timed.shortest_pulse(45.0, 30.0) == pytest.approx((60 + 15) / 2)


def test_energy_is_the_sum_of_its_parts_and_zero_operands_cost_nothing(multiplier, build, process) -> None:
    netlist = multiplier.netlist
    times = timing.analyse(netlist, process.wire, process.input_slew_ns)
    coefficients = power.Coefficients(netlist, process, times)
    simulator = activity.Simulator(netlist, build)
    busy = coefficients.energy(simulator.run(_streams(netlist, 200))[0])
    assert busy.dynamic_fj == pytest.approx(busy.switching_fj + busy.internal_fj)
    assert 300 < busy.dynamic_fj < 1500
    idle = coefficients.energy(simulator.run({p: np.zeros((50, 64), int) for p in netlist.inputs})[0])
    assert idle.dynamic_fj == 0


def test_an_output_costs_what_its_cell_says_at_the_mean_slew_of_the_inputs(multiplier, process) -> None:
    netlist = multiplier.netlist
    times = timing.analyse(netlist, process.wire, process.input_slew_ns)
    coefficients = power.Coefficients(netlist, process, times)
    looked_at = 0
    for instance in netlist.instances:
        slews = {p: max(times.slew_ns[instance.pins[p]].values()) for p in instance.cell.inputs}
        (out,) = instance.cell.outputs if len(instance.cell.outputs) == 1 else (None,)
        if out is None or len(slews) != 2 or len(set(slews.values())) != 2:
            continue
        first, second = slews.values()
        net = instance.pins[out]
        for edge, table in (("rise", coefficients.inner_rise), ("fall", coefficients.inner_fall)):
            expected = power.internal(instance.cell, out, edge, 0.5 * first + 0.5 * second, times.load_ff[net])
            assert table[net] == pytest.approx(expected)
        looked_at += 1
    assert looked_at > 10


def test_an_edge_arrives_from_every_edge_that_can_cause_it_and_from_no_other(multiplier, process) -> None:
    """Which edges can cause which is read from the truth table of the cell, not from what the library says of it."""
    netlist = multiplier.netlist
    times = timing.analyse(netlist, process.wire, process.input_slew_ns)
    kinds = set()
    for instance in netlist.order:
        inputs = instance.cell.inputs
        if len(instance.cell.outputs) != 1 or not all(instance.pins[p] in times.arrival_ns for p in inputs):
            continue
        (out,) = instance.cell.outputs
        arrivals: dict[str, list[float]] = {"rise": [], "fall": []}
        causes = set()
        for arc in instance.cell.arcs:
            others = [p for p in inputs if p != arc.input]
            for state in range(1 << len(others)):
                given = {p: state >> k & 1 for k, p in enumerate(others)}
                low, high = (evaluate(instance.cell.functions[out], {**given, arc.input: v}) for v in (0, 1))
                if low != high:
                    causes |= {("rise", EDGES[high]), ("fall", EDGES[low])}
                    for origin, edge in (("rise", EDGES[high]), ("fall", EDGES[low])):
                        source, load = instance.pins[arc.input], times.load_ff[instance.pins[out]]
                        delay = arc.delay[edge].at(times.slew_ns[source][origin], load)
                        arrivals[edge].append(times.arrival_ns[source][origin] + delay)
        for edge, found in arrivals.items():
            assert times.arrival_ns[instance.pins[out]][edge] == pytest.approx(max(found)), instance.cell.name
        kinds.add(len(causes))
    assert kinds == {2, 4}, "cells whose output follows or opposes an input, and cells where it does either"


def test_the_energy_of_a_cycle_is_all_its_parts() -> None:
    parts = power.BlockEnergy(switching_fj=1.0, internal_fj=2.0, clock_fj=4.0, leakage_nw=8000.0)
    assert parts.dynamic_fj == 7.0
    assert parts.total_fj(2.0) == 7.0 + 8000e-3 / 2.0


def test_the_glitch_factor_lies_between_its_ends(multiplier, build, process) -> None:
    block = Block(blocks.Multiplier(8), "mul8", process, build)
    found = block.glitches(_streams(multiplier.netlist, 60, lanes=6), lanes=3, cycles=50)
    assert 1.0 < found.low <= found.mean <= found.high < 4.0
    assert found.low < found.high
    assert found.vectors == 3 * (50 - 20)


class _Counter(wiring.Component):
    """Counts whatever its input does."""

    o: Out(4)
    i: In(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o.eq(self.o + 1 + self.i)
        return m


def test_lanes_that_are_not_given_are_not_counted(build, process) -> None:
    netlist = synthesis.synthesise(_Counter(), "counter", process, build).netlist
    simulator = activity.Simulator(netlist, build)
    few, many = (simulator.run({p: np.zeros((33, n), int) for p in netlist.inputs})[0] for n in (2, 64))
    lowest = netlist.outputs["o"][0]
    assert few.rises[lowest] == 2 * 16
    assert many.rises[lowest] == 64 * 16


def test_a_stream_shorter_than_its_warm_up_is_refused(multiplier, build) -> None:
    with pytest.raises(InputError, match="longer than its warm-up of 9 cycles, not 8"):
        activity.Simulator(multiplier.netlist, build).run(_streams(multiplier.netlist, 8), warm_up=9)


def test_a_missing_stream_is_refused(multiplier, build) -> None:
    with pytest.raises(InputError, match="'b' has none"):
        activity.Simulator(multiplier.netlist, build).run({"a": np.zeros((8, 1), int)})
