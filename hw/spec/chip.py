"""A chip: what was published about it, and the blocks it is built from."""

from dataclasses import dataclass, field

from hw.base.digest import digest
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.pim import PimSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One accelerator device.

    Parameters
    ----------
    title : str
        One line for people.
    core : CoreSpec or None
        The NPU core, if the chip has one that we can build (RTL and cycle model come from it).
    pim : PimSpec or None
        The processing-in-memory device, if the chip is one.
    cores : int
        How many such cores of one device work on one layer together.
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
    core: CoreSpec | None = None
    pim: PimSpec | None = None
    cores: int = 1
    devices: int = 1
    clock: Fact | None = None
    hypothesis: str = ""
    facts: CardFacts = field(default_factory=CardFacts)

    def __post_init__(self) -> None:
        for field_name in ("cores", "devices"):
            value = getattr(self, field_name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{field_name} must be an integer of at least 1, not {value!r}")
        if self.clock is not None and not isinstance(self.clock, Fact):
            raise InputError(f"clock must be a Fact in GHz with its source, not {self.clock!r}")
        if self.clock is not None and self.clock.unit != "GHz":
            raise InputError(f"clock must be in GHz, not {self.clock.unit!r}")
        if self.clock is not None and self.clock.minimum <= 0:
            raise InputError(f"clock must be above 0 GHz, not {self.clock.minimum:g} to {self.clock.maximum:g}")
        object.__setattr__(self, "facts", CardFacts.of(self.facts))

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates of all cores of one device in one cycle; 0 if the chip has no core."""
        return 0 if self.core is None else self.core.array.cells * self.core.array.terms_per_lane * self.cores

    @property
    def digest(self) -> str:
        """Digest of the whole description."""
        return digest(self)
