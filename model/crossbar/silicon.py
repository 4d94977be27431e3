"""Published macros predicted from their structure alone: one law for all of them, none fitted to the chip it predicts.

The energy of one code (converter with its part of array and drivers) and the time of an access follow a power law of
the published structure, found by least squares in the logarithm (exponents pulled towards zero), and macros alike in
structure lend what the law leaves over: a Gaussian process over the same features. Everything is learned from the other
macros; operating points of one macro count together once. The range of a prediction is what such predictions miss by:
the 90 % quantile of the errors when each of the other macros is left out in turn as well.

The features were chosen among all small sets of published ones by looking at these same macros, so the errors shown are
better than those to expect of a new macro. Supply voltage and bits of the converter made predictions worse and are left
out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np

from model.crossbar.macros import MACROS, Macro

COVERAGE = 0.9
PULL = 3.0
"""Weight of the squared exponents, in units of one group's squared error; features have standard deviation one."""
LENGTH = 1.5
"""Distance of features over which macros lend to one another."""
NOISE = 0.3
"""Variance of what a macro does not share with those alike, over the variance of what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A macro beside its prediction.

    Parameters
    ----------
    macro : Macro
        As published.
    tops_per_w_1b, low, high : float
        Predicted efficiency and the ends of its 90 % range.
    ns_per_product, ns_low, ns_high : float
        Predicted time and its range.
    """

    macro: Macro
    tops_per_w_1b: float
    low: float
    high: float
    ns_per_product: float
    ns_low: float
    ns_high: float

    @property
    def error(self) -> float:
        """Of the efficiency, relative."""
        return self.tops_per_w_1b / self.macro.tops_per_w_1b - 1

    @property
    def time_error(self) -> float:
        """Of the time, relative."""
        return self.ns_per_product / self.macro.ns_per_product - 1

    @property
    def holds(self) -> bool:
        """The published efficiency lies in its range."""
        return self.low <= self.macro.tops_per_w_1b <= self.high

    @property
    def time_holds(self) -> bool:
        """The published time lies in its range."""
        return self.ns_low <= self.macro.ns_per_product <= self.ns_high

    @property
    def cause(self) -> str:
        """What a miss comes from."""
        return "as predicted" if abs(self.error) <= 0.15 else self.macro.remark


def energy_features(macro: Macro) -> list[float]:
    """Logarithms the energy of a code follows: node, rows that conduct, time they do, columns merged, converters that
    share the periphery."""
    return [float(np.log(x)) for x in (
        macro.node_nm, macro.rows, macro.access_ns, macro.merged_columns, macro.converters)]  # fmt: skip


def time_features(macro: Macro) -> list[float]:
    """Logarithms the time of an access follows: node, rows, bits a plane, converters."""
    return [float(np.log(x)) for x in (macro.node_nm, macro.rows, macro.input_bits, macro.converters)]


def _energy(macro: Macro) -> float:
    return float(np.log(macro.conversion_fj))


def _time(macro: Macro) -> float:
    return float(np.log(macro.access_ns))


Features = Callable[[Macro], list[float]]
Wanted = Callable[[Macro], float]


def learn(macros: tuple[Macro, ...], asked: Macro, features: Features, wanted: Wanted) -> float:
    """The logarithm `wanted` of `asked`, from `macros`."""
    groups = [macro.name for macro in macros]
    weight = np.array([groups.count(name) ** -0.5 for name in groups])
    raw = np.array([features(macro) for macro in macros])
    middle, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-9)
    known, new = (raw - middle) / scale, (np.array(features(asked)) - middle) / scale
    target = np.array([wanted(macro) for macro in macros])
    design = np.column_stack([np.ones(len(known)), known]) * weight[:, None]
    pull = PULL * np.eye(design.shape[1])
    pull[0, 0] = 0
    law = np.linalg.solve(design.T @ design + pull, design.T @ (target * weight))
    left = target - law[0] - known @ law[1:]

    def alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / (2 * LENGTH**2))

    lent = alike(new[None], known) @ np.linalg.solve(alike(known, known) + NOISE * np.eye(len(known)), left)
    return float(law[0] + new @ law[1:] + lent[0])


def without(macros: tuple[Macro, ...], name: str) -> tuple[Macro, ...]:
    """All but the operating points of one macro."""
    return tuple(macro for macro in macros if macro.name != name)


@cache
def _spread(others: tuple[Macro, ...], features: Features, wanted: Wanted) -> float:
    """What predictions among `others` miss by: the 90 % quantile of their errors, in the logarithm."""
    errors = [abs(learn(without(others, o.name), o, features, wanted) - wanted(o)) for o in others]
    return float(np.quantile(errors, min(1.0, COVERAGE * (len(errors) + 1) / len(errors))))


def predict(macro: Macro) -> Predicted:
    """`macro` from all others."""
    others = without(MACROS, macro.name)
    energy, time = (learn(others, macro, *law) for law in ((energy_features, _energy), (time_features, _time)))
    factor, ns_factor = (
        float(np.exp(_spread(others, *law))) for law in ((energy_features, _energy), (time_features, _time))
    )
    efficiency = macro.tops_per_w_1b * macro.conversion_fj / float(np.exp(energy))
    ns = float(np.exp(time)) * macro.accesses
    return Predicted(
        macro=macro,
        tops_per_w_1b=efficiency,
        low=efficiency / factor,
        high=efficiency * factor,
        ns_per_product=ns,
        ns_low=ns / ns_factor,
        ns_high=ns * ns_factor,
    )


def predict_all() -> list[Predicted]:
    """Every macro."""
    return [predict(macro) for macro in MACROS]


def median_errors(predictions: list[Predicted]) -> tuple[float, float]:
    """Median absolute relative error of efficiency and of time."""
    return median(abs(p.error) for p in predictions), median(abs(p.time_error) for p in predictions)


def table() -> list[str]:
    """Lines for people."""
    predictions = predict_all()
    lines = ["macro | TOPS/W (1 bit) published, predicted (90 % range) | ns a product published, predicted | cause"]
    lines += [
        f"{p.macro.name} | {p.macro.tops_per_w_1b:.4g}, {p.tops_per_w_1b:.4g} ({p.low:.3g} to {p.high:.3g}) | "
        f"{p.macro.ns_per_product:.4g}, {p.ns_per_product:.4g} ({p.ns_low:.3g} to {p.ns_high:.3g}) | {p.cause}"
        for p in predictions
    ]
    energy, time = median_errors(predictions)
    held, in_time = sum(p.holds for p in predictions), sum(p.time_holds for p in predictions)
    lines.append(
        f"median error {energy:.0%} of efficiency, {time:.0%} of time; of {len(predictions)} published figures "
        f"{held} efficiencies and {in_time} times lie in their 90 % ranges"
    )
    return lines
