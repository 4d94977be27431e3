"""A matrix of INT8 weights programmed into real cells once, then multiplied by many vectors: layers of whole tasks."""

from dataclasses import replace

import numpy as np

from hw.spec.crossbar import CrossbarSpec
from model.crossbar.cells import CellErrors, conductance, programmed
from model.crossbar.converter import PERCENTILES, Policy
from model.reference.crossbar import input_planes, plane_weights, slice_levels, unit_level


class ProgrammedMatrix:
    """Weights (N, K) in tiles of `spec.rows` word lines, outputs in as many columns as needed.

    Each row tile is converted by itself and added up digitally. With policy "pct" every slice of every row tile is
    calibrated once, on the first vectors it sees, as a chip would be.

    Parameters
    ----------
    spec : CrossbarSpec
        Scheme, cell bits, rows, converter bits and input planes; its own range policy is not used.
    weights : int array (N, K)
    errors : CellErrors
    policy : Policy
        "ideal", "unit", "pct", "pow2" or "full".
    seed : int
    """

    def __init__(
        self, spec: CrossbarSpec, weights: np.ndarray, errors: CellErrors, policy: Policy, seed: int = 0
    ) -> None:
        self.spec, self.policy, self.outputs = spec, policy, len(weights)
        self.ranges: dict[tuple[int, int], tuple[float, float, int]] = {}
        rng = np.random.default_rng(seed)
        top = (1 << spec.cell_bits) - 1
        self.tiles: list[tuple[slice, np.ndarray, np.ndarray]] = []
        for first in range(0, weights.shape[1], spec.rows):
            part = slice(first, min(first + spec.rows, weights.shape[1]))
            levels = slice_levels(_wide(spec, len(weights)), weights[:, part])

            def cells(wanted: np.ndarray) -> np.ndarray:
                if errors.ideal:
                    return wanted.astype(np.float32)
                found = programmed(conductance(wanted, spec.cell_bits, errors), errors, rng)
                return ((found - errors.smallest) / (1 - errors.smallest) * top).astype(np.float32)

            if spec.signed_codes:
                held = cells(np.maximum(levels, 0)) - cells(np.maximum(-levels, 0))
            else:
                held = cells(levels)
            unit = cells(np.full(part.stop - part.start, unit_level(spec)[0])) if spec.unit_columns else np.zeros(0)
            self.tiles.append((part, held, unit))

    def multiply(self, inputs: np.ndarray) -> np.ndarray:
        """Real outputs (B, N) of integer `inputs` (B, K) within `spec.input_limits`."""
        spec = self.spec
        offset = 1 << (spec.input_bits - 1) if spec.input_offset else 0
        driven = input_planes(spec, inputs.astype(np.int64) + offset).astype(np.float32)
        counts = plane_weights(spec).astype(np.float32)
        total = np.zeros((self.outputs, len(inputs)))
        for tile, (part, held, unit) in enumerate(self.tiles):
            planes = np.ascontiguousarray(driven[:, :, part].reshape(-1, part.stop - part.start).T)
            for number, shift in enumerate(spec.slice_shifts):
                sums = held[number] @ planes
                added = self._counted(sums, tile, number, counts) * float(1 << shift)
                negative = spec.scheme == "twos_complement" and number == spec.slices - 1
                total += -added if negative else added
            if spec.unit_columns:
                sums = (unit.astype(np.float32) @ planes)[None]
                total -= self._counted(sums, tile, spec.slices, counts) * float(1 << unit_level(spec)[1])
        if spec.scheme == "offset":
            total -= float(1 << (spec.weight_bits - 1)) * (inputs + offset).sum(axis=1)
        return total.T

    def _counted(self, sums: np.ndarray, tile: int, number: int, counts: np.ndarray) -> np.ndarray:
        """Codes of `sums` (n, P B) in levels, added up over the planes: (n, B)."""
        limits = self._limits(sums, tile, number)
        if limits is not None:
            zero, step, codes = limits
            low = -(codes // 2) if self.spec.signed_codes else 0
            sums = np.clip(np.rint((sums - zero) / step), low, low + codes - 1) * np.float32(step) + np.float32(zero)
        return np.matmul(counts, sums.reshape(len(sums), self.spec.planes, -1))

    def _limits(self, sums: np.ndarray, tile: int, number: int) -> tuple[float, float, int] | None:
        """(level of code 0, levels per code, codes) of one slice's converters; None if sums pass."""
        spec, bits = self.spec, self.spec.adc_bits
        if self.policy == "ideal":
            return None
        if self.policy != "pct":
            largest = spec.largest_sum / ((1 << bits - 1) - 1 if spec.signed_codes else (1 << bits) - 1)
            step = {"unit": 1.0, "full": largest, "pow2": float(1 << max(spec.lossless_bits - bits, 0))}[self.policy]
            return 0.0, step, 1 << bits
        if (tile, number) not in self.ranges:
            if spec.signed_codes:
                high = float(np.percentile(np.abs(sums), PERCENTILES[1]))
                found = (0.0, max(high / ((1 << (bits - 1)) - 1), 1e-3), 1 << bits)
            else:
                low, high = (float(v) for v in np.percentile(sums, PERCENTILES))
                found = (low, max((high - low) / ((1 << bits) - 1), 1e-3), 1 << bits)
            self.ranges[tile, number] = found
        return self.ranges[tile, number]


def _wide(spec: CrossbarSpec, outputs: int) -> CrossbarSpec:
    """`spec` with a column for each of `outputs`: columns are independent, so several tiles side by side are one."""
    return replace(spec, columns=max(min(outputs, 2048), 1))
