"""PIM command sets as data: words encode and decode, the vocabulary is closed."""

import pytest

from hw import chips, commands
from hw.base.error import InputError
from hw.spec.pim_command import MICRO_OPERATIONS, Command


@pytest.mark.parametrize("name", commands.names())
def test_every_field_of_every_command_survives_encoding(name: str) -> None:
    table = commands.load(name)
    for command in table.commands:
        values = {field: table.field(field).mask - (i % 2) for i, field in enumerate(command.fields)}
        decoded, got = table.decode(table.encode(command.name, values))
        assert decoded is command
        assert got == values


def test_hbm_pim_words_have_the_published_bit_positions() -> None:
    table = commands.load("hbm_pim")
    mac = table.encode("MAC", {"destination": 5, "source_0": 4, "source_1": 2, "aligned": 1})
    assert mac == 3 << 28 | 5 << 25 | 4 << 22 | 2 << 19 | 1 << 15
    assert table.encode("JUMP", {"iterations": 63, "offset": 2}) == 14 << 28 | 63 << 11 | 2
    assert table.encode("NOP", {"count": 7}) == 7
    assert table.encode("EXIT", {}) == 15 << 28


def test_unknown_opcode_field_and_value_are_named() -> None:
    table = commands.load("hbm_pim")
    with pytest.raises(InputError, match=r"an opcode of HBM-PIM must be one of 0, 1, .*, not 7"):
        table.decode(7 << 28)
    with pytest.raises(InputError, match=r"offset of JUMP must be from 0 to 2047, not 2048"):
        table.encode("JUMP", {"offset": 2048})
    with pytest.raises(InputError, match=r"NOP must use the fields count, not 'offset'"):
        table.encode("NOP", {"offset": 1})


def test_a_command_of_an_unknown_micro_operation_is_refused() -> None:
    with pytest.raises(InputError, match=r"X must be made of known micro-operations, not 'guess'"):
        Command(name="X", opcode=0, requires=(), operations=("guess",))
    used = {op for name in commands.names() for c in commands.load(name).commands for op in c.operations}
    assert used == set(MICRO_OPERATIONS)


@pytest.mark.parametrize("name", ["hbm_pim", "aim"])
def test_every_host_request_becomes_a_device_command(name: str) -> None:
    pim = chips.load(name).pim
    assert pim is not None
    for request in pim.commands.host_commands:
        if request.command:
            assert pim.commands.command(request.command).name == request.command


def test_hbm_pim_modes_form_a_path_there_and_back() -> None:
    pim = chips.load("hbm_pim").pim
    assert pim is not None
    assert pim.change("SB", "HAB").row == 0x17FF
    assert pim.change("HAB", "SB").row == 0x1FFF
    assert pim.change("HAB", "HAB_PIM").column == 0
    with pytest.raises(InputError, match="must have a step from SB to HAB_PIM"):
        pim.change("SB", "HAB_PIM")
