"""Scratchpad SRAM beside a second source: OpenRAM's characterised FreePDK45 memories.

The energy of an access by size and width is the power law through published sizes (`OperationTable.memory`). OpenRAM
generates memories and characterises them with SPICE, 45 nm, 1.0 V, typical corner: power and delay per access, to
8 KiB. The period it ran at is not in the table; an access takes half a period in its clocking, so the energy is taken
as power x 2 x delay. That is a lower bound of what a scratchpad of the size costs: one bank, no interface, no error
correction.
"""

from dataclasses import dataclass

from model.energy.tables.horowitz_45nm import TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One generated memory.

    Parameters
    ----------
    words : int
        Words it holds.
    bits : int
        Width of a word, all of it read or written in one access.
    read_mw, write_mw : float
        Power while reading and while writing, mW, mean of zeros and ones.
    delay_ns : float
        Delay of a read, ns.
    """

    words: int
    bits: int
    read_mw: float
    write_mw: float
    delay_ns: float

    @property
    def capacity_bytes(self) -> int:
        """Bytes it holds."""
        return self.words * self.bits // 8

    @property
    def access_pj(self) -> float:
        """pJ of one access of its width, mean of a read and a write."""
        return (self.read_mw + self.write_mw) / 2 * 2 * self.delay_ns


# OpenRAM 1.2.48 (BSD-3-Clause), technology/freepdk45/sim_data/sim_data.csv: TT, 1.0 V, 25 C, words of 32 and 64 bits,
# mean over its nine slews and loads.
POINTS: tuple[Point, ...] = (
    Point(words=256, bits=32, read_mw=1.520, write_mw=1.680, delay_ns=0.459),
    Point(words=512, bits=32, read_mw=1.659, write_mw=1.716, delay_ns=0.527),
    Point(words=1024, bits=32, read_mw=2.761, write_mw=2.466, delay_ns=0.642),
    Point(words=2048, bits=32, read_mw=3.094, write_mw=2.665, delay_ns=0.733),
    Point(words=512, bits=64, read_mw=2.356, write_mw=2.406, delay_ns=0.659),
    Point(words=1024, bits=64, read_mw=3.079, write_mw=3.002, delay_ns=0.754),
)
RATIO = POINTS[-1].access_pj / TABLE.sram_64_bit[POINTS[-1].capacity_bytes].nominal
"""OpenRAM's 64-bit access of 8 KiB over the published cache of that size: the low end of the range at every size."""
