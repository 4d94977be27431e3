"""Converters on real currents: what range a policy gives and what a code stands for.

Currents are in units of G_max times one unit of input, in binary64. A sum that lies half-way between two codes in
exact arithmetic falls where binary64 puts it, ties to even: the rule of CrossSim 3.2, the tool whose sweep this
reproduces (its currents are in the same units). The integer reference and the RTL state their tie rule themselves.
"""

from typing import Literal, get_args

import numpy as np

from hw.base.error import InputError

Policy = Literal["ideal", "unit", "full", "pct", "pow2"]
"""ideal: no converter; unit: one level a code, lossless; full: range of all possible sums; pct: 0.01 to 99.99
percentile of the sums of this very workload, per slice; pow2: a power of two levels a code."""

POLICY_NAMES = {"lossless": "unit", "calibrated": "pct", "power_of_two": "pow2"}
"""Names of the spec's policies for the same."""

PERCENTILES = (0.01, 99.99)


def policy_of(name: str) -> Policy:
    """The policy called `name`, by either of its names; `InputError` listing them."""
    found = POLICY_NAMES.get(name, name)
    if found not in get_args(Policy):
        known = ", ".join((*get_args(Policy), *POLICY_NAMES))
        raise InputError(f"range policy must be one of {known}, not {name!r}; choose one")
    return found  # type: ignore[return-value]


def convert(current: np.ndarray, low: float, high: float, codes: int) -> np.ndarray:
    """`current` held within [low, high] and rounded to one of `codes` values from low to high."""
    scale = (codes - 1) / (high - low)
    return np.rint((current.clip(low, high) - low) * scale) / scale + low


def span(
    policy: Policy, bits: int, *, signed: bool, rows: int, top: int, lossless_bits: int, ideal_sums: np.ndarray
) -> tuple[float, float] | None:
    """(low, high) of the converter of one slice; None if the sums pass unchanged.

    `top` is the highest level; `ideal_sums` are the noiseless sums of the slice in levels. Signed ranges of pct and
    pow2 have a code at zero: -2**(b - 1) to 2**(b - 1) - 1 steps. full has none: -rows to rows over all codes.
    A slice that is always zero gives pct no range: its current passes.
    """
    if policy == "ideal":
        return None
    if policy == "full":
        return (-float(rows), float(rows)) if signed else (0.0, float(rows))
    if policy == "pct":
        if not signed:
            low, high = np.percentile(np.rint(ideal_sums), PERCENTILES) / top
            return (float(low), float(high)) if high > low else None
        step = float(np.percentile(np.abs(np.rint(ideal_sums)) / top, PERCENTILES[1])) / ((1 << (bits - 1)) - 1)
        if step == 0:
            return None
    else:
        levels = 1 << lossless_bits - bits if policy == "pow2" else 1
        if not signed:
            return 0.0, ((1 << bits) - 1) * levels / top
        step = levels / top
    return -(1 << (bits - 1)) * step, ((1 << (bits - 1)) - 1) * step
