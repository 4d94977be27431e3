"""The register map of a core behind AXI4-Lite, as data: RTL, pages and delivery files are made from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hw.base.integer import ceil_div
from hw.spec.command import command_bits
from hw.spec.npu_event import EVENTS, LABELS

Access = Literal["read", "write", "both", "write 1 clears"]
"""What a host may do; a register that cannot be written answers a write with SLVERR, "write" reads as 0."""

WORD_BITS = 32
"""Width of a register."""

IDENTITY = 0x4E505531
"""Value of `identity`: "NPU1"."""

MAP_VERSION = (2, 0)
"""Version of this map: the first rises when a driver must change, the second when something is added."""

COMMAND_WORDS = ceil_div(command_bits(), WORD_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Some bits of a register.

    Parameters
    ----------
    name : str
        Distinct within its register.
    low : int
        Lowest bit.
    bits : int
        Number of bits.
    text : str
        What it means, one sentence without full stop.
    pulse : bool
        Writing 1 acts once; nothing is kept.
    """

    name: str
    low: int
    text: str
    bits: int = 1
    pulse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A 32-bit register, or a series of `count` of them.

    Parameters
    ----------
    name : str
        Distinct in the map; the words of a series are called `name`_0, `name`_1 and so on.
    offset : int
        Bytes from the start of the map, of the first of a series.
    access : Access
        What a host may do with it.
    text : str
        What it holds or does, one sentence without full stop.
    fields : tuple of Field
        Empty if the whole word is one number.
    count : int
        Registers in the series, at consecutive words.
    constant : bool
        Always the same value in one build of the core.
    """

    name: str
    offset: int
    access: Access
    text: str
    fields: tuple[Field, ...] = ()
    count: int = 1
    constant: bool = False

    @property
    def spans(self) -> Iterator[tuple[str, int]]:
        """Name and offset of every word: a series is numbered from 0."""
        for index in range(self.count):
            yield (self.name if self.count == 1 else f"{self.name}_{index}"), self.offset + 4 * index

    def low(self, field: str) -> int:
        """Lowest bit of a field."""
        return next(f.low for f in self.fields if f.name == field)


def counter_meanings() -> list[str]:
    """What each counter counts, in the order of their registers: "busy", labels, events."""
    return ["busy", *LABELS, *EVENTS]


_ERRORS = "of the first error response since errors were cleared"

REGISTER_MAP: tuple[Register, ...] = (
    Register(name="identity", offset=0x00, access="read", constant=True, text="0x4E505531, the letters NPU1"),
    Register(
        name="status",
        offset=0x04,
        access="read",
        text="state of the core and of its port",
        fields=(
            Field(name="busy", low=0, text="a command is unfinished, a write is unanswered or the port is draining"),
            Field(name="room", low=1, text="the queue takes a command"),
            Field(name="read_error", low=2, text="a read was answered with an error; kept until errors are cleared"),
            Field(name="write_error", low=3, text="a write was answered with an error; kept until errors are cleared"),
            Field(name="refusal", low=4, bits=4, text="code of the last refused command, 0 if none"),
            Field(
                name="stopped", low=8, text="an error response has stopped the core; only a soft reset starts it again"
            ),
            Field(name="draining", low=9, text="a soft reset waits for what is in flight"),
            Field(name="orphan", low=10, text="a response came that nobody waits for; kept until errors are cleared"),
        ),
    ),
    Register(
        name="completed",
        offset=0x08,
        access="read",
        text="commands ended since reset; a copy to memory counts when its last write is answered",
    ),
    Register(name="refused", offset=0x0C, access="read", text="commands refused since reset"),
    Register(
        name="control",
        offset=0x10,
        access="write",
        text="each bit written as 1 acts once",
        fields=(
            Field(name="clear_counters", low=0, pulse=True, text="counters to zero"),
            Field(name="clear_errors", low=1, pulse=True, text="error bits of status, error and error address to zero"),
            Field(
                name="soft_reset",
                low=2,
                pulse=True,
                text="abort: ask for nothing more, take what is in flight, then reset the core",
            ),
        ),
    ),
    Register(
        name="interrupt_enable",
        offset=0x14,
        access="both",
        text="bits of interrupt that raise the interrupt line",
        fields=(
            Field(name="idle", low=0, text="enable"),
            Field(name="refused", low=1, text="enable"),
            Field(name="read_error", low=2, text="enable"),
            Field(name="write_error", low=3, text="enable"),
            Field(name="reset_done", low=4, text="enable"),
        ),
    ),
    Register(
        name="base_low",
        offset=0x18,
        access="both",
        text="byte address of the external beat 0, low half; the low 12 bits are ignored",
    ),
    Register(name="base_high", offset=0x1C, access="both", text="byte address of the external beat 0, high half"),
    Register(
        name="command",
        offset=0x20,
        access="both",
        count=COMMAND_WORDS,
        text="words of a command, lowest first; the write to the last hands it over, SLVERR if the queue is full "
        "or the port is not running, then only the last word need be written again",
    ),
    Register(
        name="interrupt",
        offset=0x34,
        access="write 1 clears",
        text="what has happened",
        fields=(
            Field(name="idle", low=0, text="busy has ended"),
            Field(name="refused", low=1, text="a command was refused"),
            Field(name="read_error", low=2, text="a read was answered with an error"),
            Field(name="write_error", low=3, text="a write was answered with an error"),
            Field(name="reset_done", low=4, text="a soft reset is done"),
        ),
    ),
    Register(name="error_address_low", offset=0x38, access="read", text=f"byte address {_ERRORS}, low half"),
    Register(name="error_address_high", offset=0x3C, access="read", text=f"byte address {_ERRORS}, high half"),
    Register(
        name="version",
        offset=0x40,
        access="read",
        constant=True,
        text="version of this map",
        fields=(
            Field(name="minor", low=0, bits=16, text="rises when something is added"),
            Field(name="major", low=16, bits=16, text="rises when a driver must change"),
        ),
    ),
    Register(
        name="build_low",
        offset=0x44,
        access="read",
        constant=True,
        text="low half of the build digest of the delivery, 0 in a simulation",
    ),
    Register(name="build_high", offset=0x48, access="read", constant=True, text="high half of the build digest"),
    Register(
        name="array",
        offset=0x4C,
        access="read",
        constant=True,
        text="size of the array",
        fields=(
            Field(name="rows", low=0, bits=16, text="rows of cells"),
            Field(name="columns", low=16, bits=16, text="columns of cells"),
        ),
    ),
    Register(
        name="formats",
        offset=0x50,
        access="read",
        constant=True,
        text="number formats, coded 1 int4, 2 int8, 3 fp16, 4 bf16, 5 fp8_e4m3, 6 fp8_e5m2, 7 fp32",
        fields=(
            Field(name="activation", low=0, bits=4, text="of activations"),
            Field(name="weight", low=4, bits=4, text="of weights"),
            Field(name="output", low=8, bits=4, text="of outputs"),
            Field(
                name="rounding",
                low=12,
                bits=4,
                text="output stage: 0 exact_rne, 1 tflite_single, 2 gemmlowp, 3 float32",
            ),
        ),
    ),
    Register(
        name="features",
        offset=0x54,
        access="read",
        constant=True,
        text="what this build can do",
        fields=(
            Field(name="output_stationary", low=0, text="dataflow: 0 weights stay, 1 outputs stay"),
            Field(name="convolution", low=1, text="CONV and CONFIG are there"),
            Field(name="saturate", low=2, text="floating-point outputs saturate"),
            Field(name="double_buffer", low=3, text="a cell holds two weights"),
            Field(name="mac_latency", low=8, bits=8, text="cycles of a multiply-add"),
        ),
    ),
    Register(name="activation_words", offset=0x58, access="read", constant=True, text="depth of the activation memory"),
    Register(name="weight_words", offset=0x5C, access="read", constant=True, text="depth of the weight memory"),
    Register(name="accumulator_rows", offset=0x60, access="read", constant=True, text="rows of accumulators"),
    Register(name="output_words", offset=0x64, access="read", constant=True, text="depth of the output memory"),
    Register(name="parameter_words", offset=0x68, access="read", constant=True, text="depth of the parameter memory"),
    Register(
        name="queues",
        offset=0x6C,
        access="read",
        constant=True,
        text="sizes of queue and counters",
        fields=(
            Field(name="commands", low=0, bits=16, text="commands the queue holds"),
            Field(name="counters", low=16, bits=16, text="number of counters"),
        ),
    ),
    Register(
        name="port",
        offset=0x70,
        access="read",
        constant=True,
        text="the AXI4 port",
        fields=(
            Field(name="bytes", low=0, bits=8, text="bytes of a beat"),
            Field(name="burst", low=8, bits=12, text="most beats of a burst"),
            Field(name="outstanding", low=20, bits=8, text="read bursts a channel may have asked for"),
        ),
    ),
    Register(
        name="error",
        offset=0x74,
        access="read",
        text="the first error response since a clear",
        fields=(
            Field(name="response", low=0, bits=2, text="2 SLVERR, 3 DECERR, 0 if there was none"),
            Field(name="channel", low=4, bits=2, text="0 activation, 1 weight, 2 parameter, 3 output"),
        ),
    ),
    Register(
        name="external_beats",
        offset=0x78,
        access="read",
        constant=True,
        text="beats from base on that commands may name",
    ),
    Register(
        name="counter",
        offset=0x100,
        access="read",
        count=2 * len(counter_meanings()),
        text="two words a counter, low half first; reading it keeps the high half for the next read",
    ),
)

REGISTERS: dict[str, Register] = {register.name: register for register in REGISTER_MAP}


def capability_values(values: dict[str, int | dict[str, int]]) -> dict[str, int]:
    """The word of each constant register: a number, or its fields put in their places."""
    words = {}
    for name, given in values.items():
        register = REGISTERS[name]
        words[name] = (
            given if isinstance(given, int) else sum(value << register.low(field) for field, value in given.items())
        )
    return words
