"""Prove the claims in hw/formal; each planted bug must be caught.

examples:
  kcloud-cosim formal
  kcloud-cosim formal --proof bank_timing
"""

import argparse
import time

from hw import formal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which proofs."""
    parser.add_argument("--proof", action="append", metavar="NAME", help="only this one (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per question; 1 if a claim fails or a bug goes unnoticed."""
    from tb.formal import prove

    chosen = arguments.proof or formal.names()
    for name in chosen:
        formal.load(name)
    started, failed, asked = time.monotonic(), 0, 0
    for name in chosen:
        for check in prove(name):
            print(check.sentence, flush=True)
            asked, failed = asked + 1, failed + (not check.good)
    print(f"{asked} questions, {failed} failed, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0
