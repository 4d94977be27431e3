"""HBM-PIM: nine instructions in a 32-word memory, one per column command in the PIM mode."""

# Opcodes, operand codes and bit positions: public HBM-PIM simulator's instruction word, read as facts.

from hw.spec.pim_command import Command, CommandSet, Field

_PIM = ("HAB_PIM",)
_ALIGNED = ("aligned", "destination_index", "source_0_index", "source_1_index")

COMMANDS = CommandSet(
    title="HBM-PIM",
    word_bits=32,
    fields=(
        Field(name="opcode", low=28, width=4),
        Field(name="destination", low=25, width=3),
        Field(name="source_0", low=22, width=3),
        Field(name="source_1", low=19, width=3),
        Field(name="source_2", low=16, width=3),
        Field(name="aligned", low=15, width=1),             # register index from the DRAM address
        Field(name="relu", low=12, width=1),
        Field(name="destination_index", low=8, width=4),
        Field(name="source_0_index", low=4, width=4),
        Field(name="source_1_index", low=0, width=4),       # also the index of source 2
        Field(name="count", low=0, width=11),               # NOP
        Field(name="iterations", low=11, width=17),         # JUMP
        Field(name="offset", low=0, width=11),              # JUMP
    ),
    operands={"A_OUT": 0, "M_OUT": 1, "EVEN_BANK": 2, "ODD_BANK": 3, "GRF_A": 4, "GRF_B": 5, "SRF_M": 6, "SRF_A": 7},
    commands=(
        Command(name="NOP", opcode=0, requires=_PIM, fields=("count",),
                operations=("store_register", "repeat_count")),
        Command(name="ADD", opcode=1, requires=_PIM, fields=("destination", "source_0", "source_1", *_ALIGNED),
                operations=("fetch_source_0", "fetch_source_1", "add_sources", "write_destination", "repeat_aligned")),
        Command(name="MUL", opcode=2, requires=_PIM, fields=("destination", "source_0", "source_1", *_ALIGNED),
                operations=("fetch_source_0", "fetch_source_1", "multiply", "take_product", "write_destination",
                            "repeat_aligned")),
        Command(name="MAC", opcode=3, requires=_PIM, fields=("destination", "source_0", "source_1", *_ALIGNED),
                operations=("fetch_source_0", "fetch_source_1", "fetch_destination", "multiply", "add_product",
                            "write_destination", "repeat_aligned")),
        Command(name="MAD", opcode=4, requires=_PIM,
                fields=("destination", "source_0", "source_1", "source_2", *_ALIGNED),
                operations=("fetch_source_0", "fetch_source_1", "fetch_source_2", "multiply", "add_product",
                            "write_destination", "repeat_aligned")),
        Command(name="MOV", opcode=8, requires=_PIM, fields=("destination", "source_0", "relu", "destination_index",
                                                            "source_0_index"),
                operations=("fetch_source_0", "take_source", "rectify", "write_destination")),
        Command(name="FILL", opcode=9, requires=_PIM, fields=("destination", "source_0", "relu", "destination_index",
                                                             "source_0_index"),
                operations=("align", "fetch_source_0", "take_source", "rectify", "write_destination",
                            "repeat_aligned")),
        Command(name="JUMP", opcode=14, requires=_PIM, fields=("iterations", "offset"), operations=("branch",)),
        Command(name="EXIT", opcode=15, requires=_PIM, operations=("halt",)),
    ),
)
