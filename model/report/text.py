"""The summary for a terminal: aligned columns, sentences wrapped, no colour."""

import textwrap

from model.report.section import sections
from model.report.summary import Summary

WIDTH = 128


def render(summary: Summary, *, full: bool = False) -> str:
    """Plain text; one screen unless `full`."""
    parts = []
    for section in sections(summary, full=full):
        lines = [section.title, "-" * len(section.title)]
        lines += table(section.rows)
        for note in section.notes:
            lines += textwrap.wrap(
                "".join(note),
                WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def table(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    """Rows as aligned lines; columns whose cells are all numbers go to the right, the last column is not padded."""
    if not rows:
        return []
    columns = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(columns)]
    right = [all(_is_number(row[i]) for row in rows[1:]) for i in range(columns)]
    lines = []
    for row in rows:
        cells = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _is_number(cell: str) -> bool:
    return bool(cell) and cell.lstrip("+-")[:1].isdigit() and not any(c.isalpha() for c in cell.replace("e", ""))
