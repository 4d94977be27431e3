"""Energy of a block from its activity: net switching, internal energy by slew and load, clock, leakage."""

from dataclasses import dataclass

from hw.gates.activity import Activity
from hw.gates.liberty import LibraryCell, Power
from hw.gates.library import Process
from hw.gates.netlist import ONE, ZERO, Net, Netlist
from hw.gates.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEnergy:
    """Energy per cycle of one block in fJ, by cause; `leakage_nw` is a power.

    Parameters
    ----------
    switching_fj : float
        C V^2 of the nets that rise, pins driven and wires.
    internal_fj : float
        Inside the cells that drive the moving nets or read them, by slew and load.
    clock_fj : float
        Clock pins of all flip-flops and what their cells spend on both clock edges, without wires or a clock tree; the
        same on every stream unless clock gates hold some back. Latch and AND of a clock gate and the wire behind it are
        part of it.
    """

    switching_fj: float
    internal_fj: float
    clock_fj: float
    leakage_nw: float

    @property
    def dynamic_fj(self) -> float:
        """All but leakage."""
        return self.switching_fj + self.internal_fj + self.clock_fj

    def total_fj(self, clock_ghz: float) -> float:
        """With leakage over one period of `clock_ghz`."""
        return self.dynamic_fj + self.leakage_nw * 1e-3 / clock_ghz


class Coefficients:
    """fJ per rising and per falling edge of every net, so that an energy is a sum of counts.

    A rising edge of a net costs C V^2 with the load of the net, an edge inside its driver the driver's internal energy
    at the slew and load it sees, an edge of an input the reading cell's own. `inputs` tells whether the block's input
    nets count: yes where blocks are put together, no against a supply current.
    """

    def __init__(self, netlist: Netlist, process: Process, timing: Timing, inputs: bool = True) -> None:
        square = process.library.voltage_v**2
        self.netlist = netlist
        own = {n for bits in netlist.inputs.values() for n in bits}
        self.switching: dict[Net, float] = {
            n: (load * square if inputs or n not in own else 0.0) for n, load in timing.load_ff.items()
        }
        self.rise: dict[Net, float] = {}
        self.fall: dict[Net, float] = {}
        self.inner_rise: dict[Net, float] = {}
        self.inner_fall: dict[Net, float] = {}
        clock = 0.0
        gated: dict[Net, float] = {g.clock: 0.0 for g in netlist.gates}
        self._clock_pin_ff = 0.0
        for instance in netlist.instances:
            slews = [
                max(timing.slew_ns[instance.pins[p]].values())
                for p in instance.cell.inputs
                if instance.pins[p] not in (ZERO, ONE) and instance.pins[p] in timing.slew_ns
            ]
            slew = sum(slews) / len(slews) if slews else process.input_slew_ns
            for pin, net in instance.pins.items():
                if net in (ZERO, ONE):
                    continue
                if pin == instance.cell.clock:
                    self._clock_pin_ff = instance.cell.capacitance_ff[pin]
                    each = sum(internal(instance.cell, pin, e, process.input_slew_ns, 0.0) for e in ("rise", "fall"))
                    each += self._clock_pin_ff * square
                    if net in gated:
                        gated[net] += each
                    else:
                        clock += each
                    continue
                drives = pin in instance.cell.outputs
                load = timing.load_ff.get(net, 0.0) if drives else 0.0
                rise, fall = (self.inner_rise, self.inner_fall) if drives else (self.rise, self.fall)
                for edge, table in (("rise", rise), ("fall", fall)):
                    table[net] = table.get(net, 0.0) + internal(instance.cell, pin, edge, slew, load)
        self.clock_fj = clock
        self.gated_fj = {g.clock: gated[g.clock] for g in netlist.gates}
        self._clock_gates(process, timing)

    def _clock_gates(self, process: Process, timing: Timing) -> None:
        """What the gates themselves spend: in every cycle at their clock pins, per cycle let through behind the AND,
        and with the enable in the latch."""
        square, slew = process.library.voltage_v**2, process.input_slew_ns
        for g in self.netlist.gates:
            for cell, pin in ((g.latch, g.latch_clock), (g.gate, g.gate_clock)):
                each = sum(internal(cell, pin, edge, slew, 0.0) for edge in ("rise", "fall"))
                self.clock_fj += g.pairs * (each + cell.capacitance_ff[pin] * square)
            wire = g.pairs * process.wire.base_ff + g.registers * process.wire.per_fanout_ff
            pins = g.registers * self._clock_pin_ff
            load = (wire + pins) / g.pairs
            out = g.gate.outputs[0]
            self.gated_fj[g.clock] += wire * square + g.pairs * sum(
                internal(g.gate, out, edge, slew, load) for edge in ("rise", "fall")
            )
            inner = g.gate.capacitance_ff[g.gate_data] + process.wire.base_ff + process.wire.per_fanout_ff
            self.switching[g.enable] = self.switching.get(g.enable, 0.0) + g.pairs * inner * square
            at = max(timing.slew_ns[g.enable].values()) if g.enable in timing.slew_ns else slew
            for edge, table in (("rise", self.rise), ("fall", self.fall)):
                moved = (
                    internal(g.latch, g.latch_data, edge, at, 0.0)
                    + internal(g.latch, g.latch.outputs[0], edge, at, inner)
                    + internal(g.gate, g.gate_data, edge, at, 0.0)
                )
                table[g.enable] = table.get(g.enable, 0.0) + g.pairs * moved

    def energy(self, activity: Activity) -> BlockEnergy:
        """Energy per cycle of one stream."""
        n = activity.samples
        switching = sum(self.switching.get(net, 0.0) * c for net, c in activity.rises.items()) / n
        inner = sum(
            table.get(net, 0.0) * c
            for table, counts in (
                (self.rise, activity.rises),
                (self.fall, activity.falls),
                (self.inner_rise, activity.inner_rises or activity.rises),
                (self.inner_fall, activity.inner_falls or activity.falls),
            )
            for net, c in counts.items()
        )
        clock = self.clock_fj + sum(self.gated_fj[net] * c for net, c in activity.opened.items()) / n
        return BlockEnergy(
            switching_fj=switching, internal_fj=inner / n, clock_fj=clock, leakage_nw=self.netlist.leakage_nw
        )


def internal(cell: LibraryCell, pin: str, edge: str, slew_ns: float, load_ff: float) -> float:
    """Internal energy of one edge of `pin` in fJ, the mean over related pins and states.

    A flip-flop's data pin is priced with the clock low: the edge that lasts moves the first latch.
    """
    groups: list[Power] = [p for p in cell.powers if p.pin == pin and edge in p.energy]
    if cell.sequential and pin == cell.data:
        groups = [p for p in groups if p.when == f"!{cell.clock}"] or groups
    if not groups:
        return 0.0
    return sum(p.energy[edge].at(slew_ns, load_ff) for p in groups) / len(groups)
