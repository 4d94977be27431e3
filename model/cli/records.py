"""List the records of the chip model that projection and validation read; write them again when asked to.

What does not run is listed with its reason when records are written. With --check nothing is written: each committed
record is compared with what the model says now.

examples:
  kcloud-cosim records
  kcloud-cosim records --json
  kcloud-cosim records --chips nvidia_t4 --check
  kcloud-cosim records --chips my_npu --write
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from hw import chips
from hw.base import place
from hw.base.error import InputError
from hw.base.program import as_typed
from hw.base.progress import progress
from model.card import language_record as language
from model.card import record as make
from model.card.device import device
from model.projection import published
from model.projection.check import LANGUAGE, SCENARIOS, TASKS
from model.record import Measurement, path_of, read, result_bytes, write
from model.report.load import CURVES
from model.serving.record import served_record

DECODE = "llama31_8b_decode"
PIM_CARD = "furiosa_rngd"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where they go, which."""
    parser.add_argument("--root", type=Path, default=place.measurements(), help="default: the committed ones")
    parser.add_argument("--chips", type=chips.option, nargs="+", metavar="NAME", help="default: all products")
    parser.add_argument("--json", action="store_true", help="the list as JSON, one object a record")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="make them: minutes of work")
    what.add_argument("--check", action="store_true", help="compare with what the model says now; 1 if one differs")


def run(arguments: argparse.Namespace) -> int:
    """List, write or compare; 1 if a compared one differs."""
    if not (arguments.write or arguments.check):
        return listed(arguments.root, arguments.chips, as_json=arguments.json)
    if arguments.json:
        raise InputError("--json must come alone or with --chips, it lists; leave it out to write or check")
    names = arguments.chips or [name for name, chip in chips.load_all()[0].items() if chip.published]
    written = differ = 0
    planned = list(plan(names))
    with progress("records", total=len(planned)) as going:
        for label, build in planned:
            going.step()
            try:
                measurement = build()
            except InputError as error:
                print(f"- {label}: {error}")
                continue
            result = measurement.result
            path = path_of(result.chip, result.workload, result.seed, result.witness, arguments.root)
            if not arguments.check:
                write(measurement, path)
                written += 1
            elif not path.exists() or result_bytes(read(path).result) != result_bytes(result):
                differ += 1
                print(as_typed(f"differs: {path}, write it again with kcloud-cosim records --write"))
    print(f"{differ} records differ" if arguments.check else f"{written} records below {arguments.root}")
    return 1 if differ else 0


def listed(root: Path, names: list[str] | None, *, as_json: bool = False) -> int:
    """Print the records below `root`, one line each: run, cycles, witness, where it comes from; 0."""
    count, rows = 0, []
    for path in sorted(root.glob("*/*.json")):
        if names and path.parent.name not in names:
            continue
        found = read(path)
        rate = found.result.figures.get("per_second")
        if as_json:
            rows.append({
                "run": found.result.run, "chip": found.result.chip, "workload": found.result.workload,
                "witness": found.result.witness, "cycles": found.result.cycles, "per_second": rate,
                "commit": found.origin.commit, "path": str(path),
            })  # fmt: skip
            continue
        text = f"{rate:>12,.1f} a second" if rate is not None else f"{found.result.cycles:>12,} cycles  "
        print(f"{found.result.run:<64} {text}  commit {found.origin.commit[:10]}")
        count += 1
    if as_json:
        print(json.dumps(rows, indent=1))
        return 0
    print(as_typed(f"{count} records below {root}; kcloud-cosim records --write makes them again"))
    return 0


def plan(names: list[str]) -> Iterator[tuple[str, Callable[[], Measurement]]]:
    """(label, builder) of every record."""
    for name in names:
        try:
            device(chips.load(name))
        except InputError as error:
            print(f"- {name}: {error}")
            continue
        for task, scenario in network_tasks(name):
            yield f"{name} {task} {scenario}", lambda n=name, t=task, s=scenario: make.network_record(n, t, s)
        for task, described in language.LANGUAGE_TASKS.items():
            for scenario in ("offline", "server", "single_stream") if described.longest else ("offline",):
                yield f"{name} {task} {scenario}", lambda n=name, t=task, s=scenario: language.language_record(n, t, s)
        yield f"{name} {DECODE}", lambda n=name: language.decode_record(n, DECODE)
        yield f"{name} served", lambda n=name: served_record(n)
        if name in CURVES:
            yield f"{name} curve", lambda n=name: language.curve_record(n, language.PIM_MODEL)
        if name == PIM_CARD:
            for pim in ("hbm_pim", "aim"):
                yield f"{name} curve {pim}", lambda n=name, p=pim: language.curve_record(n, language.PIM_MODEL, p)


def network_tasks(name: str) -> list[tuple[str, make.Scenario]]:
    """(task, scenario) of every network record of a chip: the tasks of all, and those it has published results of."""
    found: dict[tuple[str, make.Scenario], None] = {}
    for task in make.NETWORK_TASKS:
        for scenario in make.SCENARIOS[:3] if task == "resnet50" else make.SCENARIOS[:2]:
            found[task, scenario] = None
    found["resnet50", "server"] = None
    for row in (*published.rows(), *published.rows(published.OTHER)):
        task, scenario = TASKS.get(row.model, row.model), SCENARIOS.get(row.scenario)
        if row.chip == name and scenario is not None and task not in LANGUAGE:
            found[task, scenario] = None
    return list(found)
