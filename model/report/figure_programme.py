"""Plots of the programme: from the array to the wall, what drives it, the PF ledger."""

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from model.projection.explain import compact
from model.report.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, PURPLE, card_name, foot, one_axes
from model.report.summary import Summary


def waterfall(summary: Summary) -> Canvas | None:
    """Power of the Gwangju site from the MAC arrays to the wall, step by step."""
    if summary.programme is None or "gwangju" not in summary.programme.sites:
        return None
    site = summary.programme.sites["gwangju"]
    canvas, axes = one_axes()
    labels = ("MAC arrays", "core\nmemories", "rest of\ncards", "hosts", "fans", "supplies", "facility\n(PUE)")
    base = 0.0
    for index, figure in enumerate(site.chain):
        bounds = summary.ranges[figure.name].bounds
        colour = BLUE if index < 3 else ORANGE if index < 6 else PURPLE
        axes.bar(index, bounds.nominal, bottom=base, color=colour, width=0.62)
        top = base + bounds.nominal
        axes.plot([index - 0.31, index + 1.31], [top, top], color=GREY, lw=0.7, zorder=1)
        axes.annotate(f"{bounds.nominal:.3g} kW\n{bounds.low:.2g} .. {bounds.high:.2g}", (index, top), xytext=(0, 4),
                      textcoords="offset points", ha="center", va="bottom", fontsize=8.5, color=INK)
        base = top
    wall = summary.ranges["gwangju.wall_kw"]
    axes.bar(len(labels), wall.bounds.nominal, color=INK, width=0.62)
    axes.errorbar(len(labels), wall.bounds.nominal, color=GREEN, capsize=5, lw=1.8, fmt="none",
                  yerr=[[wall.bounds.nominal - wall.p5], [wall.p95 - wall.bounds.nominal]])
    axes.annotate(f"{wall.bounds.nominal:.3g} kW\n90 %: {wall.p5:.3g} .. {wall.p95:.3g}", (len(labels), wall.p95),
                  xytext=(0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=8.5, color=INK)
    axes.set_xticks(range(len(labels) + 1), [*labels, "wall"])
    axes.set_xlim(-0.6, len(labels) + 0.75)
    axes.set_ylim(0, max(wall.p95, wall.bounds.nominal) * 1.17)
    axes.grid(axis="y", color=LIGHT, lw=0.7)
    axes.set_ylabel("power when busy, kW")
    cards = summary.ranges["gwangju.cards"].bounds.nominal
    axes.set_title(f"{site.scenario.title}, {site.scenario.capacity.nominal:g} PF nominal ({cards:.0f} cards): "
                   "from the MAC array to the wall")
    foot(canvas, "ResNet-50 offline, INT8. Second line: every input at its better and "
                  "at its worse end.\nGreen: middle 90 % of 10,000 samples. Arrays and core memories: counts priced at "
                  "7 nm, scaled to each card's process. Cards: TDP x load.")
    return canvas


def tornado(summary: Summary) -> Canvas | None:
    """What drives the Gwangju site's power, capital and cost per million, one input at a time."""
    if summary.programme is None or "gwangju" not in summary.programme.sites:
        return None
    canvas, grid = plt.subplots(2, 2, figsize=(12.4, 9.0), layout="constrained")
    for axes, (name, unit, title) in zip(grid.flat, (
        ("gwangju.wall_kw", "kW", "Power at the wall"),
        ("gwangju.capital", "million KRW", "Capital: cards, servers, facility"),
        ("gwangju.krw_per_million_images_with_capital", "KRW", "A million images, capital included"),
        ("gwangju.krw_per_million_tokens_with_capital", "KRW", "A million tokens, capital included"),
    ), strict=True):
        if name not in summary.ranges:
            axes.set_visible(False)
            continue
        drivers = summary.programme.projection.drivers(name)[:9][::-1]
        nominal = summary.ranges[name].bounds.nominal
        for row, driver in enumerate(drivers):
            fact = driver.leaf.fact
            assert fact is not None
            for value, colour in ((driver.at_low, BLUE), (driver.at_high, ORANGE)):
                axes.barh(row, value - nominal, left=nominal, color=colour, height=0.6)
            ends = sorted(((driver.at_low, fact.minimum), (driver.at_high, fact.maximum)))
            for (value, setting), side in zip(ends, ("right", "left"), strict=True):
                axes.annotate(compact(setting), (value, row), xytext=(-4 if side == "right" else 4, 0), fontsize=8,
                              textcoords="offset points", ha=side, va="center", color=GREY)
        axes.axvline(nominal, color=INK, lw=0.9)
        axes.set_yticks(range(len(drivers)), [_input_label(d.leaf.name, d.leaf.unit) for d in drivers], fontsize=8.5)
        axes.margins(x=0.16)
        axes.grid(axis="x", color=LIGHT, lw=0.7)
        axes.set_xlabel(f"{unit} (nominal {compact(nominal)})")
        axes.set_title(title, fontsize=10)
    handles = [Rectangle((0, 0), 1, 1, color=c) for c in (BLUE, ORANGE)]
    grid[0][0].legend(handles, ("input at its low", "input at its high"), loc="lower right")
    foot(canvas, "Images: ResNet-50 offline, INT8. Tokens: Llama 3.1 8B decode, INT8 weights, 16 sequences of 1,024 "
                 "tokens on a card. Every card busy with one of them.")
    canvas.suptitle("Gwangju public site: what drives the answer, one input at a time", x=0.01, ha="left",
                    fontweight="bold", fontsize=11)
    return canvas


def ledger(summary: Summary) -> Canvas | None:
    """Peak, achievable and delivered of each card and format, and the site under each counting rule."""
    if summary.programme is None:
        return None
    canvas, (left, right) = plt.subplots(1, 2, figsize=(12.4, 7.4), layout="constrained")
    rows = summary.programme.ledger[::-1]
    kinds = (("peak", LIGHT), ("achievable", BLUE), ("images", ORANGE), ("tokens", PURPLE))
    for index, row in enumerate(rows):
        figures = (row.peak, row.achievable, row.delivered.get("images"), row.delivered.get("tokens"))
        for place, (figure, (_, colour)) in enumerate(zip(figures, kinds, strict=True)):
            if figure is None:
                continue
            bounds, y = summary.ranges[figure.name].bounds, index + 0.3 - 0.2 * place
            left.barh(y, bounds.nominal, height=0.18, color=colour)
            if bounds.low < bounds.high:
                left.plot([bounds.low, bounds.high], [y, y], color=INK, lw=0.8)
            left.annotate(compact(bounds.nominal), (max(bounds.high, bounds.nominal), y), xytext=(3, 0), fontsize=7,
                          textcoords="offset points", va="center", color=GREY)
    left.set_xscale("log")
    left.set_xlim(0.5, 4000)
    left.set_yticks(range(len(rows)), [f"{card_name(r.card)}, {r.number_format.upper()}" for r in rows], fontsize=8.5)
    left.set_ylim(-0.6, len(rows) - 0.4)
    left.grid(axis="x", color=LIGHT, lw=0.7)
    left.set_xlabel("10^12 operations per second of one card (2 per MAC, dense)")
    left.set_title("One card: peak, achievable, delivered")
    names = ("peak as printed", "achievable: ResNet-50 cycles, one image, arrays alone",
             "delivered: ResNet-50 offline, INT8", "delivered: Llama 3.1 8B decode, INT8, batch 16")
    left.legend([Rectangle((0, 0), 1, 1, color=c) for _, c in kinds], names, fontsize=7.5, loc="upper center",
                bbox_to_anchor=(0.5, -0.1), ncols=2)
    _counting_rules(summary, right)
    canvas.suptitle("PF ledger", x=0.01, ha="left", fontweight="bold", fontsize=11)
    foot(canvas, "Lines: every input at its better and at its worse end. X220's peak is unverified.")
    return canvas


def _counting_rules(summary: Summary, axes: Axes) -> None:
    assert summary.programme is not None
    counted = list(summary.programme.counted.items())[::-1]
    capacity = next(iter(summary.programme.sites.values())).scenario.capacity.nominal
    for index, (name, _) in enumerate(counted):
        bounds = summary.ranges[f"rule.{name}.images_per_s"].bounds
        value = bounds.nominal / 1e6
        axes.barh(index, value, height=0.5, color=ORANGE if name == "mixed" else LIGHT)
        axes.plot([bounds.low / 1e6, bounds.high / 1e6], [index, index], color=INK, lw=0.9)
        pf, cards = (summary.ranges[f"rule.{name}.{tail}"].bounds.nominal for tail in ("nominal_pf", "cards"))
        tokens = summary.ranges.get(f"rule.{name}.tokens_per_s")
        text = f"{pf:.3f} PF ({pf - capacity:+.3f}), {cards:.0f} cards, {value:.2f} M images/s"
        if tokens is not None:
            text += f", {tokens.bounds.nominal / 1e3:.0f} k tokens/s"
        axes.annotate(text, (0, index - 0.38), xytext=(2, 0), textcoords="offset points", va="center", fontsize=7.5)
    labels = [one.rule.title.replace(": ", ":\n", 1) for _, one in counted]
    axes.set_yticks(range(len(counted)), [_wrapped(label) for label in labels], fontsize=8)
    axes.set_ylim(-0.65, len(counted) - 0.5)
    axes.grid(axis="x", color=LIGHT, lw=0.7)
    axes.set_xlabel("ResNet-50 images per second of the site, offline, INT8, million")
    axes.set_title(f"The site: {capacity:g} PF under each counting rule")


def _wrapped(text: str) -> str:
    return text if "\n" in text or len(text) < 28 else text.replace(", ", ",\n", 1)


_INPUT_LABELS = {
    "server.cards": "cards per server", "assumed.load": "busy share of the year", "assumed.idle": "idle / busy power",
    "price.unpriced_card": "card without a price, USD", "price.facility": "facility, million KRW/kW",
    "price.host": "server, million KRW", "price.exchange": "exchange, KRW/USD", "price.lifetime": "lifetime, years",
    "assumed.card_load": "card power / TDP", "server.fan_share": "fans / server power",
}


def _input_label(name: str, unit: str) -> str:
    if name in _INPUT_LABELS:
        return _INPUT_LABELS[name]
    if name.startswith("record.") and name.endswith(".range"):
        _, chip, workload, *_ = name.split(".")
        return f"{card_name(chip)} {workload.split('_')[0]}, model range"
    head, _, tail = name.rpartition(".")
    owner = f"{card_name(head.removeprefix('card.'))} " if head.startswith("card.") else ""
    text = (owner + tail).replace("_", " ").replace("pue", "PUE").replace("tdp", "TDP")
    return text if unit == "1" else f"{text}, {unit}"
