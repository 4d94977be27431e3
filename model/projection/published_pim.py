"""Published gains of memories with processing beside their committed predictions by the cycle model."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw.base.error import InputError
from model.energy.price import Interval

_TABLE = Path(__file__).with_name("published") / "pim.csv"
PREDICTED = Path(__file__).with_name("published") / "pim_predicted.csv"
"""Predictions of all rows, as `write_pim` left them; a test repeats them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PimRow:
    """One published gain of a matrix-vector product in memory over a plain read of its weights.

    Parameters
    ----------
    memory : str
        Name of the memory in hw/chips.
    what : str
        Kernel and platform, in words.
    packages : int
        Stacks or packages of the platform.
    outputs, inputs : int or None
        Size of the matrix; None where it is not published.
    batch : int
        Vectors, one behind the other.
    value : float
        The gain, times.
    kind : str
        "silicon" or "simulation".
    source : str
        Document and what the gain is over, never empty.
    """

    memory: str
    what: str
    packages: int
    outputs: int | None
    inputs: int | None
    batch: int
    value: float
    kind: str
    source: str


@cache
def pim_rows(path: Path = _TABLE) -> tuple[PimRow, ...]:
    """All rows; `InputError` naming the line if a source or a number is missing."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for line, f in enumerate(csv.DictReader(file), start=2):
            if not (f.get("source") or "").strip():
                raise InputError(f"published gain of a memory, line {line}, must name its source, not leave it empty")
            try:
                found.append(
                    PimRow(
                        memory=f["memory"],
                        what=f["what"],
                        packages=int(f["packages"]),
                        outputs=int(f["outputs"]) if f["outputs"] else None,
                        inputs=int(f["inputs"]) if f["inputs"] else None,
                        batch=int(f["batch"]),
                        value=float(f["value"]),
                        kind=f["kind"],
                        source=f["source"],
                    )
                )
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"published gain of a memory, line {line}, must have every column filled with its kind of value, "
                    f"not {error}"
                ) from None
    return tuple(found)


@cache
def predicted_gains(path: Path = PREDICTED) -> tuple[tuple[PimRow, Interval], ...]:
    """The rows beside their committed predictions; `InputError` if there are none."""
    rows = pim_rows()
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(
                (
                    rows[int(f["line"]) - 2],
                    Interval(low=float(f["low"]), nominal=float(f["nominal"]), high=float(f["high"])),
                )
                for f in csv.DictReader(file)
            )
    except OSError:
        raise InputError(f"{path.name} must be there; write it with python -m model validate --fresh") from None
