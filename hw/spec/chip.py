"""A chip: what was published about it, and the blocks it is built from."""

from dataclasses import dataclass, field
from typing import TypeVar

from hw.base.digest import digest, plain
from hw.base.error import InputError
from hw.spec import kind
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import MOST, CardFacts
from hw.spec.kind import Kind
from hw.spec.machine import Machine
from hw.spec.pim import PimSpec

_Machine = TypeVar("_Machine")
MOST_COPIES = 1 << 20
"""The most machines of a device, and devices of a card."""
_WANTED = {
    "CoreSpec": "a core",
    "PimSpec": "PIM units beside its banks",
    "CrossbarSpec": "crossbar tiles",
    "SystemSpec": "a system of core, vector unit and channel",
}
"""What descriptions are called in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One accelerator device.

    Parameters
    ----------
    title : str
        One line for people.
    machine : Machine or None
        What we can build of it (RTL and cycle model come from it): an NPU core, a PIM device, ...; None if there are
        only published facts.
    cores : int
        How many such machines of one device work on one layer together.
    devices : int
        How many devices the card carries; each runs its own inputs, and the facts are those of the card.
    clock : Fact or None
        Clock of the cores, unit "GHz".
    hypothesis : str
        What of core, cores and clock nobody published, and what was assumed instead; "" if all is published.
        Results of such a chip carry it, and the range of "array_rows" and of the clock.
    facts : CardFacts
        Everything else that was published: `peak_int8` (TOPS), `tdp` (W), `dram_bandwidth` (GB/s), ...; a mapping of
        names to facts is taken too, and checked the same way.
    """

    title: str
    machine: Machine | None = None
    cores: int = 1
    devices: int = 1
    clock: Fact | None = None
    hypothesis: str = ""
    facts: CardFacts = field(default_factory=CardFacts)

    def __post_init__(self) -> None:
        for field_name in ("title", "hypothesis"):
            if not isinstance(getattr(self, field_name), str):
                raise InputError(f"{field_name} must be text, not {getattr(self, field_name)!r}")
        if len(self.title.splitlines()) != 1 or not self.title.isprintable():
            raise InputError(f"title must be one line of text, not {self.title!r}")
        if self.machine is not None and not isinstance(getattr(self.machine, "kind", None), str):
            raise InputError(f"machine must be a CoreSpec, a PimSpec or another machine, not {self.machine!r}")
        for field_name in ("cores", "devices"):
            value = getattr(self, field_name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_COPIES:
                raise InputError(f"{field_name} must be an integer from 1 to {MOST_COPIES}, not {value!r}")
        if self.clock is not None and not isinstance(self.clock, Fact):
            raise InputError(f"clock must be a Fact in GHz with its source, not {self.clock!r}")
        if self.clock is not None and self.clock.unit != "GHz":
            raise InputError(f"clock must be in GHz, not {self.clock.unit!r}")
        if self.clock is not None and (self.clock.minimum <= 0 or self.clock.maximum > MOST["GHz"]):
            raise InputError(
                f"clock must be above 0 GHz and at most {MOST['GHz']:g}, not {self.clock.minimum:g} to "
                f"{self.clock.maximum:g}"
            )
        object.__setattr__(self, "facts", CardFacts.of(self.facts))

    @property
    def kind(self) -> Kind:
        """The kind of its machine; `InputError` if it has none."""
        if self.machine is None:
            raise InputError(
                f"a chip must have a machine that is built, not published facts alone as {self.title!r}; choose "
                "another chip"
            )
        return kind.load(self.machine.kind)

    def machine_as(self, spec: type[_Machine], needed: str = "this", known: str = "") -> _Machine:
        """Its machine, which must be described by `spec`; `InputError` that begins with what needs it and ends with
        the chips that have one."""
        if not isinstance(self.machine, spec):
            wanted = _WANTED.get(spec.__name__, f"a machine described by {spec.__name__}")
            choose = f"choose one of {known}" if known else "choose another chip"
            raise InputError(f"{needed} needs a chip with {wanted}, {self.title!r} has none; {choose}")
        return self.machine

    @property
    def published(self) -> bool:
        """Whether somebody sells it or has published it: a fact of it is more than an assumption of this project."""
        return any(fact.confidence != "assumed" for fact in self.facts.values())

    @property
    def core(self) -> CoreSpec | None:
        """The NPU core, if its machine is one."""
        return self.machine if isinstance(self.machine, CoreSpec) else None

    @property
    def pim(self) -> PimSpec | None:
        """The processing-in-memory device, if its machine is one."""
        return self.machine if isinstance(self.machine, PimSpec) else None

    @property
    def stated_clock(self) -> Fact | None:
        """The clock that its cycles are of, GHz: that of the description, or of a PIM device that of its DRAM."""
        return self.clock or (self.pim.clock if self.pim is not None else None)

    @property
    def cells(self) -> int | None:
        """Multipliers of all machines of one device; None if it has none that set the pace."""
        cells = None if self.machine is None else self.machine.cells
        return None if cells is None else cells * self.cores

    @property
    def macs_per_cycle(self) -> int | float:
        """Multiply-accumulates of all machines of one device in one cycle; 0 if it has none."""
        return 0 if self.machine is None else self.machine.macs_per_cycle * self.cores

    @property
    def digest(self) -> str:
        """Digest of the whole description; the machine stands under the name of its part."""
        described = plain(self)
        machine = described.pop("machine")
        parts = {"core": None, "pim": None}
        if self.machine is not None:
            parts[self.machine.part] = machine
        return digest(parts | described)
