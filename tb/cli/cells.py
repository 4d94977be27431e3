"""Characterise the 45 nm cells with ngspice and write hw/cells/mini45.{lib,v,sp}; a stopped run goes on.

examples:
  kcloud-cosim cells
"""

import argparse
import hashlib
import time
from pathlib import Path

from hw.base.file import write_atomically
from hw.cells import FOLDER
from hw.gates import characterise, write_library


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where measurements are kept, how many run at once, compare only."""
    parser.add_argument("--build", type=Path, default=Path("build"), help="measurements are kept in BUILD/cells")
    parser.add_argument("--parallel", type=int, default=2, help="ngspice processes at once")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")


def run(arguments: argparse.Namespace) -> int:
    """Measure what is missing, then write or compare; 1 if --check finds a difference."""
    start = time.monotonic()

    def progress(done: int, total: int) -> None:
        if done == total or done % 25 == 0:
            print(f"{done:4} of {total} decks, {time.monotonic() - start:.0f} s", flush=True)

    characterise.run(arguments.build / "cells", parallel=max(1, arguments.parallel), progress=progress)
    texts = {
        "mini45.lib": write_library.liberty(arguments.build / "cells"),
        "mini45.v": write_library.verilog(),
        "mini45.sp": write_library.spice(),
    }
    different = 0
    for name, text in texts.items():
        path = FOLDER / name
        same = path.exists() and path.read_text() == text
        different += not same
        if not same and not arguments.check:
            write_atomically(path, text)
        state = "as committed" if same else "differs" if arguments.check else "written"
        print(f"{name:12} sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}  {state}")
    return 1 if arguments.check and different else 0
