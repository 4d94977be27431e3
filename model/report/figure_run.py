"""Plots of a run's own page: the machine, and where its cycles went, RTL above model."""

from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from model.report.figure_style import GREY, HATCHES, INK, LIGHT, SAFE, foot, plt
from model.report.machine_part import Memory, parts_of
from model.report.summary import Summary

MOST_CELLS = 4096
"""Cells of a grid that are drawn one by one; a larger one is drawn as a plane."""
MOST_LAYERS = 12
"""Layers whose names fit a bar."""
LEAST_SHARE = 0.002
"""Share of the cycles from which on a cause is in the legend."""


def machine(summary: Summary) -> Canvas | None:
    """The grid of cells to its own proportions, and the memories as bars of bytes on a log axis, with dots."""
    parts = parts_of(summary.chip.machine)
    if not parts.rows:
        return None
    canvas, (grid, sizes) = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained", width_ratios=(1, 1.2))
    if parts.rows * parts.columns <= MOST_CELLS:
        for row in range(parts.rows):
            for column in range(parts.columns):
                grid.add_patch(Rectangle((column + 0.1, row + 0.1), 0.8, 0.8, fc=SAFE[4], ec="none"))
    else:
        grid.add_patch(Rectangle((0, 0), parts.columns, parts.rows, fc=SAFE[4], ec=INK, lw=0.8))
    grid.set_xlim(-0.5, parts.columns + 0.5)
    grid.set_ylim(parts.rows + 0.5, -0.5)
    grid.set_aspect("equal" if max(parts.rows, parts.columns) <= 8 * min(parts.rows, parts.columns) else "auto")
    grid.set_xticks([0.5, parts.columns - 0.5], ["1", str(parts.columns)])
    grid.set_yticks([0.5, parts.rows - 0.5], ["1", str(parts.rows)])
    grid.set_xlabel("columns")
    grid.set_ylabel("rows")
    grid.set_title(f"{parts.rows} x {parts.columns}: {parts.cell}")
    places = range(len(parts.memories))
    values = [memory.bytes for memory in parts.memories]
    sizes.hlines(places, min(values) / 2, values, color=LIGHT, lw=1.2)
    sizes.plot(values, places, "o", color=SAFE[0], ms=7)
    for place, memory in zip(places, parts.memories, strict=True):
        sizes.annotate(
            _described(memory), (memory.bytes, place), xytext=(0, 7), textcoords="offset points", ha="center",
            fontsize=8, color=INK,
        )  # fmt: skip
    sizes.set_xscale("log", base=2)
    sizes.set_xlim(min(values) / 4, max(values) * 8)
    sizes.set_xticks([t for t in (2.0**e for e in range(2, 42, 4)) if min(values) / 4 <= t <= max(values) * 8])
    sizes.xaxis.set_major_formatter(lambda value, _: _bytes(value))
    sizes.minorticks_off()
    sizes.set_yticks(list(places), [memory.name for memory in parts.memories])
    sizes.set_ylim(len(parts.memories) - 0.5, -0.7)
    sizes.set_xlabel("bytes, all copies")
    sizes.set_title("memories: words x bits")
    foot(canvas, f"{summary.chip.title}. From its description, {summary.chip_name}, digest {summary.chip.digest}.")
    return canvas


def cycles(summary: Summary) -> Canvas | None:
    """Bars over the cycles of the run, RTL and model apart: its layers one after the other, and its cycles by cause."""
    results = [(name, m.result) for name, m in (("RTL", summary.rtl), ("model", summary.model)) if m is not None]
    results = [(name, result) for name, result in results if result.phases and result.cycles]
    if not results:
        return None
    layered = [(name, r) for name, r in results if r.layers and sum(int(x["cycles"]) for x in r.layers) == r.cycles]
    height = 1.2 + 0.62 * (len(results) + len(layered))
    canvas, axes = plt.subplots(figsize=(8.4, max(2.6, height)), layout="constrained")
    labels, place = [], 0
    for name, result in layered:
        left = 0
        for number, layer in enumerate(result.layers):
            width = int(layer["cycles"])
            axes.barh(
                place, width, left=left, height=0.6, color=(SAFE[4], LIGHT)[number % 2], edgecolor="white", lw=0.6
            )
            if len(result.layers) <= MOST_LAYERS and width > 0.06 * result.cycles:
                axes.text(left + width / 2, place, str(layer["name"]), ha="center", va="center", fontsize=8, color=INK)
            left += width
        labels.append(f"layers, {name}")
        place += 1
    causes = sorted(
        {c for _, r in results for c, n in r.phases.items() if n}, key=lambda c: -results[0][1].phases.get(c, 0)
    )
    for name, result in results:
        left = 0
        for number, cause in enumerate(causes):
            width = result.phases.get(cause, 0)
            shown = name == results[0][0] and width >= LEAST_SHARE * result.cycles
            axes.barh(
                place, width, left=left, height=0.6, color=SAFE[number % len(SAFE)],
                hatch=HATCHES[number % len(HATCHES)], edgecolor="white", lw=0.6,
                label=f"{cause.replace('_', ' ')} {width / result.cycles:.1%}" if shown else None,
            )  # fmt: skip
            left += width
        labels.append(f"causes, {name}")
        place += 1
    axes.set_yticks(range(place), labels)
    axes.set_ylim(place - 0.4, -0.6)
    axes.set_xlim(0, max(r.cycles for _, r in results))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("cycles of the core's clock")
    axes.set_title(f"{summary.chip_name}: {summary.workload}, {results[0][1].cycles:,} cycles")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=4, fontsize=8.5)
    foot(canvas, "Layers stand in time; causes are sums over the run, largest first. Every cycle has one cause.")
    axes.tick_params(axis="y", colors=GREY)
    return canvas


def _described(memory: Memory) -> str:
    copies = f"{memory.copies:,} x " if memory.copies > 1 else ""
    return f"{copies}{memory.words:,} x {memory.bits:,} = {_bytes(memory.bytes)}"


def _bytes(value: float) -> str:
    """A number of bytes with a binary prefix."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:,.4g} {unit}"
        value /= 1024
    return f"{value:,.4g} GiB"
