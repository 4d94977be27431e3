"""What happened to the requests, in the figures a planner asks for.

TTFT: from the arrival to the first token. TPOT: from the first token to the last, for each token after the first, of
requests that answer with more than one. Latency: from the arrival to the last token. Figures of a range are the means
of two further runs in which the card model's times are at their 5 % and 95 % ends.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure over all requests, in seconds; all 0 without requests.

    Parameters
    ----------
    mean : float
        At the nominal times of the card model.
    p50, p90, p95, p99 : float
        Percentiles over the requests, at nominal times.
    low, high : float
        The mean at the 5 % and 95 % ends of what the card model leaves open; `mean` lies between them.
    """

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    low: float
    high: float

    def in_ms(self) -> dict[str, Any]:
        """For JSON, in milliseconds."""
        figures = {name: 1e3 * getattr(self, name) for name in ("mean", "p50", "p90", "p95", "p99")}
        return {**figures, "range": [1e3 * self.low, 1e3 * self.high]}


def spread(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> Spread:
    """Of one figure of all requests, at nominal, shorter and longer times."""
    if not len(values):
        return Spread(mean=0.0, p50=0.0, p90=0.0, p95=0.0, p99=0.0, low=0.0, high=0.0)
    p50, p90, p95, p99 = (float(np.percentile(values, q)) for q in PERCENTILES)
    mean = float(values.mean())
    ends = [float(v.mean()) if len(v) else mean for v in (low, high)]
    return Spread(mean=mean, p50=p50, p90=p90, p95=p95, p99=p99, low=min(mean, *ends), high=max(mean, *ends))


def ttft(table: dict[str, np.ndarray]) -> np.ndarray:
    """Seconds to the first token, of each request."""
    return table["first"] - table["arrival"]


def latency(table: dict[str, np.ndarray]) -> np.ndarray:
    """Seconds to the last token, of each request."""
    return table["last"] - table["arrival"]


def tpot(table: dict[str, np.ndarray]) -> np.ndarray:
    """Seconds for each token after the first, of requests with more than one."""
    several = table["answer"] > 1
    return (table["last"] - table["first"])[several] / (table["answer"][several] - 1)


def rate(table: dict[str, np.ndarray]) -> float:
    """Tokens of answers per second, from the first arrival to the last token."""
    seconds = float(table["last"].max() - table["arrival"].min())
    return float(table["answer"].sum()) / seconds if seconds > 0 else 0.0


def kept(table: dict[str, np.ndarray], most_ttft: float, most_tpot: float) -> np.ndarray:
    """Which requests have their first token and their mean time per token within the target."""
    after = np.maximum(table["answer"] - 1, 1)
    return (ttft(table) <= most_ttft) & ((table["last"] - table["first"]) / after <= most_tpot)
