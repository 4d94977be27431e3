"""Equal modules of an RTLIL design become one: 256 identical cells are converted and printed once.

Amaranth emits one module per instance. Here modules are compared as text, children first, after their
machine-made port names were numbered in order of appearance; of equal ones the first stays.
"""

import re
from dataclasses import dataclass, field

_MODULE = re.compile(r"^module \\(\S+)$")
_CELL = re.compile(r"^(\s+)cell \\(\S+) \\(\S+)$")
_CONNECT = re.compile(r"^(\s+)connect \\(\S+) (.*)$")
_MADE_UP = re.compile(r"\\((?:io)?port\$\d+\$\d+)(?=\s|$)")
_WIRE = re.compile(r"^\s+wire (?:width (\d+) )?(.*?)\\(\S+)$")
_ATTRIBUTE = re.compile(r'^\s+attribute \\(\S+) "?(.*?)"?$')
_MEMORY = re.compile(r"^\s+memory width (\d+) size (\d+) \\(\S+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A named wire: its width in bits, sign, and (name, {value: name}) of its enumeration or None.

    Parameters
    ----------
    name : str
        Name within its module, without a leading backslash.
    width : int
        In bits.
    signed : bool
        Whether its value is two's complement.
    enumeration : tuple of str and dict, or None
        Name of the enumeration, and value -> name; None for a plain number.
    """

    name: str
    width: int
    signed: bool
    enumeration: tuple[str, dict[int, str]] | None


@dataclass(slots=True, kw_only=True)
class Module:
    """One distinct module.

    `instances` maps an instance's name to its module's; `memories` maps a name to (width, depth);
    `cleared` are the memories whose contents start as zeros: their initialisation is left out of `text`.

    Parameters
    ----------
    name : str
        A plain identifier, as in the Verilog.
    text : str
        Its RTLIL, with attributes.
    instances : dict of str to str
        Instance in it -> name of the distinct module.
    wires : list of Wire
        Its named wires, in the order of the RTLIL.
    memories : dict of str to tuple
        Memory -> (width in bits, depth in words).
    cleared : set of str
        Memories that start as zeros.
    """

    name: str
    text: str
    instances: dict[str, str] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    memories: dict[str, tuple[int, int]] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)


def merge(rtlil: str, top: str) -> dict[str, Module]:
    """The distinct modules of Amaranth's `rtlil` by name, children first, `top` last.

    Names of the merged modules are plain identifiers: the first instance's path with `_` for dots.
    """
    found = _split(rtlil)
    alias: dict[str, str] = {}
    ports: dict[str, dict[str, str]] = {}
    by_body: dict[str, str] = {}
    modules: dict[str, Module] = {}
    for original, head, body in reversed(found):  # Amaranth lists parents before children
        lines, instances = _rename_children(body, alias, ports)
        lines, ports[original] = _number_ports(lines)
        text = "\n".join(lines)
        if text not in by_body or original == top:
            name = top if original == top else _identifier(original, modules)
            by_body[text] = name
            module = Module(name=name, text="", instances=instances)
            kept = _prepare_memories(lines, module)
            module.text = "\n".join([*head, f"module \\{name}", *kept, "end", ""])
            _read_names(kept, module)
            modules[name] = module
        alias[original] = by_body[text]
    return modules


def _split(rtlil: str) -> list[tuple[str, list[str], list[str]]]:
    """(name, attribute lines, body lines) of each module."""
    found: list[tuple[str, list[str], list[str]]] = []
    head: list[str] = []
    body: list[str] | None = None
    for line in rtlil.splitlines():
        match = _MODULE.match(line)
        if match:
            body = []
            found.append((match[1], head, body))
            head = []
        elif body is None:
            head.append(line)
        elif line == "end":
            body = None
        else:
            body.append(line)
    return found


def _rename_children(
    body: list[str], alias: dict[str, str], ports: dict[str, dict[str, str]]
) -> tuple[list[str], dict[str, str]]:
    lines, instances = [], {}
    names: dict[str, str] | None = None
    for line in body:
        if match := _CELL.match(line):
            space, kind, instance = match.groups()
            names = ports.get(kind)
            if kind in alias:
                instances[instance] = alias[kind]
                line = f"{space}cell \\{alias[kind]} \\{instance}"
        elif names is not None and (match := _CONNECT.match(line)):
            line = f"{match[1]}connect \\{names.get(match[2], match[2])} {match[3]}"
        elif line.strip() == "end":
            names = None
        lines.append(line)
    return lines, instances


def _number_ports(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    names: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return "\\" + names.setdefault(match[1], f"port_{len(names)}")

    return [_MADE_UP.sub(number, line) for line in lines], names


def _identifier(path: str, taken: dict[str, Module]) -> str:
    name = re.sub(r"\W", "_", path)
    while name in taken:
        name += "_"
    return name


def _prepare_memories(lines: list[str], module: Module) -> list[str]:
    """`lines` with every memory kept, and without the initialisation of those that start as zeros.

    In Verilog the latter is one statement per word.
    """
    kept: list[str] = []
    index = 0
    while index < len(lines):
        end = index + 1
        if lines[index].lstrip().startswith("memory "):
            # A memory only the testbench reads would be removed as unused.
            kept.append("  attribute \\keep 1")
        if lines[index].lstrip().startswith("cell $meminit"):
            while lines[end].strip() != "end":
                end += 1
            cell = "\n".join(lines[index:end])
            data = re.search(r"connect \\DATA (?:\d+'([01]*)|\{ *\})\s", cell + "\n")
            name = re.search(r'parameter \\MEMID "\\\\(\S+)"', cell)
            if data and name and "1" not in (data[1] or ""):
                module.cleared.add(name[1])
                index = end + 1
                continue
            end = index + 1
        kept.extend(lines[index:end])
        index = end
    return kept


def _read_names(lines: list[str], module: Module) -> None:
    attributes: dict[str, str] = {}
    for line in lines:
        if match := _ATTRIBUTE.match(line):
            attributes[match[1]] = match[2]
        elif match := _WIRE.match(line):
            values = {int(k[11:], 2): v for k, v in attributes.items() if k.startswith("enum_value_")}
            enumeration = (attributes.get("enum_base_type", match[3]), values) if values else None
            width, signed = int(match[1] or 1), "signed" in match[2].split()
            module.wires.append(Wire(name=match[3], width=width, signed=signed, enumeration=enumeration))
            attributes = {}
        elif match := _MEMORY.match(line):
            module.memories[match[3]] = (int(match[1]), int(match[2]))
            attributes = {}
        elif line.strip():
            attributes = {}
