"""Speed of simulation, measured now: cocotb that starts and waits against a plain C++ loop; build times.

examples:
  kcloud-cosim tb bench
  kcloud-cosim tb bench --chip npu_aim --repeat 3
"""

import argparse
import importlib

from hw import chips
from hw.base.error import InputError
from hw.base.place import checkout
from tb.bench import design
from tb.bench.build import tools
from tb.bench.measure import shown
from tb.bench.speed import compare
from tb.cli.sim import say
from tb.npu import table

TARGET = 0.60
"""Share of the plain C++ loop's speed a cocotb job that only starts and waits must reach."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to simulate."""
    parser.add_argument(
        "--chip",
        type=chips.option,
        default="npu_16",
        help="a file in hw/chips with a core, or a system (default %(default)s)",
    )
    parser.add_argument("--repeat", type=int, default=8, help="measurements of each, in turn (default %(default)s)")
    parser.add_argument(
        "--table", action="store_true", help="gates, build times and speed of 4 x 4 to 32 x 32 -> docs/benchmarks.md"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", help="rows and columns of the table's cores (default: 4 8 16 32)"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if the target is reached, 1 otherwise."""
    if arguments.table:
        checkout("writing docs/benchmarks.md")
        rows = []
        for size in arguments.sizes or table.SIZES:
            rows.append(table.measure(size, say))
            say(f"table   {shown(table.write(rows, tools()))}")
        return 0
    if arguments.repeat < 1:
        raise InputError(f"repeat must be at least 1, not {arguments.repeat}; choose a larger number")
    bench = design.default(chips.load(arguments.chip))
    speed = getattr(design.load(bench), "SPEED", None)
    if speed is None:
        raise InputError(
            f"the speed is measured of a chip with a core or of a system, {arguments.chip} has neither; "
            "choose npu_16 or npu_aim"
        )
    emitted = design.design(bench, arguments.chip)
    job = importlib.import_module(speed).job(arguments.chip, emitted)
    say(f"rtl     {emitted.name}: Verilog {emitted.digest}")
    found = compare(bench, emitted, job, arguments.repeat)
    say(f"build   the simulator took {found.build_s:.1f} s when it was made")
    say(f"job     {job.title}: {found.cycles:,} cycles; CPU seconds, best of {arguments.repeat}")
    say(f"plain   {found.plain / 1e3:8,.1f} thousand cycles/s  (C++ loop around the same Verilated model)")
    say(f"cocotb  {found.cocotb / 1e3:8,.1f} thousand cycles/s  (start and wait)")
    say(f"ratio   {found.ratio:8.1%}  (target {TARGET:.0%})")
    return 0 if found.ratio >= TARGET else 1
