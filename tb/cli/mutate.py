"""Plant small mistakes in RTL, models and benches and run the tests: which are noticed, which live.

example: kcloud-cosim mutate --count 40 --area rtl --seed 2
"""

import argparse
import json
import time

from hw.base import place
from hw.base.error import InputError
from tb.cli.sim import say
from tb.mutation.campaign import Campaign, Verdict, summary
from tb.mutation.mutants import AREAS, sample

REASONS = "tests/data/mutants_alive.json"
"""Key of a mistake that lives -> why; "equivalent: ..." if it changes nothing that anybody can see."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, where, how long."""
    parser.add_argument("--count", type=int, default=300, help="mistakes in the sample (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default %(default)s)")
    parser.add_argument("--area", action="append", choices=sorted(AREAS), help="only there (default: all)")
    parser.add_argument("--seconds", type=float, default=600.0, help="for the tests of one mistake (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="mistakes at once (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=None, help="stop after this time; the next run goes on")
    parser.add_argument("--list", action="store_true", help="print the sample and stop")


def run(arguments: argparse.Namespace) -> int:
    """0 if every mistake was noticed or has a reason, 1 if one lives without."""
    root = place.checkout("the mutation run")
    for name in ("count", "jobs"):
        if getattr(arguments, name) < 1:
            raise InputError(f"{name} must be at least 1, not {getattr(arguments, name)}; choose a larger number")
    mutants = sample(root, arguments.count, arguments.seed, arguments.area or tuple(AREAS))
    if arguments.list:
        for m in mutants:
            say(f"{m.key} {m.path}:{m.line} {m.kind}: {m.before}  ->  {m.after}")
        return 0
    reasons = json.loads((root / REASONS).read_text()) if (root / REASONS).is_file() else {}
    campaign = Campaign(root, place.build() / "mutate", seconds=arguments.seconds, jobs=arguments.jobs)
    verdicts: list[Verdict] = []
    started = time.monotonic()
    try:
        for verdict in campaign.run(mutants):
            verdicts.append(verdict)
            m = verdict.mutant
            by = f"by {verdict.killed_by}" if verdict.killed_by else f"{verdict.ran} of {verdict.related} files ran"
            say(f"{len(verdicts):4}/{len(mutants)} {verdict.state:7} {m['path']}:{m['line']} {m['kind']}, {by}")
            if arguments.minutes is not None and time.monotonic() - started > 60 * arguments.minutes:
                campaign.stop()
                break
    except KeyboardInterrupt:
        summary(verdicts, reasons, say)
        raise
    return 1 if summary(verdicts, reasons, say) else 0
