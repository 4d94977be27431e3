"""What drivers, compilers and hosts outside this tree have written down: offsets, fields, codes, opcodes.

RTL, model and benches read one description and would all follow a change of it; a driver would not. So the places are
written down once more in `tests/data/driver_words.txt`. Who means to change one writes the file anew with
`python -m tests.test_driver_words` and raises `MAP_VERSION` or says in CHANGELOG.md what a driver must change.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hw import commands
from hw.rtl.npu.memory_side import axi_signature as axi
from hw.spec import command, crossbar_command, crossbar_unit, hbm_pim_controller, memory_controller, system, vector
from hw.spec.axi import OUTPUT_CODES
from hw.spec.dma import DmaSpec
from hw.spec.dram_command import DRAM_COMMANDS
from hw.spec.number import OPERAND_CODES
from hw.spec.pim import ERRORS
from hw.spec.register import IDENTITY, MAP_VERSION, REGISTER_MAP, Register
from hw.spec.system_register import SYSTEM_IDENTITY, SYSTEM_REGISTER_MAP, TARGETS

PATH = Path(__file__).parent / "data" / "driver_words.txt"

LAYOUTS: dict[str, Mapping[str, int]] = {
    "command": command.COMMAND_FIELDS,
    "config": command.CONFIG_FIELDS,
    "copy": command.COPY_FIELDS,
    "parameter lane": command.LANE_FIELDS,
    "parameter word": command.COMMON_FIELDS,
    "crossbar layer": crossbar_command.LAYER_FIELDS,
    "crossbar cell write": crossbar_command.WRITE_FIELDS,
    "crossbar product": crossbar_unit.PRODUCT_FIELDS,
    "memory transfer": memory_controller.TRANSFER_FIELDS,
    "memory gemv": memory_controller.GEMV_FIELDS,
    "hbm_pim gemv": hbm_pim_controller.HBM_GEMV_FIELDS,
    "vector": vector.VECTOR_FIELDS,
    "system": system.system_fields(tuple(system.UNIT_CODES)),
}

CODES: dict[str, Mapping[str, int] | Mapping[int, str]] = {
    "copy targets": command.COPY_TARGETS,
    "core refusals": command.REFUSALS,
    "crossbar refusals": crossbar_command.REFUSALS,
    "crossbar unit refusals": crossbar_unit.UNIT_REFUSALS,
    "memory refusals": memory_controller.REFUSALS,
    "vector refusals": vector.VECTOR_REFUSALS,
    "channel errors": ERRORS,
    "operand formats": OPERAND_CODES,
    "output formats": OUTPUT_CODES,
    "units": system.UNIT_CODES,
    "host copies": TARGETS,
}


def _registers(title: str, registers: Iterable[Register]) -> Iterator[str]:
    for register in registers:
        fields = " ".join(f"{f.name}@{f.low}:{f.bits}" for f in register.fields)
        yield f"{title} {register.offset:#05x} x{register.count} {register.access} {register.name} {fields}".rstrip()


def lines() -> Iterator[str]:
    """Every place and code, one line each."""
    yield f"version {MAP_VERSION[0]}.{MAP_VERSION[1]} identity {IDENTITY:#x} system {SYSTEM_IDENTITY:#x}"
    yield from _registers("core register", REGISTER_MAP)
    yield from _registers("system register", SYSTEM_REGISTER_MAP)
    for name, fields in LAYOUTS.items():
        yield f"layout {name}: {' '.join(f'{field}:{bits}' for field, bits in fields.items())}"
    for name, codes in CODES.items():
        yield f"codes {name}: {'; '.join(f'{key} = {value}' for key, value in codes.items())}"
    for chosen in (DRAM_COMMANDS, *(commands.load(name) for name in commands.names())):
        fields = " ".join(f"{f.name}@{f.low}:{f.width}" for f in chosen.fields)
        yield f"words of {chosen.title}: {chosen.word_bits} bits, {fields}"
        yield f"opcodes of {chosen.title}: {' '.join(f'{c.name}={c.opcode}' for c in chosen.commands)}"
        if chosen.operands:
            yield f"operands of {chosen.title}: {' '.join(f'{name}={code}' for name, code in chosen.operands.items())}"
        for host in chosen.host_commands:
            yield f"host command of {chosen.title}: {host.name}={host.opcode} {host.command} {' '.join(host.fields)}"


def test_the_places_and_codes_that_drivers_know_are_where_they_were() -> None:
    held = PATH.read_text().splitlines()
    for now, before in zip(lines(), held, strict=True):
        assert now == before, "a driver knows this; see the words at the top of this file"


def test_axi_fields_are_as_wide_as_the_standard_says() -> None:
    """AMBA AXI4, tables A2-2 to A2-6: one last, 8 bits of length, 3 of size, 2 of burst and of response."""
    dma = DmaSpec(bytes_per_cycle=16)
    widths = {"last": 1, "len": 8, "size": 3, "burst": 2, "resp": 2, "data": 128, "strb": 16, "addr": 64}
    layouts = (axi.ADDRESS, axi.WRITTEN, axi.read_layout(dma), axi.write_layout(dma))
    seen = set()
    for layout in layouts:
        for name, field in layout:
            if name != "id":
                assert field.width == widths[str(name)], name
                seen.add(name)
    assert seen == set(widths)
    assert {field.width for layout in layouts for name, field in layout if name == "id"} == {axi.ID_BITS}


if __name__ == "__main__":
    PATH.write_text("\n".join(lines()) + "\n")
