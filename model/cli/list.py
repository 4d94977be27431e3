"""List what there is, one line each: chips, workloads, benches, figures, language models.

examples:
  kcloud-cosim list chips
  kcloud-cosim list workloads --json
  kcloud-cosim list figures | grep wall
"""

import argparse
import ast
import json
from collections.abc import Iterator

from hw import chips
from hw.base.place import SOURCE
from hw.gates import core_clock
from model import workloads

KINDS = ("chips", "workloads", "benches", "figures", "models")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to list, in which form."""
    parser.add_argument("what", choices=KINDS)
    parser.add_argument("--json", action="store_true", help="as JSON: name and one line each")


def run(arguments: argparse.Namespace) -> int:
    """Print the list; 0."""
    rows = list({"chips": _chips, "workloads": _workloads, "benches": _benches, "figures": _figures, "models": _models}[
        arguments.what
    ]())  # fmt: skip
    if arguments.json:
        print(json.dumps([{"name": name, "line": line} for name, line in rows], indent=1))
        return 0
    width = max((len(name) for name, _ in rows), default=0)
    for name, line in rows:
        print(f"{name:<{min(width, 44)}}  {line}".rstrip())
    return 0


def _chips() -> Iterator[tuple[str, str]]:
    found, broken = chips.load_all()
    for name, chip in found.items():
        built = "facts alone" if chip.machine is None else chip.kind.title
        many = f" x {chip.cores}" if chip.cores > 1 else ""
        rtl = "" if chip.machine is None or chip.cores > 1 else ", runs as RTL"
        clock = core_clock.short(chip)
        yield name, f"{chip.title} [{built}{many}{rtl}{f'; {clock}' if clock else ''}]"
    for sentence in broken:
        yield "-", sentence


def _workloads() -> Iterator[tuple[str, str]]:
    for name in workloads.names():
        workload = workloads.load(name)
        shapes = " [shapes alone]" if hasattr(workload, "build") else " [operands: runs as RTL]"
        yield name, workload.title + shapes


def _benches() -> Iterator[tuple[str, str]]:
    for path in sorted((SOURCE / "tb").rglob("*_tests.py"), key=lambda path: path.name):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield path.name.removesuffix("_tests.py"), text.partition("\n")[0]


def _figures() -> Iterator[tuple[str, str]]:
    from model.projection.explain import compact
    from model.report.load import load_programme

    projection = load_programme(chips.load_all()[0]).projection
    for figure in projection.figures:
        yield (
            figure.name,
            " ".join(
                (
                    compact(figure.nominal),
                    "" if figure.unit == "1" else figure.unit,
                    "-",
                    figure.note or figure.confidence,
                )
            ),
        )


def _models() -> Iterator[tuple[str, str]]:
    from model.network import llm

    for name in llm.names():
        model = llm.load(name)
        yield name, f"{model.parameters / 1e9:.2f} billion parameters, {model.layers} layers"
