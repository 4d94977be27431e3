"""A system of NPU core, vector unit, DRAM-PIM channel and, if it has them, crossbars behind one stream of descriptors.

A descriptor names its unit and says, for each unit, how many of that unit's descriptors must have ended before it may
start. Descriptors of one unit start in order; nothing else holds them back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from hw.base.error import InputError
from hw.spec.command import Fence, pack
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_unit import CrossbarUnitSpec
from hw.spec.memory_controller import DESCRIPTOR_BITS, ControllerSpec
from hw.spec.pim import PimSpec

UNITS: tuple[str, ...] = ("core", "vector", "memory")
"""Units of every system; further channels have controllers of their own besides."""

CROSSBAR = "crossbar"
"""The unit that a system with crossbars has besides."""

MOST_CHANNELS = 4
"""Channels of a system at most."""


def memory_units(channels: int) -> tuple[str, ...]:
    """Names of the memory controllers of a system with so many channels."""
    return ("memory", *(f"memory_{i}" for i in range(1, channels)))


UNIT_CODES: dict[str, int] = {
    "core": 0,
    "vector": 1,
    "memory": 2,
    CROSSBAR: 4,
    **{unit: 5 + i for i, unit in enumerate(memory_units(MOST_CHANNELS)[1:])},
}
"""Unit -> what a descriptor names it by."""

END = 3
"""Unit of the descriptor that ends a program."""

COUNT_BITS = 20
"""Width of a token: descriptors of one unit that a program may have."""


def system_fields(units: Sequence[str]) -> dict[str, int]:
    """Field -> width of a descriptor of the stream of a system with `units`, from bit 0 up, all unsigned."""
    return {"payload": DESCRIPTOR_BITS, "unit": 4, **{f"wait_{unit}": COUNT_BITS for unit in units}}


QUEUE_ENTRIES = 8
"""Descriptors that wait before each unit."""

_WAITS = {
    "core": "The unit is free, its next descriptor waits for the core.",
    "vector": "The unit is free, its next descriptor waits for the vector unit (and for no unit before).",
    "memory": "The unit is free, its next descriptor waits for the memory controller (and for no unit before).",
    CROSSBAR: "The unit is free, its next descriptor waits for the crossbars (and for no unit before).",
    **{
        unit: f"The unit is free, its next descriptor waits for the controller of channel {i} (and for no unit before)."
        for i, unit in enumerate(memory_units(MOST_CHANNELS))
        if i
    },
}


def wait_labels(units: Sequence[str]) -> dict[str, str]:
    """Label of a cycle of a unit in a run -> definition. Every cycle of every unit has exactly one."""
    return {
        "busy": "The unit has a descriptor that has not ended; its own labels say what it does.",
        **{f"wait_{unit}": _WAITS[unit] for unit in units},
        "take": "The unit takes its next descriptor.",
        "empty": "The unit is free and no descriptor waits before it.",
    }


class Packs(Protocol):
    """A descriptor of a unit."""

    def pack(self) -> int:
        """As one integer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSpec:
    """What is joined.

    Parameters
    ----------
    core : CoreSpec
        With copy channels; its external memory is the shared memory.
    pim : PimSpec
        Of the channel.
    rows : int
        Rows of each bank that are there, a power of two.
    program_words : int
        Descriptors the program memory holds.
    refresh : bool
        False only to compare.
    channels : int
        Channels of the device, each with a controller of its own; from 1 to 4.
    crossbar : CrossbarSpec or None
        Tiles that hold the matrices of weights, if there are any; the channel then holds no matrix but the embedding.
    """

    part: ClassVar[str] = "system"

    core: CoreSpec
    pim: PimSpec
    rows: int = 64
    program_words: int = 1 << 15
    refresh: bool = True
    channels: int = 1
    crossbar: CrossbarSpec | None = None

    def __post_init__(self) -> None:
        dma, column = self.core.dma, self.pim.dram.organisation.column_bytes
        if dma is None or dma.bytes_per_cycle != column:
            given = "none" if dma is None else f"beats of {dma.bytes_per_cycle} bytes"
            raise InputError(
                f"the core of a system must have copy channels with beats of a DRAM column, {column} bytes, not {given}"
            )
        if not 1 <= self.program_words <= 1 << COUNT_BITS:
            raise InputError(f"program_words must be from 1 to {1 << COUNT_BITS}, not {self.program_words}")
        if isinstance(self.channels, bool) or not 1 <= self.channels <= MOST_CHANNELS:
            raise InputError(f"channels of a system must be from 1 to {MOST_CHANNELS}, not {self.channels!r}")
        if self.crossbar is not None:
            if self.pim.number != "bf16":
                raise InputError(
                    f"crossbars of a system take and give BF16, and its memory holds {self.pim.number}; choose a "
                    "channel of BF16"
                )
            CrossbarUnitSpec(core=self.crossbar, shared_words=self.shared_words)

    @property
    def kind(self) -> str:
        """Name of its kind."""
        return "system"

    @property
    def number(self) -> str:
        """Format of all numbers in shared memory and DRAM."""
        return self.pim.number

    @property
    def cells(self) -> int | None:
        """None: core and PIM units work in turn and beside each other."""
        return None

    @property
    def label(self) -> str:
        """Its parts in a few words."""
        crossbars = "" if self.crossbar is None else f" and {self.crossbar.label}"
        several = "" if self.channels == 1 else f"{self.channels} channels of "
        return f"{self.core.label} beside {several}{self.pim.title}{crossbars}"

    @property
    def macs_per_cycle(self) -> float:
        """Most multiply-accumulates in a cycle, of core, PIM units and crossbars together."""
        crossbars = 0.0 if self.crossbar is None else self.crossbar.macs_per_cycle
        return self.core.macs_per_cycle + self.channels * self.pim.macs_per_cycle + crossbars

    @property
    def units(self) -> tuple[str, ...]:
        """Names of its units."""
        first = ("core", "vector", *self.memory_units)
        return first if self.crossbar is None else (*first, CROSSBAR)

    @property
    def memory_units(self) -> tuple[str, ...]:
        """Names of its memory controllers, one for each channel."""
        return memory_units(self.channels)

    @property
    def crossbar_unit(self) -> CrossbarUnitSpec:
        """The unit around its crossbars; `InputError` if it has none."""
        if self.crossbar is None:
            raise InputError("a system must have crossbars to multiply in them, this one has none; choose npu_crossbar")
        return CrossbarUnitSpec(core=self.crossbar, shared_words=self.shared_words)

    @property
    def shared_words(self) -> int:
        """Words of the shared memory, each as wide as a column."""
        assert self.core.dma is not None
        return self.core.dma.external_beats

    @property
    def controller(self) -> ControllerSpec:
        """The memory controller."""
        return ControllerSpec(pim=self.pim, rows=self.rows, shared_words=self.shared_words, refresh=self.refresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a later descriptor can wait for: that the first `count` descriptors of `unit` have ended."""

    unit: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCommand:
    """A descriptor of the stream: `unit`, what it does, and unit -> how many of its descriptors must have ended.

    Parameters
    ----------
    unit : str
        A unit of the system.
    command : Packs
        Descriptor of that unit; packed it is the payload.
    waits : dict of str to int
        Unit -> least number of its descriptors that must have ended; a unit left out is not waited for.
    """

    unit: str
    command: Packs
    waits: dict[str, int]

    def pack(self, units: Sequence[str] = UNITS) -> int:
        """The descriptor as one integer, for a system with `units`."""
        return pack(
            system_fields(units),
            {
                "payload": self.command.pack(),
                "unit": UNIT_CODES[self.unit],
                **{f"wait_{unit}": self.waits.get(unit, 0) for unit in units},
            },
        )


@dataclass(slots=True)
class Program:
    """A program under construction.

    Parameters
    ----------
    commands : list of SystemCommand
        What was added, in order; without the end mark.
    units : tuple of str
        Units of the system it is for.
    counts : dict of str to int
        Unit -> descriptors added for it so far.
    """

    commands: list[SystemCommand] = field(default_factory=list)
    units: tuple[str, ...] = UNITS
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNIT_CODES, 0))
    _fences: set[int] = field(default_factory=set)

    def add(self, unit: str, command: Packs, after: Iterable[Token] = ()) -> Token:
        """Append `command` for `unit`, to start when all tokens of `after` are there; its own token.

        The core overlaps its descriptors, so a token of the core must be that of a FENCE.
        Raises `InputError` for an unknown unit, and for a token of the core that is none of a FENCE.
        """
        if unit not in self.units:
            raise InputError(f"a unit must be one of {', '.join(self.units)}, not {unit!r}")
        waits: dict[str, int] = {}
        for token in after:
            if token.unit == "core" and token.count not in self._fences:
                raise InputError(
                    f"a descriptor can wait for a FENCE of the core only, not for its descriptor "
                    f"{token.count - 1}; put a FENCE after that"
                )
            if token.unit != unit:  # of its own unit everything before it goes first
                waits[token.unit] = max(waits.get(token.unit, 0), token.count)
        self.commands.append(SystemCommand(unit=unit, command=command, waits=waits))
        self.counts[unit] += 1
        if unit == "core" and isinstance(command, Fence):
            self._fences.add(self.counts[unit])
        return Token(unit=unit, count=self.counts[unit])

    def pack(self) -> list[int]:
        """The words of the program memory, the end mark included."""
        fields = system_fields(self.units)
        end = pack(fields, dict.fromkeys(fields, 0) | {"unit": END})
        return [*(command.pack(self.units) for command in self.commands), end]


def fits(spec: SystemSpec, words: Sequence[int]) -> None:
    """Raise `InputError` unless a packed program fits the program memory."""
    if len(words) > spec.program_words:
        raise InputError(
            f"a program must have at most {spec.program_words} descriptors, its end mark included, not "
            f"{len(words)}; enlarge program_words or generate fewer tokens"
        )
