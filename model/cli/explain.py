"""Open a projected figure to its formula, inputs and, at the end, records and facts.

examples:
  kcloud-cosim explain gwangju.wall_kw
  kcloud-cosim explain gwangju.wall_kw --drivers
  kcloud-cosim explain --list --json
"""

import argparse
import json
import sys

from hw import chips


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("figure", nargs="?", help="name of a figure, for example gwangju.wall_kw")
    parser.add_argument("--list", action="store_true", help="list all figures instead")
    parser.add_argument("--drivers", action="store_true", help="rank the inputs by what they move")
    parser.add_argument("--json", action="store_true", help="JSON instead of the lines")


def run(arguments: argparse.Namespace) -> int:
    """Print the tree of one figure, or all names."""
    from hw.base.error import InputError
    from model.projection.explain import as_json, below, compact, explain, quantity
    from model.report.load import load_programme
    from model.report.summary import summarise
    from model.report.text import table

    needed, broken = chips.load_all()
    for sentence in broken:
        print(sentence, file=sys.stderr)
    run_of = (arguments.figure or "").split(".")
    if run_of[0] == "run" and len(run_of) > 4 and run_of[3].isdigit():
        projection = summarise(run_of[1], chips.load(run_of[1]), run_of[2], int(run_of[3]), needed).projection
    else:
        projection = load_programme(needed).projection
    if arguments.json and arguments.list:
        rows = zip(projection.figures, projection.intervals(), strict=True)
        print(json.dumps([as_json(figure, interval) for figure, interval in rows], indent=1))
        return 0
    if arguments.list:
        rows = [("figure", "low", "nominal", "high", "unit", "weakest input")]
        for figure, i in zip(projection.figures, projection.intervals(), strict=True):
            rows.append(
                (figure.name, compact(i.low), compact(i.nominal), compact(i.high), figure.unit, figure.confidence)
            )
        print("\n".join(table(tuple(rows))))
        return 0
    if arguments.figure is None:
        raise InputError("explain must be given a figure, not nothing; list them with --list")
    if arguments.json:
        found = below(projection, arguments.figure)
        print(json.dumps([as_json(figure, projection.interval(figure)) for figure in found], indent=1))
        return 0
    if arguments.drivers:
        rows = [("input", "low", "high", "at low", "at high")]
        for driver in projection.drivers(arguments.figure):
            fact = driver.leaf.fact
            assert fact is not None
            unit = projection[arguments.figure].unit
            rows.append(
                (
                    driver.leaf.name,
                    quantity(fact.minimum, fact.unit),
                    quantity(fact.maximum, fact.unit),
                    quantity(driver.at_low, unit),
                    quantity(driver.at_high, unit),
                )
            )
        print("\n".join(table(tuple(rows))))
        return 0
    print(explain(projection, arguments.figure), end="")
    return 0
