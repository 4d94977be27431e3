"""Write the records of the chip model that projection and validation read: every card, every task it runs.

What does not run is listed with its reason. With --check nothing is written: each committed record is compared with
what the model says now.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from hw import chips
from hw.spec.device import device
from hw.spec.error import InputError
from model.device import record as make
from model.record import Measurement, path_of, read, result_bytes, write

DECODE = "llama31_8b_decode"
CURVES = ("furiosa_rngd", "rebellions_atom_max", "nvidia_h100_sxm", "nvidia_h200_sxm", "nvidia_l40s")
PIM_CARD = "furiosa_rngd"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where they go, which."""
    parser.add_argument("--root", type=Path, default=Path("measurements"), help="default: measurements")
    parser.add_argument("--chips", nargs="+", metavar="NAME", help="default: all products")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; 1 if one differs")


def run(arguments: argparse.Namespace) -> int:
    """Write or compare; 1 if a compared one differs."""
    names = arguments.chips or [name for name in chips.names() if chips.load(name).facts]
    written = differ = 0
    for label, build in plan(names):
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
            print(f"differs: {path}, write it again with python -m model records")
    print(f"{differ} records differ" if arguments.check else f"{written} records below {arguments.root}")
    return 1 if differ else 0


def plan(names: list[str]) -> Iterator[tuple[str, Callable[[], Measurement]]]:
    """(label, builder) of every record."""
    for name in names:
        try:
            device(chips.load(name))
        except InputError as error:
            print(f"- {name}: {error}")
            continue
        for task in make.NETWORK_TASKS:
            for scenario in make.SCENARIOS:
                if scenario != "multi_stream" or task == "resnet50":
                    yield f"{name} {task} {scenario}", lambda n=name, t=task, s=scenario: make.network_record(n, t, s)
        for task in make.LANGUAGE_TASKS:
            yield f"{name} {task}", lambda n=name, t=task: make.language_record(n, t)
        yield f"{name} {DECODE}", lambda n=name: make.decode_record(n, DECODE)
        if name in CURVES:
            yield f"{name} curve", lambda n=name: make.curve_record(n, make.PIM_MODEL)
        if name == PIM_CARD:
            for pim in ("hbm_pim", "aim"):
                yield f"{name} curve {pim}", lambda n=name, p=pim: make.curve_record(n, make.PIM_MODEL, p)
