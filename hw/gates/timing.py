"""Static timing of a netlist from the Liberty tables: loads, slews, arrivals, critical path."""

from dataclasses import dataclass

from hw.gates.library import Wire
from hw.gates.netlist import ONE, ZERO, Instance, Net, Netlist

EDGES: tuple[str, ...] = ("rise", "fall")
_OPPOSITE = {"rise": "fall", "fall": "rise"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Loads and times of a netlist.

    `load_ff` per net (pins and wire); `slew_ns` and `arrival_ns` per net and edge; `critical_ns` is the longest
    path from an input or clock edge to an output or to a register's data pin plus its set-up time;
    `path` names the nets of it, last first.
    """

    load_ff: dict[Net, float]
    slew_ns: dict[Net, dict[str, float]]
    arrival_ns: dict[Net, dict[str, float]]
    critical_ns: float
    path: tuple[str, ...]

    @property
    def clock_ghz(self) -> float:
        """Highest clock frequency the critical path allows."""
        return 1.0 / self.critical_ns


def loads(netlist: Netlist, wire: Wire) -> dict[Net, float]:
    """Capacitance of every net in fF: the pins it drives, and wire by fan-out."""
    readers = netlist.readers()
    nets = (
        set(readers)
        | set(netlist.drivers())
        | {g.enable for g in netlist.gates}
        | {n for bits in netlist.inputs.values() for n in bits}
    )
    found = {}
    for net in nets - {ZERO, ONE}:
        pins = readers.get(net, [])
        # A net without reader leaves the block: one connection outside.
        found[net] = (
            sum(i.cell.capacitance_ff[p] for i, p in pins) + wire.base_ff + wire.per_fanout_ff * max(1, len(pins))
        )
    for gate in netlist.gates:
        found[gate.enable] += gate.pairs * (gate.latch.capacitance_ff[gate.latch_data] + wire.per_fanout_ff)
    return found


def analyse(netlist: Netlist, wire: Wire, input_slew_ns: float) -> Timing:
    """Propagate slews and arrivals from inputs and clock to outputs, data pins and clock gates, the worst of each."""
    load = loads(netlist, wire)
    slew = {n: dict.fromkeys(EDGES, input_slew_ns) for bits in netlist.inputs.values() for n in bits}
    arrival = {n: dict.fromkeys(EDGES, 0.0) for n in slew}
    before: dict[tuple[Net, str], tuple[Net, str]] = {}
    for constant in (ZERO, ONE):
        slew[constant] = dict.fromkeys(EDGES, input_slew_ns)
        arrival[constant] = dict.fromkeys(EDGES, float("-inf"))
    if netlist.clock is not None:
        slew[netlist.clock] = dict.fromkeys(EDGES, input_slew_ns)
        arrival[netlist.clock] = dict.fromkeys(EDGES, 0.0)
    for gate in netlist.gates:  # as ideal as the clock before them
        slew[gate.clock], arrival[gate.clock] = slew[netlist.clock or ZERO], dict.fromkeys(EDGES, 0.0)
    for instance in (*netlist.flops, *netlist.order):
        for pin in instance.cell.outputs:
            if pin in instance.pins:
                _through(instance, pin, load, slew, arrival, before)
    ends = [
        (arrival[i.pins[i.cell.data]][e] + i.cell.setup_ns, i.pins[i.cell.data], e)
        for i in netlist.flops
        if i.cell.data
        for e in EDGES
        if i.pins[i.cell.data] in arrival
    ]
    # a latch must have taken the enable when the clock rises, as a register its data
    setup = max((i.cell.setup_ns for i in netlist.flops), default=0.0)
    ends += [(arrival[g.enable][e] + setup, g.enable, e) for g in netlist.gates for e in EDGES if g.enable in arrival]
    ends += [(arrival[n][e], n, e) for bits in netlist.outputs.values() for n in bits if n in arrival for e in EDGES]
    critical, net, edge = max(ends)
    path, here = [], (net, edge)
    while here in before or not path:
        path.append(netlist.names.get(here[0], f"net {here[0]}"))
        if here not in before:
            break
        here = before[here]
    return Timing(load_ff=load, slew_ns=slew, arrival_ns=arrival, critical_ns=critical, path=tuple(path))


def _through(
    instance: Instance,
    pin: str,
    load: dict[Net, float],
    slew: dict[Net, dict[str, float]],
    arrival: dict[Net, dict[str, float]],
    before: dict[tuple[Net, str], tuple[Net, str]],
) -> None:
    out = instance.pins[pin]
    slew[out], arrival[out] = dict.fromkeys(EDGES, 0.0), dict.fromkeys(EDGES, float("-inf"))
    for arc in instance.cell.arcs:
        if arc.output != pin:
            continue
        source = instance.pins[arc.input]
        for edge in EDGES:
            if edge not in arc.delay:
                continue
            # With the clock, only the rising edge starts anything.
            origins = (
                ("rise",)
                if arc.clocked
                else EDGES
                if arc.sense == "non_unate"
                else (edge,)
                if arc.sense == "positive_unate"
                else (_OPPOSITE[edge],)
            )
            for origin in origins:
                at = arrival[source][origin] + arc.delay[edge].at(slew[source][origin], load[out])
                if at > arrival[out][edge]:
                    arrival[out][edge] = at
                    before[(out, edge)] = (source, origin)
                if source not in (ZERO, ONE):
                    slew[out][edge] = max(slew[out][edge], arc.slew[edge].at(slew[source][origin], load[out]))
