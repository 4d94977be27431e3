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
    switching : float
        Chance that a pulse switches a cell, which stays as it was otherwise; drawn from a generator of its own.
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
        switching: float = 1.0,
    ) -> None:
        self.spec, self.errors, self.droop, self.endurance = spec, errors or CellErrors(), droop, endurance
        self.rng = np.random.default_rng(seed)
        self.switching, self._switches = switching, np.random.default_rng((seed, 1))
        shape = (spec.rows, spec.physical_columns * spec.cells_per_column)
        self.levels = np.zeros(shape, np.int64)
        self._columns: np.ndarray | None = None  # levels of the physical columns, if nothing is amiss
        self._conductances: np.ndarray | None = None  # made when asked for: hundreds of ideal arrays need none
        self._pulses: np.ndarray | None = None
        self.offsets = self.rng.normal(0, adc_offset, spec.converters) if adc_offset else np.zeros(spec.converters)
        self.exact = self.errors.ideal and not droop and not adc_offset
        if self.errors.stuck_low or self.errors.stuck_high:
            chance = self.rng.uniform(size=shape)
            self.stuck_low, self.stuck_high = chance < self.errors.stuck_low, chance > 1 - self.errors.stuck_high
        self._steps = [self._step(step) for step in range(spec.steps)]
        self.load(self.levels)

    @property
    def conductances(self) -> np.ndarray:
        """Of all cells (rows, cell columns), over G_max."""
        if self._conductances is None:
            target = physics.conductance(self.levels, self.spec.cell_bits, self.errors)
            self._conductances = self._stick(physics.programmed(target, self.errors, self.rng))
        return self._conductances

    @property
    def pulses(self) -> np.ndarray:
        """Programming pulses each cell has had."""
        if self._pulses is None:
            self._pulses = np.zeros(self.levels.shape, np.int64)
        return self._pulses

    def _step(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of a step: columns that are converted, which converters have one, slices of the columns."""
        spec = self.spec
        columns = np.arange(spec.converters) * spec.columns_per_adc + step
        there = columns < spec.physical_columns
        columns = columns[there]
        unit = columns == spec.columns * spec.slices
        return columns, np.flatnonzero(there), np.where(unit, spec.slices - 1, columns % spec.slices)

    def load(self, levels: np.ndarray) -> None:
        """Write all cells at once, as after programming: `levels` (rows, cell columns)."""
        if levels.shape != self.levels.shape:
            raise InputError(f"levels of a tile must be {self.levels.shape}, not {levels.shape}; pad them with zeros")
        self.levels, self._columns, self._conductances = levels.copy(), None, None
        if not self.errors.ideal:
            _ = self.conductances  # drawn now, in the order of loading

    def pulse(self, row: int, column: int, level: int) -> None:
        """One programming pulse; `InputError` if the cell has had all it can take."""
        if self.endurance and self.pulses[row, column] >= self.endurance:
            raise InputError(
                f"a cell takes {self.endurance} pulses and cell ({row}, {column}) has had them; its "
                "endurance is spent, write another tile"
            )
        self.pulses[row, column] += 1
        if self.switching < 1 and self._switches.uniform() >= self.switching:
            return
        target = physics.conductance(np.array([[level]]), self.spec.cell_bits, self.errors)
        found = physics.programmed(target, self.errors, self.rng)
        self.conductances[row, column] = found[0, 0]
        self._conductances = self._stick(self.conductances)
        self.levels[row, column], self._columns = self.read_level(row, column), None

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
            if self._columns is None:
                pairs = spec.cells_per_column == 2
                net = self.levels[:, 0::2] - self.levels[:, 1::2] if pairs else self.levels
                # sums stay below 2**24, so that FP32 is exact and fast
                self._columns = net.astype(np.float32 if spec.largest_sum < 1 << 24 else np.float64)
            return word_lines.astype(self._columns.dtype) @ self._columns
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
        columns, chosen, numbers = self._steps[step]
        values = sums[columns]
        if not self.exact:
            values = values + self.offsets[chosen]
        found = np.zeros(spec.converters, np.int64)
        if not spec.scaled and len(chosen) == spec.converters:
            return codes(spec, values, 0).astype(np.int64).tolist()
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
