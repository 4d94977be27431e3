"""The commands of a plain DRAM's port, for devices whose units have no commands of their own there."""

from hw.spec.pim_command import Command, CommandSet, Field

_OPEN, _CLOSED, _ANY = ("open",), ("closed",), ("open", "closed")
_PLACE = ("bank", "row", "column")

DRAM_COMMANDS = CommandSet(
    title="DRAM",
    word_bits=3,
    fields=(
        Field(name="opcode", low=0, width=3),
        *(Field(name=name, low=0, width=0) for name in _PLACE),  # have places of their own beside the opcode
    ),
    commands=(
        Command(name="ACT", opcode=0, requires=_CLOSED, operations=("open_row",), fields=("bank", "row"), scope="bank"),
        Command(name="PRE", opcode=1, requires=_ANY, operations=("close_row",), fields=("bank",), scope="bank"),
        # a column command says its row, which must be the open one
        Command(name="RD", opcode=2, requires=_OPEN, operations=("read_column", "drive_column"), fields=_PLACE,
                scope="bank", bus="read"),
        Command(name="REF", opcode=3, requires=_CLOSED, operations=(), scope="channel"),
        Command(name="WR", opcode=4, requires=_OPEN, operations=("write_column",), fields=_PLACE, scope="bank",
                bus="write"),
    ),
)  # fmt: skip
"""Rows, columns and refresh; legal in every mode of a device as far as its units do not object."""
