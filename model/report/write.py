"""All forms of a report written into its folder."""

from hw.base.file import write_atomically
from model.projection.check import Validation
from model.report import data, figure, html, markdown, run_trace, section_explore, text
from model.report.page import write as page
from model.report.page.language import LANGUAGES
from model.report.summary import Summary

FORMATS = ("markdown", "text", "html", "csv", "json")


def write_report(
    summary: Summary,
    formats: tuple[str, ...] = FORMATS,
    plots: bool = True,
    *,
    validation: Validation | None = None,
    lang: str = LANGUAGES[0],
) -> list[str]:
    """Write the forms and the plots; the names of the files, each written atomically.

    The page of the programme opens in `lang` and shows `validation` if there is one.
    """
    drawn = (*figure.write_all(summary), *section_explore.picture(summary)) if plots else ()
    made = page.make(summary, validation, lang=lang) if summary.about == "programme" else None
    if made is not None and plots:
        drawn += tuple(_picture(summary, key, *plot) for key, plot in made.plots.items())
    contents = {
        "markdown": ("report.md", lambda: markdown.render(summary, drawn)),
        "text": ("report.txt", lambda: text.render(summary, full=True)),
        "html": ("report.html", lambda: html.render(summary, drawn) if made is None else made.html),
        "csv": ("figures.csv", lambda: data.render_csv(summary)),
        "json": ("report.json", lambda: data.render_json(summary)),
    }
    names = [name for name, _ in drawn]
    for form in formats:
        name, render = contents[form]
        write_atomically(summary.folder / name, render())
        names.append(name)
    trace = run_trace.render(summary) if summary.about != "programme" else None
    if trace is not None:
        write_atomically(summary.folder / run_trace.FILE, trace)
        names.append(run_trace.FILE)
    return sorted(names)


def _picture(summary: Summary, key: str, caption: str, svg: str) -> tuple[str, str]:
    """Write a plot of the page as a file of its own; (file name, caption)."""
    name = f"{key}.svg"
    write_atomically(summary.folder / name, svg.replace("<svg ", '<svg font-family="sans-serif" ', 1) + "\n")
    return name, caption
