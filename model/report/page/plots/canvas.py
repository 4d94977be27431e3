"""A canvas for the page's plots: sizes in pixels, text left as text, points that say what they are when pointed at.

Matplotlib draws; the SVG is then made part of the page: a title and a description for those who hear it, a title for
every marked point, no font of its own. Text is set by the browser in the font of the page, so margins are reckoned with
widths of letters that hold for Latin and Hangul alike.
"""

import re
import unicodedata
import warnings
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import matplotlib

matplotlib.use("svg")

from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from hw.base.palette import GREY, INK, LIGHT, PAPER
from model.report.page.section_type import Drawing

FONT = 13.5
SMALL = 13.0
"""Height of letters in pixels; a phone shows the plot at two thirds of its size."""

WIDTH, HEIGHT = 560, 360
RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": FONT,
    "axes.linewidth": 0.8,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "hatch.linewidth": 1.0,
    "path.simplify_threshold": 0.2,
}

ROUNDED = {"d", "transform", "x", "y", "width", "height"}
"""Attributes whose numbers are pixels: a tenth of one is enough."""

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_FONT = re.compile(r"font: (?:(bold|\d+) )?([\d.]+)px [^;]+")


def width_of(text: str, size: float = FONT) -> float:
    """About how many pixels a text takes: Hangul as wide as high, Latin letters a little over half."""
    ems = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in "WF":
            ems += 0.98
        else:
            ems += 0.30 if letter in " .,:;'|il()" else 0.72 if letter.isupper() or letter in "mw%~–" else 0.57
    return ems * size


def wrapped(text: str, width: float, size: float = FONT) -> list[str]:
    """The text in lines of at most about `width` pixels, broken at spaces."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class Canvas:
    """One plot; `axes` adds axes by their margins in pixels, `mark` ties artists to a text and an origin.

    Parameters
    ----------
    name : str
        Short name of the plot with the language, the start of all its identifiers.
    """

    def __init__(self, name: str, width: float = WIDTH, height: float = HEIGHT) -> None:
        self.name, self.width, self.height = name, width, height
        with matplotlib.rc_context(RC):
            self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self._marks: dict[str, tuple[str, str]] = {}

    def axes(self, left: float, right: float, top: float, bottom: float) -> Axes:
        """Axes that leave so many pixels free on each side of the canvas."""
        w, h = self.width, self.height
        with matplotlib.rc_context(RC):
            return self.figure.add_axes((left / w, bottom / h, (w - left - right) / w, (h - top - bottom) / h))

    def text(self, x: float, y: float, text: str, *, size: float = SMALL, colour: str = INK, **options: Any) -> None:
        """Text at pixels from the left and the top of the canvas."""
        self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=size, color=colour, **options)

    def legend(self, entries: list[tuple[str, dict[str, Any]]], x: float, y: float, width: float) -> float:
        """Patches, or marks, with their names in a row from `x`, `y` pixels, wrapped at `width`; the height it took."""
        left, down = x, y
        for name, style in entries:
            needed = 24 + width_of(name, SMALL)
            if left > x and left + needed > x + width:
                left, down = x, down + SMALL * 1.55
            self.figure.add_artist(self._symbol(left, down, style))
            self.text(left + 17, down, name, va="center")
            left += needed + 10
        return down - y + SMALL * 1.55

    def _symbol(self, left: float, down: float, style: dict[str, Any]) -> Artist:
        """A patch, or a line where the style has a marker or is of a line."""
        at = {"transform": self.figure.transFigure, **style}
        if "marker" in style or "ls" in style:
            ends = ((left + 6) / self.width,) if "marker" in style else (left / self.width, (left + 13) / self.width)
            return Line2D(ends, (1 - down / self.height,) * len(ends), **{"ms": 8, "lw": 2, **at})
        corner = (left / self.width, 1 - (down + 5) / self.height)
        return Rectangle(corner, 12 / self.width, 10 / self.height, **{"edgecolor": PAPER, "lw": 0.5, **at})

    def mark(self, artist: Any, tip: str, origin: str = "") -> None:
        """`artist`, or each of several, says `tip` when pointed at and opens `origin` when clicked."""
        for one in artist if isinstance(artist, (list, tuple)) else (artist,):
            identifier = f"{self.name}-m{len(self._marks)}"
            one.set_gid(identifier)
            self._marks[identifier] = (tip, origin)

    def finish(self, title: str, description: str, caption: str = "") -> Drawing:
        """The plot as markup."""
        buffer = StringIO()
        with warnings.catch_warnings(), matplotlib.rc_context({**RC, "svg.hashsalt": self.name}):
            warnings.filterwarnings("ignore", message=".*missing from font.*")
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return Drawing(svg=Markup(self._part_of_a_page(buffer.getvalue(), title, description)), caption=caption)

    def _part_of_a_page(self, drawn: str, title: str, description: str) -> str:
        ElementTree.register_namespace("", _SVG)
        ElementTree.register_namespace("xlink", _XLINK)
        root = ElementTree.fromstring(drawn[drawn.index("<svg") :])
        for tag in ("metadata", "defs"):  # the first definitions are a style sheet for everything
            child = root.find(f"{{{_SVG}}}{tag}")
            if child is not None and (tag == "metadata" or child.find(f"{{{_SVG}}}style") is not None):
                root.remove(child)
        root.attrib = {
            "viewBox": " ".join(f"{edge:g}" for edge in (0, 0, self.width, self.height)),
            "role": "img",
            "aria-labelledby": f"{self.name}-t {self.name}-d",
        }
        for element in root.iter():
            identifier = element.get("id", "")
            if identifier in self._marks:
                tip, origin = self._marks[identifier]
                element.set("class", "mark")
                if origin:
                    element.set("data-o", origin)
                words = ElementTree.Element(f"{{{_SVG}}}title")
                words.text = tip
                element.insert(0, words)
            if identifier and re.fullmatch(r"[A-Za-z0-9]+_\d+|\w*-m\d+", identifier):
                del element.attrib["id"]
            for name in ROUNDED & element.attrib.keys():
                element.set(name, _NUMBER.sub(_short, element.get(name, "")))
            if "style" in element.attrib:
                element.set("style", _FONT.sub(_font, element.get("style", "")))
        for place, (tag, words) in enumerate((("title", title), ("desc", description))):
            element = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{self.name}-{tag[0]}"})
            element.text = words
            root.insert(place, element)
        return ElementTree.tostring(root, encoding="unicode").replace("\n", " ")


def _short(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _font(found: re.Match[str]) -> str:
    weight = f"font-weight:{found[1]};" if found[1] else ""
    return f"{weight}font-size:{float(found[2]):g}px"


def bare_rows(axes: Axes, count: int) -> None:
    """Rows 0 to `count` - 1 from the top, a faint grid for values, no ticks of rows."""
    axes.set_ylim(count - 0.45, -0.55)
    axes.set_yticks([])
    axes.grid(axis="x", color=LIGHT, lw=0.8)
    axes.tick_params(axis="x", length=3)
    axes.spines["left"].set_visible(False)


def row_names(axes: Axes, names: list[str], margin: float, *, size: float = SMALL, colour: str = INK) -> None:
    """Names left of the rows, in as many lines as the margin asks for."""
    for row, name in enumerate(names):
        lines = wrapped(name, margin - 12, size)
        for number, line in enumerate(lines):
            axes.annotate(
                line,
                (0, row),
                xycoords=("axes fraction", "data"),
                xytext=(-8, ((len(lines) - 1) / 2 - number) * size * 1.15),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=size,
                color=colour,
                annotation_clip=False,
            )


def dot_range(axes: Axes, row: float, low: float, middle: float, high: float, colour: str, **style: Any) -> list[Any]:
    """A dot with the line of its range; `hollow` for what is a hypothesis."""
    hollow = style.pop("hollow", False)
    line = axes.plot(
        [low, high], [row, row], color=colour, lw=2.6, solid_capstyle="butt", ls=(0, (2, 1)) if hollow else "-"
    )
    dot = axes.plot(
        [middle],
        [row],
        marker=style.pop("marker", None) or ("D" if hollow else "o"),
        ms=style.pop("size", 8),
        mfc=PAPER if hollow else colour,
        mec=colour,
        mew=2 if hollow else 1,
        ls="none",
        **style,
    )
    return [*line, *dot]
