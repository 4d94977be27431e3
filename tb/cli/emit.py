"""Write the RTL of a chip for a system on chip: Verilog, manifest, FuseSoC core, register map, constraints, a page.

example: kcloud-cosim emit npu_16_dma --top axi --to build/ip/npu_16_dma
"""

import argparse
import warnings
from pathlib import Path
from typing import Any, get_args

from amaranth.hdl import UnusedElaboratable

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.delivery import TOPS, Delivery, Top, deliver
from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.memory_side.axi_top import AxiTop, ResetPolarity, StandardPorts
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.axi import SystemAxi
from hw.spec.axi import AxiSpec, capabilities
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.system import SystemSpec
from model.work.decoding import timing_of, vector_spec
from tb.bench import design
from tb.bench.build import BUILD
from tb.bench.measure import shown
from tb.npu.axi_cases import core_behind_axi

_AXI_FIELDS = {
    "burst_beats": "most beats of a burst",
    "outstanding": "bursts a channel may have unanswered",
    "prot": "AxPROT of every access",
    "cache": "AxCACHE of every access",
}

_AXI_TIME = (
    "A write of a register is answered two cycles after the later of address and data, a read one cycle after its "
    "address. A burst is asked for two cycles after a copy starts; beats pass two registers. What a program takes "
    "beyond that: `kcloud-cosim cycles`, and docs/axi.md for what the shared port costs."
)
_CORE_TIME = (
    "The closed form of a chain of commands is in docs/decisions/0002-npu-core.md; `kcloud-cosim cycles --gemm "
    "M,N,K` counts them. Finished rows may be refused for any time."
)
_MACHINE_TIME = "Cycles: `kcloud-cosim predict` on a workload; every event is on the list of the machine's kind."
_CHANNEL_TIME = (
    "A command is judged in the cycle in which it is offered; data of a read is at the port one cycle later. The cells "
    "hold only the rows that a simulation uses: they stand for the DRAM array."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The chip, which top, where to."""
    parser.add_argument("chip", help="a file in hw/chips")
    parser.add_argument(
        "--top",
        choices=TOPS,
        help="axi: the core behind AXI4 and AXI4-Lite, standard port names; core: the core with its streams; "
        "channel: a DRAM channel with its units; system: all of a system behind AXI; machine: what any other kind "
        "builds, as it is simulated (default: axi for a core, channel for a DRAM device, system for a system)",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder for the files, made if missing")
    parser.add_argument(
        "--reset", choices=get_args(ResetPolarity), default="low", help="active level of the reset of --top axi"
    )
    for name, text in _AXI_FIELDS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=getattr(AxiSpec(), name), help=f"{text} (%(default)s)"
        )


def run(arguments: argparse.Namespace) -> int:
    """0; `InputError` if the chip has no such top."""
    chip = chips.load(arguments.chip)
    top: Top = arguments.top or getattr(chip.kind.door("top"), "DELIVERED", "machine")
    make = {"axi": _axi, "core": _core, "channel": _channel, "system": _system, "machine": _machine}[top]
    # a core is taken out of its simulation top, which then is not used
    warnings.filterwarnings("ignore", category=UnusedElaboratable)
    for path in deliver(make(chip, arguments), arguments.to.resolve(), BUILD / "rtl"):
        print(f"wrote   {shown(path)}")
    return 0


def _common(chip: Chip, arguments: argparse.Namespace, top: Top) -> dict[str, Any]:
    clock = chip.clock
    return {
        "name": f"{arguments.chip}_{top}",
        "title": f"{chip.title}, {top}",
        "top": top,
        "clock_ghz": None if clock is None else clock.nominal,
    }


def _axi(chip: Chip, arguments: argparse.Namespace) -> Delivery:
    core = core_behind_axi(chip)
    axi = AxiSpec(**{name: getattr(arguments, name) for name in _AXI_FIELDS})
    return Delivery(
        make=lambda build: AxiTop(core, axi, build, arguments.reset),
        constants=lambda build: capabilities(core, axi, build),
        latency=_AXI_TIME,
        **_common(chip, arguments, "axi"),
    )


def _system(chip: Chip, arguments: argparse.Namespace) -> Delivery:
    spec = chips.machine(chip, SystemSpec, "--top system")
    axi = AxiSpec(**{name: getattr(arguments, name) for name in _AXI_FIELDS})
    dma = spec.core.dma
    assert dma is not None, "SystemSpec has looked"

    def make(build: int) -> StandardPorts:
        inner = SystemAxi(spec, timing_of(spec), vector=VectorUnit(vector_spec(spec)), axi=axi)
        return StandardPorts(inner, dma, axi, arguments.reset)

    return Delivery(
        make=make,
        constants=lambda build: {},
        latency=f"Registers: docs/system.md. {_CHANNEL_TIME}",
        **_common(chip, arguments, "system"),
    )


def _core(chip: Chip, arguments: argparse.Namespace) -> Delivery:
    core = chips.machine(chip, CoreSpec, "--top core")
    array = core.array
    return Delivery(
        make=lambda build: CoreTop(core).core,
        constants=lambda build: {},
        latency=f"{array.rows} x {array.columns} cells, {array.mac_latency} cycle(s) a multiply-add. {_CORE_TIME}",
        **_common(chip, arguments, "core"),
    )


def _channel(chip: Chip, arguments: argparse.Namespace) -> Delivery:
    bench = design.load(design.default(chip))
    player: Any = bench.top(chip)
    if not hasattr(player, "channel"):
        raise InputError(f"--top channel needs a DRAM device, {chip.title!r} is a core; choose --top axi or core")
    return Delivery(
        make=lambda build: design.load(design.default(chip)).top(chip).channel,
        constants=lambda build: {},
        latency=_CHANNEL_TIME,
        **_common(chip, arguments, "channel"),
    )


def _machine(chip: Chip, arguments: argparse.Namespace) -> Delivery:
    kind = chip.kind
    return Delivery(
        make=lambda build: kind.door("top").top(chip.machine),
        constants=lambda build: {},
        latency=_MACHINE_TIME,
        **_common(chip, arguments, "machine"),
    )
