"""What the page is made of: cards of the first screen, sections with a plot beside their text, folded tables."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A plot as markup.

    Parameters
    ----------
    svg : Markup
        The `svg` element with title and description, its text in the language of the page.
    caption : str
        One sentence below it: what a dot, a line and a hatching mean.
    """

    svg: Markup
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A folded table.

    Parameters
    ----------
    title : str
        What stands where it is folded.
    heads : tuple of str
        Heads of the columns.
    rows : tuple of tuple of str
        Cells; markup stays markup, plain text is escaped.
    note : str
        A sentence below the table; "" for none.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One answer of the first screen.

    Parameters
    ----------
    question : str
        What is asked.
    number : Markup
        The answer with its range, a link to its origin.
    words : Markup
        One sentence on what the number is of.
    drawing : Drawing
        Its picture.
    leads : str
        Key of the section that says more.
    hypothesis : bool
        Whether the answer is one, and is marked as such.
    """

    question: str
    number: Markup
    words: Markup
    drawing: Drawing
    leads: str
    hypothesis: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One screen: a heading, the answer in a sentence, a few sentences more, a plot, folded tables.

    Parameters
    ----------
    key : str
        Short name, the anchor of the section.
    title : str
        The heading.
    lead : Markup
        The answer in one sentence.
    text : tuple of Markup
        Paragraphs below it.
    drawing : Drawing or None
        The plot beside the text.
    tables : tuple of Table
        Folded tables below both.
    """

    key: str
    title: str
    lead: Markup
    text: tuple[Markup, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
