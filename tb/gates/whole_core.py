"""Area and highest clock of a whole core at the gates, beside published ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hw.gates import synthesis, timing
from hw.gates.library import Process
from hw.rtl.common.ram import MemoryMacros
from hw.rtl.npu.core_top import CoreTop
from hw.spec.command import activation_word_bits, parameter_word_bits, weight_word_bits
from hw.spec.core import CoreSpec
from tb.npu.gate_blocks import blocks

REST = "engines, counters, other control"
"""What is left of the core that was mapped whole."""

EDGE = 2
"""Rows and columns of the core that is mapped whole: every kind of path is there, cells and columns repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of block of a core: how many, area of one, longest path in it.

    Parameters
    ----------
    name : str
        For people.
    copies : float
        How many the core has; not always whole, as an output stage serves two columns.
    area_um2 : float
        Sum of the cell areas of one, um2.
    critical_ns : float
        Longest path in one, wires included, ns; for what is left of the core that was mapped whole, that core's.
    """

    name: str
    copies: float
    area_um2: float
    critical_ns: float

    @property
    def total_um2(self) -> float:
        """Area of all."""
        return self.copies * self.area_um2


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCore:
    """A core without its memories.

    Parameters
    ----------
    parts : tuple of Part
        Array, columns and control; the last is what is left of the core that was mapped whole.
    critical_ns : float
        Longest path of the core that was mapped whole, memories' outputs arriving with the clock edge.
    path : tuple of str
        Nets of it, last first.
    memory_kilobits : float
        Of the memories that are left out.
    macs : int or float
        Multiply-accumulates per cycle.
    """

    parts: tuple[Part, ...]
    critical_ns: float
    path: tuple[str, ...]
    memory_kilobits: float
    macs: int | float

    @property
    def area_mm2(self) -> float:
        """Of the logic."""
        return sum(part.total_um2 for part in self.parts) / 1e6

    @property
    def clock_ghz(self) -> float:
        """Highest clock: the longest path of the whole and of every part."""
        return 1.0 / max(self.critical_ns, *(part.critical_ns for part in self.parts))

    @property
    def slowest(self) -> str:
        """The block that sets the highest clock, to 5 %; what is left of the core, if none of them alone is as slow."""
        part = max((p for p in self.parts if p.name != REST), key=lambda p: p.critical_ns)
        return part.name if part.critical_ns >= 0.95 * self.critical_ns else "a path through several parts"

    @property
    def tera_operations_per_mm2(self) -> float:
        """Two operations per multiply-accumulate, at the highest clock."""
        return 2e-3 * self.macs * self.clock_ghz / self.area_mm2

    def table(self) -> Iterator[str]:
        """One line for each part."""
        yield f"{'part':38}{'copies':>8}{'um2 each':>11}{'mm2':>9}{'path ns':>9}"
        for p in self.parts:
            yield f"{p.name:38}{p.copies:8g}{p.area_um2:11,.0f}{p.total_um2 / 1e6:9.4f}{p.critical_ns:9.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published core: node, clock and density of what `scope` names, and where that is said.

    Parameters
    ----------
    name : str
        Of the design, with its size where that tells something.
    node_nm : int
        Technology node, nm.
    number : str
        Number format of the operands, "int8" or "fp16".
    clock_ghz : float or None
        GHz; None if not at hand.
    area_mm2 : float or None
        Of what `scope` names, mm2; None if not at hand.
    tera_operations_per_mm2 : float or None
        Peak density, two operations per multiply-accumulate; None if not at hand.
    confidence : str
        "vendor": the maker's claim; "secondary": a third party's note.
    source : str
        Publication, and how the figures follow from it.
    """

    name: str
    node_nm: int
    number: str
    clock_ghz: float | None
    area_mm2: float | None
    tera_operations_per_mm2: float | None
    scope: str
    confidence: Literal["vendor", "secondary"]
    source: str


PUBLISHED: tuple[Published, ...] = (
    Published(
        name="RedMulE, 32 FMA", node_nm=22, number="fp16", clock_ghz=0.666, area_mm2=0.07,
        tera_operations_per_mm2=2 * 32 * 0.666e-3 / 0.07, scope="engine without memories", confidence="vendor",
        source="Tortorella et al., DATE 2022: 0.07 mm2, up to 666 MHz; density is 2 x 32 x clock / area"),
    Published(
        name="ITA", node_nm=22, number="int8", clock_ghz=None, area_mm2=None, tera_operations_per_mm2=5.93,
        scope="engine with its weight buffer", confidence="vendor", source="Islamoglu et al., ISLPED 2023, at 0.8 V"),
    Published(
        name="Gemmini, 16 x 16", node_nm=22, number="int8", clock_ghz=1.0, area_mm2=1.03,
        tera_operations_per_mm2=2 * 256 * 1.0e-3 / 1.03, scope="core with 256 KiB and accumulators",
        confidence="secondary", source="Genc et al., DAC 2021, as known; the array is 11 % of that area"),
    Published(
        name="OpenGeMM, 8 x 8 x 8", node_nm=16, number="int8", clock_ghz=None, area_mm2=None,
        tera_operations_per_mm2=None, scope="system", confidence="vendor",
        source="Yi et al., ASP-DAC 2025: 4.68 TOPS/W; no area in the text at hand"),
    Published(
        name="Voltra, successor of OpenGeMM", node_nm=16, number="int8", clock_ghz=None, area_mm2=None,
        tera_operations_per_mm2=1.25, scope="system, silicon", confidence="vendor",
        source="Yi et al., arXiv 2602.11357"),
)  # fmt: skip


def measure(core: CoreSpec, process: Process, build: Path) -> WholeCore:
    """Map a core of `EDGE` x `EDGE` whole and the blocks that repeat; put the area of `core` together from them."""
    small = replace(core, array=replace(core.array, rows=EDGE, columns=EDGE))
    macros = MemoryMacros("memory")
    whole = synthesis.synthesise(CoreTop(small).core, f"whole_core_{EDGE}", process, build, macros=macros)
    found = timing.analyse(whole.netlist, process.wire, process.input_slew_ns)
    parts, inside = [], 0.0
    for repeated in blocks(core, small):
        name = f"whole_{repeated.name.split(',')[0].replace(' ', '_')}"
        mapped = synthesis.synthesise(repeated.make(), name, process, build, macros=MemoryMacros("memory"))
        times = timing.analyse(mapped.netlist, process.wire, process.input_slew_ns)
        area = mapped.netlist.area_um2
        parts.append(Part(name=repeated.name, copies=repeated.copies, area_um2=area, critical_ns=times.critical_ns))
        if repeated.make_small is not None:
            mapped = synthesis.synthesise(repeated.make_small(), name, process, build, macros=MemoryMacros("memory"))
            area = mapped.netlist.area_um2
        inside += repeated.in_small * area
    parts.append(
        Part(
            name=REST,
            copies=1,
            area_um2=max(whole.netlist.area_um2 - inside, 0.0),
            critical_ns=found.critical_ns,
        )
    )
    return WholeCore(
        parts=tuple(parts),
        critical_ns=found.critical_ns,
        path=found.path,
        memory_kilobits=memory_kilobits(core),
        macs=core.macs_per_cycle,
    )


def memory_kilobits(core: CoreSpec) -> float:
    """Of the core's memories; the output memory lies outside of it."""
    operands = activation_word_bits(core) * core.activation_words + weight_word_bits(core) * core.weight_words
    parameters = parameter_word_bits(core) * core.parameter_words
    return (operands + parameters + 32 * core.array.columns * core.accumulator_rows) / 1024


def text(core: WholeCore, chip: str, clock_ghz: float | None, node_nm: int = 45) -> Iterator[str]:
    """Lines for people: parts, clock beside that of the chip's description, published cores."""
    yield f"{chip} in {node_nm} nm, logic without memories ({core.memory_kilobits:,.0f} Kbit left out)"
    yield from core.table()
    yield (
        f"together {core.area_mm2:.3f} mm2, at most {core.clock_ghz:.3f} GHz, "
        f"{core.tera_operations_per_mm2:.3f} TOPS/mm2"
    )
    if clock_ghz is not None:
        verdict = (
            "met"
            if clock_ghz <= core.clock_ghz
            else (f"not met in {node_nm} nm: {clock_ghz / core.clock_ghz:.2f} times as fast as these gates")
        )
        yield f"the chip's description says {clock_ghz:g} GHz: {verdict}"
    yield f"{'published':32}{'nm':>4}{'format':>8}{'GHz':>7}{'mm2':>7}{'TOPS/mm2':>10}  what it covers"
    for p in PUBLISHED:
        numbers = "".join(
            f"{'-' if value is None else f'{value:.3g}':>{width}}"
            for value, width in ((p.clock_ghz, 7), (p.area_mm2, 7), (p.tera_operations_per_mm2, 10))
        )
        yield f"{p.name:32}{p.node_nm:4}{p.number:>8}{numbers}  {p.scope} ({p.source})"
    shrink = (node_nm / 22) ** 2
    yield (
        f"with the square of the node, an upper bound, this core has "
        f"{core.tera_operations_per_mm2 * shrink:.2f} TOPS/mm2 at 22 nm, at the same clock"
    )
