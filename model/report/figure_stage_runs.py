"""Plot of one language model on the machines of the three stages; what rests on a hypothesis is hatched."""

from matplotlib import pyplot as plt
from matplotlib.figure import Figure as Canvas

from model.crossbar.stages import StageRun, committed
from model.report.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, PURPLE, foot
from model.report.section_language import language_runs
from model.report.summary import Summary

COLOURS = {1: BLUE, 2: GREEN, 3: PURPLE}
PARTS = {"DRAM": GREY, "core": BLUE, "vector unit": GREEN, "shared memory": ORANGE, "crossbars": PURPLE}


def stage_runs(summary: Summary) -> Canvas | None:
    """Cycles, energy and bits per character of the committed runs; None without them."""
    rows = committed(language_runs())
    return draw(rows) if rows else None


def draw(rows: list[StageRun]) -> Canvas:
    """Three panels, a bar for each row; bits per character a point for each setting with the spread over seeds."""
    canvas, (cycles, energy, quality) = plt.subplots(
        1, 3, figsize=(13.4, 4.6), layout="constrained", width_ratios=(1, 1, 1.25)
    )
    names = [f"stage {row.stage}: {row.title}" for row in rows]
    places = range(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        cycles.barh(place, row.run.cycles_per_token, height=0.6, color=COLOURS[row.stage])
        cycles.annotate(
            f"{row.run.cycles_per_token:,.0f}", (row.run.cycles_per_token, place), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=8.5,
        )  # fmt: skip
        for shift, (part, colour) in zip((0.3, 0.15, 0.0, -0.15, -0.3), PARTS.items(), strict=True):
            held = row.energy_j.get(part)
            if held is None or not held.nominal:
                continue
            at, hatch = place + shift, "///" if part == "crossbars" else None
            energy.barh(at, held.nominal * 1e6, height=0.13, color=colour, edgecolor="white", lw=0.5, hatch=hatch)
            energy.plot([held.low * 1e6, held.high * 1e6], [at, at], color=INK, lw=0.8)
        total = row.total_j.nominal * 1e6
        energy.annotate(
            f"sum {total:,.3g}", (1.03, place), xycoords=("axes fraction", "data"), va="center", fontsize=8.5
        )
    cycles.set_yticks(list(places), names, fontsize=8.5)
    cycles.xaxis.set_major_formatter("{x:,.0f}")
    cycles.tick_params(axis="x", labelsize=8)
    cycles.set_xlim(0, max(row.run.cycles_per_token for row in rows) * 1.2)
    cycles.set_title("cycles a token, on RTL", fontsize=10)
    energy.set_yticks(list(places), [""] * len(rows))
    energy.set_xscale("log")
    energy.set_xlim(left=0.01)
    energy.set_title("microjoules a token, priced", fontsize=10)
    for part, colour in PARTS.items():
        energy.barh(0, 0, color=colour, label=part, hatch="///" if part == "crossbars" else None, edgecolor="white")
    energy.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, frameon=False)
    points = [
        (row, title, values)
        for n, row in enumerate(rows)
        for title, values in row.bits_per_character
        if not any(title == other for earlier in rows[:n] if earlier.stage == row.stage
                   for other, _ in earlier.bits_per_character)
    ]  # fmt: skip
    for place, (row, _, values) in zip(range(len(points))[::-1], points, strict=True):
        mean = sum(values) / len(values)
        assumed = row.stage == 3 and len(values) > 1
        quality.plot([min(values), max(values)], [place, place], color=ORANGE, lw=5, alpha=0.35, solid_capstyle="butt")
        quality.plot(mean, place, "o", ms=6, mfc="white" if assumed else COLOURS[row.stage], mec=COLOURS[row.stage])
        quality.annotate(
            f"{mean:.3f}", (mean, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    quality.set_yticks(
        range(len(points))[::-1], [f"stage {row.stage}: {title}" for row, title, _ in points], fontsize=8.5
    )
    least, most = (f(v for _, _, values in points for v in values) for f in (min, max))
    quality.set_xlim(least - 0.1 * (most - least) - 1e-4, most + 0.35 * (most - least) + 1e-3)
    quality.set_title("bits a character of unseen text", fontsize=10)
    for axes in (cycles, energy, quality):
        axes.grid(axis="x", color=LIGHT, lw=0.7)
        axes.set_ylim(-0.6, (len(points) if axes is quality else len(rows)) - 0.4)
    foot(
        canvas,
        "The same model, prompt and tokens; every tensor equal to its reference. Cycles of all stages are measured "
        "on our RTL at one clock. Hatched: energies of a hypothesis (converters, cells, wires of crossbars); lines: "
        "lowest and highest source. Open points: drawn cells, bands over seeds. Control and clock of waiting units are "
        "left out of the energies of all stages.",
    )
    return canvas
