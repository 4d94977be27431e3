"""Analogue MACs in non-volatile memory against digital logic that reads its weights from DRAM: the energy of one MAC.

A hypothesis from published macros. Analogue: a resident weight, efficiency falling with the effective bits through the
two readings of one chip. Digital: efficiency falling with the square of the bits, and the bits of the weight read from
DRAM once for all sequences of a batch.
"""

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact, power
from model.projection.overheads import DRAM_ENERGY
from model.projection.stage import Stage

BITS = (4, 5, 6, 7, 8)
BATCHES = (1, 16, 64, 128, 256)

FEW_BITS = Fact(
    nominal=3.5,
    low=3.0,
    high=4.0,
    unit="bits",
    confidence="secondary",
    source="one-phase reading keeps about 3 to 4 effective bits: public notes on the 64-core phase-change-memory chip",
)
ALL_BITS = 8
DIGITAL = Fact(
    nominal=288.0,
    high=1583.0,
    unit="TOPS/W",
    confidence="secondary",
    source="UIUC-IMC-Benchmarking database (MIT), commit 1d3f0ae, normalised to 1 bit x 1 bit: median of 45 digital "
    "accelerators; high: median of SRAM macros with digital arithmetic",
)
_TABLE = Path(__file__).parent / "published" / "macros.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Energy of a MAC in NVM over that in logic with DRAM; below 1 NVM wins.

    Parameters
    ----------
    bits : int
        Effective bits of the analogue product; the digital logic computes with operands of as many bits.
    batch : int
        Sequences that share one reading of a weight from DRAM on the digital side.
    ratio : Figure
        Energy of the analogue MAC over that of the digital one with its share of the reading.
    """

    bits: int
    batch: int
    ratio: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Nvm:
    """`medians`: class of published macros to its efficiency at 8 x 8 bits; `points` by bits and batch.

    Parameters
    ----------
    analogue : tuple of Figure
        Energy of an analogue MAC in pJ, weights resident, one figure for each of `BITS`.
    """

    medians: tuple[Figure, ...]
    analogue: tuple[Figure, ...]
    points: tuple[Point, ...]

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (*self.medians, *self.analogue, *(point.ratio for point in self.points))


@lru_cache
def efficiencies(path: Path = _TABLE) -> dict[str, tuple[float, ...]]:
    """TOPS/W at 8 x 8 bits by class of macros; `InputError` naming the line without a source."""
    found: dict[str, list[float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            if not (row["source"] or "").strip():
                raise InputError(f"published macro of {row['first_author']}, line {line}, must name its source")
            found.setdefault(row["class"], []).append(float(row["tops_per_w_1b"]) / 64)
    return {name: tuple(sorted(values)) for name, values in found.items()}


def against_logic(stage: Stage) -> Nvm:
    """The comparison, from the two readings of the macros of `stage`."""
    readings = {macro.name: macro for macro in stage.macros}
    few, many = (
        from_fact(f"macro.{name}.efficiency", readings[name].efficiency) for name in ("one_phase", "four_phase")
    )
    at_few = from_fact("macro.few_bits", FEW_BITS)
    digital, dram = from_fact("nvm.digital", DIGITAL), from_fact("assumed.dram_energy", DRAM_ENERGY)
    analogue, points = [], []
    for bits in BITS:
        reach = few * power(many / few, (bits - at_few) / (ALL_BITS - at_few))
        own = (2 / reach).named(f"nvm.bits_{bits}.pj_per_mac", "pJ", "analogue, weights resident")
        analogue.append(own)
        for batch in BATCHES:
            logic = 2 * bits * bits / digital + bits * dram / batch
            points.append(
                Point(
                    bits=bits,
                    batch=batch,
                    ratio=(own / logic).named(
                        f"nvm.bits_{bits}.batch_{batch}.over_logic", "1", "below 1 NVM needs less energy"
                    ),
                )
            )
    return Nvm(
        medians=tuple(_median(name, values) for name, values in efficiencies().items()),
        analogue=tuple(analogue),
        points=tuple(points),
    )


def _median(name: str, values: Sequence[float]) -> Figure:
    low, middle, high = statistics.quantiles(values, n=4)
    key = "nvm" if name == "eNVM" else "sram_digital"
    fact = Fact(
        nominal=middle,
        low=low,
        high=high,
        unit="TOPS/W",
        confidence="secondary",
        source=f"median and quartiles of {len(values)} published macros, 8 x 8 bits, best {values[-1]:.1f}: "
        "UIUC-IMC-Benchmarking database (MIT), commit 1d3f0ae",
    )
    return (from_fact(f"macros.{key}.efficiency", fact) * 1).named(f"macros.{key}.median", "TOPS/W", "8 x 8 bits")
