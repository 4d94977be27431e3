"""GDDR6-AiM: device commands (one per clock slot) and the host requests that expand to them."""

# Names and scopes: MIT-licensed aim_simulator (commit 0f28a07). Opcode values are ours: the vendor's are unpublished.

from hw.spec.pim_command import Command, CommandSet, Field, HostCommand

_OPEN, _CLOSED, _ANY = ("open",), ("closed",), ("open", "closed")
_REGISTER = ("register",)

COMMANDS = CommandSet(
    title="GDDR6-AiM",
    word_bits=32,
    fields=(
        Field(name="opcode", low=27, width=5),
        Field(name="paired", low=26, width=1),              # operands from bank pairs instead of the global buffer
        Field(name="accumulator", low=21, width=5),         # which of a unit's 32 accumulators
        Field(name="bank", low=14, width=4),
        Field(name="row", low=0, width=14),
        Field(name="column", low=0, width=6),
    ),
    commands=(
        # rows
        Command(name="ACT", opcode=0, requires=_CLOSED, operations=("open_row",), fields=("bank", "row"), scope="bank"),
        Command(name="ACT4", opcode=1, requires=_CLOSED, operations=("open_row",), fields=("bank", "row"),
                scope="bank_group"),
        Command(name="ACT16", opcode=2, requires=_CLOSED, operations=("open_row",), fields=("row",), scope="channel"),
        Command(name="PRE", opcode=3, requires=_ANY, operations=("close_row",), fields=("bank",), scope="bank"),
        Command(name="PRE4", opcode=4, requires=_ANY, operations=("close_row",), fields=("bank",), scope="bank_group"),
        Command(name="PREA", opcode=5, requires=_ANY, operations=("close_row",), scope="channel"),
        Command(name="REF", opcode=6, requires=_CLOSED, operations=(), scope="channel"),
        # plain columns
        Command(name="RD", opcode=7, requires=_OPEN, operations=("read_column", "drive_column"),
                fields=("bank", "column"), scope="bank", bus="read"),
        Command(name="WR", opcode=8, requires=_OPEN, operations=("write_column",), fields=("bank", "column"),
                scope="bank", bus="write"),
        Command(name="WRA16", opcode=9, requires=_OPEN, operations=("write_column", "close_row"), fields=("column",),
                scope="channel", bus="write"),
        # arithmetic beside the banks
        Command(name="MAC", opcode=10, requires=_OPEN, operations=("read_column", "read_buffer", "multiply_accumulate"),
                fields=("bank", "column", "accumulator"), scope="bank"),
        Command(name="MAC16", opcode=11, requires=_OPEN,
                operations=("read_column", "read_buffer", "pair_operands", "multiply_accumulate"),
                fields=("column", "accumulator", "paired"),
                scope="channel"),
        Command(name="AF16", opcode=12, requires=_OPEN, operations=("evaluate_activation",), fields=("accumulator",),
                scope="channel"),
        Command(name="EWMUL16", opcode=13, requires=_OPEN, operations=("read_pair", "multiply", "take_product",
                                                                      "write_result_pair"),
                fields=("column",), scope="channel"),
        # global buffer and registers
        Command(name="RDCP", opcode=14, requires=_OPEN, operations=("read_column", "load_buffer"),
                fields=("bank", "column"), scope="bank"),
        Command(name="WRCP", opcode=15, requires=_OPEN, operations=("store_buffer",), fields=("bank", "column"),
                scope="bank"),
        Command(name="WRGB", opcode=16, requires=_REGISTER, operations=("load_buffer",), fields=("column",),
                scope="channel", bus="write"),
        Command(name="WRMAC16", opcode=17, requires=_REGISTER, operations=("load_accumulator",),
                fields=("accumulator",),
                scope="channel", bus="write"),
        Command(name="RDMAC16", opcode=18, requires=_REGISTER, operations=("drive_accumulator",),
                fields=("accumulator",),
                scope="channel", bus="read"),
        Command(name="RDAF16", opcode=19, requires=_REGISTER, operations=("drive_activation",), fields=("accumulator",),
                scope="channel", bus="read"),
        Command(name="TMOD", opcode=20, requires=("memory", "register"), operations=("toggle_mode",), scope="channel"),
    ),
    host_commands=(
        HostCommand(name="WR_SBK", opcode=1, command="WR", fields=("opsize", "bank", "row")),
        HostCommand(name="WR_GB", opcode=2, command="WRGB", fields=("opsize",), register_mode=True),
        HostCommand(name="WR_BIAS", opcode=3, command="WRMAC16", fields=(), register_mode=True),
        HostCommand(name="RD_MAC", opcode=5, command="RDMAC16", fields=(), register_mode=True, blocking=True),
        HostCommand(name="RD_AF", opcode=6, command="RDAF16", fields=(), register_mode=True, blocking=True),
        HostCommand(name="RD_SBK", opcode=7, command="RD", fields=("opsize", "bank", "row")),
        HostCommand(name="COPY_BKGB", opcode=8, command="RDCP", fields=("opsize", "bank", "row")),
        HostCommand(name="COPY_GBBK", opcode=9, command="WRCP", fields=("opsize", "bank", "row")),
        HostCommand(name="MAC_SBK", opcode=10, command="MAC", fields=("opsize", "bank", "row")),
        HostCommand(name="MAC_ABK", opcode=11, command="MAC16", fields=("opsize", "row")),
        HostCommand(name="AF", opcode=12, command="AF16", fields=()),
        HostCommand(name="EWMUL", opcode=13, command="EWMUL16", fields=("opsize", "row")),
        HostCommand(name="WR_ABK", opcode=15, command="WRA16", fields=("row",)),
        HostCommand(name="SYNC", opcode=17, command="", fields=(), blocking=True),
        HostCommand(name="EOC", opcode=16, command="", fields=(), blocking=True),
    ),
)
