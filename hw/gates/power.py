"""Energy of a block from its activity: net switching, internal energy by slew and load, clock, leakage."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.gates.activity import Activity
from hw.gates.liberty import LibraryCell, Power
from hw.gates.library import Process
from hw.gates.netlist import ONE, ZERO, Net, Netlist
from hw.gates.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEnergy:
    """Energy per cycle of one block in fJ, by cause; `leakage_nw` is a power."""

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

    A rising edge of a net costs C V^2 with the load of the net, an edge of an output its driver's internal energy at
    the slew and load it sees, an edge of an input the reading cell's own. `inputs` tells whether the block's input
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
        clock = 0.0
        for instance in netlist.instances:
            slews = [max(timing.slew_ns[instance.pins[p]].values()) for p in instance.cell.inputs
                     if instance.pins[p] not in (ZERO, ONE) and instance.pins[p] in timing.slew_ns]
            slew = sum(slews) / len(slews) if slews else process.input_slew_ns
            for pin, net in instance.pins.items():
                if net in (ZERO, ONE):
                    continue
                if pin == instance.cell.clock:
                    clock += sum(internal(instance.cell, pin, e, process.input_slew_ns, 0.0) for e in ("rise", "fall"))
                    clock += instance.cell.capacitance_ff[pin] * square
                    continue
                load = timing.load_ff.get(net, 0.0) if pin in instance.cell.outputs else 0.0
                for edge, table in (("rise", self.rise), ("fall", self.fall)):
                    table[net] = table.get(net, 0.0) + internal(instance.cell, pin, edge, slew, load)
        self.clock_fj = clock

    def energy(self, activity: Activity) -> BlockEnergy:
        """Energy per cycle of one stream."""
        n = activity.samples
        switching = sum(self.switching.get(net, 0.0) * c for net, c in activity.rises.items()) / n
        inner = sum(self.rise.get(net, 0.0) * c for net, c in activity.rises.items())
        inner += sum(self.fall.get(net, 0.0) * c for net, c in activity.falls.items())
        return BlockEnergy(switching_fj=switching, internal_fj=inner / n, clock_fj=self.clock_fj,
                           leakage_nw=self.netlist.leakage_nw)


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


def by_port(coefficients: Coefficients, activity: Activity, ports: Mapping[str, tuple[Net, ...]]) -> dict[str, float]:
    """fJ per cycle of the nets of each port alone."""
    return {
        port: sum((coefficients.switching.get(n, 0.0) + coefficients.rise.get(n, 0.0)) * activity.rises.get(n, 0)
                  + coefficients.fall.get(n, 0.0) * activity.falls.get(n, 0) for n in bits) / activity.samples
        for port, bits in ports.items()
    }
