"""Energy of a crossbar from counted events: converters, cells, word lines, digital part; low, nominal, high.

Every term is a count times a stated energy. Low and high take another converter model and cell resistance each, and
say which: the published sources differ more than any of them states as its error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.crossbar import CrossbarSpec
from model.crossbar.adc import adc_model


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarPrices:
    """What one event costs.

    Parameters
    ----------
    name : str
        Of the corner: low, nominal or high.
    adc : str
        Converter model, a name of `model.crossbar.adc.MODELS`.
    cell_ohm : float
        Resistance of a cell at the highest level.
    read_v, read_ns : float
        Voltage over a conducting cell and for how long one conversion or held plane needs it.
    wordline_fj_per_cell : float
        Charge of a word line per crossed cell and toggle: about 0.5 fF at the supply.
    driver_fj_per_row : float
        One row of the plane driver, its population count included, in a plane.
    shift_add_fj, merge_fj, tile_add_fj, requantise_fj : float
        Digital operations, one lane or column each.
    tree_add_fj : float
        One adder of a digital array's trees.
    buffer_fj_per_byte : float
        A byte read from or written into the buffer, or taken in or given out by the core's streams.
    """

    name: str
    adc: str
    cell_ohm: float
    read_v: float
    read_ns: float
    wordline_fj_per_cell: float
    driver_fj_per_row: float
    shift_add_fj: float
    merge_fj: float
    tile_add_fj: float
    tree_add_fj: float
    requantise_fj: float
    buffer_fj_per_byte: float


PRICES: dict[str, CrossbarPrices] = {
    # Cells: 100 kOhm is the usual choice of the circuit simulators, 1.3 kOhm that of the ISAAC macro model (they differ
    # 75 times in current); 20 kOhm lies between them and near published 22 nm ReRAM.
    # Row of the driver, shift-add, merge, tile adder: high as measured at this design's gates at 45 nm, not gated
    # (`python -m tb energy --chip reram_22nm`: 0.41, 1.94, 1.27 and 1.42 pJ); nominal an eighth of it, what charge and
    # voltage make of it at 22 nm; low what DNN+NeuroSim V1.4 (commit ac828e6, 22 nm) has for its accumulators, 15 fJ a
    # conversion, and of the driver as small a part.
    # Output stage, buffer, adder trees: Horowitz, ISSCC 2014: 3.1 pJ a 32-bit product, 0.03 pJ an 8-bit addition, 5 pJ
    # for 8 bytes of an 8 KiB SRAM, all at 45 nm: all, half and a fifth of it.
    "low": CrossbarPrices(
        name="low", adc="circuit", cell_ohm=100e3, read_v=0.1, read_ns=5, wordline_fj_per_cell=0.1,
        driver_fj_per_row=4, shift_add_fj=15, merge_fj=20, tile_add_fj=20, tree_add_fj=1, requantise_fj=700,
        buffer_fj_per_byte=125),
    "nominal": CrossbarPrices(
        name="nominal", adc="survey_fit", cell_ohm=20e3, read_v=0.2, read_ns=5, wordline_fj_per_cell=0.3,
        driver_fj_per_row=51, shift_add_fj=243, merge_fj=159, tile_add_fj=177, tree_add_fj=2, requantise_fj=1700,
        buffer_fj_per_byte=310),
    "high": CrossbarPrices(
        name="high", adc="mnsim", cell_ohm=1.3e3, read_v=0.2, read_ns=10, wordline_fj_per_cell=0.5,
        driver_fj_per_row=406, shift_add_fj=1942, merge_fj=1274, tile_add_fj=1419, tree_add_fj=8, requantise_fj=3400,
        buffer_fj_per_byte=625),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarEnergy:
    """Femtojoules by term, and their sum."""

    terms: Mapping[str, float]
    """converters, cells, word_lines, digital, buffer -> fJ."""

    @property
    def total_fj(self) -> float:
        """Sum of all terms."""
        return sum(self.terms.values())


def price(
    spec: CrossbarSpec, counts: Mapping[str, int], prices: CrossbarPrices, *, mean_level: float, converters: bool = True
) -> CrossbarEnergy:
    """Energy of `counts` (events of `hw.spec.crossbar_event`).

    `mean_level`: mean conductance of all cells of a column (of a pair together) over G_max. A column conducts while it
    is converted; the current of an active row flows in every column of its tile once per plane. `converters` False:
    sums are taken as they are, at no cost.
    """

    def count(name: str) -> int:
        return counts.get(name, 0)

    analogue = spec.array == "analogue"
    cell_columns = spec.physical_columns * spec.cells_per_column
    per_cell_fj = prices.read_v**2 / prices.cell_ohm * prices.read_ns * 1e-9 * 1e15
    adder_tree = 0.0 if analogue else count("array.conversion") * spec.rows * prices.tree_add_fj
    converted = count("array.conversion") * (analogue and converters)
    return CrossbarEnergy(
        terms={
            "converters": converted * adc_model(prices.adc).energy_pj(spec.adc_bits) * 1e3 if converted else 0.0,
            "cells": count("array.wordline_active") * spec.physical_columns * mean_level * per_cell_fj * analogue,
            "word_lines": count("array.wordline_toggle") * cell_columns * prices.wordline_fj_per_cell,
            "digital": (
                count("array.plane") * spec.rows * prices.driver_fj_per_row
                + count("digital.shift_add") * prices.shift_add_fj
                + count("digital.merge") * prices.merge_fj
                + count("digital.tile_add") * prices.tile_add_fj
                + count("output_stage.requantise") * prices.requantise_fj
                + adder_tree
            ),
            "buffer": (
                (count("buffer.read") + count("buffer.write") + count("stream.input") + count("stream.output"))
                * spec.lanes
                * prices.buffer_fj_per_byte
            ),
        }
    )
