"""What a memory controller makes of a descriptor: its verdict, and the commands it needs in order."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

from hw.spec.command import unpack
from hw.spec.memory_controller import (
    AIM_PHASES,
    GEMV_FIELDS,
    OPCODE_GEMV,
    OPCODE_READ,
    OPCODE_WRITE,
    TRANSFER_FIELDS,
    ControllerSpec,
    Phase,
    in_register_mode,
)
from model.cycle.system.controller import Need


def fields_of(word: int) -> dict[str, int]:
    """The fields of a descriptor; those of a transfer if the opcode is not a GEMV's."""
    return unpack(GEMV_FIELDS if word & 0xFF == OPCODE_GEMV else TRANSFER_FIELDS, word)


def address_of(spec: ControllerSpec, fields: Mapping[str, int], pointed: Callable[[int], int], group: int) -> int:
    """DRAM address of a transfer's first word; 0 for what is none. Numbers at pointers count places in groups."""
    address = fields.get("address", 0)
    if fields.get("indirect") and fields["pointer"] < spec.shared_words:
        further, place = divmod(pointed(fields["pointer"]), group)
        address += further * fields["scale"] + place
    return address


def transfer_refusal(spec: ControllerSpec, fields: Mapping[str, int], address: int) -> int:
    """Code a READ or WRITE is refused with, or 0; `address` is that of its first word."""
    words = fields["outer"] * fields["groups"] * fields["run"]
    if not words:
        return 2
    if fields["shared"] + words > spec.shared_words:
        return 3
    if fields["indirect"] and fields["pointer"] >= spec.shared_words:
        return 3
    last = address + fields["run"] - 1 + fields["stride"] * (fields["groups"] - 1)
    return 4 if last + fields["outer_stride"] * (fields["outer"] - 1) >= spec.words else 0


def transfer_addresses(fields: Mapping[str, int], address: int) -> Iterator[int]:
    """DRAM addresses of a transfer's words in order."""
    for i, j, k in product(range(fields["outer"]), range(fields["groups"]), range(fields["run"])):
        yield address + i * fields["outer_stride"] + j * fields["stride"] + k


def refusal(spec: ControllerSpec, fields: Mapping[str, int], address: int) -> int:
    """Code the controller of an AiM channel refuses a descriptor with, or 0."""
    organisation = spec.pim.dram.organisation
    if fields["opcode"] in (OPCODE_READ, OPCODE_WRITE):
        return transfer_refusal(spec, fields, address)
    if fields["opcode"] != OPCODE_GEMV:
        return 1
    asked = [fields[phase.flag] for phase in AIM_PHASES[OPCODE_GEMV]]
    if not (fields["columns"] and fields["outputs"] and fields["copies"] and any(asked)):
        return 2
    if fields["load"] and fields["source"] + fields["columns"] > spec.shared_words:
        return 3
    if fields["read"] and fields["destination"] + fields["outputs"] > spec.shared_words:
        return 3
    further = fields["outputs"] - 1
    if fields["row_step"] <= 1:
        further //= fields["copies"]
    if fields["multiply"] and (
        fields["row"] >= spec.rows or (fields["row"] + further * max(1, fields["row_step"]) >= spec.rows)
    ):
        return 4
    most = min(spec.pim.register("GB").entries, organisation.columns)
    last = fields["column"] + (fields["copies"] - 1) * fields["pitch"] + fields["columns"]
    return 5 if fields["outputs"] > spec.pim.register("MAC").entries or last > most else 0


def needs(spec: ControllerSpec, fields: Mapping[str, int], address: int) -> Iterator[Need]:
    """The commands of an accepted descriptor in order."""
    for phase in AIM_PHASES[fields["opcode"]]:
        if not phase.flag or fields[phase.flag]:
            yield from (
                _transfer(spec, phase, fields, address) if "run" in phase.counts else (_gemv(spec, phase, fields))
            )


def _transfer(spec: ControllerSpec, phase: Phase, fields: Mapping[str, int], address: int) -> Iterator[Need]:
    organisation = spec.pim.dram.organisation
    for number, at in enumerate(transfer_addresses(fields, address)):
        place, bank = divmod(at, organisation.banks)
        row, column = divmod(place, organisation.columns)
        yield Need(
            act=phase.command, label=phase.label, bank=bank, row=row, column=column, shared=fields["shared"] + number,
            data="shared", wide=bool(fields["wide"]))  # fmt: skip


def _gemv(spec: ControllerSpec, phase: Phase, fields: Mapping[str, int]) -> Iterator[Need]:
    command = spec.pim.commands.command(phase.command)
    to_register = in_register_mode(command)
    rows = bool(fields["multiply"]) if phase.opens else "open" in command.requires
    places = len(phase.counts) > 1
    outer = fields[phase.counts[0]] if places else 1
    for i in range(outer):
        further, copy = divmod(i, fields["copies"])
        for j in range(fields[phase.counts[-1]]):
            yield Need(
                act=phase.command,
                label=phase.label,
                bank=0,
                row=fields["row"] + further * fields["row_step"],
                column=fields["column"] + copy * fields["pitch"] + j,
                accumulator=i if places else j,
                shared=(fields["source"] if phase.command == "WRGB" else fields["destination"]) + j,
                data="shared" if phase.command == "WRGB" else "",
                register_mode=to_register,
                rows=rows,
                wide=True,
            )
