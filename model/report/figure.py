"""Plots of the summary (matplotlib without a display): each says units, ranges, number format and batch."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # after the backend is chosen
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from model.projection.site import pf_ledger
from model.report.summary import Summary

INK, GREY, LIGHT = "#1a1a1a", "#6b6b6b", "#d9d9d9"
BLUE, ORANGE, GREEN, PURPLE = "#2b6cb0", "#dd6b20", "#2f855a", "#6b46c1"
SIZE = (8.4, 4.8)

Plot = tuple[str, str, Callable[[Summary], Canvas | None]]


def write_all(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Write every plot the summary has data for into its folder; (file name, caption) of each."""
    written = []
    for name, caption, draw in PLOTS:
        with plt.rc_context({
            "font.size": 9.5, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY,
            "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.axisbelow": True,
            "legend.frameon": False, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        }):
            canvas = draw(summary)
            if canvas is not None:
                _save(canvas, summary.folder / name)
                plt.close(canvas)
                written.append((name, caption))
    return tuple(written)


def utilisation(summary: Summary) -> Canvas | None:
    """Utilisation against GEMM size: the model's values as a line, the RTL's as points on it."""
    by_witness = {w: [p for p in summary.points if p.witness == w] for w in ("model", "rtl")}
    if not any(by_witness.values()):
        return None
    canvas, axes = _axes()
    model = {round(p.size, 6): p.utilisation for p in by_witness["model"]}
    sizes = sorted(model)
    if sizes:
        axes.plot(sizes, [100 * model[s] for s in sizes], color=BLUE, lw=1.8, zorder=2,
                  label=f"closed form ({len(by_witness['model'])} GEMMs)")
    rtl = by_witness["rtl"]
    axes.plot([p.size for p in rtl], [100 * p.utilisation for p in rtl], "o", ms=6.5, mfc="white", mec=ORANGE, mew=1.8,
              zorder=3, label=f"RTL in Verilator ({len(rtl)} GEMMs)")
    axes.set_xscale("log", base=2)
    ticks = [s for s in (4, 8, 16, 32, 64, 128, 256, 512, 1024)
             if min(p.size for p in summary.points) / 1.5 <= s <= max(p.size for p in summary.points) * 1.5]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 104)
    axes.grid(axis="y", color=LIGHT, lw=0.7)
    axes.set_xlabel("GEMM size: cube root of its multiply-accumulates (M = N = K of a cube)")
    axes.set_ylabel("utilisation of the MAC array, %")
    core = summary.chip.core
    assert core is not None
    array = core.array
    axes.set_title(f"{summary.chip_name}: utilisation of the {array.rows} x {array.columns} array, "
                   f"{array.activation_format.upper()}")
    largest = max(summary.points, key=lambda p: p.size)
    axes.annotate(f"{largest.utilisation:.2%} at {largest.size:.0f}", (largest.size, 100 * largest.utilisation),
                  xytext=(-8, -16), textcoords="offset points", ha="right", color=GREY)
    axes.legend(loc="lower right")
    _foot(canvas, "MAC done / (cycles x cells); cycles from the first command to the last output, fill and drain "
                  "included. From records.")
    return canvas


def energy(summary: Summary) -> Canvas | None:
    """Energy by component under each table, with the interval of the total."""
    if not summary.energies or summary.record is None:
        return None
    figures = summary.record.result.figures
    per = figures.get("images") or 1
    what = "image" if figures.get("images") else "run"
    canvas, axes = _axes()
    names = [c.component for c in summary.energies[0].components]
    colours = plt.get_cmap("tab10")
    largest = max(e.total_j.high for e in summary.energies) / per
    scale, unit = next(((s, u) for s, u in ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ")) if largest >= s),
                       (1e-12, "pJ"))
    labels = []
    for row, priced in enumerate(summary.energies):
        left = 0.0
        parts = {c.component: c.energy_j.nominal / per / scale for c in priced.components}
        for index, name in enumerate(names):
            value = parts.get(name, 0.0)
            axes.barh(row, value, left=left, height=0.5, color=colours(index % 10), edgecolor="white", lw=0.6,
                      label=name.replace("_", " ") if row == 0 else None)
            left += value
        t = priced.total_j
        low, nominal, high = (v / per / scale for v in (t.low, t.nominal, t.high))
        axes.errorbar(nominal, row + 0.36, xerr=[[nominal - low], [high - nominal]], fmt="|", color=INK, capsize=4,
                      lw=1.2, ms=8)
        axes.annotate(f"{low:.3g} .. {nominal:.3g} .. {high:.3g} {unit}", (high, row + 0.36), xytext=(8, 0),
                      textcoords="offset points", va="center", color=INK)
        labels.append(f"{priced.table.node_nm:g} nm\n{priced.table.title.split(',')[0]}")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(-0.5, len(labels) - 0.1)
    axes.set_xlim(0, largest / scale * 1.42)
    axes.grid(axis="x", color=LIGHT, lw=0.7)
    axes.set_xlabel(f"priced energy per {what}, {unit}")
    batch = f", batch of {figures['images']:.0f}" if figures.get("images") else ""
    axes.set_title(f"{summary.chip_name}: {summary.workload}{batch}, energy by component")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=8.5, columnspacing=1.2)
    witness = "RTL" if summary.record.result.witness == "rtl" else "model"
    _foot(canvas, f"Counts of the {witness} x published energies; {summary.energies[0].activity}. Whiskers: range with "
                  "the table's stated error.\nNot in it: " + summary.energies[0].table.leaves_out + ".")
    return canvas


def waterfall(summary: Summary) -> Canvas | None:
    """Power of the Gwangju site from the MAC arrays to the wall, step by step."""
    if summary.programme is None or "gwangju" not in summary.programme.sites:
        return None
    site = summary.programme.sites["gwangju"]
    canvas, axes = _axes()
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
    _foot(canvas, "ResNet-50 offline, INT8. Second line: every input at its better and "
                  "at its worse end.\nGreen: middle 90 % of 10,000 samples. Arrays and core memories: counts priced at "
                  "7 nm, scaled to each card's process. Cards: TDP x load.")
    return canvas


def tornado(summary: Summary) -> Canvas | None:
    """What drives the Gwangju site's power and yearly electricity cost, one input at a time."""
    if summary.programme is None or "gwangju" not in summary.programme.sites:
        return None
    canvas, pair = plt.subplots(1, 2, figsize=(11.4, 4.9), layout="constrained")
    for axes, (name, unit, title) in zip(pair, (
        ("gwangju.wall_kw", "kW", "Power at the wall"), ("gwangju.mkrw_per_year", "million KRW", "Electricity a year"),
    ), strict=True):
        drivers = summary.programme.projection.drivers(name)[:9][::-1]
        nominal = summary.ranges[name].bounds.nominal
        for row, driver in enumerate(drivers):
            fact = driver.leaf.fact
            assert fact is not None
            for value, colour in ((driver.at_low, BLUE), (driver.at_high, ORANGE)):
                axes.barh(row, value - nominal, left=nominal, color=colour, height=0.6)
            ends = sorted(((driver.at_low, fact.minimum), (driver.at_high, fact.maximum)))
            for (value, setting), side in zip(ends, ("right", "left"), strict=True):
                axes.annotate(f"{setting:g}", (value, row), xytext=(-4 if side == "right" else 4, 0), fontsize=8,
                              textcoords="offset points", ha=side, va="center", color=GREY)
        axes.axvline(nominal, color=INK, lw=0.9)
        axes.set_yticks(range(len(drivers)), [_input_label(d.leaf.name, d.leaf.unit) for d in drivers], fontsize=8.5)
        axes.margins(x=0.16)
        axes.grid(axis="x", color=LIGHT, lw=0.7)
        axes.set_xlabel(f"{unit} (nominal {nominal:.3g})")
        axes.set_title(f"{title}, {unit}")
    handles = [Rectangle((0, 0), 1, 1, color=c) for c in (BLUE, ORANGE)]
    pair[1].legend(handles, ("input at its low", "input at its high"), loc="lower right")
    canvas.suptitle("Gwangju public site: what drives the answer, one input at a time", x=0.01, ha="left",
                    fontweight="bold", fontsize=11)
    return canvas


def ledger(summary: Summary) -> Canvas | None:
    """Nominal PF of each share under every number format of its card, and the images it then delivers."""
    if summary.programme is None:
        return None
    site = next(iter(summary.programme.sites.values()))
    rows = pf_ledger(site.scenario, summary.programme.cards)[::-1]
    canvas, pair = plt.subplots(1, 2, figsize=(9.6, 4.2), layout="constrained", sharey=True)
    labels = [f"{_operator(r.operator)}: {r.card}, {r.number_format.upper()}" for r in rows]
    colours = [ORANGE if r.counted else LIGHT for r in rows]
    for axes, values, form, title in (
        (pair[0], [r.cards for r in rows], "{:.0f}", "cards for the share"),
        (pair[1], [r.images_per_s for r in rows], "{:,.0f}", "ResNet-50 images/s, offline, INT8"),
    ):
        axes.barh(range(len(rows)), values, color=colours, height=0.6)
        for row, value in enumerate(values):
            axes.annotate(form.format(value), (value, row), xytext=(4, 0), textcoords="offset points", va="center")
        axes.margins(x=0.26)
        axes.set_xlabel(title)
        axes.grid(axis="x", color=LIGHT, lw=0.7)
    pair[0].set_yticks(range(len(rows)), labels)
    pair[1].xaxis.set_major_formatter(lambda v, _: f"{v / 1e6:g} M" if v else "0")
    canvas.suptitle(f"PF ledger: what {site.scenario.capacity.nominal:g} PF means under each counting rule "
                    "(orange: nearest to whole cards)", x=0.01, ha="left", fontweight="bold", fontsize=11)
    return canvas


PLOTS: tuple[Plot, ...] = (
    ("utilisation.png", "Utilisation of the MAC array against GEMM size, closed form and RTL", utilisation),
    ("energy.png", "Priced energy by component", energy),
    ("waterfall.png", "Power of the Gwangju site from the MAC array to the wall", waterfall),
    ("tornado.png", "What drives the Gwangju site's power and electricity", tornado),
    ("ledger.png", "Cards and images per second under each counting rule of the shares", ledger),
)


_INPUT_LABELS = {
    "server.cards": "cards per server", "assumed.load": "busy share of the year", "assumed.idle": "idle / busy power",
    "assumed.card_load": "card power / TDP", "server.fan_share": "fans / server power",
}


def _input_label(name: str, unit: str) -> str:
    if name in _INPUT_LABELS:
        return _INPUT_LABELS[name]
    head, _, tail = name.rpartition(".")
    owner = f"{_card(head.removeprefix('card.'))} " if head.startswith("card.") else ""
    text = (owner + tail).replace("_", " ").replace("pue", "PUE").replace("tdp", "TDP")
    return text if unit == "1" else f"{text}, {unit}"


def _card(name: str) -> str:
    """A chip's name for a label: without its maker."""
    text = name.split("_", 1)[-1].replace("_", " ")
    return text.capitalize() if text == "warboy" else text.upper() if text == "atom" else text[0].upper() + text[1:]


def _operator(name: str) -> str:
    return name.upper() if len(name) <= 3 else name.capitalize()


def _axes() -> tuple[Canvas, Axes]:
    canvas, axes = plt.subplots(figsize=SIZE, layout="constrained")
    return canvas, axes


def _foot(canvas: Canvas, text: str) -> None:
    canvas.supxlabel(text, x=0.01, ha="left", fontsize=7.5, color=GREY)


def _save(canvas: Canvas, path: Path) -> None:
    """PNG without a time stamp, written atomically: the same summary gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".png")
    os.close(handle)
    try:
        canvas.savefig(temporary, dpi=130, metadata={"Software": None})
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
