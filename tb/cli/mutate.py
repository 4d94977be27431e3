"""Plant small mistakes in RTL, models and benches and run the tests: which are noticed, which live.

example: kcloud-cosim mutate --count 40 --area rtl --seed 2
"""

import argparse
import json
import time

from hw.base import place
from hw.base.error import InputError
from hw.base.seed import seed
from tb.cli.sim import say
from tb.mutation.campaign import Campaign, Verdict, summary
from tb.mutation.mutants import AREAS, sample

REASONS = "tests/data/mutants_alive.json"
"""Key of a mistake that lives -> why; "equivalent: ..." if it changes nothing that anybody can see."""

ROUND = 60
"""Test files that are looked at before the mistakes they come by are tried, those with little behind them first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, where, how long."""
    parser.add_argument("--count", type=int, default=300, help="mistakes in the sample (default %(default)s)")
    parser.add_argument("--seed", type=seed, default=1, help="of the sample (default %(default)s)")
    parser.add_argument("--area", action="append", choices=sorted(AREAS), help="only there (default: all)")
    parser.add_argument(
        "--seconds", type=float, default=200.0, help="of processor time for the tests of one mistake (%(default)s)"
    )
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
    campaign = Campaign(
        root,
        place.build() / "mutate",
        mutants,
        seconds=arguments.seconds,
        jobs=arguments.jobs,
        equivalent={key for key, reason in reasons.items() if reason.startswith("equivalent")},
    )
    clock = _Clock(arguments.minutes)
    verdicts: list[Verdict] = []
    try:
        missing = campaign.reach.missing()
        done = 0
        if missing and not _judge(campaign, clock, verdicts, likely=True):
            return 1
        for start in range(0, len(missing), ROUND):
            for name, seconds in campaign.look(missing[start : start + ROUND]):
                done += 1
                say(
                    f"{done:4}/{len(missing)} looked at {name}, {seconds:.0f} s of processor time; "
                    f"{clock.text(done, len(missing))}"
                )
                if clock.over():
                    campaign.stop()
                    break
            if start + ROUND < len(missing) and not _judge(campaign, clock, verdicts, likely=True):
                break
        if not clock.over():
            _judge(campaign, clock, verdicts, likely=False)
    except KeyboardInterrupt:
        summary(verdicts, reasons, say)
        raise
    return 1 if summary(verdicts, reasons, say) else 0


def _judge(campaign: Campaign, clock: "_Clock", verdicts: list[Verdict], *, likely: bool) -> bool:
    """Say a line for each verdict that is new and, while only `likely` tests run, final; False if the time is up."""
    former = {verdict.key: verdict for verdict in verdicts}
    verdicts.clear()
    for verdict in campaign.run(likely=likely):
        verdicts.append(verdict)
        if former.get(verdict.key) == verdict or (likely and verdict.state != "killed"):
            continue
        m = verdict.mutant
        by = f"by {verdict.killed_by}" if verdict.killed_by else f"{verdict.ran} of {verdict.reached} tests ran"
        say(
            f"{len(verdicts):4}/{len(campaign.mutants)} {verdict.state:7} {verdict.key} {m['path']}:{m['line']} "
            f"{m['kind']}, {by}, {verdict.seconds:.0f} s; {clock.text(len(verdicts), len(campaign.mutants))}"
        )
        if clock.over():
            say("the time is up; the next run goes on")
            campaign.stop()
            return False
    return True


class _Clock:
    """How long it has been, how long it will be."""

    def __init__(self, minutes: float | None) -> None:
        self._started, self._minutes = time.monotonic(), minutes

    def text(self, done: int, total: int) -> str:
        """Elapsed and expected time."""
        elapsed = (time.monotonic() - self._started) / 60
        return f"{elapsed:.0f} min of about {elapsed * total / done:.0f}"

    def over(self) -> bool:
        """Whether the time that was asked for is up."""
        return self._minutes is not None and time.monotonic() - self._started > 60 * self._minutes
