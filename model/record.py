"""The measurement record: the only bridge from a run (RTL or model) to energy, projection and report.

A record is one JSON file, {"schema": 2, "digest": "...", "result": {...}, "origin": {...}}. `result` says what was run
and what came out; it is byte-identical for identical runs, and `digest` is that of its bytes: a record edited by hand
is refused. `origin` says how it was made (tools, commit, command).
No joules and no prices are in it: those are derived, and name the table they come from.

The file's name holds the digests of chip and workload, so that variants of one chip lie side by side. A record can also
lie under its plain name, as the committed ones do: one for each chip and workload.
"""

import dataclasses
import glob
import hashlib
import json
import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from hw.base import json_text
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.own_file import typed
from hw.spec.kind import events_of_all
from model.count import Counts

SCHEMA = 2
RECORDS = Path("build/records")
_OF_A_RUN = re.compile(r"(\.[0-9a-f]{8}-[0-9a-f]{8})?\.json")

Witness = Literal["rtl", "model"]
Verdict = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was run and what came out. Identical runs give equal results.

    Parameters
    ----------
    chip, workload : str
        Names of the files in `hw/chips` and `model/workloads`.
    chip_digest, workload_digest : str
        Digests of their contents.
    witness : Witness
        "rtl": simulated RTL counted; "model": the cycle model predicted.
    seed : int
        From which drawn operands follow; it changes nothing where operands are data.
    verdict : Verdict
        "pass": every test of the RTL run passed, or the model predicted; "fail": `failure` says why.
    failure : str or None
        One sentence if the verdict is "fail".
    cycles : int
        From the first command accepted to the last output row written.
    phases : dict of str to int
        Cycles by label; they sum to `cycles` unless there are none.
    counts : Counts
        "component.event" to how often.
    toggles : dict of str to int
        Signal bit toggles per component of the RTL (no glitches: zero-delay simulation).
    figures : dict of str to number
        Other numbers of the run: "macs", "images", "correct", ...
    layers : tuple of dict
        Per GEMM, in order: at least {"name", "cycles", "macs"}; may be empty.
    answer : mapping
        What the run gave that is no number alone, for scripts: of a language model "tokens", "text", "equal", "labels"
        of each unit, "pim"; {} if there is no such thing.
    """

    chip: str
    chip_digest: str
    workload: str
    workload_digest: str
    witness: Witness
    seed: int
    verdict: Verdict = "pass"
    failure: str | None = None
    cycles: int
    phases: Mapping[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    toggles: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, int | float] = field(default_factory=dict)
    layers: tuple[Mapping[str, Any], ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("chip", "chip_digest", "workload", "workload_digest"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value or "/" in value:
                raise InputError(f"{name} of a record must be a non-empty name without '/', not {value!r}")
        if self.witness not in get_args(Witness):
            raise InputError(f"witness of a record must be one of rtl, model, not {self.witness!r}")
        if self.verdict not in get_args(Verdict):
            raise InputError(f"verdict of a record must be one of pass, fail, not {self.verdict!r}")
        if (self.verdict == "fail") != bool(self.failure):
            raise InputError(f"a record must name a failure if and only if it failed, not {self.failure!r}")
        _integer("seed", self.seed)
        _integer("cycles", self.cycles)
        for name in ("phases", "toggles"):
            for key, value in getattr(self, name).items():
                _integer(f"{name}[{key!r}]", value)
        if self.phases and sum(self.phases.values()) != self.cycles:
            raise InputError(
                f"the labels of a record must sum to its {self.cycles:,} cycles, not to {sum(self.phases.values()):,}"
            )
        for key, value in self.figures.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"figures[{key!r}] of a record must be a finite number, not {value!r}")
        object.__setattr__(self, "counts", Counts(self.counts))
        layers = tuple(dict(layer) for layer in self.layers)
        for index, layer in enumerate(layers):
            missing = {"name", "cycles", "macs"} - layer.keys()
            if missing:
                raise InputError(f"layers[{index}] of a record must have {min(missing)!r}")
            _integer(f"cycles of layer {layer['name']!r}", layer["cycles"])
            _integer(f"macs of layer {layer['name']!r}", layer["macs"])
        object.__setattr__(self, "layers", layers)

    @property
    def run(self) -> str:
        """Chip, workload, seed and witness in one line: names a run everywhere it is mentioned."""
        return f"{self.chip}/{self.workload}.{self.seed}.{self.witness}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a result was made.

    Parameters
    ----------
    verilog_digest : str or None
        Digest of the Verilog that was simulated; None for a model record.
    tools : mapping of str to str
        Name of each tool to its version.
    commit : str
        Commit of the working tree, with "+" if it had changes; "unknown" outside of git.
    command : str
        The command line that makes the record again; "" if it was not told.
    """

    verilog_digest: str | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    commit: str = "unknown"
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A result and its origin: one record.

    Parameters
    ----------
    result : Result
        What was run and what came out; the half that the digest covers.
    origin : Origin
        How it was made; may differ between identical runs.
    """

    result: Result
    origin: Origin


class NoRecordError(InputError):
    """There is no record of a run."""


def path_of(chip: str, workload: str, seed: int, witness: str, root: Path = RECORDS) -> Path:
    """The plain name of a run's record: `<root>/<chip>/<workload>.<seed>.<witness>.json`."""
    return Path(root) / chip / f"{workload}.{seed}.{witness}.json"


def path_of_result(result: Result, root: Path = RECORDS) -> Path:
    """Where a fresh record lies: the plain name with the first digits of both digests before its end."""
    plain = path_of(result.chip, result.workload, result.seed, result.witness, root)
    return plain.with_suffix(f".{result.chip_digest[:8]}-{result.workload_digest[:8]}.json")


def digest_of(result: Result) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of `result_bytes`."""
    return hashlib.sha256(result_bytes(result)).hexdigest()[:32]


def result_bytes(result: Result) -> bytes:
    """The `result` half as canonical JSON: equal bytes if and only if the results are equal."""
    return json.dumps(_plain(result), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write(measurement: Measurement, path: Path | str | None = None, *, root: Path = RECORDS) -> Path:
    """Write a record atomically (readers see the old file or the new one); the path written.

    Without `path` it goes to `path_of_result` below `root`. `InputError` if the folder cannot be written.
    """
    result = measurement.result
    target = Path(path) if path else path_of_result(result, root)
    document = {
        "schema": SCHEMA,
        "digest": digest_of(result),
        "result": _plain(result),
        "origin": _plain(measurement.origin),
    }
    write_atomically(target, json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n")
    return target


def read(path: Path | str) -> Measurement:
    """The record in the file `path`.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged, truncated, not a record, of another schema, or its result is not
        the one its digest was made of.
    """
    path = Path(path)
    try:
        document = json_text.loads(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(f"record {path} cannot be used: {error}; delete it and run again") from None
    except FileNotFoundError:
        raise InputError(f"there is no record {path}; run what writes it") from None
    except OSError as error:
        raise InputError(f"record {path} must be readable, but {error.strerror}; check its rights") from None
    except UnicodeDecodeError:
        raise InputError(f"record {path} must be JSON text, not binary; delete it and run again") from None
    except json.JSONDecodeError as error:
        line = error.lineno
        raise InputError(
            f"record {path} must be complete JSON, not damaged at line {line}; delete it and run again"
        ) from None
    except ValueError as error:
        raise InputError(f"record {path} must be JSON that can be read ({error}); delete it and run again") from None
    if not isinstance(document, dict) or "schema" not in document:
        raise InputError(f"{path} must be a measurement record with a schema, not another kind of file")
    if document["schema"] != SCHEMA:
        raise InputError(f"record {path} must have schema {SCHEMA}, not {document['schema']!r}; run again")
    try:
        measurement = Measurement(
            result=_build(Result, document.get("result"), "result"),
            origin=_build(Origin, document.get("origin"), "origin"),
        )
        if document.get("digest") != digest_of(measurement.result):
            raise InputError(
                f"its result must be the one that was written, of digest {document.get('digest')}, it is "
                f"of {digest_of(measurement.result)}: the file was edited"
            )
        return measurement
    except InputError as error:
        raise InputError(f"record {path} cannot be used: {error}; delete it and run again") from None


def find(
    chip: str,
    workload: str,
    seed: int,
    witness: str,
    root: Path = RECORDS,
    *,
    chip_digest: str | None = None,
    workload_digest: str | None = None,
) -> Measurement:
    """The record of a run below `root`; of several variants the one written last.

    With digests only a record of that very chip and workload is found. Raises `NoRecordError`, saying which command
    writes it, if there is none.
    """
    for path in paths_of(chip, workload, seed, witness, root):
        found = read_placed(path)
        if chip_digest in (None, found.result.chip_digest) and workload_digest in (None, found.result.workload_digest):
            return found
    verb = "sim" if witness == "rtl" else "predict"
    command = f"kcloud-cosim {verb} --chip {typed('chip', chip)} --workload {workload} --seed {seed}"
    raise NoRecordError(f"there is no record {path_of(chip, workload, seed, witness, root)}; run {command}")


def paths_of(chip: str, workload: str, seed: int, witness: str, root: Path = RECORDS) -> list[Path]:
    """The files that hold records of a run below `root`, the one written last first."""
    folder, start = Path(root) / chip, f"{workload}.{seed}.{witness}"
    found = [
        path for path in folder.glob(f"{glob.escape(start)}.*json") if _OF_A_RUN.fullmatch(path.name[len(start) :])
    ]
    return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))


def read_all(root: Path = RECORDS) -> list[Measurement]:
    """Every record below `root`, in order of path; an empty list if there are none."""
    return [read_placed(path) for path in sorted(Path(root).glob("*/*.json"))]


def read_placed(path: Path) -> Measurement:
    """The record in `path`, a place below a folder of records; `InputError` also if folder and name are another
    run's."""
    found = read(path)
    folder = path.parent.parent
    result = found.result
    plain = path_of(result.chip, result.workload, result.seed, result.witness, folder)
    if path not in (plain, path_of_result(result, folder)):
        raise InputError(
            f"record {path} cannot be used: it must lie where its run's records lie, {path_of_result(result, folder)}: "
            "the file was edited or moved; delete it and run again"
        )
    return found


def disagreement(rtl: Result, model: Result) -> str | None:
    """What RTL and model count differently for one chip and workload; None if nothing, or if they are not of one."""
    same = ("chip", "chip_digest", "workload", "workload_digest", "seed")
    if any(getattr(rtl, name) != getattr(model, name) for name in same) or rtl.verdict == "fail":
        return None
    if rtl.cycles != model.cycles:
        return f"{rtl.cycles:,} and {model.cycles:,} cycles"
    phases = {k for k in rtl.phases.keys() | model.phases.keys() if rtl.phases.get(k, 0) != model.phases.get(k, 0)}
    if rtl.phases and model.phases and phases:
        name = min(phases)
        return f"{rtl.phases.get(name, 0):,} and {model.phases.get(name, 0):,} cycles of {name}"
    # what operands decide is not in the record of a model that was given shapes only
    names = (rtl.counts.keys() | model.counts.keys()) - (events_of_all("VALUE_EVENTS") - model.counts.keys())
    unequal = sorted(name for name in names if rtl.counts.get(name, 0) != model.counts.get(name, 0))
    if rtl.counts and model.counts and unequal:
        name = unequal[0]
        return f"{rtl.counts.get(name, 0):,} and {model.counts.get(name, 0):,} of {name}"
    return None


def current_commit() -> str:
    """The commit of the working tree, with "+" if it has changes; "unknown" outside of git."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _integer(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{name} of a record must be an integer of at least 0, not {value!r}")


def _plain(value: Any) -> Any:
    """`value` as JSON types, NumPy scalars included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return held if held.get("answer") != {} else {name: v for name, v in held.items() if name != "answer"}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    to_python = getattr(value, "item", None)
    return value if to_python is None else to_python()


def _build(cls: type, fields: Any, half: str) -> Any:
    if not isinstance(fields, dict):
        raise InputError(f"its {half} half must be an object, not {type(fields).__name__}")
    known = {f.name: f for f in dataclasses.fields(cls)}
    unknown = fields.keys() - known.keys()
    if unknown:
        raise InputError(f"its {half} half must not have a field {min(unknown)!r}")
    required = {
        n for n, f in known.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    if required - fields.keys():
        raise InputError(f"its {half} half must have the field {min(required - fields.keys())!r}")
    for name, value in fields.items():
        default = known[name].default_factory
        expected = {dict: dict, Counts: dict}.get(default)  # type: ignore[arg-type]
        if name == "layers":
            expected = list
        if expected is not None and not isinstance(value, expected):
            raise InputError(f"{name} of its {half} half must be a {expected.__name__}, not {value!s:.40}")
    if half == "result" and not all(isinstance(layer, dict) for layer in fields.get("layers", [])):
        raise InputError("layers of its result half must be a list of objects")
    return cls(**fields)
