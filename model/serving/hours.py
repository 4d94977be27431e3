"""What a site did in each hour: requests, tokens, times to first token, and how long its cards were busy."""

from typing import Any

import numpy as np

from model.serving.answers import tpot, ttft
from model.serving.instance import Instance


class Busy:
    """Seconds of all instances in iterations with prompts and in decode steps, by the hour; a watch for instances."""

    def __init__(self, hours: int) -> None:
        self.prefill = [0.0] * (hours + 1)
        self.decode = [0.0] * (hours + 1)

    def __call__(self, instance: Instance, start: float, end: float, sequences: int, tokens: int, steps: int) -> None:
        """A span ended; it counts for the hour in which it began, as spans are short."""
        hour = min(int(start // 3600), len(self.prefill) - 1)
        if tokens:
            self.prefill[hour] += end - start
        else:
            self.decode[hour] += end - start


def by_hour(table: dict[str, np.ndarray], busy: Busy, instances: int) -> list[dict[str, Any]]:
    """One row for each hour of the arrivals."""
    hour = (table["arrival"] // 3600).astype(int)
    written = np.bincount((table["last"] // 3600).astype(int), weights=table["answer"])
    first, each = ttft(table), tpot(table)
    several = table["answer"] > 1
    rows = []
    for h in range(int(hour.max()) + 1):
        here = hour == h
        if not here.any():
            continue
        mine = each[here[several]]
        b = min(h, len(busy.prefill) - 1)
        rows.append(
            {
                "hour": h,
                "requests_per_s": float(here.sum()) / 3600,
                "tokens_per_s": float(written[h]) / 3600 if h < len(written) else 0.0,
                "ttft_p99_s": float(np.percentile(first[here], 99)),
                "tpot_p99_ms": 1e3 * float(np.percentile(mine, 99)) if len(mine) else 0.0,
                "busy": (busy.prefill[b] + busy.decode[b]) / (3600 * instances),
            }
        )
    return rows
