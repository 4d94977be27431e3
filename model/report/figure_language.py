"""Plots of the language service: stages beside each other, decode rate against the batch."""

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from model.projection.curve import Curve
from model.projection.explain import compact
from model.report import stated
from model.report.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, PURPLE, foot
from model.report.summary import Summary

COLOURS = {"1": BLUE, "2": GREEN, "3": PURPLE, "g": GREY}
PIM_TITLES = {"hbm_pim": "HBM-PIM, FP16", "aim": "GDDR6-AiM, BF16"}


def stages(summary: Summary) -> Canvas | None:
    """Tokens per second of a card and joules per token at the wall, by stage, at batch 1 and 16."""
    if summary.programme is None or not summary.programme.stages:
        return None
    groups = {
        batch: [(n, s) for n, s in summary.programme.stages.items() if n.endswith(f"_batch_{batch}")]
        for batch in (1, 16)
    }
    groups = {batch: members for batch, members in groups.items() if members}
    heights = [len(members) for members in groups.values()]
    canvas, grid = plt.subplots(
        len(groups), 2, figsize=(12.6, 8.2), layout="constrained", height_ratios=heights, squeeze=False
    )
    for row, (batch, members) in enumerate(groups.items()):
        members = sorted(members, key=lambda m: (m[0].startswith("gpu"), m[0]))[::-1]
        for axes, tail, title in (
            (grid[row][0], "tokens_per_s", "tokens per second of one card"),
            (grid[row][1], "wall_j_per_token", "joules per token at the wall"),
        ):
            _bars(summary, axes, [name for name, _ in members], tail)
            axes.set_title(f"batch {batch}: {title}", fontsize=10)
            axes.set_xlabel("tokens/s" if tail == "tokens_per_s" else "J/token", fontsize=8.5)
            axes.set_yticks(
                range(len(members)),
                [_label(n, s.title) for n, s in members] if axes is grid[row][0] else [""] * len(members),
                fontsize=8.5,
            )
    canvas.suptitle(
        f"Stages beside each other: {stated.TOKENS.title}, {stated.context()} of context",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=11,
    )
    foot(
        canvas,
        "Lines: every input at its better and at its worse end. Cards at TDP x load; with PIM the chip idles "
        "while the units work, and their counted bits are added.\nEach with its share of a server, fans, "
        "supplies and the PUE of the first site. Stage 3 is a hypothesis from one published chip of macros:\n"
        "weights in macros, cache in DRAM, accuracy and digital side left out; one-phase is not INT8.",
    )
    return canvas


def _bars(summary: Summary, axes: Axes, names: list[str], tail: str) -> None:
    top = max(summary.ranges[f"stage.{n}.{tail}"].bounds.high for n in names)
    least = min(summary.ranges[f"stage.{n}.{tail}"].bounds.low for n in names)
    axes.set_xscale("log")
    axes.set_xlim(least / 2, top * 3)
    for index, name in enumerate(names):
        bounds = summary.ranges[f"stage.{name}.{tail}"].bounds
        assert summary.programme is not None
        hatch = "///" if summary.programme.stages[name].basis == "hypothesis" else None
        axes.barh(index, bounds.nominal, color=COLOURS[name[0]], height=0.6, hatch=hatch, edgecolor="white", lw=0.5)
        axes.plot([bounds.low, bounds.high], [index, index], color=INK, lw=1.0)
        axes.annotate(
            compact(bounds.nominal),
            (bounds.high, index),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    axes.grid(axis="x", color=LIGHT, lw=0.7)
    axes.set_ylim(-0.6, len(names) - 0.4)


def _label(name: str, title: str) -> str:
    stage = "yardstick" if name[0] == "g" else f"stage {name[0]}"
    return f"{stage}: " + title.replace("FuriosaAI ", "").replace("Rebellions ", "").replace("NVIDIA ", "").replace(
        "memory of ", ""
    ).replace(" without its units", " with units off")


def decode(summary: Summary) -> Canvas | None:
    """Rate against the batch: one panel per PIM memory, NPU alone and with it, and the batch where it stops winning."""
    if summary.programme is None:
        return None
    curves = [curve for curve in summary.programme.curves.values() if curve.pim]
    if not curves:
        return None
    canvas, row = plt.subplots(
        1, len(curves), figsize=(6.2 * len(curves), 5.0), layout="constrained", sharey=True, squeeze=False
    )
    for axes, curve in zip(row[0], curves, strict=True):
        batches = [p.batch for p in curve.points]
        own = next((c for c in summary.programme.curves.values() if c.chip == curve.chip and not c.pim), None)
        if own is not None:
            axes.plot(
                [p.batch for p in own.points],
                [p.alone for p in own.points],
                color=GREY,
                ls="--",
                lw=1.2,
                label="NPU with its own HBM3, FP8",
            )
        low, high = _spread(summary, curve)
        for rates, style, colour, label in (
            ([p.alone for p in curve.points], "o-", BLUE, "NPU alone on this memory"),
            ([p.with_pim or 0 for p in curve.points], "s-", ORANGE, "NPU with PIM"),
        ):
            ends = ([end * rate for rate in rates] for end in (low, high))
            axes.fill_between(batches, *ends, color=colour, alpha=0.18, lw=0)
            axes.plot(batches, rates, style, color=colour, lw=1.6, ms=4.5, label=label)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(batches, [str(b) for b in batches])
        axes.minorticks_off()
        axes.set_ylim(50, 20_000)
        axes.set_yticks([100, 1000, 10_000], ["100", "1,000", "10,000"])
        axes.grid(color=LIGHT, lw=0.7)
        for _, last in curve.runs[:1]:
            axes.axvline(last, color=ORANGE, ls=":", lw=1.2)
        axes.annotate(
            _wins(curve),
            (0.03, 0.97),
            xycoords="axes fraction",
            va="top",
            fontsize=8.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )
        axes.set_xlabel(f"batch: sequences of {stated.context(curve.context)} on the card")
        axes.set_title(f"{PIM_TITLES.get(curve.pim, curve.pim)}")
        axes.legend(loc="lower right", fontsize=8.5, frameon=True, framealpha=1, edgecolor="white")
    row[0][0].set_ylabel("tokens per second of one card")
    canvas.suptitle(
        f"{stated.TOKENS.title} on one RNGD: the batch at which DRAM PIM stops winning",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=11,
    )
    foot(
        canvas,
        "Chip and PIM cycle models; as much bandwidth at the pins, to the nearest package, capacity as of the "
        "card. Mode switches, inputs and results are counted.\nDotted: last batch before PIM stops gaining "
        f"{stated.GAIN}. Bands: range of the chip model (what nobody published about the card).",
    )
    return canvas


def _spread(summary: Summary, curve: Curve) -> tuple[float, float]:
    """Low and high of the card's decode rate over nominal, from the record of the language service."""
    name = f"card.{curve.chip}.tokens_per_s"
    if name not in summary.ranges:
        return 1.0, 1.0
    bounds = summary.range(name).bounds
    return bounds.low / bounds.nominal, bounds.high / bounds.nominal


def _wins(curve: Curve) -> str:
    """In words: where PIM wins, and what is on it there."""
    if not curve.runs:
        return f"no batch with at least {stated.GAIN} gain"
    share = {p.batch: p.on_pim for p in curve.points}
    parts = []
    for first, last in curve.runs:
        spent = sorted((share[first], share[last]))
        parts.append(
            f"batch {first}"
            + (f" to {last}" if last > first else "")
            + f", {spent[0]:.0%} to {spent[1]:.0%} of a step on PIM"
        )
    return f"at least {stated.GAIN} faster at " + ";\nand at ".join(parts)
