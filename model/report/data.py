"""The summary's numbers for other programs: CSV of all projected figures, JSON of everything."""

import csv
import io
import json

from model.projection.projection import walk
from model.report.section import sections
from model.report.summary import Summary


def render_csv(summary: Summary) -> str:
    """One line per projected figure: name, unit, low, nominal, high, p5, p95, confidence, note."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("figure", "unit", "low", "nominal", "high", "p5", "p95", "weakest_input", "note"))
    for value in summary.ranges.values():
        b = value.bounds
        numbers = (f"{v:.9g}" for v in (b.low, b.nominal, b.high, value.p5, value.p95))
        writer.writerow((value.name, value.unit, *numbers, value.confidence, value.note))
    return buffer.getvalue()


def render_json(summary: Summary) -> str:
    """{"sections": [...], "figures": {...}, "inputs": {...}, "steps": {...}, "energy": [...]}: numbers as numbers,
    units in the names.

    A figure has its formula over the names of figures and inputs, an input its origin, a step between them
    its nominal value: `compare` finds causes in them.
    """
    figures = {figure.name: figure for figure in walk(summary.projection.figures) if figure.name}
    document = {
        "chip": summary.chip_name,
        "workload": summary.workload,
        "seed": summary.seed,
        "sections": [
            {"title": s.title, "rows": [list(row) for row in s.rows], "notes": ["".join(note) for note in s.notes]}
            for s in sections(summary)
        ],
        "energy": [
            {
                "table": e.table.title,
                "node_nm": e.table.node_nm,
                "activity": e.activity,
                "unpriced": list(e.unpriced),
                "components_j": {
                    c.component: [c.energy_j.low, c.energy_j.nominal, c.energy_j.high] for c in e.components
                },
            }
            for _, e in summary.energies
        ],
        "figures": {
            r.name: {
                "unit": r.unit,
                "low": r.bounds.low,
                "nominal": r.bounds.nominal,
                "high": r.bounds.high,
                "p5": r.p5,
                "p95": r.p95,
                "weakest_input": r.confidence,
                "formula": figures[r.name].formula,
                "inputs": [figure.name for figure in figures[r.name].inputs],
            }
            for r in summary.ranges.values()
        },
        "inputs": {
            name: {
                "unit": figure.unit,
                "nominal": figure.nominal,
                "low": figure.nominal if figure.fact is None else figure.fact.minimum,
                "high": figure.nominal if figure.fact is None else figure.fact.maximum,
                "origin": figure.formula,
            }
            for name, figure in sorted(figures.items())
            if figure.is_leaf
        },
        "steps": {
            name: {
                "unit": figure.unit,
                "nominal": figure.nominal,
                "formula": figure.formula,
                "inputs": [below.name for below in figure.inputs],
            }
            for name, figure in sorted(figures.items())
            if not figure.is_leaf and name not in summary.ranges
        },
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
