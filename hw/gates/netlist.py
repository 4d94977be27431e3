"""A mapped netlist: cells of a library connected by single-bit nets."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from hw.base.error import InputError
from hw.gates import clock_gating
from hw.gates.clock_gating import ClockGate
from hw.gates.liberty import Library, LibraryCell

Net = int
"""Number of a net; constants are `ZERO` and `ONE`."""
ZERO, ONE = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One cell of the netlist and the net of each pin.

    Parameters
    ----------
    name : str
        As Yosys calls it in the netlist's file.
    cell : LibraryCell
        The library cell it is a copy of.
    pins : mapping of str to Net
        Net of each connected pin; `ZERO` or `ONE` where a constant is connected.
    """

    name: str
    cell: LibraryCell
    pins: Mapping[str, Net]


@dataclass(frozen=True, slots=True, kw_only=True)
class Netlist:
    """A flat mapped block.

    `inputs` and `outputs` give the nets of each port, least significant bit first; the clock port is not among
    the inputs. `order` lists the combinational instances so that every driver comes before its readers.

    Parameters
    ----------
    name : str
        Of the module in the netlist's file.
    digest : str
        First 16 hexadecimal digits of the SHA-256 of the netlist's file.
    library : Library
        Where its cells come from.
    clock : Net or None
        Net of the only clock, before its gates; None without flip-flops.
    names : dict of Net to str
        Name of a net's wire, with ``[bit]`` if the wire has several; names from the design go before made-up ones.
    flops : tuple of Instance
        The flip-flops, by name.
    gates : tuple of ClockGate
        Clock gates, which are not among the instances; empty where every register is always clocked.
    """

    name: str
    digest: str
    library: Library
    inputs: dict[str, tuple[Net, ...]]
    outputs: dict[str, tuple[Net, ...]]
    clock: Net | None
    names: dict[Net, str]
    flops: tuple[Instance, ...]
    order: tuple[Instance, ...]
    gates: tuple[ClockGate, ...] = ()

    @property
    def instances(self) -> tuple[Instance, ...]:
        """All cells but those of clock gates."""
        return self.flops + self.order

    @property
    def area_um2(self) -> float:
        """Sum of the cells' areas: no wiring, no empty sites."""
        return sum(i.cell.area_um2 for i in self.instances) + sum(g.area_um2 for g in self.gates)

    @property
    def leakage_nw(self) -> float:
        """Sum of the cells' mean leakage."""
        return sum(i.cell.leakage_nw for i in self.instances) + sum(g.leakage_nw for g in self.gates)

    def enable(self, flop: Instance) -> Net:
        """What lets the clock of a flip-flop through; `ONE` if nothing holds it back."""
        return next((g.enable for g in self.gates if flop.pins[flop.cell.clock or ""] == g.clock), ONE)

    def drivers(self) -> dict[Net, tuple[Instance, str]]:
        """The instance and output pin that drives each net."""
        return {i.pins[pin]: (i, pin) for i in self.instances for pin in i.cell.outputs if pin in i.pins}

    def readers(self) -> dict[Net, list[tuple[Instance, str]]]:
        """The instances and input pins that each net drives."""
        found: dict[Net, list[tuple[Instance, str]]] = {}
        for instance in self.instances:
            for pin in instance.cell.inputs:
                found.setdefault(instance.pins[pin], []).append((instance, pin))
        return found


def read(path: Path, library: Library) -> Netlist:
    """The netlist in a Yosys JSON file of one flat module mapped to `library`."""
    text = path.read_text()
    modules = json.loads(text)["modules"]
    name, module = next(
        (n, m) for n, m in modules.items() if n != clock_gating.CELL and (m.get("cells") or m.get("ports"))
    )
    names: dict[Net, str] = {}
    for wire, body in sorted(module["netnames"].items(), key=lambda item: (item[1].get("hide_name", 0), item[0])):
        for index, bit in enumerate(body["bits"]):
            if isinstance(bit, int):
                names.setdefault(bit, f"{wire}[{index}]" if len(body["bits"]) > 1 else wire)
    instances = []
    for instance, body in sorted(module["cells"].items()):
        if body["type"] in ("$scopeinfo", clock_gating.CELL):
            continue
        cell = library.cell(body["type"])
        pins = {p: _net(b[0]) for p, b in body["connections"].items()}
        instances.append(Instance(name=instance, cell=cell, pins=pins))
    inputs, outputs = {}, {}
    for port, body in module["ports"].items():
        (inputs if body["direction"] == "input" else outputs)[port] = tuple(_net(b) for b in body["bits"])
    flops = tuple(i for i in instances if i.cell.sequential)
    gates = clock_gating.read(module["cells"], library)
    before = {
        b["connections"]["Q"][0]: _net(b["connections"]["CK"][0])
        for b in module["cells"].values()
        if b["type"] == clock_gating.CELL
    }
    clocks = {before.get(i.pins[i.cell.clock], i.pins[i.cell.clock]) for i in flops if i.cell.clock}
    if len(clocks) > 1:
        raise InputError(f"a block must have one clock, but {name} has {len(clocks)}; synthesise its domains apart")
    clock = clocks.pop() if clocks else None
    inputs = {p: bits for p, bits in inputs.items() if bits != (clock,) and p != "clk"}
    return Netlist(
        name=name,
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        library=library,
        inputs=inputs,
        outputs=outputs,
        clock=clock,
        names=names,
        flops=flops,
        gates=gates,
        order=_ordered([i for i in instances if not i.cell.sequential], name),
    )


def _net(bit: Any) -> Net:
    # An undefined constant is a don't-care that synthesis left: zero.
    return ONE if bit == "1" else ZERO if isinstance(bit, str) else int(bit)


def _ordered(combinational: list[Instance], name: str) -> tuple[Instance, ...]:
    driver = {i.pins[p]: k for k, i in enumerate(combinational) for p in i.cell.outputs if p in i.pins}
    graph = {
        k: {driver[net] for p, net in i.pins.items() if p in i.cell.inputs and net in driver}
        for k, i in enumerate(combinational)
    }
    try:
        return tuple(combinational[k] for k in TopologicalSorter(graph).static_order())
    except CycleError:
        text = f"a block must have no combinational loop, but {name} has one; break it with a register"
        raise InputError(text) from None
