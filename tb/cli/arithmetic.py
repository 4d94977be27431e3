"""Floating-point units in Verilator against SoftFloat: every FP8 product, directed-random vectors of all pairs.

examples:
  kcloud-cosim arithmetic --vectors 1000 --latency 2
"""

import argparse
import time

from hw.base.seed import seed
from tb.arithmetic.compare import run as compare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Volume, depth and seed."""
    parser.add_argument("--accumulators", type=int, default=16, help="addends for each of the 65,536 FP8 products")
    parser.add_argument("--vectors", type=int, default=4000, help="vectors per class and format pair; six classes")
    parser.add_argument("--latency", type=int, default=3, help="cycles of the multiply-accumulate, 1 to 8")
    parser.add_argument("--seed", type=seed, default=1)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per unit and kind of vectors; 1 if any differs."""
    start, total, wrong = time.monotonic(), 0, 0
    rows = compare(
        accumulators=arguments.accumulators,
        vectors=arguments.vectors,
        latency=arguments.latency,
        seed=arguments.seed,
    )
    for unit, kind, result in rows:
        total, wrong = total + result.vectors, wrong + result.mismatches
        print(f"{unit:12}{kind:36}{result.vectors:>10,} vectors {result.mismatches:>6,} differ  {result.first}")
    print(
        f"{total:,} vectors, {wrong:,} differ from SoftFloat, {time.monotonic() - start:.0f} s, seed {arguments.seed}"
    )
    return 1 if wrong else 0
