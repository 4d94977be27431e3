"""Plots of the PF ledger: one card's peak, achievable and delivered; the site under each counting rule."""

from matplotlib import pyplot as plt
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from model.projection.explain import compact
from model.report import stated
from model.report.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, PURPLE, foot
from model.report.label import card_name
from model.report.load import INCUMBENTS
from model.report.summary import Summary

KINDS = (
    ("peak as printed", LIGHT),
    (f"achievable: {stated.NETWORK} {stated.IMAGES.batch} by the chip model, {stated.IMAGES.number_format}", BLUE),
    (f"delivered: {stated.NETWORK} {stated.IMAGES.batch}, {stated.IMAGES.number_format}", ORANGE),
    (f"delivered: {stated.TOKENS.title}, {stated.TOKENS.number_format}, {stated.TOKENS.batch}", PURPLE),
)


def ledger(summary: Summary) -> Canvas | None:
    """Peak, achievable and delivered of each domestic card and format, and one incumbent as the yardstick."""
    if summary.programme is None:
        return None
    rows = [
        row for row in summary.programme.ledger if not row.card.startswith(INCUMBENTS) or row.card == "nvidia_h100_sxm"
    ][::-1]
    canvas, axes = plt.subplots(figsize=(9.6, 1.6 + 0.42 * len(rows)), layout="constrained")
    for index, row in enumerate(rows):
        figures = (row.peak, row.achievable, row.delivered.get("images"), row.delivered.get("tokens"))
        shown = [(figure, colour) for figure, (_, colour) in zip(figures, KINDS, strict=True) if figure is not None]
        height = 0.84 / max(len(shown), 4)
        for place, (figure, colour) in enumerate(shown):
            bounds, y = summary.ranges[figure.name].bounds, index + height * (len(shown) / 2 - place - 0.5)
            modelled = colour == ORANGE and "chip model" in figure.note
            axes.barh(
                y,
                bounds.nominal,
                height=0.9 * height,
                color=colour,
                edgecolor="white",
                lw=0,
                hatch="////" if modelled else None,
            )
            if bounds.low < bounds.high:
                axes.plot([bounds.low, bounds.high], [y, y], color=INK, lw=0.8)
            axes.annotate(
                compact(bounds.nominal),
                (max(bounds.high, bounds.nominal), y),
                xytext=(4, 0),
                fontsize=7,
                textcoords="offset points",
                va="center",
                color=GREY,
            )
    axes.set_xscale("log")
    least = min(f.nominal for row in rows for f in row.all if f.nominal > 0)
    axes.set_xlim(least / 2, 6000)
    axes.set_yticks(range(len(rows)), [f"{card_name(r.card)}, {r.number_format.upper()}" for r in rows], fontsize=8.5)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="x", color=LIGHT, lw=0.7)
    axes.set_xlabel("10^12 operations per second of one card (two per multiply-accumulate, dense)")
    axes.set_title("PF ledger: peak, achievable and delivered of one card")
    axes.legend(
        [Rectangle((0, 0), 1, 1, color=c) for _, c in KINDS],
        [name for name, _ in KINDS],
        fontsize=8,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.4, -0.06),
    )
    foot(
        canvas,
        "Lines: every input at its better and at its worse end. Delivered: published; hatched: by "
        "the chip model, nothing is published.\nX220's peak is unverified; achievable below delivered: the "
        "chip model is slow there, make validate says why.",
    )
    return canvas


def counting(summary: Summary) -> Canvas | None:
    """What the first site delivers under each counting rule, by operator."""
    if summary.programme is None or not summary.programme.counted:
        return None
    site, rules = next(iter(summary.programme.counted.items()))
    if not rules:
        return None
    counted = list(rules.values())[::-1]
    capacity = summary.programme.sites[site].scenario.capacity.nominal
    canvas, axes = plt.subplots(figsize=(10.2, 1.5 + 0.85 * len(counted)), layout="constrained")
    colours = (BLUE, ORANGE, GREEN, PURPLE)
    operators = list(counted[0].site.by_operator)
    for index, one in enumerate(counted):
        left, start = 0.0, one.site.name
        for operator, colour in zip(operators, colours, strict=False):
            value = summary.value(one.site.by_operator[operator].images.name) / 1e6
            axes.barh(index, value, left=left, height=0.42, color=colour, edgecolor="white", lw=0.6)
            left += value
        bounds = summary.ranges[f"{start}.images_per_s"].bounds
        axes.plot([bounds.low / 1e6, bounds.high / 1e6], [index, index], color=INK, lw=0.9)
        pf, cards, wall = (summary.value(f"{start}.{tail}") for tail in ("nominal_pf", "cards", "wall_kw"))
        text = (
            f"{pf:.3f} PF ({pf - capacity:+.3f}), {cards:.0f} cards, {bounds.nominal / 1e6:.2f} M images/s"
            + (
                f", {summary.value(f'{start}.tokens_per_s') / 1e3:.0f} k tokens/s"
                if f"{start}.tokens_per_s" in summary.ranges
                else ""
            )
            + f", {wall:.0f} kW at the wall"
        )
        axes.annotate(text, (0, index - 0.34), xytext=(2, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(
        range(len(counted)), [_wrapped(one.rule.title.replace(": ", ":\n", 1)) for one in counted], fontsize=8.5
    )
    axes.set_ylim(-0.6, len(counted) - 0.55)
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=LIGHT, lw=0.7)
    axes.set_xlabel(
        f"{stated.NETWORK} images per second of the site, {stated.IMAGES.batch}, {stated.IMAGES.number_format}, million"
    )
    axes.set_title(f"{summary.programme.sites[site].scenario.title}: {capacity:g} PF under each counting rule")
    axes.legend(
        [Rectangle((0, 0), 1, 1, color=c) for c in colours[: len(operators)]],
        [f"{o.upper()} share" for o in operators],
        ncols=3,
        loc="upper center",
        bbox_to_anchor=(0.4, -0.1),
        fontsize=8.5,
    )
    foot(
        canvas,
        f"Lines: every input at its better and at its worse end. Tokens: {stated.TOKENS.how} a card. Every rule "
        f"is a hypothesis.",
    )
    return canvas


def _wrapped(text: str) -> str:
    return text if "\n" in text or len(text) < 28 else text.replace(", ", ",\n", 1)
