"""Liberty's syntax: groups with attributes, nested."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hw.base.error import InputError


@dataclass(slots=True)
class Group:
    """One Liberty group: ``kind (names) { attributes; groups }``.

    Parameters
    ----------
    kind : str
        The word before the parentheses, as "cell" or "pin".
    names : list of str
        What stands in the parentheses, without quotes; may be empty.
    attributes : dict of str to list of str
        Values as text without quotes: one for ``name : value``, any number for ``name (value, ...)``. Of attributes
        with one name the last is kept.
    groups : list of Group
        The groups inside, in the order of the file.
    """

    kind: str
    names: list[str]
    attributes: dict[str, list[str]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def all(self, kind: str) -> Iterator["Group"]:
        """The inner groups of one kind."""
        return (g for g in self.groups if g.kind == kind)

    def get(self, name: str, default: str = "") -> str:
        """The value of a simple attribute."""
        return self.attributes.get(name, [default])[0]


_TOKEN = re.compile(
    r'\s+|/\*.*?\*/|//[^\n]*|\\\s*\n|"(?:[^"\\]|\\.)*"|'
    r"[A-Za-z0-9_.+\-*!\'&|^\[\]:/]+|[(){};,=]",
    re.DOTALL,
)


def _tokens(text: str, name: str) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise InputError(f"{name} must be Liberty, but line {line} has {text[position]!r}; correct the file")
        token = match.group(0)
        if not token[0].isspace() and not token.startswith(("/*", "//", "\\")):
            found.append(token)
        position = match.end()
    return found


def parse(text: str, name: str) -> Group:
    """The library group of `text`; `name` is the file's, for messages. Raises `InputError` on broken syntax."""
    # A colon separates a simple attribute from its value and never occurs in one.
    tokens = _tokens(text.replace(":", " : "), name)
    if len(tokens) < 4 or tokens[0] != "library":
        raise InputError(f"a Liberty file must begin with a library group, but {name} does not; check the file")
    try:
        group, end = _group(tokens, 0, name)
    except IndexError:
        raise InputError(f"{name} must close its groups, but ends inside one; restore the file") from None
    except RecursionError:
        raise InputError(f"{name} must nest its groups a few deep, as Liberty does, not hundreds; correct it") from None
    if "()" in group.attributes:
        raise InputError(f"the library group of {name} must have a body in braces, it has none; restore the file")
    if end < len(tokens):
        raise InputError(f"a Liberty file must be one library group, but {name} goes on after it; correct it")
    return group


def _group(tokens: list[str], at: int, name: str) -> tuple[Group, int]:
    kind, names, at = tokens[at], [], at + 2
    while tokens[at] != ")":
        if tokens[at] != ",":
            names.append(tokens[at].strip('"'))
        at += 1
    at += 1
    if at < len(tokens) and tokens[at] == "{":
        return _body(Group(kind, names), tokens, at + 1, name)
    group = Group(kind, names)
    group.attributes["()"] = names
    return group, at + (1 if at < len(tokens) and tokens[at] == ";" else 0)


def _body(group: Group, tokens: list[str], at: int, name: str) -> tuple[Group, int]:
    while tokens[at] != "}":
        if tokens[at] == ";":
            at += 1
        elif tokens[at + 1] == ":":
            end = at + 2
            while tokens[end] not in (";", "}") and (end == at + 2 or tokens[end + 1] != ":"):
                end += 1
            group.attributes[tokens[at]] = [_plain(tokens[at + 2 : end])]
            at = end
        elif tokens[at + 1] == "(":
            inner, at = _group(tokens, at, name)
            if "()" in inner.attributes:
                group.attributes[inner.kind] = inner.names
            else:
                group.groups.append(inner)
        else:
            raise InputError(
                f"{name} must be Liberty, but {tokens[at]!r} is followed by {tokens[at + 1]!r}; correct the file"
            )
    return group, at + 1


def _plain(tokens: list[str]) -> str:
    return " ".join(tokens).strip('"')
