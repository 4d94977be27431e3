"""Text <-> instruction words of a PIM command set; errors name the line.

One instruction a line, `#` starts a comment, `name:` marks a line for JUMP.

    loop:  MAC  GRF_B[0], GRF_A[0], EVEN_BANK, aligned
           JUMP loop, 63          # back to `loop` 63 times; also: JUMP 2, 63 (back by offset 2)
           NOP  7                 # 8 triggers
           EXIT

Sets without operands name their fields: `MAC16 column=3, accumulator=1`.
"""

import re

from hw.base.error import InputError
from hw.spec.pim_command import CommandSet

_OPERAND = re.compile(r"([A-Z_]+)(?:\[([0-9]+)\])?")
_FLAGS = ("aligned", "relu")
_PLACES = ("destination", "source_0", "source_1", "source_2")
BANKS = ("EVEN_BANK", "ODD_BANK")
LATCHES = ("A_OUT", "M_OUT")


def assemble(table: CommandSet, text: str, *, entries: int | None = None) -> list[int]:
    """The words of a program; at most `entries` of them if given. Raises `InputError` "line N: ..."."""
    lines: list[tuple[int, str, str]] = []
    labels: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        body = raw.split("#")[0].strip()
        while match := re.match(r"([A-Za-z_][A-Za-z0-9_]*)\s*:", body):
            if match[1] in labels:
                raise InputError(f"line {number}: a label must be defined once, not {match[1]!r} again")
            labels[match[1]] = len(lines)
            body = body[match.end() :].strip()
        if body:
            name, _, rest = body.partition(" ")
            lines.append((number, name, rest.strip()))
    if entries is not None and len(lines) > entries:
        raise InputError(
            f"line {lines[entries][0]}: a program must have at most {entries} instructions, not {len(lines)}"
        )
    words = []
    for place, (number, name, rest) in enumerate(lines):
        try:
            command = table.command(name.upper())
            parts = [p.strip() for p in rest.split(",")] if rest else []
            if "iterations" in command.fields:
                values = _jump(parts, labels, place)
            elif "destination" in command.fields:
                values = _operands(table, command.name, command.fields, parts)
            elif command.fields == ("count",):
                values = {"count": _count(parts)}
            else:
                values = _fields(parts)
            words.append(table.encode(command.name, values))
            check(table, words[-1])
        except InputError as error:
            raise InputError(f"line {number}: {error}") from None
    return words


def check(table: CommandSet, word: int) -> None:
    """Raise `InputError` for a word whose operands the units cannot do: a latch or, but for MOV, a bank as the
    destination, both banks at once, or a MAC that accumulates outside the vector registers."""
    command, values = table.decode(word)
    if "destination" not in values:
        return
    names = {code: name for name, code in table.operands.items()}
    used = {place: names[values[place]] for place in _PLACES if place in values}
    target = used["destination"]
    if target in LATCHES:
        raise InputError(f"the destination of {command.name} must be a register or a bank, not the latch {target}")
    if target in BANKS and command.name != "MOV":
        raise InputError(f"the destination of {command.name} must be a register, not {target}; use MOV")
    if command.name == "MAC" and not target.startswith("GRF"):
        raise InputError(f"the destination of MAC must be a vector register, not {target}")
    if target.startswith("SRF") and command.name != "MOV":
        raise InputError(f"the destination of {command.name} must be a vector register, not {target}; use MOV")
    if set(BANKS) <= set(used.values()):
        raise InputError(f"{command.name} must use one of its two banks, not both")


def disassemble(table: CommandSet, words: list[int]) -> str:
    """The text of a program, one line per word; assembling it gives the words again."""
    lines = []
    for number, word in enumerate(words, 1):
        try:
            command, values = table.decode(word)
        except InputError as error:
            raise InputError(f"word {number}: {error}") from None
        if table.encode(command.name, values) != word:
            raise InputError(f"word {number}: {command.name} must leave its unused bits 0, not {word:#010x}")
        lines.append(_line(table, command.name, values))
    return "".join(line + "\n" for line in lines)


def _line(table: CommandSet, name: str, values: dict[str, int]) -> str:
    if "iterations" in values:
        return f"{name} {values['offset']}, {values['iterations']}"
    if "destination" in values:
        kinds = {code: kind for kind, code in table.operands.items()}
        parts = []
        for place in _PLACES:
            if place in values:
                kind = kinds[values[place]]
                index = values["source_1_index" if place == "source_2" else f"{place}_index"]
                bare = kind in BANKS or kind in LATCHES
                parts.append(kind if bare and not index else f"{kind}[{index}]")
        parts += [flag for flag in _FLAGS if values.get(flag)]
        return f"{name} {', '.join(parts)}"
    if tuple(values) == ("count",):
        return f"{name} {values['count']}"
    return f"{name} {', '.join(f'{k}={v}' for k, v in values.items())}".strip()


def _number(text: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]+|0x[0-9a-fA-F]+", text):
        raise InputError(f"{what} must be a whole number of at least 0, not {text!r}")
    return int(text, 0)


def _count(parts: list[str]) -> int:
    if len(parts) > 1:
        raise InputError(f"a count must be one number, not {', '.join(parts)}")
    return _number(parts[0], "the count") if parts else 0


def _jump(parts: list[str], labels: dict[str, int], place: int) -> dict[str, int]:
    if len(parts) != 2:
        raise InputError(f"JUMP must have a target and a number of iterations, not {', '.join(parts) or 'nothing'}")
    target = parts[0]
    if target in labels:
        offset = place + 1 - labels[target]
    elif re.fullmatch(r"[A-Za-z_]\w*", target):
        raise InputError(
            f"a JUMP must go to a label of this program ({', '.join(labels) or 'it has none'}), not {target!r}"
        )
    else:
        offset = _number(target, "the offset of JUMP")
    # the instruction after a taken jump is the one at (own place - offset + 1)
    if not 1 <= offset <= place + 1:
        raise InputError(f"a JUMP must go back by 1 to {place + 1} to stay in the program, not by {offset}")
    return {"offset": offset, "iterations": _number(parts[1], "the iterations of JUMP")}


def _fields(parts: list[str]) -> dict[str, int]:
    values: dict[str, int] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"a field must be given as NAME=VALUE, not {part!r}")
        values[name.strip()] = _number(value.strip(), name.strip())
    return values


def _operands(table: CommandSet, name: str, fields: tuple[str, ...], parts: list[str]) -> dict[str, int]:
    flags = [p for p in parts if p in _FLAGS]
    operands = [p for p in parts if p not in _FLAGS]
    places = [p for p in _PLACES if p in fields]
    if len(operands) != len(places):
        raise InputError(f"{name} must have {len(places)} operands, not {len(operands)}")
    values: dict[str, int] = {}
    for place, text in zip(places, operands, strict=True):
        match = _OPERAND.fullmatch(text.upper())
        if match is None or match[1] not in table.operands:
            raise InputError(
                f"an operand must be one of {', '.join(table.operands)}, with an index in brackets, not {text!r}"
            )
        values[place] = table.operands[match[1]]
        if match[2] is None:
            continue
        key = "source_1_index" if place == "source_2" else f"{place}_index"
        index = int(match[2])
        if index >= 8:
            raise InputError(f"a register index must be from 0 to 7, not {index}")
        if values.setdefault(key, index) != index:
            raise InputError(f"source 1 and source 2 of {name} must have the same index, not {values[key]} and {index}")
    for flag in flags:
        if flag not in fields:
            raise InputError(f"{name} must not be {flag}: it has no such form")
        values[flag] = 1
    return values
