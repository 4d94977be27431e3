"""The register map of a system behind AXI4-Lite, as data."""

from hw.spec.register import Field, Register
from hw.spec.system import UNIT_CODES

SYSTEM_IDENTITY = 0x53595331
"""Value of `identity`: "SYS1"."""

TARGETS: dict[str, int] = {"program": 0, "shared_in": 1, "shared_out": 2}
"""Copy -> the word written to `copy`: host memory to the program memory, to the shared memory, and back from it."""

SYSTEM_REGISTER_MAP: tuple[Register, ...] = (
    Register(name="identity", offset=0x00, access="read", constant=True, text="0x53595331, the letters SYS1"),
    Register(
        name="status",
        offset=0x04,
        access="read",
        text="state of the system and of its port",
        fields=(
            Field(name="busy", low=0, text="a copy is unfinished or the program runs"),
            Field(name="finished", low=1, text="all descriptors up to the end mark have ended"),
            Field(name="read_error", low=2, text="a read was answered with an error; kept until a reset"),
            Field(name="write_error", low=3, text="a write was answered with an error; kept until a reset"),
            Field(name="channel_error", low=4, bits=3, text="code of the first command the channel refused, 0 if none"),
        ),
    ),
    Register(
        name="control",
        offset=0x08,
        access="write",
        text="each bit written as 1 acts once; SLVERR while busy, for both, for run without a reset before",
        fields=(
            Field(name="run", low=0, pulse=True, text="start the program at its first descriptor"),
            Field(
                name="reset",
                low=1,
                pulse=True,
                text="units and channel as after power-on, memories keep their words: before the next program",
            ),
        ),
    ),
    Register(
        name="base_low",
        offset=0x0C,
        access="both",
        text="byte address of the host's beat 0, low half; the low 12 bits are ignored",
    ),
    Register(name="base_high", offset=0x10, access="both", text="byte address of the host's beat 0, high half"),
    Register(name="host", offset=0x14, access="both", text="first beat of a copy in the host's memory"),
    Register(name="local", offset=0x18, access="both", text="its first word in the program memory or shared memory"),
    Register(name="words", offset=0x1C, access="both", text="words to copy, one a beat"),
    Register(
        name="copy",
        offset=0x20,
        access="write",
        text="starts a copy: 0 into the program memory, 1 into the shared memory, 2 from it; SLVERR while busy, for "
        "another number, or for a copy of no words",
    ),
    Register(
        name="interrupt_enable",
        offset=0x24,
        access="both",
        text="1: the end of a copy or of the program raises the interrupt line, until status is read",
    ),
    Register(
        name="ended",
        offset=0x30,
        access="read",
        count=len(UNIT_CODES),
        text="descriptors ended of each unit it has, in order",
    ),
    Register(name="refused", offset=0x50, access="read", count=len(UNIT_CODES), text="of these refused"),
    Register(name="cycles_low", offset=0x70, access="read", text="cycles of the run, low half; keeps the high half"),
    Register(name="cycles_high", offset=0x74, access="read", text="the high half kept"),
)
"""All registers, by offset. A write to one that cannot be written, or of part of a word, is answered with SLVERR."""

SYSTEM_REGISTERS: dict[str, Register] = {register.name: register for register in SYSTEM_REGISTER_MAP}
