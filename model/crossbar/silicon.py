"""Published macros predicted from their structure alone: two laws for all of them, nothing of the chip they predict.

Energy of a code = power of a conducting cell x cells that conduct into it x time of the access. The power has all that
is beside the cell in it, in proportion: converter, drivers, digital part. Of bars it goes with the area of the cell,
the square of the node (same voltage, same density of current); what a phase-change, flash or many-level crossbar cell
conducts is set by its material instead. Three constants: bars, phase change, crossbars; flash, of which there is one,
is taken as the middle of the last two.

Time of a product: read like a memory, t_0 + t_1 for every further bit of input; by pulse widths, 2^(bits - 1) ticks;
magnetic cells, whose two resistances are near each other, one time of their own. Four constants.

Every constant is a mean of logarithms (power) or their median (time) over the other macros, never the one predicted;
points of one macro count together once. The range is what such predictions miss by: the 90 % quantile of the errors
when each other macro is left out in turn as well. That power per cell is what macros have in common, and the kinds,
were found by looking at these macros: `UNSEEN` has points that were not used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from statistics import median

import numpy as np

from model.crossbar.macros import MACROS, UNSEEN, Macro

COVERAGE = 0.9
NODE_NM = 22.0
"""Node at which the power of a cell in bars is stated."""
ALIKE = {"boosted bars": ("bars",), "flash": ("phase change", "crossbar")}
"""Kinds of cells that others stand for, having one macro each."""
PER_BIT = np.linspace(0, 0.5, 51)
"""Candidates of t_1 over t_0."""

Law = Callable[[Sequence[Macro], Macro], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A macro beside its prediction.

    Parameters
    ----------
    macro : Macro
        As published.
    tops_per_w_1b, low, high : float
        Predicted efficiency, given the published time of an access, and the ends of its 90 % range.
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
    def blind_error(self) -> float:
        """Of the efficiency if the time is predicted too, relative."""
        return (1 + self.error) / (1 + self.time_error) - 1

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
        return "as predicted" if max(abs(self.error), abs(self.time_error)) <= 0.15 else self.macro.remark


def _middle(macros: Sequence[Macro], logarithms: Sequence[float]) -> float:
    """Median of `logarithms`, the points of one macro counting together once."""
    names = [macro.name for macro in macros]
    order = np.argsort(logarithms)
    weights = np.array([1 / names.count(names[i]) for i in order])
    reached = np.cumsum(weights) / weights.sum()
    values = np.array(logarithms)[order]
    at = int(np.searchsorted(reached, 0.5 - 1e-9))
    tie = abs(reached[at] - 0.5) < 1e-9 and at + 1 < len(values)
    return float((values[at] + values[at + 1]) / 2 if tie else values[at])


def _scale(macro: Macro) -> float:
    """What the power of a conducting cell is a multiple of."""
    return (macro.node_nm / NODE_NM) ** 2 if macro.cells in ("bars", "boosted bars") else 1.0


def cell_uw(macros: Sequence[Macro], asked: Macro) -> float:
    """Microwatts of a conducting cell of `asked`, from `macros`."""
    kinds = (asked.cells,)
    if not any(macro.cells in kinds for macro in macros):
        kinds = ALIKE.get(asked.cells, kinds)
    found = [macro for macro in macros if macro.cells in kinds] or list(macros)
    names = [macro.name for macro in found]
    logarithms = [np.log(m.cell_uw / _scale(m)) for m in found]
    return float(np.exp(np.average(logarithms, weights=[1 / names.count(n) for n in names]))) * _scale(asked)


def product_ns(macros: Sequence[Macro], asked: Macro) -> float:
    """Nanoseconds of a product of `asked`, from `macros`."""
    found = [macro for macro in macros if macro.sensing == asked.sensing] or list(macros)
    if asked.sensing != "read":
        ticks = [2 ** (m.product_bits - 1) if m.sensing == "pulse" else 1.0 for m in (*found, asked)]
        each = [np.log(m.ns_per_product / tick) for m, tick in zip(found, ticks, strict=False)]
        return float(np.exp(_middle(found, each))) * ticks[-1]
    names = [macro.name for macro in found]
    weights = np.array([1 / names.count(name) for name in names])
    best = (np.inf, 0.0)
    for share in PER_BIT:
        left = [float(np.log(m.ns_per_product / (1 + share * (m.product_bits - 1)))) for m in found]
        middle = _middle(found, left)
        missed = float(weights @ np.abs(np.array(left) - middle))
        if missed < best[0] - 1e-12:
            best = (missed, float(np.exp(middle)) * (1 + share * (asked.product_bits - 1)))
    return best[1]


def _energy_miss(macros: Sequence[Macro], asked: Macro) -> float:
    return float(np.log(cell_uw(macros, asked) / asked.cell_uw))


def _time_miss(macros: Sequence[Macro], asked: Macro) -> float:
    return float(np.log(product_ns(macros, asked) / asked.ns_per_product))


def without(macros: tuple[Macro, ...], name: str) -> tuple[Macro, ...]:
    """All but the operating points of one macro."""
    return tuple(macro for macro in macros if macro.name != name)


def _kin(macro: Macro, miss: Law) -> str:
    """What macros have a constant in common by."""
    return macro.cells if miss is _energy_miss else macro.sensing


@cache
def _spread(others: tuple[Macro, ...], kin: str, miss: Law) -> float:
    """What predictions among `others` miss by: the 90 % quantile of their errors, in the logarithm.

    The errors are those of macros that share the constant, if they are three or more, otherwise of all; and the largest
    of them if nobody shares it.
    """
    alike = [o for o in others if _kin(o, miss) == kin]
    chosen = alike if len({o.name for o in alike}) >= 3 else others
    errors = sorted(abs(miss(without(others, o.name), o)) for o in chosen)
    rank = ceil(COVERAGE * (len(errors) + 1)) if alike else len(errors)
    return errors[min(len(errors), rank) - 1]


def predict(macro: Macro) -> Predicted:
    """`macro` from all others."""
    others = without(MACROS, macro.name)
    factor, ns_factor = (float(np.exp(_spread(others, _kin(macro, m), m))) for m in (_energy_miss, _time_miss))
    efficiency = macro.tops_per_w_1b * macro.cell_uw / cell_uw(others, macro)
    ns = product_ns(others, macro)
    return Predicted(
        macro=macro,
        tops_per_w_1b=efficiency,
        low=efficiency / factor,
        high=efficiency * factor,
        ns_per_product=ns,
        ns_low=ns / ns_factor,
        ns_high=ns * ns_factor,
    )


def predict_all(macros: Sequence[Macro] = MACROS) -> list[Predicted]:
    """Every macro."""
    return [predict(macro) for macro in macros]


def median_errors(predictions: Sequence[Predicted]) -> tuple[float, float]:
    """Median absolute relative error of efficiency and of time."""
    return median(abs(p.error) for p in predictions), median(abs(p.time_error) for p in predictions)


def scatter(macros: Sequence[Macro] = MACROS) -> float:
    """Standard deviation, in the logarithm, of the power of a conducting cell in bars about its law: what structure
    does not say. However well the constant is known, predictions miss by 0.67 of it in the median (normal errors)."""
    bars = [macro for macro in macros if macro.cells == "bars"]
    names = [macro.name for macro in bars]
    weights = [1 / names.count(name) for name in names]
    left = np.array([np.log(macro.cell_uw / _scale(macro)) for macro in bars])
    return float(np.sqrt(np.average((left - np.average(left, weights=weights)) ** 2, weights=weights)))


def exponents(macros: Sequence[Macro] = MACROS) -> dict[str, float]:
    """Exponents of node, rows and time of an access in the power of a conducting cell in bars, fitted freely: 2, 0 and
    0 if the law holds."""
    bars = [macro for macro in macros if macro.cells == "bars"]
    names = [macro.name for macro in bars]
    root = np.array([names.count(name) ** -0.5 for name in names])
    design = np.column_stack([
        np.ones(len(bars)), *(np.log([getattr(m, f) for m in bars]) for f in ("node_nm", "rows", "access_ns"))
    ])  # fmt: skip
    found = np.linalg.lstsq(design * root[:, None], np.log([m.cell_uw for m in bars]) * root, rcond=None)[0]
    return {"node": float(found[1]), "rows": float(found[2]), "time": float(found[3])}


def table() -> list[str]:
    """Lines for people."""
    predictions = predict_all()
    lines = ["macro | TOPS/W (1 bit) published, predicted (90 % range) | ns a product published, predicted | cause"]
    lines += [_line(p) for p in predictions]
    lines += ["not used for anything above:", *(_line(p) for p in predict_all(UNSEEN))]
    energy, time = median_errors(predictions)
    held, in_time = sum(p.holds for p in predictions), sum(p.time_holds for p in predictions)
    blind = median(abs(p.blind_error) for p in predictions)
    free = exponents()
    lines.append(
        f"median error {energy:.0%} of efficiency, {time:.0%} of time, {blind:.0%} of efficiency if the time of an "
        f"access is predicted too; of {len(predictions)} published figures {held} efficiencies and {in_time} times lie "
        "in their 90 % ranges"
    )
    lines.append(
        f"power of a conducting cell in bars, fitted freely: node^{free['node']:.2f} rows^{free['rows']:.2f} "
        f"time^{free['time']:.2f}; about node^2 it scatters by a factor of {np.exp(scatter()):.2f}, so a perfect "
        f"constant would miss by {0.6745 * scatter():.0%} in the median"
    )
    return lines


def _line(p: Predicted) -> str:
    return (
        f"{p.macro.name} | {p.macro.tops_per_w_1b:.4g}, {p.tops_per_w_1b:.3g} ({p.low:.3g} to {p.high:.3g}) | "
        f"{p.macro.ns_per_product:.4g}, {p.ns_per_product:.3g} ({p.ns_low:.3g} to {p.ns_high:.3g}) | {p.cause}"
    )
