"""One page of a chip: every published result beside its prediction, range and what bounds it; where the model is wrong.

examples:
  kcloud-cosim chip_page --chip furiosa_warboy
  kcloud-cosim chip_page --all build/pages
"""

import argparse
from pathlib import Path

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from model.projection.check import CHIP_MODEL, Check, Validation, score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which chip, or all of them."""
    parser.add_argument("--chip", type=chips.option, metavar="NAME", help="print the page of this chip")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write a page of every chip with a published result")


def run(arguments: argparse.Namespace) -> int:
    """Print or write; 0."""
    from model.cli.validate import loaded

    if (arguments.chip is None) == (arguments.all is None):
        raise InputError("chip_page must have one of --chip NAME and --all FOLDER; give one")
    validation = loaded()
    if arguments.chip is not None:
        print("\n".join(page(arguments.chip, validation)))
        return 0
    names = sorted({check.chip for check in validation.checks if check.kind})
    for name in names:
        write_atomically(arguments.all / f"{name}.md", "\n".join(page(name, validation)) + "\n")
    print(f"{len(names)} pages in {arguments.all}")
    return 0


def page(name: str, validation: Validation) -> list[str]:
    """The page in Markdown; a chip without a published result has its hypotheses and says that nothing can be told."""
    from model.card.device import device

    chip = chips.load(name)
    checks = [check for check in validation.checks if check.chip == name and check.kind]
    lines = [f"# {chip.title}", ""]
    if not checks:
        return [*lines, "No published result to hold the model to."]
    total = score(checks)
    lines += [
        f"{total.results} published results; {total.coverage:.0%} inside ranges that were learnt without this chip; "
        f"median factor {total.factor:.2f} (rules alone {total.rules_factor:.2f}), half width {total.half_width:.0%}.",
        "",
        "| result | unit | published | predicted | range | error | rules alone | inside | bound by | source |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(check) for check in checks]
    right = [check for check in checks if check.inside]
    wrong = [check for check in checks if not check.inside]
    lines += ["", "## Where the model is right", "", *(_kinds(right) or ["Nowhere yet."])]
    lines += ["", "## Where it is wrong, and why", ""]
    causes: dict[str, list[Check]] = {}
    for check in wrong:
        causes.setdefault(check.cause or "the model's error of this kind of question is larger here", []).append(check)
    for cause, found in causes.items():
        errors = sorted(check.error for check in found)
        lines.append(f"- {len(found)} results, {errors[0]:+.0%} to {errors[-1]:+.0%}: {cause}. {_names(found)}")
    if not wrong:
        lines.append("No result lies outside its range.")
    open_inputs = device(chip).hypotheses
    lines += ["", "## What nobody published", "", *(f"- {h}" for h in open_inputs)]
    return lines


def _line(check: Check) -> str:
    p, rules = check.predicted, check.rules or check.predicted
    inside = "yes" if check.inside else "no"
    return (
        f"| {check.what} | {check.unit} | {check.published:,.4g} | {p.nominal:,.4g} | {p.low:,.4g} to {p.high:,.4g} | "
        f"{check.error:+.0%} | {rules.nominal:,.4g} | {inside}{', blind' if check.blind else ''} | {_bound(check)} | "
        f"{check.published_by} |"
    )


def _bound(check: Check) -> str:
    """What most of the predicted time is spent on; "-" where no record says."""
    return check.bound or ("measured at the wall" if not check.rule.startswith(CHIP_MODEL) else "-")


def _kinds(checks: list[Check]) -> list[str]:
    kinds: dict[str, list[Check]] = {}
    for check in checks:
        kinds.setdefault(check.kind, []).append(check)
    return [
        f"- {kind}: {len(found)} results, half width {score(found).half_width:.0%}"
        for kind, found in sorted(kinds.items())
    ]


def _names(checks: list[Check]) -> str:
    names = sorted({check.what for check in checks})
    return "; ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
