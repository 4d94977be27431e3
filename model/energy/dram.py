"""Counted DRAM and PIM events priced by several sources at once: a bracket, never one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw.base import catalog
from hw.spec.pim import PimSpec
from model.energy import dram_tables
from model.energy.price import Energy, Interval, price
from model.energy.table import EnergyTable

HBM_SOURCES = ("attacc_hbm3", "oconnor_hbm2", "ayna_hbm2")
AIM_SOURCES = ("attacc_hbm3", "cent_gddr6", "oconnor_hbm2")


def sources_of(device: PimSpec) -> tuple[str, ...]:
    """The sources that price the events of `device`: GDDR6's for a device of host requests, else HBM's."""
    return AIM_SOURCES if device.commands.host_commands else HBM_SOURCES


def names() -> list[str]:
    """The names of all sources of DRAM energies."""
    return catalog.names(dram_tables)


def load(name: str) -> EnergyTable:
    """The source called `name`; raises `InputError` listing the known ones."""
    return catalog.load(dram_tables, "TABLE", name, "DRAM energy table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The same counts by each source. `total_j`: lowest, middle and highest of the sources' nominal totals.

    Parameters
    ----------
    sources : dict of str to Energy
        Name of the source's table to the counts priced by it.
    """

    sources: dict[str, Energy]

    @property
    def total_j(self) -> Interval:
        """Lowest, middle and highest nominal total."""
        totals = sorted(e.total_j.nominal for e in self.sources.values())
        return Interval(low=totals[0], nominal=totals[len(totals) // 2], high=totals[-1])


def bracket(counts: Mapping[str, int], sources: Sequence[str]) -> Bracket:
    """Price `counts` by each of the tables called `sources`."""
    return Bracket(sources={name: price(counts, load(name)) for name in sources})


def read_stream(bits: int, kilobytes_opened: float) -> dict[str, int]:
    """Events of a plain read of `bits` over the pins that opens `kilobytes_opened` of rows, background left out."""
    return {
        "dram.activate_kilobyte": round(kilobytes_opened),
        "dram.read_bit": bits,
        "dram.read_pin_bit": bits,
    }
