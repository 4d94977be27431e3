"""Published macros predicted from their structure alone: one law for all of them, none fitted to the chip it predicts.

Energy and time of an access follow a power law of what the structure says. Its exponents are found by least squares in
the logarithm on all macros but those of the same first author and year; the chip is then predicted with them. What is
left over is the range: the published figures of one class differ by factors for reasons (voltage, sparsity, what was
counted) that no structure shows.
"""

from dataclasses import dataclass
from statistics import median

import numpy as np

from model.crossbar.macros import MACROS, Macro

COVERAGE = 0.9
QUANTILE = 1.72
"""Student's t, two-sided 90 %, about 20 macros."""


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
    cause : str
        What a miss comes from.
    """

    macro: Macro
    tops_per_w_1b: float
    low: float
    high: float
    ns_per_product: float
    ns_low: float
    ns_high: float
    cause: str

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
        """Both published figures lie in their ranges."""
        return (
            self.low <= self.macro.tops_per_w_1b <= self.high
            and self.ns_low <= self.macro.ns_per_product <= self.ns_high
        )


def energy_features(macro: Macro) -> list[float]:
    """Logarithms an operation's energy follows: node (charge), codes per row (converter), bits (sharing of a code)."""
    return [
        1.0,
        float(np.log(macro.node_nm / 22)),
        float(np.log(2**macro.adc_bits / macro.rows)),
        float(np.log(macro.input_bits * macro.weight_bits)),
        float(np.log(macro.access_ns)),
    ]


def time_features(macro: Macro) -> list[float]:
    """Logarithms the time of an access follows: node, codes, bits a plane, rows."""
    return [
        1.0,
        float(np.log(macro.node_nm / 22)),
        macro.adc_bits,
        float(np.log(macro.input_bits)),
        float(np.log(macro.rows)),
    ]


def _others(macro: Macro) -> list[Macro]:
    return [other for other in MACROS if other.name != macro.name]


def _fit(features: list[list[float]], wanted: list[float], asked: list[float]) -> tuple[float, float]:
    """Prediction for `asked` and the standard deviation of one more observation there."""
    matrix, target = np.array(features), np.array(wanted)
    solution, *_ = np.linalg.lstsq(matrix, target, rcond=None)
    left = target - matrix @ solution
    spread = float(np.sqrt((left**2).sum() / (len(target) - matrix.shape[1])))
    lever = np.array(asked) @ np.linalg.pinv(matrix.T @ matrix) @ np.array(asked)
    return float(np.array(asked) @ solution), spread * float(np.sqrt(1 + lever))


def predict(macro: Macro) -> Predicted:
    """`macro` from all others."""
    others = _others(macro)
    energy, energy_spread = _fit(
        [energy_features(o) for o in others], [float(np.log(o.operation_fj)) for o in others], energy_features(macro)
    )
    time, time_spread = _fit(
        [time_features(o) for o in others], [float(np.log(o.access_ns)) for o in others], time_features(macro)
    )
    efficiency = 1e3 / np.exp(energy)
    ns = float(np.exp(time)) * macro.accesses
    factor, ns_factor = np.exp(QUANTILE * energy_spread), np.exp(QUANTILE * time_spread)
    ratio = float(efficiency / macro.tops_per_w_1b)
    if 0.5 <= ratio <= 2:
        cause = "within a factor of two"
    else:
        side = "above" if ratio > 2 else "below"
        cause = f"predicted {side}: supply voltage, sparsity of operands and what was counted are not published with it"
    return Predicted(
        macro=macro,
        tops_per_w_1b=float(efficiency),
        low=float(efficiency / factor),
        high=float(efficiency * factor),
        ns_per_product=ns,
        ns_low=float(ns / ns_factor),
        ns_high=float(ns * ns_factor),
        cause=cause,
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
        f"{p.macro.ns_per_product:.4g}, {p.ns_per_product:.4g} | {p.cause}"
        for p in predictions
    ]
    energy, time = median_errors(predictions)
    held = sum(p.holds for p in predictions)
    lines.append(
        f"median error {energy:.0%} of efficiency, {time:.0%} of time; {held} of {len(predictions)} within both ranges"
    )
    return lines
