"""Measure what is missing; draw the plots if a folder is named: `python -m model.crossbar [DIR]`."""

import sys
from pathlib import Path

from model.crossbar import measure_core
from model.crossbar.measure import measure
from model.crossbar.plots import draw

if __name__ == "__main__":
    measure()
    measure_core.measure()
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]))
