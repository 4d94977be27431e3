"""Every bench on every chip but those of several cores, all workloads that fit and all seeds; resumable, JUnit XML.

examples:
  kcloud-cosim regress --chip tiny
"""

import argparse
import os

from hw import chips
from hw.base.error import InputError
from hw.base.seed import seed
from model import workloads
from tb.bench import cocotb_variables, design
from tb.bench.build import BUILD
from tb.bench.measure import shown
from tb.bench.regression import default_chips, matrix, regress, write_junit
from tb.cli.sim import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Each may be given more than once; all known ones if not given."""
    parser.add_argument(
        "--chip",
        type=chips.option,
        action="append",
        help="a file in hw/chips (default: all but those of several cores)",
    )
    parser.add_argument("--workload", action="append", help="a file in model/workloads (default: all)")
    parser.add_argument("--bench", action="append", help="a file tb/<room>/<bench>_tests.py (default: all)")
    parser.add_argument("--seed", action="append", type=seed, help="of the operands (default: 1 and 2)")


def run(arguments: argparse.Namespace) -> int:
    """0 if every case passed, 1 otherwise."""
    asked = cocotb_variables.given(os.environ)
    if asked.pattern is not None:
        raise InputError(
            "COCOTB_TEST_FILTER must not be set for a regression, which runs every test; use `make sim` for some"
        )
    if asked.seed is not None and arguments.seed is None:
        arguments.seed = [asked.seed]
    benches = arguments.bench or design.names()
    cases = matrix(
        benches,
        arguments.chip or default_chips(),
        arguments.workload or workloads.names(),
        arguments.seed or [1, 2],
        lambda reason: say(f"skip    {reason}"),
    )
    say(f"regress {len(cases)} cases")
    finished = regress(cases, say)
    path = write_junit(finished, BUILD / "regress" / "junit.xml")
    failed = [result for result in finished if not result.passed]
    say(f"junit   {shown(BUILD / 'junit')}, one file a case; all in one: {shown(path)}")
    say(f"result  {len(finished) - len(failed)} passed, {len(failed)} failed")
    for result in failed:
        say(f"failed  {result.case.command}")
    return 1 if failed or not finished else 0
