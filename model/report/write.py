"""All forms of a report written into its folder."""

from hw.base.file import write_atomically
from model.report import data, figure, html, markdown, text
from model.report.summary import Summary

FORMATS = ("markdown", "text", "html", "csv", "json")


def write_report(summary: Summary, formats: tuple[str, ...] = FORMATS, plots: bool = True) -> list[str]:
    """Write the forms and the plots; the names of the files, each written atomically."""
    drawn = figure.write_all(summary) if plots else ()
    contents = {
        "markdown": ("report.md", lambda: markdown.render(summary, drawn)),
        "text": ("report.txt", lambda: text.render(summary, full=True)),
        "html": ("report.html", lambda: html.render(summary, drawn)),
        "csv": ("figures.csv", lambda: data.render_csv(summary)),
        "json": ("report.json", lambda: data.render_json(summary)),
    }
    names = [name for name, _ in drawn]
    for form in formats:
        name, render = contents[form]
        write_atomically(summary.folder / name, render())
        names.append(name)
    return sorted(names)
