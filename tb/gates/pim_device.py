"""Area and highest clock of the logic that a DRAM PIM device adds to one channel, part by part."""

from collections.abc import Callable, Iterator
from pathlib import Path

from amaranth.hdl import Elaboratable

from hw.gates import synthesis, timing
from hw.gates.library import Process
from hw.rtl.dram_pim.aim.unit import AimUnit
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.hbm_pim.sequencer import PimSequencer
from hw.rtl.dram_pim.hbm_pim.unit import PimUnit
from hw.rtl.dram_pim.signature import command_kinds
from hw.spec.pim import PimSpec
from tb.gates.whole_core import Part, WholeCore

_Blocks = list[tuple[str, str, Elaboratable, int]]
"""For people, folder of the netlist, block, copies in a channel."""


def _hbm_pim(spec: PimSpec) -> _Blocks:
    return [
        ("units", "hbm_pim_unit", PimUnit(spec), spec.units),
        ("sequencer and its memory", "pim_sequencer", PimSequencer(spec), 1),
    ]


def _aim(spec: PimSpec) -> _Blocks:
    return [("units", "aim_unit", AimUnit(spec), spec.units)]


_UNITS: dict[str, Callable[[PimSpec], _Blocks]] = {"hbm_pim": _hbm_pim, "aim": _aim}


def bank_control(spec: PimSpec) -> BankTiming:
    """The timing check of every bank of one channel."""
    return BankTiming(spec.dram.resolve(), spec.dram.organisation, [c.name for c in command_kinds(spec)])


def measure(spec: PimSpec, process: Process, build: Path) -> WholeCore:
    """Units, bank control and, if it has one, the sequencer with its instruction memory; each is mapped by itself, so
    paths from one into the other, ports and mode logic are not in the clock."""
    parts = []
    for name, folder, block, copies in (
        *_UNITS[spec.kind](spec),
        ("bank control", f"bank_timing_{spec.kind.replace('_', '-')}", bank_control(spec), 1),
    ):
        mapped = synthesis.synthesise(block, folder, process, build, by_module=name == "units")
        times = timing.analyse(mapped.netlist, process.wire, process.input_slew_ns)
        area = mapped.netlist.area_um2
        parts.append(Part(name=name, copies=copies, area_um2=area, critical_ns=times.critical_ns))
    return WholeCore(
        parts=tuple(parts),
        critical_ns=max(part.critical_ns for part in parts),
        path=(),
        memory_kilobits=0.0,
        macs=spec.macs_per_cycle,
    )


def text(device: WholeCore, chip: str, clock_ghz: float, node_nm: int = 45) -> Iterator[str]:
    """Lines for people: parts, and their clock beside that of the DRAM's commands."""
    yield f"{chip} in {node_nm} nm, logic of one channel, not a DRAM process; cell arrays and ports left out"
    yield from device.table()
    yield (
        f"together {device.area_mm2:.3f} mm2, at most {device.clock_ghz:.3f} GHz; commands come at {clock_ghz:g} GHz: "
        f"{clock_ghz / device.clock_ghz:.2f} times as fast as these gates"
    )
