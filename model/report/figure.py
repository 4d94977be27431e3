"""Plots of the summary (matplotlib without a display): each says units, ranges, number format and batch."""

from collections.abc import Callable

from matplotlib.figure import Figure as Canvas

from model.report.figure_run import cycles, machine
from model.report.figure_stage_runs import stage_runs
from model.report.figure_style import BLUE, GREY, HATCHES, INK, LIGHT, ORANGE, RC, SAFE, foot, one_axes, plt, save
from model.report.summary import Summary

Plot = tuple[str, str, Callable[[Summary], Canvas | None]]


def write_all(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Write every plot the summary has data for into its folder; (file name, caption) of each."""
    written = []
    for name, caption, draw in PLOTS:
        if summary.about != "all" and (name in OF_A_RUN) != (summary.about == "run"):
            continue
        with plt.rc_context(RC):
            canvas = draw(summary)
            if canvas is not None:
                save(canvas, summary.folder / name)
                plt.close(canvas)
                written.append((name, caption))
    return tuple(written)


def _gemms(count: int) -> str:
    return f"{count} GEMM" if count == 1 else f"{count} GEMMs"


def utilisation(summary: Summary) -> Canvas | None:
    """Utilisation against GEMM size: the model's values as a line, the RTL's as points on it."""
    by_witness = {w: [p for p in summary.points if p.witness == w] for w in ("model", "rtl")}
    if not any(by_witness.values()):
        return None
    canvas, axes = one_axes()
    model = {round(p.size, 6): p.utilisation for p in by_witness["model"]}
    sizes = sorted(model)
    if sizes:
        axes.plot(
            sizes,
            [100 * model[s] for s in sizes],
            color=BLUE,
            lw=1.8,
            marker="s" if len(sizes) == 1 else None,  # one point has no line to be seen
            ms=11,
            zorder=2,
            label=f"closed form ({_gemms(len(by_witness['model']))})",
        )
    rtl = by_witness["rtl"]
    axes.plot(
        [p.size for p in rtl],
        [100 * p.utilisation for p in rtl],
        "o",
        ms=6.5,
        mfc="white",
        mec=ORANGE,
        mew=1.8,
        zorder=3,
        label=f"RTL in Verilator ({_gemms(len(rtl))})",
    )
    axes.set_xscale("log", base=2)
    ticks = [
        s
        for s in (4, 8, 16, 32, 64, 128, 256, 512, 1024)
        if min(p.size for p in summary.points) / 1.5 <= s <= max(p.size for p in summary.points) * 1.5
    ]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 104)
    axes.grid(axis="y", color=LIGHT, lw=0.7)
    axes.set_xlabel("GEMM size: cube root of its multiply-accumulates (M = N = K of a cube)")
    axes.set_ylabel("utilisation of the MAC array, %")
    machine = summary.chip.machine
    assert machine is not None  # there are points
    axes.set_title(f"{summary.chip_name}: utilisation of the {machine.label}, {machine.number.upper()}")
    largest = max(summary.points, key=lambda p: p.size)
    axes.annotate(
        f"{largest.utilisation:.2%} at {largest.size:.0f}",
        (largest.size, 100 * largest.utilisation),
        xytext=(-8, -16),
        textcoords="offset points",
        ha="right",
        color=GREY,
    )
    axes.legend(loc="lower right")
    foot(
        canvas,
        "MAC done / (cycles x cells); cycles from the first command to the last output, fill and drain "
        "included. From records.",
    )
    return canvas


def energy(summary: Summary) -> Canvas | None:
    """Energy by component under each table, with the interval of the total."""
    if not summary.energies or summary.record is None:
        return None
    figures = summary.record.result.figures
    per = figures.get("images") or 1
    what = "image" if figures.get("images") else "run"
    canvas, axes = one_axes()
    names = list(dict.fromkeys(c.component for _, e in summary.energies for c in e.components))
    largest = max(e.total_j.high for _, e in summary.energies) / per
    scale, unit = next(
        ((s, u) for s, u in ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ")) if largest >= s), (1e-12, "pJ")
    )
    labels = []
    for row, priced in enumerate(e for _, e in summary.energies):
        left = 0.0
        parts = {c.component: c.energy_j.nominal / per / scale for c in priced.components}
        for index, name in enumerate(names):
            value = parts.get(name, 0.0)
            axes.barh(
                row,
                value,
                left=left,
                height=0.5,
                color=SAFE[index % len(SAFE)],
                hatch=HATCHES[index % len(HATCHES)],
                edgecolor="white",
                lw=0.6,
                label=name.replace("_", " ") if row == 0 else None,  # every name once, of all tables
            )
            left += value
        t = priced.total_j
        low, nominal, high = (v / per / scale for v in (t.low, t.nominal, t.high))
        axes.errorbar(
            nominal, row + 0.36, xerr=[[nominal - low], [high - nominal]], fmt="|", color=INK, capsize=4, lw=1.2, ms=8
        )
        axes.annotate(
            f"{low:.3g} .. {nominal:.3g} .. {high:.3g} {unit}",
            (high, row + 0.36),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
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
    measured = summary.energies[-1][1].table.gates
    covers = f" The measured bar covers {', '.join(measured.covers)} only." if measured else ""
    first = summary.energies[0][1]
    foot(
        canvas,
        f"Counts of the {witness} x energies per event; {first.activity}. Whiskers: range with "
        f"the table's stated error.{covers}\nNot in it: {first.table.leaves_out}.",
    )
    return canvas


OF_A_RUN = ("machine.png", "cycles.png", "utilisation.png", "energy.png")
"""Plots of the run's own chip; the others are of the programme."""

PLOTS: tuple[Plot, ...] = (
    ("machine.png", "The machine: its grid of cells and its memories", machine),
    ("cycles.png", "Where the cycles of the run went, RTL above model", cycles),
    ("utilisation.png", "Utilisation of the MAC array against GEMM size, closed form and RTL", utilisation),
    ("energy.png", "Priced energy by component", energy),
    ("stage_runs.png", "One language model on the machines of stages 1 to 3: cycles, energy, quality", stage_runs),
)
