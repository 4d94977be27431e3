"""Explore a space of designs or deployments: evaluate every point into a store, name the designs nobody beats.

examples:
  kcloud-cosim explore digits_small
  kcloud-cosim explore my_space.yaml --store results --json
  kcloud-cosim explore million_layers --dask local
  kcloud-cosim explore million_layers --search optuna --points 50000 --seed 1
  kcloud-cosim explore --list
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.seed import seed
from model.sweep import spaces, subjects
from model.sweep.front import Front, front_of
from model.sweep.run import Outcome, explore, store_at
from model.sweep.search import METHODS, search
from model.sweep.space import Space
from model.sweep.space_file import load

SHOWN = 12
"""Designs of a front that the screen shows; all are in front.csv."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which space, where, on what."""
    parser.add_argument(
        "space", nargs="?", metavar="SPACE", help="a file in model/sweep/spaces, or a path to .py or .yaml"
    )
    parser.add_argument("--store", type=Path, metavar="DIR", help="default: build/explore/SPACE")
    parser.add_argument(
        "--dask", default="", metavar="WHERE", help="local, slurm, lsf or tcp://HOST:PORT of a scheduler"
    )
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes of this machine (default: all)")
    parser.add_argument(
        "--search", choices=METHODS, default="exhaustive", metavar="HOW",
        help="exhaustive (every point), sobol (spread evenly) or optuna (NSGA-II, with one objective TPE)",
    )  # fmt: skip
    parser.add_argument("--points", type=int, metavar="N", help="of a search: points to evaluate at most")
    parser.add_argument("--seed", type=seed, metavar="S", help="of a search: which points it draws (default: 1)")
    parser.add_argument("--json", action="store_true", help="points, seconds, front and store as one object")
    parser.add_argument("--list", action="store_true", help="list the known spaces")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, find the front, write front.csv and front.png into the store, print."""
    if arguments.list or arguments.space is None:
        for name in spaces.names():
            found = load(name)
            print(f"{name:22} {found.size:>10,} points  {found.title}")
        return 0 if arguments.list else _without()
    if arguments.workers < 0:
        raise InputError(f"workers must be at least 0 (0: one a processor), not {arguments.workers}; choose another")
    searched = arguments.search != "exhaustive"
    if not searched and (arguments.points is not None or arguments.seed is not None):
        raise InputError("--points and --seed must come with a search; add --search sobol or --search optuna")
    points = arguments.points
    if searched and points is None:
        raise InputError(f"--search {arguments.search} must be told how many points; add --points N")
    space = load(arguments.space)
    subjects.load(space.subject).check(space)
    folder = arguments.store or Path("build/explore") / Path(arguments.space).stem
    say = _quiet if arguments.json else _say
    repeated = f", {space.repeated:,} named twice are one" if space.repeated else ""
    say(f"space   {space.title}: {space.size:,} points{repeated}")
    store = store_at(folder)
    shown = _Progress(quiet=arguments.json)
    where = {"workers": arguments.workers, "dask": arguments.dask, "progress": shown}
    if points is not None:
        seed = 1 if arguments.seed is None else arguments.seed
        outcome = search(space, store, method=arguments.search, points=points, seed=seed, **where)
    else:
        outcome = explore(space, store, **where)
    shown.end()
    found = front_of(space, store, whole=not searched)
    _write_csv(space, found, folder / "front.csv")
    from model.sweep.plot import draw

    draw(space, found, folder / "front.png")
    told = _as_json(outcome, found, folder)
    about = {"title": space.title, "space": arguments.space, "objectives": dict(space.objectives)}
    write_atomically(folder / "front.json", json.dumps(about | told, indent=1) + "\n")
    if arguments.json:
        print(json.dumps(told, indent=1))
    else:
        _print(space, outcome, found, folder)
    return 0


def _without() -> int:
    print("error: a space must be given, one of the above or a path to a .py or .yaml file", file=sys.stderr)
    return 2


def _say(line: str) -> None:
    print(line, flush=True)


def _quiet(line: str) -> None:
    """Nothing: the screen belongs to the JSON object."""


class _Progress:
    """Points, share, elapsed and expected time: in a terminal one line that changes, in a log one every ten seconds."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.terminal, self.last, self.wrote = quiet, sys.stderr.isatty(), 0.0, False

    def __call__(self, done: int, total: int, seconds: float) -> None:
        now = time.monotonic()
        if self.quiet or now - self.last < (0.2 if self.terminal else 10.0) or seconds < 3.0:
            return
        self.last, self.wrote = now, True
        left = f", about {seconds * (total - done) / done:.0f} s left" if done else ""
        text = f"points  {done:,} of {total:,} ({done / total:.0%}), {seconds:.0f} s{left}"
        print(
            f"\r{text:<79}" if self.terminal else text, end="" if self.terminal else "\n", file=sys.stderr, flush=True
        )

    def end(self) -> None:
        """Leave the line."""
        if self.wrote and self.terminal:
            print(file=sys.stderr)


def _print(space: Space, outcome: Outcome, found: Front, folder: Path) -> None:
    _say(f"points  {outcome.points:,}, of them {outcome.found:,} from the store, {outcome.seconds:.1f} s")
    _say(f"designs {found.designs:,}, {found.feasible:,} feasible, {len(found.members)} that no other beats")
    names = list(space.objectives)
    axes = list(found.members[0].axes)
    rows = [(*axes, *names, "bound by", "stays", "")]
    for one in _selection(found):
        rows.append((
            *(f"{value:g}" if isinstance(value, float) else str(value) for value in one.axes.values()),
            *(_ranged(one.results, name) for name in names), one.binds, f"{one.stays:.0%}", "knee" if one.knee else "",
        ))  # fmt: skip
    from model.report.text import table

    for line in table(tuple(rows)):
        _say(line)
    sure = sum(one.stays >= 0.9 for one in found.members)
    _say(f"stays   share of samples of the uncertain inputs in which the design is on the front; {sure} of "
         f"{len(found.members)} in 90 % of them")  # fmt: skip
    if len(found.sensitivity) > 1:
        _say("alone   " + ", ".join(f"{name} {share:.0%}" for name, share in found.sensitivity.items()))
    _say(f"store   {folder} (Parquet), front.csv, front.json, front.png")


def _ranged(results: Mapping[str, float], name: str) -> str:
    """A result with the ends of its range, if it has one."""
    low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
    shown = f"{results[name]:.4g}"
    return shown if low is None or high is None else f"{shown} ({low:.3g} to {high:.3g})"


def _selection(found: Front) -> list:
    """Members for one screen: evenly spread, the knee among them."""
    members = list(found.members)
    if len(members) <= SHOWN:
        return members
    step = (len(members) - 1) / (SHOWN - 1)
    places = {round(index * step) for index in range(SHOWN)} | {i for i, one in enumerate(members) if one.knee}
    return [members[place] for place in sorted(places)]


def _as_json(outcome: Outcome, found: Front, folder: Path) -> dict:
    return {
        "points": outcome.points,
        "evaluated": outcome.evaluated,
        "from_store": outcome.found,
        "seconds": outcome.seconds,
        "designs": found.designs,
        "feasible": found.feasible,
        "front": [
            {
                "axes": dict(one.axes),
                "results": dict(one.results),
                "binds": one.binds,
                "stays": one.stays,
                "knee": one.knee,
            }
            for one in found.members
        ],
        "sensitivity": dict(found.sensitivity),
        "store": str(folder),
    }


def _write_csv(space: Space, found: Front, path: Path) -> None:
    axes, results = list(found.members[0].axes), list(found.members[0].results)
    lines = [",".join([*axes, *results, "binds", "stays", "knee"])]
    for one in found.members:
        lines.append(",".join([
            *(str(one.axes[name]) for name in axes), *(repr(one.results[name]) for name in results), one.binds,
            f"{one.stays:.3f}", str(one.knee).lower(),
        ]))  # fmt: skip
    write_atomically(path, "\n".join(lines) + "\n")
