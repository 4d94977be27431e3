"""The summary as one HTML page: every number leads to its formula, inputs and, at the end, records and facts."""

import base64
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from model.energy.price import Interval
from model.projection.explain import compact, quantity
from model.projection.figure import Figure
from model.projection.projection import walk
from model.report.section import sections
from model.report.section_type import Section, Shown
from model.report.summary import Summary

_NAME = re.compile(r"[A-Za-z_][\w./]*")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; margin: 0 auto; max-width: 1200px; padding: 1em 2em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #d9d9d9; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
td, th { padding: 2px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid #eee; }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
a { color: #2b6cb0; text-decoration: none; } a:hover { text-decoration: underline; }
.answer p { margin: 0.4em 0; font-size: 16px; } figure { margin: 1.5em 0; } figure img { max-width: 100%; }
figcaption { color: #6b6b6b; } nav { columns: 2; font-size: 13px; }
dl { font-size: 13px; } dt { font-weight: 600; margin-top: 0.7em; } dd { margin-left: 1.5em; }
dt:target, dt:target + dd { background: #fff6d6; }
"""


def render(summary: Summary, plots: tuple[tuple[str, str], ...] = ()) -> str:
    """The page; `plots` are (file name, caption) in the summary's folder and become part of it."""
    found = sections(summary)
    own = summary.programme is None or summary.about == "run"
    title = escape(f"Report: {summary.chip.title}" if own else "K-Cloud projection")
    index = "".join(f'<a href="#s{i}">{escape(s.title)}</a><br>' for i, s in enumerate(found))
    parts = [
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style></head>",
        f"<body><h1>{title}</h1><nav>{index}<a href='#plots'>Plots</a><br><a href='#origins'>Origins</a></nav>",
        *(_section(i, section) for i, section in enumerate(found)),
        "<h2 id=plots>Plots</h2>",
        *(_plot(summary.folder / name, caption) for name, caption in plots),
        "<h2 id=origins>Origins: formula, inputs, records and facts of every number</h2>",
        _origins(summary),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(index: int, section: Section) -> str:
    kind = ' class="answer"' if section.title.startswith("The answer") else ""
    lines = [f"<section{kind}><h2 id=s{index}>{escape(section.title)}</h2>"]
    if section.rows:
        head, *body = section.rows
        lines.append("<div class=wide><table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>")
        for row in body:
            lines.append(
                "<tr>"
                + "".join(f"<td{' class=n' if isinstance(cell, Shown) else ''}>{_piece(cell)}</td>" for cell in row)
                + "</tr>"
            )
        lines.append("</table></div>")
    lines += [f"<p>{''.join(map(_piece, note))}</p>" for note in section.notes]
    return "\n".join([*lines, "</section>"])


def _piece(text: str) -> str:
    return _link(text.figure, text) if isinstance(text, Shown) else escape(text)


def _link(name: str, text: str) -> str:
    return f'<a href="#{escape(name)}">{escape(text)}</a>'


def _plot(path: Path, caption: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _origins(summary: Summary) -> str:
    """One entry per named figure, input, fact and record value; names in formulas lead on."""
    nodes = {figure.name: figure for figure in _named(summary.projection.figures)}
    spans = dict(zip(nodes, summary.projection.intervals(nodes.values()), strict=True))
    return "<dl>" + "\n".join(_entry(figure, spans[name], nodes) for name, figure in nodes.items()) + "</dl>"


def _named(figures: Iterable[Figure]) -> list[Figure]:
    return [figure for figure in walk(figures) if figure.name]


def _entry(figure: Figure, span: Interval, nodes: Mapping[str, Figure]) -> str:
    value = quantity(span.nominal, figure.unit)
    reach = f" [{compact(span.low)} .. {compact(span.high)}]" if span.low < span.high else ""
    trust = "" if figure.is_leaf else f" ({figure.confidence})"
    text = f'<dt id="{escape(figure.name)}">{escape(figure.name)} = {escape(value + reach + trust)}</dt><dd>'
    if figure.is_leaf:
        return f"{text}{escape(figure.formula)}</dd>"
    formula = _NAME.sub(
        lambda match: _link(match[0], match[0]) if match[0] in nodes else escape(match[0]), figure.formula
    )
    return f"{text}= {formula}" + (f"<br>{escape(figure.note)}" if figure.note else "") + "</dd>"
