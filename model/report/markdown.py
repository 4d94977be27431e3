"""The summary as Markdown, with its plots."""

from model.report.section import sections
from model.report.summary import Summary


def render(summary: Summary, plots: tuple[tuple[str, str], ...] = ()) -> str:
    """Markdown of all sections; `plots` are (file name, caption) beside the report."""
    parts = ["# K-Cloud projection" if summary.about == "programme" else f"# Report: {summary.chip.title}"]
    for section in sections(summary):
        lines = [f"## {section.title}", ""]
        if section.rows:
            head, *body = section.rows
            lines.append("| " + " | ".join(_cell(c) for c in head) + " |")
            lines.append("|" + "---|" * len(head))
            lines += ["| " + " | ".join(_cell(c) for c in row) + " |" for row in body]
            lines.append("")
        lines += [f"{''.join(note)}\n" for note in section.notes]
        parts.append("\n".join(lines).rstrip())
    if plots:
        parts.append("## Plots\n\n" + "\n\n".join(f"![{caption}]({name})\n\n{caption}" for name, caption in plots))
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or " "
