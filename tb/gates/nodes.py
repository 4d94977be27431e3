"""Energies at the gates scaled to other nodes, beside published cores: text and plot."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from hw.base.file import write_atomically
from hw.base.palette import SAFE
from hw.gates import scaling

Ranges = Mapping[str, Mapping[str, float]]
"""Operand class to low, nominal and high pJ per MAC at 45 nm."""
_MARKS = {"unit": "v", "core": "o", "cluster": "s", "system": "D", "card": "*"}


def text(here: Mapping[str, float], number: str) -> list[str]:
    """One line per node, and for INT8 whether 16 to 22 nm lie inside what is published."""
    lines = ["scaled by Stillmaker and Baas 2017, pJ per MAC (assumed supplies; range of devices and supplies)"]
    for node in scaling.VOLTAGES:
        f = scaling.factor(node)
        anchors = ", ".join(
            f"{p.name} {p.number_format} {p.pj_per_mac:g} ({p.scope})" for p in scaling.PUBLISHED if p.node_nm == node
        )
        lines.append(
            f"{node:4} nm {here['nominal'] * f.nominal:7.3f}  ({here['low'] * f.low:.3f} to "
            f"{here['high'] * f.high:.3f}){' extrapolated' if f.extrapolated else ''}  {anchors}"
        )
    if number == "int8":
        low, high = scaling.BRACKET
        found = {node: here["nominal"] * scaling.factor(node).nominal for node in (22, 16)}
        lines.append(
            f"published INT8 at 16 to 22 nm, core alone to system: {low} to {high} pJ per MAC; here "
            + ", ".join(f"{v:.2f} at {n} nm {_where(v)}" for n, v in found.items())
        )
    return lines


def _where(value: float) -> str:
    low, high = scaling.BRACKET
    if low <= value <= high:
        return "inside"
    return f"below by {low / value:.2f} x" if value < low else f"above by {value / high:.2f} x"


def plot(classes: Ranges, number: str, path: Path, title: str) -> None:
    """pJ per MAC by node, one band per operand class, published figures marked by scope."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, rcsetup

    pyplot.rcParams["axes.prop_cycle"] = rcsetup.cycler(color=SAFE)

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    factors = [scaling.factor(n) for n in scaling.VOLTAGES]
    nodes = [f.node_nm for f in factors]
    for name, here in classes.items():
        (line,) = axes.plot(nodes, [here["nominal"] * f.nominal for f in factors], marker=".", label=f"{name}, here")
        axes.fill_between(
            nodes,
            [here["low"] * f.low for f in factors],
            [here["high"] * f.high for f in factors],
            alpha=0.15,
            color=line.get_color(),
        )
    used = set()
    for p in scaling.PUBLISHED:
        label = f"published, {p.scope}" if p.scope not in used else None
        used.add(p.scope)
        axes.plot(
            p.node_nm,
            p.pj_per_mac,
            _MARKS[p.scope],
            markersize=9,
            label=label,
            linestyle="none",
            color="black" if p.number_format == number else "none",
            markeredgecolor="black",
        )
        left = p.node_nm > 10
        axes.annotate(
            f"{p.name} {p.number_format}",
            (p.node_nm, p.pj_per_mac),
            fontsize=8,
            textcoords="offset points",
            xytext=(-9, 4) if left else (9, -3),
            ha="right" if left else "left",
        )
    axes.set(xscale="log", yscale="log", xlabel="node, nm", ylabel="pJ per MAC", title=title)
    axes.set_xticks(nodes, [f"{n}" for n in nodes])
    axes.minorticks_off()
    axes.set_xlim(52, 1.7)  # room for names on the right
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper right")
    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix[1:], dpi=120)
    write_atomically(path, drawn.getvalue())
    pyplot.close(figure)
