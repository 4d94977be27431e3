"""Component to Verilog and a manifest of everything in it that has a name; content-addressed.

The pass list matters: with next-state logic as assigns and real enable flip-flops Verilator's model is
four to six times as fast as from `amaranth.back.verilog.convert` and compiles in half the time.
"""

import gc
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth._toolchain.yosys import YosysError, find_yosys
from amaranth.back import rtlil
from amaranth.hdl import Const, Fragment, Signal, Value, _ir, _nir
from amaranth.hdl._ast import SignalDict
from amaranth.hdl._ir import PortDirection
from amaranth.lib import stream, wiring

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.rtl.emit.merge import Module, Wire, merge

# opt_dff needs the opt_clean before it: alias wires hide its patterns. No -purge: user names survive.
# memory_collect comes early: only the cell it makes carries the mark that keeps an unread memory.
_PASSES = ("proc", "memory_collect", "opt_clean", "opt_expr", "opt_dff", "opt_clean")
_SCHEMA = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An emitted design.

    Parameters
    ----------
    name : str
        The top module's name.
    verilog_path : Path
        The Verilog text, `<name>.<digest>.v`.
    manifest_path : Path
        `manifest` as JSON.
    manifest : dict
        "ports": name, direction, width, signed, interface, enum of each; "interfaces": name, kind
        ("stream", "interface" or "port") and ports; "signals": path, width, signed, register, input, enum;
        "memories": path, width, depth, module, variable; "instances": path to module; "enums": name to
        {value: name}. Paths start with the top's name and are joined by dots.
    digest : str
        First 16 hex digits of the SHA-256 of the Verilog text.
    """

    name: str
    verilog_path: Path
    manifest_path: Path
    manifest: dict[str, Any]
    digest: str

    @property
    def verilog(self) -> str:
        """The text."""
        return self.verilog_path.read_text()


def emit(component: wiring.Component, name: str, out_dir: Path, platform: object = None) -> Emitted:
    """Write `<out_dir>/<name>.<digest>.v` and its manifest `.json`; equal components give equal files.

    Constant members of the signature (a stream that is always ready) are left out of the ports. `platform` is what
    parts of the design are elaborated for; None for a simulation.
    Raises `InputError` if `out_dir` cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise InputError(f"the name of an emitted design must be an identifier, not {name!r}; use letters and digits")
    ports, interfaces, streams = _ports(component)
    with _without_collector():
        text, name_map = _convert(component, ports, name, platform)
        modules = merge(text, name)
    merged = "\n".join(m.text for m in reversed(modules.values()))
    key = hashlib.sha256(f"{_SCHEMA}{_PASSES}{merged}".encode()).hexdigest()[:16]
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        pointer = out_dir / f"{name}.{key}.rtlil.json"
        verilog = _cached(pointer, out_dir, name) or _write_verilog(merged, modules, pointer, out_dir, name)
        digest = hashlib.sha256(verilog.encode()).hexdigest()[:16]
        manifest = _manifest(name, verilog, modules, _port_list(ports, interfaces), streams, _decoders(name_map))
        manifest["digest"] = digest
        manifest_path = out_dir / f"{name}.{digest}.json"
        _write(manifest_path, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise InputError(
            f"the folder {out_dir} must be writable, it is not ({error.strerror}); free some space or choose another"
        ) from error
    return Emitted(
        name=name,
        verilog_path=out_dir / f"{name}.{digest}.v",
        manifest_path=manifest_path,
        manifest=manifest,
        digest=digest,
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for garbage: a netlist is a million small objects that live to the end; searching takes a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _convert(
    component: wiring.Component, ports: dict[str, tuple[Value, Any]], name: str, platform: object
) -> tuple[str, SignalDict]:
    """RTLIL text, and the path of each signal, as `amaranth.back.rtlil.convert_fragment` gives them.

    Except that contents of memories that start as zeros are left out: converting them bit by bit takes longer
    than everything else. `merge` marks those memories.
    """
    netlist = _ir.build_netlist(Fragment.get(component, platform), ports=ports, name=name)
    for cell in netlist.cells:
        if isinstance(cell, _nir.Memory) and not any(cell.init):
            cell.init = ()
    name_map = SignalDict()
    empty = rtlil.EmptyModuleChecker(netlist)
    design = rtlil.Design(emit_src=False)
    for index, module in enumerate(netlist.modules):
        if not empty.is_empty(index):
            builder = design.module(".".join(module.name), src_loc=module.src_loc)
            if index == 0:
                builder.attribute("top", 1)
            rtlil.ModuleEmitter(builder, netlist, module, name_map, empty_checker=empty).emit()
    return str(design), name_map


def _ports(component: wiring.Component) -> tuple[dict[str, tuple[Value, Any]], dict[str, str], set[str]]:
    """Ports by name, their interface ("" for a plain port), and the interfaces that are streams."""
    ports, interfaces, streams = {}, {}, set()
    for path, member, value in component.signature.flatten(component):
        value = Value.cast(value)
        if isinstance(value, Const):
            continue
        port = "__".join(map(str, path))
        direction = PortDirection.Input if member.flow == wiring.In else PortDirection.Output
        ports[port] = (value, direction)
        interfaces[port] = "__".join(map(str, path[:-1]))
    _find_streams(component.signature, (), streams)
    return ports, interfaces, streams


def _find_streams(signature: Any, path: tuple[str, ...], streams: set[str]) -> None:
    for name, member in signature.members.items():
        if member.is_signature:
            for index in _indices(member.dimensions):
                inner = (*path, name, *index)
                if isinstance(member.signature, stream.Signature):
                    streams.add("__".join(inner))
                _find_streams(member.signature, inner, streams)


def _indices(dimensions: tuple[int, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for size in dimensions:
        found = [(*index, str(i)) for index in found for i in range(size)]
    return found


def _port_list(ports: dict[str, tuple[Value, Any]], interfaces: dict[str, str]) -> list[dict[str, Any]]:
    listed = [
        {
            "name": name,
            "direction": "in" if direction is PortDirection.Input else "out",
            "width": len(value),
            "signed": value.shape().signed,
            "interface": interfaces[name],
        }
        for name, (value, direction) in ports.items()
    ]
    return listed


def _decoders(name_map: Any) -> dict[str, dict[int, str]]:
    """State names of finite state machines by path: Amaranth keeps them out of the RTLIL."""
    found = {}
    for signal, path in name_map.items():
        if not (isinstance(signal, Signal) and callable(signal.decoder) and not isinstance(signal.decoder, type)):
            continue
        names = {}
        for value in range(1 << min(len(signal), 8)):
            try:
                names[value] = str(signal.decoder(value)).split("/")[0]
            except (KeyError, ValueError, IndexError):
                continue
        found[".".join(path)] = names
    return found


def _cached(pointer: Path, out_dir: Path, name: str) -> str | None:
    try:
        digest = json.loads(pointer.read_text())["digest"]
        text = (out_dir / f"{name}.{digest}.v").read_text()
    except (OSError, ValueError, KeyError):
        return None
    return text if hashlib.sha256(text.encode()).hexdigest()[:16] == digest else None


_REFUSED = re.compile(
    r"File too large|No space left on device|Disk quota exceeded|Permission denied|Read-only file system"
)


def _write_verilog(merged: str, modules: dict[str, Module], pointer: Path, out_dir: Path, name: str) -> str:
    yosys = find_yosys(lambda version: version >= (0, 40))
    script = [f"read_rtlil <<rtlil\n{merged}\nrtlil", *_PASSES, "write_verilog -noattr"]
    try:
        text = yosys.run(["-q", "-"], "\n".join(script) + "\n", ignore_warnings=True)
    except YosysError as error:
        # Yosys keeps passing files: what it was refused stands in the last line it writes
        found = _REFUSED.search(str(error))
        if found is None:
            raise
        raise InputError(
            f"Yosys must be able to write its files, it is not ({found[0]}); free some space or change rights"
        ) from None
    text = _clear_memories(text, modules)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    _write(out_dir / f"{name}.{digest}.v", text)
    _write(pointer, json.dumps({"digest": digest}) + "\n")
    return text


def _clear_memories(text: str, modules: dict[str, Module]) -> str:
    """A loop that clears each memory that starts as zeros, after its declaration."""
    lines, module = [], ""
    for line in text.splitlines():
        lines.append(line)
        if match := _MODULE.match(line):
            module = match[1]
        elif (match := _MEMORY.match(line)) and _plain(match[1]) in modules[module].cleared:
            memory = _plain(match[1])
            width, depth = modules[module].memories[memory]
            counter = f"clear_{re.sub(r'[^A-Za-z0-9]', '_', memory)}"
            lines += [
                f"  integer {counter};",
                f"  initial for ({counter} = 0; {counter} < {depth}; {counter} = {counter} + 1)",
                f"    {match[1]}[{counter}] = {width}'h0;",
            ]
    return "\n".join(lines) + "\n"


_MODULE = re.compile(r"^module (\w+)")
_DECLARATION = re.compile(r"^  (wire|reg) (?:\[(\d+):0\] )?(\\\S+ |\w+)(?: = .*)?;$")
_INPUT = re.compile(r"^  input (?:\[\d+:0\] )?(\\\S+ |\w+);$")
_MEMORY = re.compile(r"^  reg (?:\[\d+:0\] )?(\\\S+ |\w+) ?\[\d+:0\];$")


def _plain(identifier: str) -> str:
    return identifier[1:].rstrip() if identifier.startswith("\\") else identifier


def _manifest(
    top: str,
    verilog: str,
    modules: dict[str, Module],
    ports: list[dict[str, Any]],
    streams: set[str],
    decoders: dict[str, dict[int, str]],
) -> dict[str, Any]:
    declared: dict[str, dict[str, tuple[str, int]]] = {}
    memories: dict[str, set[str]] = {}
    inputs: dict[str, set[str]] = {}
    module = ""
    for line in verilog.splitlines():
        if match := _MODULE.match(line):
            module = match[1]
            declared[module], memories[module], inputs[module] = {}, set(), set()
        elif match := _DECLARATION.match(line):
            declared[module][_plain(match[3])] = match[1], int(match[2] or 0) + 1
        elif match := _INPUT.match(line):
            inputs[module].add(_plain(match[1]))
        elif match := _MEMORY.match(line):
            memories[module].add(_plain(match[1]))

    enums: dict[str, dict[str, str]] = {}
    signals: list[dict[str, Any]] = []
    found_memories: list[dict[str, Any]] = []
    instances: dict[str, str] = {}

    def add_enum(name: str, values: dict[int, str]) -> str:
        table = {str(value): text for value, text in sorted(values.items())}
        while enums.get(name, table) != table:
            name += "_"
        enums[name] = table
        return name

    def walk(path: str, module: str) -> None:
        instances[path] = module
        wires = {wire.name: wire for wire in modules[module].wires}
        # Registers without a wire of their own hold the word a memory's port has read
        wires |= {
            name: Wire(name=name, width=width, signed=False, enumeration=None)
            for name, (kind, width) in declared[module].items()
            if kind == "reg" and name not in wires
        }
        for wire in wires.values():
            kind, _ = declared[module].get(wire.name, (None, 0))
            if kind is None or (kind == "wire" and ("$" in wire.name or wire.name.startswith("port_"))):
                continue
            enum = add_enum(*wire.enumeration) if wire.enumeration else None
            if f"{path}.{wire.name}" in decoders:
                enum = add_enum(f"{path}.{wire.name}", decoders[f"{path}.{wire.name}"])
            signals.append(
                {
                    "path": f"{path}.{wire.name}",
                    "width": wire.width,
                    "signed": wire.signed,
                    "register": kind == "reg",
                    "input": wire.name in inputs[module],
                    "enum": enum,
                }
            )
        for memory, (width, depth) in modules[module].memories.items():
            if memory in memories[module]:
                found_memories.append(
                    {
                        "path": f"{path}.{memory}",
                        "width": width,
                        "depth": depth,
                        "module": module,
                        "variable": memory,
                    }
                )
        for instance, child in sorted(modules[module].instances.items()):
            walk(f"{path}.{instance}", child)

    walk(top, top)
    enum_of = {s["path"]: s["enum"] for s in signals}
    taken = {port["name"] for port in ports}
    for clock in ("clk", "rst"):
        if clock in inputs[top] and clock not in taken:
            ports.insert(0, {"name": clock, "direction": "in", "width": 1, "signed": False, "interface": ""})
    for port in ports:
        port["enum"] = enum_of.get(f"{top}.{port['name']}")
    groups: dict[str, list[str]] = {}
    for port in ports:
        groups.setdefault(port["interface"], []).append(port["name"])
    kinds = {name: "port" if not name else "stream" if name in streams else "interface" for name in groups}
    interfaces = [{"name": name, "kind": kinds[name], "ports": names} for name, names in groups.items()]
    return {
        "schema": _SCHEMA,
        "name": top,
        "ports": ports,
        "interfaces": interfaces,
        "signals": signals,
        "memories": found_memories,
        "instances": instances,
        "enums": enums,
    }


def _write(path: Path, text: str) -> None:
    """Atomically; a file that already holds `text` is left alone."""
    if path.is_file() and path.read_text() == text:
        return
    write_atomically(path, text)
