"""Report a run and the site it is projected to: screen, Markdown, tables and plots, from records."""

import argparse
from pathlib import Path

from hw import chips
from hw.base.program import as_typed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--chip", default="npu_16", help="a file in hw/chips (default: %(default)s)")
    parser.add_argument(
        "--workload", default=None, help="a file in model/workloads (default: digits, digits_float on a PIM chip)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the run (default: %(default)s)")
    parser.add_argument("--screen", action="store_true", help="print the one-screen summary as well")
    parser.add_argument(
        "--format",
        choices=("all", "text", "markdown", "html", "csv", "json"),
        default="all",
        help="forms to write (default: all, with plots)",
    )
    parser.add_argument("--output", type=Path, help="folder (default: build/report/CHIP/WORKLOAD.SEED)")


def run(arguments: argparse.Namespace) -> int:
    """Write the report; 1 if the run it is about failed."""
    from model import workloads
    from model.report import text
    from model.report.load import load_programme
    from model.report.summary import summarise
    from model.report.write import FORMATS, write_report

    chip = chips.load(arguments.chip)
    arguments.workload = arguments.workload or workloads.default(chip)
    workload = workloads.load(arguments.workload)
    needed = {name: chips.load(name) for name in chips.names()}
    summary = summarise(
        arguments.chip,
        chip,
        arguments.workload,
        arguments.seed,
        needed,
        workload_digest=workload.digest,
        folder=arguments.output,
    )
    if summary.programme is None and not arguments.screen:
        load_programme(needed)  # raises what it lacks, before anything is written
    everything = arguments.format == "all"
    names = write_report(summary, FORMATS if everything else (arguments.format,), plots=everything)
    if arguments.screen:
        print(as_typed(text.render(summary)))
    print(f"{summary.folder}: {', '.join(names)}")
    failed = [m for m in (summary.rtl, summary.model) if m is not None and m.result.verdict == "fail"]
    return 1 if failed else 0
