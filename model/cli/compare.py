"""Say what moved between two reports or two sets of records: by how much, and which input or rule did it.

A side is a report (its folder or report.json), a folder of records, or a commit of this checkout, whose committed
records are compared.

examples:
  kcloud-cosim compare HEAD~1 measurements
  kcloud-cosim compare old/kcloud build/report/kcloud --all
  kcloud-cosim compare v1 v2 --json
  kcloud-cosim compare HEAD~1 HEAD --most 5
"""

import argparse
import json
from dataclasses import asdict

from hw.base.error import InputError
from model.compare.move import Move, compare
from model.compare.state import State, read

SHOWN = 40
"""Moves on the screen without --all."""
CAUSES = 3
"""Causes of a move on the screen."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two sides, what is shown, what counts as too much."""
    parser.add_argument("old", metavar="OLD", help="report, folder of records, or commit")
    parser.add_argument("new", metavar="NEW", help="the same kind, later")
    parser.add_argument("--all", action="store_true", help=f"every move, not the {SHOWN} largest")
    parser.add_argument("--most", type=float, metavar="PERCENT", help="exit code 1 if a number moved by more than this")
    parser.add_argument("--json", action="store_true", help="one JSON object: every move with its causes")


def run(arguments: argparse.Namespace) -> int:
    """Print the moves; 1 if one is larger than --most."""
    if arguments.most is not None and not 0 <= arguments.most < float("inf"):
        raise InputError(f"the largest move must be a percentage from 0 on, not {arguments.most:g}; for example 5")
    old, new = read(arguments.old), read(arguments.new)
    moves = compare(old, new)
    too_far = [m for m in moves if arguments.most is not None and _there(m) and abs(m.by) * 100 > arguments.most]
    if arguments.json:
        print(json.dumps(as_json(old, new, moves, len(too_far)), indent=1))
    else:
        print(*text(old, new, moves, len(moves) if arguments.all else SHOWN), sep="\n")
        if arguments.most is not None:
            print(f"{len(too_far)} numbers moved by more than {arguments.most:g} %")
    return 1 if too_far else 0


def as_json(old: State, new: State, moves: list[Move], too_far: int) -> dict[str, object]:
    """Titles, counts and every move; `by` is a share (0.05 is 5 %), null where one side has no number."""
    return {
        "old": old.title,
        "new": new.title,
        "compared": _compared(old, new),
        "moved": len(moves),
        "more_than_most": too_far,
        "moves": [
            asdict(move) | {"by": move.by if abs(move.by) < float("inf") else None, "inside": move.inside}
            for move in moves
        ],
    }


def text(old: State, new: State, moves: list[Move], shown: int) -> list[str]:
    """Heading, a line a move with its causes below, and what is left out."""
    kind = "numbers of records" if old.runs else "figures"
    lines = [f"{old.title} -> {new.title}: {len(moves)} of {_compared(old, new)} {kind} moved"]
    for move in moves[:shown]:
        lines.append(f"  {move.name}: {_side(move.old, move.unit)} -> {_side(move.new, move.unit)}{_how_far(move)}")
        lines += [f"      {cause}" for cause in move.causes[:CAUSES]]
        if len(move.causes) > CAUSES:
            lines.append(f"      and {len(move.causes) - CAUSES} more")
    if len(moves) > shown:
        lines.append(f"  {len(moves) - shown} smaller ones are left out; --all shows them")
    return lines


def _compared(old: State, new: State) -> int:
    """Numbers that one side has at least."""
    if old.runs:
        return len({(r, n) for side in (old, new) for r, run in side.runs.items() for n in run.numbers})
    return len({name for side in (old, new) for name, value in side.values.items() if value.inputs})


def _there(move: Move) -> bool:
    """Whether both sides have the number."""
    return move.old is not None and move.new is not None


def _side(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:,.6g} {unit if unit != '1' else ''}".strip()


def _how_far(move: Move) -> str:
    if not _there(move):
        return ""
    if move.old == move.new:
        return ", its range moved"
    place = {None: "", True: ", inside its old range", False: ", outside its old range"}[move.inside]
    return f" ({move.by:+.2%}{place})" if abs(move.by) < float("inf") else " (from zero)"
