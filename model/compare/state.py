"""What a state of the project says: the records of a folder or commit, or the figures of a written report."""

import io
import json
import math
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.base import place
from hw.base.error import InputError

REPORT = "report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A record, as far as it can move.

    Parameters
    ----------
    numbers : mapping of str to float
        "cycles", "figures.NAME", "counts.COMPONENT.EVENT": the recorded values.
    made_of : mapping of str to str
        "chip", "workload", "Verilog" to the digest recorded; what differs here is the cause of a move.
    commit : str
        Commit that made it.
    """

    numbers: Mapping[str, float]
    made_of: Mapping[str, str]
    commit: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A figure of a report, or an input of figures.

    Parameters
    ----------
    unit : str
        Of the three numbers.
    nominal, low, high : float
        Nominal value and 90 % range; all three equal if it does not vary.
    formula : str
        Over the names of its inputs; the origin of an input.
    inputs : tuple of str
        Names of the figures and inputs it is computed from; empty for an input.
    """

    unit: str
    nominal: float
    low: float
    high: float
    formula: str = ""
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One side of a comparison.

    Parameters
    ----------
    title : str
        What it was read from.
    runs : mapping of str to Run
        Records, by chip, workload, seed and witness; empty for a report.
    values : mapping of str to Value
        Figures of a report and what they rest on; empty for records.
    """

    title: str
    runs: Mapping[str, Run] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


def read(source: str) -> State:
    """The state in `source`: a report (its folder or `report.json`), a folder of records, or a commit of this checkout.

    Raises
    ------
    InputError
        If it is none of them, or a file of it cannot be read; the sentence names the file.
    """
    path = Path(source)
    if path.is_dir() and (path / REPORT).is_file():
        return _report(path / REPORT)
    if path.is_file():
        return _report(path)
    if path.is_dir():
        folder = path / "measurements" if (path / "measurements").is_dir() else path
        files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.json"))}
        return State(title=source, runs=_runs(files, source))
    return State(title=source, runs=_runs(_committed(source), source))


def _committed(commit: str) -> dict[str, bytes]:
    """The files below `measurements` in a commit."""
    root = place.checkout("a comparison of commits")
    try:
        done = subprocess.run(
            ["git", "archive", "--format=tar", "--end-of-options", commit, "measurements"],
            cwd=root, capture_output=True, check=False,
        )  # fmt: skip
    except OSError:
        raise InputError("git must be installed to compare commits, it is not; give two folders instead") from None
    if done.returncode != 0:
        raise InputError(
            f"what is compared must be a report, a folder of records or a commit with records, not {commit!r}; "
            "check the name (`git log --oneline` lists commits)"
        )
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isfile() and member.name.endswith(".json") else None
            if file is not None:
                found[member.name.removeprefix("measurements/")] = file.read()
    return found


def _runs(files: Mapping[str, bytes], source: str) -> dict[str, Run]:
    """The records among `files`; other JSON files (records of another form) are left out."""
    runs = {}
    for name, text in files.items():
        document = _json(text, f"{name} of {source}")
        result = document.get("result") if isinstance(document, dict) else None
        if not isinstance(result, dict) or not isinstance(result.get("cycles"), int):
            continue
        origin = document.get("origin") or {}
        numbers: dict[str, float] = {"cycles": result["cycles"]}
        for kind in ("figures", "counts"):
            numbers |= {f"{kind}.{key}": v for key, v in (result.get(kind) or {}).items() if _is_number(v)}
        made_of = {
            "chip": result.get("chip_digest"), "workload": result.get("workload_digest"),
            "Verilog": origin.get("verilog_digest"),
        }  # fmt: skip
        run = "{chip}/{workload}.{seed}.{witness}".format_map(
            {key: result.get(key) for key in ("chip", "workload", "seed", "witness")}
        )
        runs[run] = Run(
            numbers=numbers,
            made_of={key: str(value) for key, value in made_of.items() if value},
            commit=str(origin.get("commit", "unknown")),
        )
    if not runs:
        raise InputError(f"{source} must hold records, it holds none; give the folder `measurements` or a commit")
    return runs


def _report(path: Path) -> State:
    """The figures of a written report and their inputs."""
    try:
        document = _json(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path} must be readable ({error.strerror}); write the report again") from None
    figures = document.get("figures") if isinstance(document, dict) else None
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(figures, dict) or not isinstance(inputs, dict):
        raise InputError(
            f"{path} must be a {REPORT} with figures and inputs, it is not; write it with `kcloud-cosim report`"
        )
    try:
        values = {
            name: Value(
                unit=v["unit"], nominal=v["nominal"], low=v["p5"], high=v["p95"], formula=v["formula"],
                inputs=tuple(v["inputs"]),
            )
            for name, v in figures.items()
        }  # fmt: skip
        values |= {
            name: Value(unit=v["unit"], nominal=v["nominal"], low=v["low"], high=v["high"], formula=v["origin"])
            for name, v in inputs.items()
        }
        values |= {
            name: Value(
                unit=v["unit"], nominal=v["nominal"], low=v["nominal"], high=v["nominal"], formula=v["formula"],
                inputs=tuple(v["inputs"]),
            )
            for name, v in document["steps"].items()
        }  # fmt: skip
    except (KeyError, TypeError):
        raise InputError(
            f"{path} must be of this version's form, it is not; write it with `kcloud-cosim report`"
        ) from None
    return State(title=str(path), values=values)


def _json(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{name} must be JSON, it is not; write it again") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
