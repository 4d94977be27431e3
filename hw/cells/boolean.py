"""Boolean functions as text: parse, evaluate bit-parallel, print as C or Verilog.

Grammar of Liberty `function` strings: ``!x``, ``x'``, ``&`` or ``*`` or a blank for and, ``|`` or ``+`` for
or, ``^`` for exclusive or, parentheses, names, 0 and 1. Binding, tightest first: not, xor, and, or.
"""

import re
from collections.abc import Mapping
from typing import Any

from hw.base.error import InputError

Expression = tuple[Any, ...]
"""("var", name), ("const", 0 or 1), ("not", e), ("and"|"or"|"xor", e1, e2, ...)."""

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_\[\]]*|[01]|[!'&*|+^()])")


def parse(text: str) -> Expression:
    """The expression in `text`; raises `InputError` where it does not follow the grammar."""
    tokens, position, stripped = [], 0, text.strip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise InputError(f"a cell function must use names and ! ' & * | + ^ ( ), not {text!r}; correct it")
        tokens.append(match.group(1))
        position = match.end()
    expression, rest = _parse_or(tokens, text)
    if rest:
        raise InputError(f"a cell function must be one expression, but {text!r} has {rest[0]!r} left over; correct it")
    return expression


def _parse_or(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    return _parse_chain(tokens, text, "or", ("|", "+"), _parse_and)


def _parse_and(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    term, tokens = _parse_xor(tokens, text)
    terms = [term]
    while tokens and tokens[0] not in ("|", "+", ")"):
        # A blank between two operands is an and.
        tokens = tokens[1:] if tokens[0] in ("&", "*") else tokens
        term, tokens = _parse_xor(tokens, text)
        terms.append(term)
    return (("and", *terms) if len(terms) > 1 else terms[0]), tokens


def _parse_xor(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    return _parse_chain(tokens, text, "xor", ("^",), _parse_not)


def _parse_chain(tokens: list[str], text: str, kind: str, marks: tuple[str, ...], inner: Any) -> Any:
    term, tokens = inner(tokens, text)
    terms = [term]
    while tokens and tokens[0] in marks:
        term, tokens = inner(tokens[1:], text)
        terms.append(term)
    return ((kind, *terms) if len(terms) > 1 else terms[0]), tokens


def _parse_not(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    if not tokens:
        raise InputError(f"a cell function must be complete, but {text!r} ends too early; correct it")
    head, tokens = tokens[0], tokens[1:]
    if head == "!":
        inner, tokens = _parse_not(tokens, text)
        return ("not", inner), tokens
    if head == "(":
        expression, tokens = _parse_or(tokens, text)
        if not tokens or tokens[0] != ")":
            raise InputError(f"a cell function must close its parentheses, but {text!r} does not; correct it")
        tokens = tokens[1:]
    elif head in ("0", "1"):
        expression = ("const", int(head))
    elif re.match(r"[A-Za-z_]", head):
        expression = ("var", head)
    else:
        raise InputError(f"a cell function must have an operand where {text!r} has {head!r}; correct it")
    while tokens and tokens[0] == "'":
        expression, tokens = ("not", expression), tokens[1:]
    return expression, tokens


def variables(expression: Expression) -> set[str]:
    """The names used in `expression`."""
    if expression[0] == "var":
        return {expression[1]}
    if expression[0] == "const":
        return set()
    return set().union(*(variables(e) for e in expression[1:]))


def evaluate(expression: Expression, values: Mapping[str, int], ones: int = 1) -> int:
    """The value of `expression` on bit vectors; `ones` is the all-ones vector (1 for single bits)."""
    kind = expression[0]
    if kind == "var":
        return values[expression[1]]
    if kind == "const":
        return ones if expression[1] else 0
    parts = [evaluate(e, values, ones) for e in expression[1:]]
    if kind == "not":
        return ones & ~parts[0]
    result = parts[0]
    for part in parts[1:]:
        result = result & part if kind == "and" else result | part if kind == "or" else result ^ part
    return result


def to_c(expression: Expression, names: Mapping[str, str]) -> str:
    """`expression` as a C or Verilog expression on whole words, each variable replaced by its entry in `names`."""
    kind = expression[0]
    if kind == "var":
        return names[expression[1]]
    if kind == "const":
        return "~(uint64_t)0" if expression[1] else "(uint64_t)0"
    if kind == "not":
        return f"~{to_c(expression[1], names)}"
    mark = {"and": " & ", "or": " | ", "xor": " ^ "}[kind]
    return "(" + mark.join(to_c(e, names) for e in expression[1:]) + ")"
