"""Plots of the programme: from the MAC array to the grid, what drives it."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from model.projection.explain import compact
from model.report import stated
from model.report.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, PURPLE, foot, plt
from model.report.label import input_label
from model.report.summary import Summary


def waterfall(summary: Summary) -> Canvas | None:
    """Power of the first site from the MAC arrays to the wall and the grid, step by step."""
    if summary.programme is None:
        return None
    name, site = next(iter(summary.programme.sites.items()))
    canvas, axes = plt.subplots(figsize=(11.4, 5.4), layout="constrained")
    labels = (
        "MAC\narrays",
        "core\nmemories",
        "rest of\nchips",
        "DRAM",
        "card\nregulators",
        "hosts",
        "fans",
        "supplies",
        "facility\n(PUE)",
    )
    base = 0.0
    for index, figure in enumerate(site.chain):
        base += _step(summary, axes, index, figure.name, base, BLUE if index < 5 else ORANGE if index < 8 else PURPLE)
    wall = summary.ranges[f"{name}.wall_kw"]
    at = len(labels)
    axes.bar(at, wall.bounds.nominal, color=INK, width=0.62)
    axes.errorbar(
        at,
        wall.bounds.nominal,
        color=GREEN,
        capsize=5,
        lw=1.8,
        fmt="none",
        yerr=[[wall.bounds.nominal - wall.p5], [wall.p95 - wall.bounds.nominal]],
    )
    axes.annotate(
        f"{wall.bounds.nominal:.3g}\n{stated.MIDDLE}: {wall.p5:.3g} .. {wall.p95:.3g}",
        (at, wall.p95),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8.5,
        color=INK,
    )
    axes.plot([at - 0.31, at + 1.31], [wall.bounds.nominal] * 2, color=GREY, lw=0.7, zorder=1)
    _step(summary, axes, at + 1, site.grid[0].name, wall.bounds.nominal, GREY)
    axes.set_xticks(range(at + 2), [*labels, "wall", "grid\nlosses"])
    axes.set_xlim(-0.6, at + 1.75)
    axes.set_ylim(0, max(wall.p95, wall.bounds.nominal) * 1.17)
    axes.grid(axis="y", color=LIGHT, lw=0.7)
    axes.set_ylabel("power when busy, kW")
    cards = summary.value(f"{name}.cards")
    axes.set_title(
        f"{site.scenario.title}, {site.scenario.capacity.nominal:g} PF nominal ({cards:.0f} cards): "
        "from the MAC array to the grid, kW"
    )
    groups = (("cards", BLUE), ("servers", ORANGE), ("building", PURPLE), ("grid", GREY))
    handles = [Rectangle((0, 0), 1, 1, color=c) for _, c in groups]
    axes.legend(handles, [g for g, _ in groups], loc="upper left", ncols=4)
    foot(
        canvas,
        f"{stated.IMAGES.how}, every card busy. Second line: every input at its better and its worse end. "
        f"Green: {stated.MIDDLE} of {stated.DRAWN}.\nArrays and core memories: counts priced by the first "
        f"table, scaled "
        "to each card's process. Cards: TDP x load; DRAM: standby, refresh and the bits moved.",
    )
    return canvas


def _step(summary: Summary, axes: Axes, index: int, name: str, base: float, colour: str) -> float:
    """One bar on top of `base`; its height."""
    bounds = summary.ranges[name].bounds
    axes.bar(index, bounds.nominal, bottom=base, color=colour, width=0.62)
    top = base + bounds.nominal
    if colour != GREY:  # the last step leads nowhere
        axes.plot([index - 0.31, index + 1.31], [top, top], color=GREY, lw=0.7, zorder=1)
    axes.annotate(
        f"{bounds.nominal:.3g}\n{bounds.low:.2g} .. {bounds.high:.2g}",
        (index, top),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8.5,
        color=INK,
    )
    return bounds.nominal


def tornado(summary: Summary) -> Canvas | None:
    """What drives the first site's power, capital and cost per million, one input at a time."""
    if summary.programme is None:
        return None
    site, one = next(iter(summary.programme.sites.items()))
    canvas, grid = plt.subplots(2, 2, figsize=(12.4, 9.0), layout="constrained")
    for axes, (name, unit, title) in zip(
        grid.flat,
        (
            (f"{site}.wall_kw", "kW", "Power at the wall"),
            (f"{site}.capital", "million KRW", "Capital: cards, servers, facility"),
            (f"{site}.krw_per_million_images_with_capital", "KRW", "A million images, capital included"),
            (f"{site}.krw_per_million_tokens_with_capital", "KRW", "A million tokens, capital included"),
        ),
        strict=True,
    ):
        if name not in summary.ranges:
            axes.set_visible(False)
            continue
        drivers = summary.projection.drivers(name)[:9][::-1]
        nominal = summary.ranges[name].bounds.nominal
        for row, driver in enumerate(drivers):
            fact = driver.leaf.fact
            assert fact is not None
            for value, colour in ((driver.at_low, BLUE), (driver.at_high, ORANGE)):
                axes.barh(row, value - nominal, left=nominal, color=colour, height=0.6)
            ends = sorted(((driver.at_low, fact.minimum), (driver.at_high, fact.maximum)))
            for (value, setting), side in zip(ends, ("right", "left"), strict=True):
                axes.annotate(
                    compact(setting),
                    (value, row),
                    xytext=(-4 if side == "right" else 4, 0),
                    fontsize=8,
                    textcoords="offset points",
                    ha=side,
                    va="center",
                    color=GREY,
                )
        axes.axvline(nominal, color=INK, lw=0.9)
        axes.set_yticks(range(len(drivers)), [input_label(d.leaf.name, d.leaf.unit) for d in drivers], fontsize=8.5)
        axes.margins(x=0.16)
        axes.grid(axis="x", color=LIGHT, lw=0.7)
        axes.set_xlabel(f"{unit} (nominal {compact(nominal)})")
        axes.set_title(title, fontsize=10)
    handles = [Rectangle((0, 0), 1, 1, color=c) for c in (BLUE, ORANGE)]
    grid[0][0].legend(handles, ("input at its low", "input at its high"), loc="lower right")
    foot(
        canvas,
        f"{stated.services_line()} Every card busy with one of them.",
    )
    canvas.suptitle(
        f"{one.scenario.title}: what drives the answer, one input at a time",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=11,
    )
    return canvas
