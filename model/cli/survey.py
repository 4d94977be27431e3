"""Run every chip on every workload through the chip model: rate, what bounds it, or one sentence why not.

examples:
  kcloud-cosim survey
  kcloud-cosim survey --chips nvidia_h100_sxm furiosa_rngd --workloads resnet50 --json
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from hw import chips
from hw.base.file import write_atomically
from hw.base.program import as_typed
from hw.base.progress import progress
from model import workloads
from model.card.survey import Entry, survey
from model.network.workload import NetworkWorkload


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which chips, which workloads, where the CSV goes."""
    parser.add_argument("--chips", type=chips.option, nargs="+", metavar="NAME", help="default: all products")
    parser.add_argument("--workloads", nargs="+", metavar="NAME", help="default: all networks")
    parser.add_argument("--json", action="store_true", help="a JSON list on the screen, one object a pair")
    parser.add_argument("--output", type=Path, default=Path("build/report/survey.csv"), help="CSV file to write")


def run(arguments: argparse.Namespace) -> int:
    """Print the table, write it as CSV."""
    chosen, tasks = arguments.chips or products(), arguments.workloads or networks()
    with progress("survey", total=len(chosen) * len(tasks)) as going:
        entries = survey(chosen, tasks, going.step)
    write_atomically(arguments.output, csv(entries))
    if arguments.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1))
        return 0
    workload = ""
    for entry in entries:
        if entry.workload != workload:
            workload = entry.workload
            print(f"{workload}: {workloads.load(workload).title}")
        print(f"  {entry.chip:<24} {text(entry)}")
    print(
        f"{len(entries)} pairs, {sum(not e.reason for e in entries)} of them with a rate, in {arguments.output}; "
        "nominal values, the range of one: " + as_typed("kcloud-cosim device")
    )
    return 0


def products() -> list[str]:
    """Chips that somebody sells or has published."""
    return [name for name, chip in chips.load_all()[0].items() if chip.published]


def networks() -> list[str]:
    """Workloads that are networks of a real task."""
    return [name for name in workloads.names() if isinstance(workloads.load(name), NetworkWorkload)]


def text(entry: Entry) -> str:
    """Rate and what bounds it, or the reason."""
    if entry.reason:
        return f"- {entry.reason}"
    cards = f", {entry.cards} cards" if entry.cards > 1 else ""
    return (
        f"{entry.rate:>14,.1f} {entry.unit:<12} {entry.number:<9} batch {entry.batch:<3} "
        f"{entry.latency_ms:>10.3f} ms  "
        f"{entry.utilisation:>6.1%}  {entry.bound}{cards}"
    )


def csv(entries: list[Entry]) -> str:
    """One line per pair, a heading with units."""
    lines = ["workload,chip,rate,unit,number_format,cards,batch,latency_ms,bound,utilisation,reason"]
    for e in entries:
        reason = '"' + e.reason.replace('"', '""') + '"' if e.reason else ""
        lines.append(
            f"{e.workload},{e.chip},{e.rate:.6g},{e.unit},{e.number},{e.cards},{e.batch},{e.latency_ms:.6g},"
            f"{e.bound},{e.utilisation:.6g},{reason}"
        )
    return "\n".join(lines) + "\n"
