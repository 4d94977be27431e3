"""A figure opened to its origin: formula, inputs, and at the end records and facts."""

from model.energy.price import Interval
from model.projection.figure import Figure
from model.projection.locator import located
from model.projection.projection import Projection


def explain(projection: Projection, name: str) -> str:
    """The tree below the figure `name`, one node per line; a node already shown is referred to, not repeated."""
    root = projection[name]
    lines: list[str] = []
    shown: set[str] = set()

    def show(figure: Figure, prefix: str, own: str) -> None:
        interval = projection.interval(figure)
        text = f"{figure.name} = {quantity(interval.nominal, figure.unit)}"
        if interval.low < interval.high:
            text += f"  [{compact(interval.low)} .. {compact(interval.high)}]"
        if not figure.is_leaf:
            text += f"  ({figure.confidence})"
        repeated = figure.name in shown and not figure.is_leaf
        lines.append(own + text + ("  (above)" if repeated else ""))
        if repeated:
            return
        shown.add(figure.name)
        inputs = figure.inputs
        stem = prefix + ("│   " if inputs else "    ")
        lines.append(stem + (figure.formula if figure.is_leaf else "= " + figure.formula))
        if figure.is_leaf:
            lines.extend(f"{stem}# {document}" for document in located(figure.formula))
        if figure.note and not figure.is_leaf:
            lines.append(stem + f"# {figure.note}")
        for index, child in enumerate(inputs):
            last = index == len(inputs) - 1
            show(child, prefix + ("    " if last else "│   "), prefix + ("└── " if last else "├── "))

    show(root, "", "")
    return "\n".join(lines) + "\n"


def below(projection: Projection, name: str) -> list[Figure]:
    """The figure `name` and every figure it rests on, each once, before its inputs."""
    found: dict[str, Figure] = {}
    waiting = [projection[name]]
    while waiting:
        figure = waiting.pop()
        if figure.name not in found:
            found[figure.name] = figure
            waiting += reversed(figure.inputs)
    return list(found.values())


def as_json(figure: Figure, interval: Interval) -> dict[str, object]:
    """A figure for scripts: value, 5 % and 95 %, formula or origin, names of its inputs."""
    return {
        "name": figure.name,
        "unit": figure.unit,
        "nominal": interval.nominal,
        "range": [interval.low, interval.high],
        "confidence": figure.confidence,
        "formula": figure.formula,
        "note": figure.note,
        "inputs": [child.name for child in figure.inputs],
    }


def compact(value: float) -> str:
    """Four significant digits, thousands separated, no exponent between 0.001 and a billion."""
    if value == 0 or 1e-3 <= abs(value) < 1e9:
        digits = f"{value:.4g}"
        if "e" in digits or abs(value) >= 1000:
            return f"{round(value, 4 - len(str(int(abs(value))))):,.0f}"
        return digits
    return f"{value:.3e}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; ratios stand alone."""
    return compact(value) if unit == "1" else f"{compact(value)} {unit}"
