"""Cells as conductances: levels, programming error, read noise, drift, stuck cells, and the clip at zero.

Conductances are in units of the largest, G_max: level l of c bits is g_min + (1 - g_min) l / (2**c - 1).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from hw.base.error import InputError

ErrorKind = Literal["gmax", "g"]
"""gmax: standard deviation is a share of the largest conductance, whatever the level; g: a share of the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellErrors:
    """How cells differ from what was asked of them.

    Parameters
    ----------
    programming, read : float
        Standard deviation of the error that stays after programming, and of the noise drawn at every reading.
    kind : ErrorKind
        What both are a share of.
    on_off : float
        Largest over smallest conductance; infinity for an ideal off state.
    drift : float
        Exponent nu of g(t) = g (t / t0)**-nu.
    drift_spread : float
        Standard deviation of nu from cell to cell.
    seconds, reference_seconds : float
        t, and t0 at which cells were verified.
    drift_compensated : bool
        All conductances are divided by the mean decay, as a global digital scale would.
    stuck_low, stuck_high : float
        Shares of cells that stay at the smallest or largest conductance.
    """

    programming: float = 0.0
    read: float = 0.0
    kind: ErrorKind = "gmax"
    on_off: float = float("inf")
    drift: float = 0.0
    drift_spread: float = 0.0
    seconds: float = 1.0
    reference_seconds: float = 1.0
    drift_compensated: bool = True
    stuck_low: float = 0.0
    stuck_high: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(ErrorKind):
            raise InputError(
                f"kind of cell errors must be one of {', '.join(get_args(ErrorKind))}, not {self.kind!r}; choose one"
            )
        for field in ("programming", "read", "drift", "drift_spread", "stuck_low", "stuck_high"):
            value = getattr(self, field)
            if not 0 <= value <= 1:
                raise InputError(f"{field} of cells must be from 0 to 1, not {value!r}; give it as a share")
        if not self.on_off > 1 or not self.seconds >= self.reference_seconds > 0:
            raise InputError(
                f"cells need on_off above 1 and seconds from reference_seconds on, not {self.on_off!r} and "
                f"{self.seconds!r} s after {self.reference_seconds!r} s; change them"
            )

    @property
    def smallest(self) -> float:
        """Smallest conductance over the largest."""
        return 1.0 / self.on_off

    @property
    def ideal(self) -> bool:
        """Cells are what was asked of them."""
        return self == CellErrors(kind=self.kind)


def conductance(levels: np.ndarray, cell_bits: int, errors: CellErrors) -> np.ndarray:
    """Target conductances of `levels`, any shape."""
    top = (1 << cell_bits) - 1
    if errors.smallest:
        return errors.smallest + (1 - errors.smallest) * (levels / top)
    return levels / top


def programmed(target: np.ndarray, errors: CellErrors, rng: np.random.RandomState | np.random.Generator) -> np.ndarray:
    """Conductances after programming and, if `seconds` have passed, drift; never negative.

    Without drift and stuck cells exactly one normal number is drawn per cell, in the order of `target`; without
    programming error none.
    """
    found = np.array(target, np.float64)
    if errors.programming:
        error = rng.normal(scale=errors.programming, size=found.shape)
        found = found + error if errors.kind == "gmax" else found * (1 + error)
        found = found.clip(0, None)
    if errors.drift and errors.seconds > errors.reference_seconds:
        age = np.log(errors.seconds / errors.reference_seconds)
        exponent = rng.normal(errors.drift, errors.drift_spread, found.shape).clip(0, None)
        found = found * np.exp(-exponent * age)
        if errors.drift_compensated:
            # the mean decay of the population is known; (nu clipped at zero hardly moves it)
            found = found / np.exp(-errors.drift * age + (errors.drift_spread * age) ** 2 / 2)
    if errors.stuck_low or errors.stuck_high:
        chance = rng.uniform(size=found.shape)
        found = np.where(chance < errors.stuck_low, errors.smallest, found)
        found = np.where(chance > 1 - errors.stuck_high, 1.0, found)
    return found


def read(conductances: np.ndarray, errors: CellErrors, rng: np.random.RandomState | np.random.Generator) -> np.ndarray:
    """Conductances as one reading finds them."""
    if not errors.read:
        return conductances
    noise = rng.normal(scale=errors.read, size=conductances.shape)
    found = conductances + noise if errors.kind == "gmax" else conductances * (1 + noise)
    return found.clip(0, None)
