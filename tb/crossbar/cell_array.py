"""Seeded cells behind a tile's analogue port: conductances, noise, droop, converters. Knows no simulator."""

import numpy as np

from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from model.crossbar import cells as physics
from model.crossbar.cells import CellErrors
from model.reference.crossbar import codes


class CellArray:
    """Cells of one tile, their columns and converters.

    Parameters
    ----------
    spec : CrossbarSpec
    errors : CellErrors
        Without any, sums and codes are the integer reference's, bit for bit.
    seed : int
    droop : float
        Share of G_max a column's current falls by per unit of its own current (`model.crossbar.droop`).
    adc_offset : float
        Standard deviation of the converters' fixed offsets, in levels.
    endurance : int
        Programming pulses a cell takes; 0 for no limit.
    """

    def __init__(
        self,
        spec: CrossbarSpec,
        errors: CellErrors | None = None,
        *,
        seed: int = 1,
        droop: float = 0.0,
        adc_offset: float = 0.0,
        endurance: int = 0,
    ) -> None:
        self.spec, self.errors, self.droop, self.endurance = spec, errors or CellErrors(), droop, endurance
        self.rng = np.random.default_rng(seed)
        shape = (spec.rows, spec.physical_columns * spec.cells_per_column)
        self.levels = np.zeros(shape, np.int64)
        self.conductances = np.zeros(shape)
        self.pulses = np.zeros(shape, np.int64)
        self.offsets = self.rng.normal(0, adc_offset, spec.converters) if adc_offset else np.zeros(spec.converters)
        self.exact = self.errors.ideal and not droop and not adc_offset
        chance = self.rng.uniform(size=shape)
        self.stuck_low, self.stuck_high = chance < self.errors.stuck_low, chance > 1 - self.errors.stuck_high
        self.load(self.levels)

    def load(self, levels: np.ndarray) -> None:
        """Write all cells at once, as after programming: `levels` (rows, cell columns)."""
        if levels.shape != self.levels.shape:
            raise InputError(f"levels of a tile must be {self.levels.shape}, not {levels.shape}; pad them with zeros")
        self.levels = levels.copy()
        target = physics.conductance(levels, self.spec.cell_bits, self.errors)
        self.conductances = self._stick(physics.programmed(target, self.errors, self.rng))

    def pulse(self, row: int, column: int, level: int) -> None:
        """One programming pulse; `InputError` if the cell has had all it can take."""
        if self.endurance and self.pulses[row, column] >= self.endurance:
            raise InputError(
                f"a cell takes {self.endurance} pulses and cell ({row}, {column}) has had them; its "
                "endurance is spent, write another tile"
            )
        self.pulses[row, column] += 1
        target = physics.conductance(np.array([[level]]), self.spec.cell_bits, self.errors)
        found = physics.programmed(target, self.errors, self.rng)
        self.conductances[row, column] = found[0, 0]
        self.conductances = self._stick(self.conductances)
        self.levels[row, column] = self.read_level(row, column)

    def read_level(self, row: int, column: int) -> int:
        """Level the cell reads as."""
        span = 1 - self.errors.smallest
        top = (1 << self.spec.cell_bits) - 1
        return int(np.clip(np.rint((self.conductances[row, column] - self.errors.smallest) / span * top), 0, top))

    def sums(self, word_lines: np.ndarray) -> np.ndarray:
        """Sums (C,) of the physical columns under `word_lines` (rows,), in levels: integers if nothing is amiss."""
        spec = self.spec
        top = (1 << spec.cell_bits) - 1
        if self.exact:
            currents = word_lines @ self.levels
        else:
            found = word_lines @ physics.read(self.conductances, self.errors, self.rng)
            if self.droop:
                found = found * (1 - self.droop * found)
            if spec.cells_per_column == 1:
                found = found - self.errors.smallest * word_lines.sum()
            currents = found / (1 - self.errors.smallest) * top
        return currents[0::2] - currents[1::2] if spec.cells_per_column == 2 else currents

    def convert(self, sums: np.ndarray, step: int) -> list[int]:
        """Codes of all converters in step `step`; 0 where a converter has no such column."""
        spec = self.spec
        columns = np.arange(spec.converters) * spec.columns_per_adc + step
        there = columns < spec.physical_columns
        columns = columns[there]
        numbers = np.where(columns == spec.columns * spec.slices, spec.slices - 1, columns % spec.slices)
        values = sums[columns] + self.offsets[there]
        found = np.zeros(spec.converters, np.int64)
        chosen = np.flatnonzero(there)
        # converters of all slices are alike unless their ranges are steps of their own
        for number in np.unique(numbers) if spec.scaled else [0]:
            here = numbers == number if spec.scaled else np.full(len(numbers), True)
            found[chosen[here]] = codes(spec, values[here], int(number)).astype(np.int64)
        return found.tolist()

    def _stick(self, conductances: np.ndarray) -> np.ndarray:
        if self.errors.stuck_low or self.errors.stuck_high:
            conductances = np.where(self.stuck_low, self.errors.smallest, conductances)
            conductances = np.where(self.stuck_high, 1.0, conductances)
        return conductances
