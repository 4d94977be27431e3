"""The summary's numbers for other programs: CSV of all projected figures, JSON of everything."""

import csv
import io
import json

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
    """{"sections": [...], "figures": {...}, "energy": [...]}: numbers as numbers, units in the names."""
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
            }
            for r in summary.ranges.values()
        },
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
