"""What a system-on-chip team receives: Verilog with memories apart, FuseSoC core, register map, constraints, a page."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from amaranth.lib import wiring

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.rtl.common.ram import MemoryMacros, behaviour
from hw.rtl.emit.verilog import Emitted, emit
from hw.spec.register_text import c_header, counter_table, markdown_table, system_rdl

Top = Literal["core", "axi", "channel", "system", "machine"]
TOPS: tuple[Top, ...] = get_args(Top)
VENDOR, LIBRARY, VERSION = "kcloud", "npu", "0.1.0"
"""First, second and last part of the name a package manager knows the delivery by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """A memory that an SRAM macro replaces: its module, its size, the instances it stands for.

    Parameters
    ----------
    module : str
        Name of the module, the same for all memories of this size.
    width, depth : int
        Bits of a word, and number of words.
    reads : int
        Read ports; there is one write port beside them.
    instances : tuple of str
        Paths of the memories in the design that it stands for, from the top's name on, sorted.
    """

    module: str
    width: int
    depth: int
    reads: int
    instances: tuple[str, ...]

    @property
    def kilobits(self) -> float:
        """Of one instance."""
        return self.width * self.depth / 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A design to deliver.

    Parameters
    ----------
    name : str
        Of the top module and of the files.
    title : str
        One line for people.
    top : Top
        "core": the NPU core; "axi": the core behind AXI4 and AXI4-Lite; "channel": a DRAM channel with its PIM units;
        "system": core, vector unit and channel together behind AXI; "machine": what the kind of any other builds.
    make : callable
        The component with the given 64-bit build digest in its registers.
    constants : callable
        Constant register -> word with that digest; {} if the design has no registers.
    clock_ghz : float or None
        Clock the constraints ask for, None if the chip states none.
    latency : str
        Sentences about time for the page.
    """

    name: str
    title: str
    top: Top
    make: Callable[[int], wiring.Component]
    constants: Callable[[int], dict[str, int]]
    clock_ghz: float | None
    latency: str


def deliver(given: Delivery, to: Path, work: Path) -> list[Path]:
    """Write the files into `to`, which is made; `work` keeps intermediate ones. The written files, in order.

    The build digest is that of the same design's Verilog with the digest left at 0, so that equal designs have equal
    digests and a driver can tell which one it runs on.

    Raises
    ------
    InputError
        If `to` cannot be written, or is a file.
    """
    if to.exists() and not to.is_dir():
        raise InputError(f"--to must name a folder, {str(to)!r} is a file; choose another")
    plain, macros = _with_macros(given.make(0), given.name, work)
    constants = given.constants(int(plain.digest, 16))
    emitted = plain
    if constants:
        emitted, macros = _with_macros(given.make(int(plain.digest, 16)), given.name, work)
    texts = {
        f"{given.name}.v": emitted.verilog,
        f"{given.name}_memories.v": "\n".join(behaviour(m.module, m.width, m.depth, m.reads) for m in macros),
        f"{given.name}.manifest.json": json.dumps(
            emitted.manifest | {"build_digest": plain.digest, "macros": [_plain(m) for m in macros]},
            indent=1,
            sort_keys=True,
        )
        + "\n",
        f"{given.name}.sdc": _constraints(given, emitted),
    }
    if constants:
        texts[f"{given.name}.rdl"] = system_rdl(f"{given.name}_registers", constants)
        texts[f"{given.name}_registers.h"] = c_header(given.name, constants)
    if not macros:
        del texts[f"{given.name}_memories.v"]
    texts[f"{given.name}.core"] = _fusesoc(given, list(texts))
    texts["INTEGRATION.md"] = _page(given, emitted, macros, plain.digest, bool(constants))
    for name, text in texts.items():
        write_atomically(to / name, text)
    written = [to / name for name in texts]
    if constants:
        written.append(_ip_xact(to / f"{given.name}.rdl", to / f"{given.name}.registers.xml"))
    return written


def _with_macros(component: wiring.Component, name: str, work: Path) -> tuple[Emitted, list[Macro]]:
    """The design with its memories as instances of modules apart, largest first."""
    platform = MemoryMacros(name)
    emitted = emit(component, name, work, platform)
    inside: dict[str, list[str]] = {}  # module -> paths of its instances
    for path, module in emitted.manifest["instances"].items():
        inside.setdefault(module, []).append(path)
    found: dict[str, list[str]] = {macro: [] for macro in platform.sizes}
    module = ""
    for line in emitted.verilog.splitlines():
        words = line.split()
        if line.startswith("module "):
            module = words[1].partition("(")[0]
        elif words and words[0] in found:
            found[words[0]] += inside[module]
    macros = [
        Macro(module=macro, width=width, depth=depth, reads=reads, instances=tuple(sorted(found[macro])))
        for macro, (width, depth, reads) in platform.sizes.items()
    ]
    return emitted, sorted(macros, key=lambda m: -m.kilobits)


def _plain(macro: Macro) -> dict[str, Any]:
    return {
        "module": macro.module,
        "width": macro.width,
        "depth": macro.depth,
        "reads": macro.reads,
        "instances": list(macro.instances),
    }


def _clock(emitted: Emitted) -> tuple[str, str]:
    """Names of the clock and the reset port."""
    names = [port["name"] for port in emitted.manifest["ports"]]
    clock = "ACLK" if "ACLK" in names else "clk"
    return clock, next(name for name in ("ARESETN", "ARESET", "rst") if name in names)


def _constraints(given: Delivery, emitted: Emitted) -> str:
    clock, _ = _clock(emitted)
    period = 1.0 / given.clock_ghz if given.clock_ghz else 10.0
    why = "the clock of the chip's description" if given.clock_ghz else "no clock is stated: 100 MHz to begin with"
    half = period / 2
    return (
        f"# {given.title}: {why}\ncreate_clock -name {clock} -period {period:.4g} [get_ports {clock}]\n"
        "# Every input is sampled and every output driven by registers or a few gates: half a period outside.\n"
        f"set_input_delay {half:.4g} -clock {clock} [remove_from_collection [all_inputs] [get_ports {clock}]]\n"
        f"set_output_delay {half:.4g} -clock {clock} [all_outputs]\n"
    )


def _fusesoc(given: Delivery, files: list[str]) -> str:
    """A CAPI2 core description."""
    verilog = [name for name in files if name.endswith(".v")]
    logic, memories = verilog[:1], verilog[1:]
    filesets: dict[str, Any] = {"rtl": {"files": logic, "file_type": "verilogSource-2005"}}
    if memories:
        filesets["memories"] = {"files": memories, "file_type": "verilogSource-2005"}
    filesets["constraints"] = {"files": [name for name in files if name.endswith(".sdc")], "file_type": "SDC"}
    sources = list(filesets)[:-1]
    lint = {"verilator": {"mode": "lint-only", "verilator_options": ["-Wno-fatal"]}}
    core = {
        "name": f"{VENDOR}:{LIBRARY}:{given.name}:{VERSION}",
        "description": given.title,
        "filesets": filesets,
        "targets": {
            "default": {"filesets": sources, "toplevel": given.name},
            "asic": {
                "filesets": [*(s for s in sources if s != "memories"), "constraints"],
                "toplevel": given.name,
                "description": "without the memory models: bring macros of the same modules",
            },
            "lint": {"filesets": sources, "toplevel": given.name, "default_tool": "verilator", "tools": lint},
        },
    }
    return "CAPI=2:\n" + yaml.safe_dump(core, sort_keys=False, width=110)


def _ip_xact(source: Path, target: Path) -> Path:
    """The register map as IP-XACT, from its SystemRDL."""
    from peakrdl_ipxact import IPXACTExporter
    from systemrdl.compiler import RDLCompiler

    compiler = RDLCompiler()
    compiler.compile_file(str(source))
    exporter = IPXACTExporter(vendor=VENDOR, library=LIBRARY, version=VERSION)
    exporter.export(compiler.elaborate(), str(target), component_name=source.stem)
    return target


def _page(given: Delivery, emitted: Emitted, macros: list[Macro], build: str, registers: bool) -> str:
    clock, reset = _clock(emitted)
    level = {"ARESETN": "low", "ARESET": "high", "rst": "high"}[reset]
    files = {
        f"{given.name}.v": "logic",
        f"{given.name}_memories.v": "behavioural models of the memories",
        f"{given.name}.manifest.json": "every port, register, memory and enumeration",
        f"{given.name}.core": "FuseSoC core file; target `asic` leaves the memory models out",
        f"{given.name}.sdc": "clock and port constraints",
    }
    if not macros:
        del files[f"{given.name}_memories.v"]
    if registers:
        files |= {
            f"{given.name}.rdl": "register map, SystemRDL 2.0",
            f"{given.name}.registers.xml": "register map, IP-XACT",
            f"{given.name}_registers.h": "register map, C header",
        }
    lines = [
        f"# {given.title}",
        "",
        f"Top module `{given.name}`, build digest `{build}`.",
        "",
        "| file | what it is |",
        "|---|---|",
        *(f"| `{name}` | {text} |" for name, text in files.items()),
        "",
        "## Clock and reset",
        "",
        f"One clock, `{clock}`, rising edge. The reset `{reset}` is active {level} and synchronous: hold it for one "
        "rising edge at least. Memories are not reset and may hold anything; nothing depends on power-on values.",
        "",
        "## Time",
        "",
        given.latency,
        "",
        "## Memories to replace",
        "",
    ]
    if macros:
        lines += [
            "Each is a module of its own. A word asked for with `i_read_enable_<i>` and `i_read_address_<i>` is at "
            "`o_read_data_<i>` from the next edge on until the next read; a word is written at the edge at which "
            "`i_write_enable` is high; a read of the word that is being written gives the former one. Replace the "
            f"module in `{given.name}_memories.v` by a wrapper round a macro with the same ports.",
            "",
            "| module | words | bits | read ports | Kbit | instances |",
            "|---|---|---|---|---|---|",
            *(
                f"| `{m.module}` | {m.depth} | {m.width} | {m.reads} | {m.kilobits:.1f} | {', '.join(m.instances)} |"
                for m in macros
            ),
        ]
    else:
        lines += ["None of its own: every array is a register file or the DRAM itself."]
    lines += [
        "",
        "## Ports",
        "",
        "| interface | port | direction | bits |",
        "|---|---|---|---|",
        *(
            f"| {p['interface'] or '-'} | `{p['name']}` | {p['direction']} | {p['width']} |"
            for p in emitted.manifest["ports"]
        ),
    ]
    if registers:
        lines += ["", "## Registers", "", markdown_table(), counter_table().rstrip()]
    return "\n".join(lines) + "\n"
