"""Plots of a run: latency against load with its knee, the timeline of one run, the fleet over a day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hw.base.file import write_atomically
from hw.base.palette import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from model.serving.service import Outcome
    from model.serving.timeline import Span
    from model.serving.users import Found


def _figure(rows: int, height: float) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "serving"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, 1, figsize=(8, height), sharex=rows > 1, squeeze=False)
    return figure, [row[0] for row in axes]


def _save(figure: Any, path: Path) -> None:
    from io import BytesIO

    from matplotlib import pyplot

    buffer = BytesIO()
    figure.tight_layout()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    write_atomically(path, buffer.getvalue())


def knee(found: "Found", target: tuple[float, float], path: Path) -> None:
    """Time to first token and per token (99 %) and tokens a second against users; the most that keep the target
    marked."""
    figure, (first, second) = _figure(2, 6)
    users = [p.users for p in found.points]
    rate = [p.tokens_per_s for p in found.points]
    for axis, values, limit, label in (
        (first, [1e3 * p.ttft_p99 for p in found.points], 1e3 * target[0], "TTFT, 99 %, ms"),
        (second, [1e3 * p.tpot_p99 for p in found.points], 1e3 * target[1], "TPOT, 99 %, ms"),
    ):
        axis.plot(users, values, "o-", color=BLUE, label=label)
        if limit < float("inf"):
            axis.axhline(limit, color=GREY, linestyle="--", label="target")
        axis.axvline(found.users, color=ORANGE, label=f"{found.users} users")
        axis.axvspan(found.low, found.high, color=ORANGE, alpha=0.15)
        axis.set_ylabel(label)
        axis.set_xscale("log", base=2)
        beside = axis.twinx()
        beside.plot(users, rate, "s:", color=GREY, markersize=3)
        beside.set_ylabel("tokens/s")
        axis.legend(loc="upper left")
    second.set_xlabel("users")
    _save(figure, path)


def timeline(spans: "Sequence[Span]", outcome: "Outcome", path: Path) -> None:
    """Sequences, tokens of prompts, cache and waiting requests of the first instance over time."""
    figure, axes = _figure(4, 8)
    own = [s for s in spans if s.instance == 0]
    ends = [s.end for s in own]
    for axis, values, label, color in (
        (axes[0], [s.sequences for s in own], "sequences", BLUE),
        (axes[1], [s.prompt_tokens for s in own], "prompt tokens\nof an iteration", ORANGE),
        (axes[2], [100 * s.cache for s in own], "cache, %", BLUE),
        (axes[3], [s.waiting for s in own], "waiting", GREY),
    ):
        axis.step(ends, values, where="pre", color=color, linewidth=0.8)
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
    axes[-1].set_xlabel("seconds")
    _save(figure, path)


def fleet(hours: Sequence[float], series: Mapping[str, Sequence[float]], path: Path) -> None:
    """Figures of a site by the hour of a day."""
    figure, axes = _figure(len(series), 2.0 * len(series) + 1)
    for axis, (label, values) in zip(axes, series.items(), strict=True):
        axis.plot(hours, values, "o-", color=BLUE, markersize=3)
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
    axes[-1].set_xlabel("hour of the day")
    _save(figure, path)
