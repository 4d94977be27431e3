"""Speed of simulation, measured now: cocotb that starts and waits against a plain C++ loop; build times.

examples:
  kcloud-cosim tb bench
"""

import argparse
import subprocess

from hw import chips
from hw.base.error import InputError
from hw.base.place import checkout
from hw.spec.core import CoreSpec
from tb.bench import design
from tb.bench.build import build, harness, tools
from tb.bench.measure import shown
from tb.bench.run import run as run_simulation
from tb.cli.sim import say
from tb.npu import table
from tb.npu.speed import commands, harness_source

TARGET = 0.60
"""Share of the plain C++ loop's speed a cocotb job that only starts and waits must reach."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to simulate."""
    parser.add_argument(
        "--chip", type=chips.option, default="npu_16", help="a file in hw/chips with a core (default %(default)s)"
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
    core = chips.machine(chips.load(arguments.chip), CoreSpec, "RTL")
    rows = core.array.rows
    blocks = min(256 // rows, int((min(core.activation_words, core.weight_words, core.output_words) // rows) ** 0.5))
    size, words, count = blocks * rows, blocks * blocks * rows, core.command_entries
    count = min(count, max(1, 1_000_000 // (blocks * blocks * size)))
    emitted = design.design("core", arguments.chip)
    built = build(emitted, "none", design.published(design.load("core"), emitted))
    say(
        f"build   {emitted.name}: simulator made in {built.seconds:.1f} s"
        + (" (earlier, now from the cache)" if built.cached else "")
    )
    program = harness(emitted, harness_source(emitted, commands(size, count, rows), words))
    plain, cocotb, cycles = [], [], "0"
    for _ in range(arguments.repeat):
        text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        cycles, seconds = text.split()
        plain.append(int(cycles) / float(seconds))
        outcome = run_simulation(
            built, "tb.npu.speed", parameters={"chip": arguments.chip, "size": size, "words": words, "count": count}
        )
        if not outcome.passed:
            raise RuntimeError(outcome.explain())
        cocotb.append(outcome.data["cycles"] / outcome.data["cpu_s"])
    ratio = max(cocotb) / max(plain)
    say(
        f"job     {count} GEMMs of {size} x {size} x {size} queued: {int(cycles):,} cycles; CPU seconds, best of "
        f"{arguments.repeat}"
    )
    say(f"plain   {max(plain) / 1e3:8,.0f} thousand cycles/s  (C++ loop around the same Verilated model)")
    say(f"cocotb  {max(cocotb) / 1e3:8,.0f} thousand cycles/s  (start and wait)")
    say(f"ratio   {ratio:8.1%}  (target {TARGET:.0%})")
    return 0 if ratio >= TARGET else 1
