"""The register map in words: the table of `docs/axi.md`, SystemRDL, a C header. All from `hw.spec.register`."""

from collections.abc import Iterable

from hw.spec.register import REGISTER_MAP, Field, Register, counter_meanings

ADDRESS_SPACE = 4096
"""Bytes of the map's window."""

_RDL_ACCESS = {"read": ("r", "w"), "write": ("w", "r"), "both": ("rw", "r"), "write 1 clears": ("rw", "w")}
"""Access -> what software may do, what hardware does."""


def offsets(register: Register) -> str:
    """ "0x20 to 0x30" for a series."""
    last = register.offset + 4 * (register.count - 1)
    return f"0x{register.offset:02X}" + (f" to 0x{last:02X}" if register.count > 1 else "")


def bits(field: Field) -> str:
    """ "7:4" or "3"."""
    return f"{field.low + field.bits - 1}:{field.low}" if field.bits > 1 else str(field.low)


def markdown_table(registers: Iterable[Register] = REGISTER_MAP) -> str:
    """One row per register, its fields in the last column."""
    lines = ["| offset | name | access | meaning |", "|---|---|---|---|"]
    for register in registers:
        text = register.text + "".join(f"; bits {bits(f)} {f.name}: {f.text}" for f in register.fields)
        lines.append(f"| {offsets(register)} | {register.name} | {register.access} | {text} |")
    return "\n".join(lines) + "\n"


def counter_table() -> str:
    """Offset of the low half of every counter."""
    first = next(r for r in REGISTER_MAP if r.name == "counter").offset
    rows = [f"| 0x{first + 8 * index:03X} | {meaning} |" for index, meaning in enumerate(counter_meanings())]
    return "\n".join(["| offset | counter |", "|---|---|", *rows]) + "\n"


def system_rdl(name: str, constants: dict[str, int]) -> str:
    """The map as SystemRDL 2.0; `constants` gives constant registers the value they have in this build."""
    lines = [
        f"addrmap {name} {{",
        f'    name = "{name}";',
        '    desc = "Registers of an NPU core behind AXI4-Lite.";',
        "    default regwidth = 32;",
        "    default accesswidth = 32;",
        "    lsb0;",
        "",
    ]
    for register in REGISTER_MAP:
        software, hardware = _RDL_ACCESS[register.access]
        lines += ["    reg {", f'        name = "{register.name}";', f'        desc = "{register.text}";']
        word = constants.get(register.name, 0)
        for field in register.fields or (Field(name="value", low=0, bits=32, text=register.text),):
            extra = "singlepulse; " if field.pulse else "woclr; " if register.access == "write 1 clears" else ""
            reset = word >> field.low & (1 << field.bits) - 1
            given = "" if register.access == "read" and not register.constant else f" = {reset}"
            lines.append(
                f'        field {{ sw = {software}; hw = {hardware}; {extra}desc = "{field.text}"; }} '
                f"{field.name}[{field.low + field.bits - 1}:{field.low}]{given};"
            )
        series = f"[{register.count}]" if register.count > 1 else ""
        lines.append(f"    }} {register.name}{series} @ 0x{register.offset:X};")
    return "\n".join([*lines, "};"]) + "\n"


def c_header(name: str, constants: dict[str, int]) -> str:
    """Offsets, masks and the constant values of this build as a C header."""
    guard = f"{name.upper()}_REGISTERS_H"
    lines = [
        f"/* Registers of {name}: byte offsets, bits, and the constants of this build. Generated. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
    ]
    for register in REGISTER_MAP:
        word = f"NPU_{register.name.upper()}"
        lines.append(f"#define {word} 0x{register.offset:03X}u /* {register.access}: {register.text} */")
        if register.count > 1:
            lines.append(f"#define {word}_COUNT {register.count}u")
        for field in register.fields:
            mask = ((1 << field.bits) - 1) << field.low
            lines += [
                f"#define {word}_{field.name.upper()}_SHIFT {field.low}u",
                f"#define {word}_{field.name.upper()}_MASK 0x{mask:08X}u",
            ]
        if register.name in constants:
            lines.append(f"#define {word}_VALUE 0x{constants[register.name]:08X}u")
    for index, meaning in enumerate(counter_meanings()):
        lines.append(f"#define NPU_COUNTER_INDEX_{meaning.replace('.', '_').upper()} {index}u")
    return "\n".join([*lines, "", f"#endif /* {guard} */"]) + "\n"
