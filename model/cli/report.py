"""Report a run, and the programme's sites beside it: screen, Markdown, tables and plots, from records.

The run's own chip has its report in build/report/CHIP/WORKLOAD.SEED, the sites theirs in build/report/kcloud. The
screen of a chip that is named is about that chip; without one it holds both.

examples:
  kcloud-cosim report --screen
  kcloud-cosim report --chip path/to/my_npu.py --workload gemm_16 --screen
  kcloud-cosim report --lang en
  kcloud-cosim report --store build/explore/digits_small
  kcloud-cosim report --format csv --output tables
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from hw import chips
from hw.base.program import as_typed
from hw.base.progress import progress
from hw.base.seed import seed
from model import workloads
from model.report.page.language import LANGUAGES
from model.workloads import _given

DEFAULT_CHIP = "npu_16"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--chip", type=chips.option, metavar="NAME|FILE", help="default: npu_16")
    parser.add_argument(
        "--workload",
        type=workloads.option,
        default=None,
        help="a file in model/workloads (default: digits, digits_float on a PIM chip)",
    )
    _given.add_arguments(parser)
    _given.add_decoding_arguments(parser)
    parser.add_argument("--seed", type=seed, default=1, help="seed of the run (default: %(default)s)")
    parser.add_argument("--screen", action="store_true", help="print the one-screen summary as well")
    parser.add_argument(
        "--format",
        choices=("all", "text", "markdown", "html", "csv", "json"),
        default="all",
        help="forms to write (default: all, with plots)",
    )
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=LANGUAGES[0],
        help="language the programme's page opens in; the other is in it too (default: %(default)s)",
    )
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="the front of an exploration in this store as a section of the run"
    )
    parser.add_argument("--output", type=Path, help="one folder for all of it (default: two, see above)")


def run(arguments: argparse.Namespace) -> int:
    """Write the report; 1 if the run it is about failed."""

    from model.report import text
    from model.report.load import load_programme
    from model.report.load_validation import load_validation
    from model.report.section_explore import read
    from model.report.section_run import PROGRAMME_FOLDER
    from model.report.summary import summarise
    from model.report.write import FORMATS, write_report

    named = arguments.chip is not None
    arguments.chip = arguments.chip or DEFAULT_CHIP
    chip = chips.load(arguments.chip)
    arguments.workload = _given.changed(arguments, _given.named(arguments) or workloads.default(chip))
    workload = workloads.load(arguments.workload)
    needed, broken = chips.load_all()
    for sentence in broken:
        print(sentence, file=sys.stderr)
    summary = summarise(
        arguments.chip,
        chip,
        arguments.workload,
        arguments.seed,
        needed,
        workload_digest=workload.digest,
        folder=arguments.output,
    )
    if arguments.store is not None:
        read(arguments.store)
        summary = replace(summary, store=arguments.store)
    if summary.programme is None and not arguments.screen:
        load_programme(needed)  # raises what it lacks, before anything is written
    everything = arguments.format == "all"
    forms = FORMATS if everything else (arguments.format,)
    parts = [summary]
    if arguments.output is None:
        parts = [replace(summary, about="run")]
        if summary.programme is not None:
            parts.append(replace(summary, about="programme", folder=PROGRAMME_FOLDER))
    validation = load_validation(needed) if summary.programme is not None and "html" in forms else None
    with progress("report", total=len(parts)) as going:
        written = []
        for part in parts:
            written.append(
                (part.folder, write_report(part, forms, plots=everything, validation=validation, lang=arguments.lang))
            )
            going.step()
    if arguments.screen:
        print(as_typed(text.render(replace(summary, about="run") if named else summary)))
    for folder, names in written:
        print(f"{folder}: {', '.join(names)}")
    failed = [m for m in (summary.rtl, summary.model) if m is not None and m.result.verdict == "fail"]
    return 1 if failed else 0
