"""Cells as transistors: complementary stages and pass devices, and their SPICE subcircuits.

Every transistor has the library's n or p width times the cell's drive. Wiring inside a cell is a fixed
capacitance per node: there is no layout.
"""

from dataclasses import dataclass, field

from hw.cells.boolean import Expression, parse

LENGTH_UM = 0.05
N_WIDTH_UM = 0.40
P_WIDTH_UM = 0.60
DIFFUSION_UM = 0.10
INTERNAL_NODE_FF = 0.10
OUTPUT_NODE_FF = 0.25
FINGER_PITCH_UM = 0.19
CELL_HEIGHT_UM = 1.40


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One complementary stage: `output` is pulled down where `down` conducts.

    `up` is the pull-up network in terms of low inputs; None means the dual of `down`. A mirror stage gives
    its own: for a self-dual function both networks have the same shape.
    """

    output: str
    down: str
    up: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassGate:
    """A transmission gate between two nodes, closed when `on` is high and `off` is low.

    Parameters
    ----------
    one, two : str
        The nodes it joins; it has no direction.
    on, off : str
        Gate nodes of the n and of the p transistor.
    """

    one: str
    two: str
    on: str
    off: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockedInverter:
    """An inverter that drives only when `on` is high and `off` is low.

    Parameters
    ----------
    input, output : str
        Node that is inverted, and node that is driven.
    on, off : str
        Gate nodes of the clocked n and of the clocked p transistor.
    """

    input: str
    output: str
    on: str
    off: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A standard cell.

    Parameters
    ----------
    name : str
        Name of the cell and of its subcircuit.
    inputs : tuple of str
        Input pins in order, the clock included.
    functions : dict of str to str
        Output pin to its Boolean function of the inputs, in Liberty's notation; for a flip-flop "IQ".
    devices : tuple
        Stages, pass gates and clocked inverters.
    drive : int
        Width multiplier of the last stages: those that drive an output pin.
    clock : str or None
        Clock pin of a rising-edge flip-flop; its data pin is "D". None for a cell without state.
    internal_drive : int
        Width multiplier of stages that drive a node inside the cell.
    """

    name: str
    inputs: tuple[str, ...]
    functions: dict[str, str]
    devices: tuple[Stage | PassGate | ClockedInverter, ...]
    drive: int = 1
    clock: str | None = None
    internal_drive: int = field(default=1)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Output pins in order."""
        return tuple(self.functions)

    @property
    def area_um2(self) -> float:
        """(fingers + 1) x pitch x height; a finger is one n-p pair of unit width."""
        fingers = sum(width for line in self.transistors() if line[4] == "n" for width in (line[5],))
        return round((fingers + 1) * FINGER_PITCH_UM * CELL_HEIGHT_UM, 4)

    def transistors(self) -> list[tuple[str, str, str, str, str, int]]:
        """All transistors as (name, drain, gate, source, "n" or "p", width multiplier)."""
        found: list[tuple[str, str, str, str, str, int]] = []

        def add(drain: str, gate: str, source: str, kind: str, width: int) -> None:
            found.append((f"m{len(found)}", drain, gate, source, kind, width))

        def network(e: Expression, top: str, bottom: str, kind: str, width: int) -> None:
            if e[0] == "var":
                add(top, e[1], bottom, kind, width)
            elif e[0] == "or":
                for part in e[1:]:
                    network(part, top, bottom, kind, width)
            else:
                nodes = [top, *(f"x{len(found)}_{i}" for i in range(len(e) - 2)), bottom]
                for part, upper, lower in zip(e[1:], nodes, nodes[1:], strict=False):
                    network(part, upper, lower, kind, width)

        for device in self.devices:
            if isinstance(device, Stage):
                width = self.drive if device.output in self.functions else self.internal_drive
                down = parse(device.down)
                network(down, device.output, "vss", "n", width)
                network(parse(device.up) if device.up else _dual(down), device.output, "vdd", "p", width)
            elif isinstance(device, PassGate):
                add(device.one, device.on, device.two, "n", 1)
                add(device.one, device.off, device.two, "p", 1)
            else:
                middle = len(found)
                add(device.output, device.on, f"y{middle}n", "n", 1)
                add(f"y{middle}n", device.input, "vss", "n", 1)
                add(device.output, device.off, f"y{middle}p", "p", 1)
                add(f"y{middle}p", device.input, "vdd", "p", 1)
        return found

    def subcircuit(self) -> str:
        """The SPICE subcircuit: pins are inputs, outputs, vdd, vss."""
        lines = [f".subckt {self.name} {' '.join((*self.inputs, *self.outputs))} vdd vss"]
        internal: dict[str, None] = {}
        for name, drain, gate, source, kind, width in self.transistors():
            w = width * (N_WIDTH_UM if kind == "n" else P_WIDTH_UM)
            area, edge = w * DIFFUSION_UM, 2 * (w + DIFFUSION_UM)
            model, bulk = ("NMOS_VTG", "vss") if kind == "n" else ("PMOS_VTG", "vdd")
            lines.append(
                f"{name} {drain} {gate} {source} {bulk} {model} l={LENGTH_UM:g}u w={w:g}u "
                f"ad={area:g}p as={area:g}p pd={edge:g}u ps={edge:g}u"
            )
            for node in (drain, gate, source):
                if node not in ("vdd", "vss", *self.inputs, *self.outputs):
                    internal[node] = None
        lines += [f"c{i} {node} vss {INTERNAL_NODE_FF:g}f" for i, node in enumerate(internal)]
        lines += [f"co{i} {node} vss {OUTPUT_NODE_FF:g}f" for i, node in enumerate(self.outputs)]
        return "\n".join([*lines, f".ends {self.name}", ""])


def _dual(e: Expression) -> Expression:
    if e[0] == "var":
        return e
    return ("or" if e[0] == "and" else "and", *(_dual(part) for part in e[1:]))
