"""Quality of whole tasks against converters, cells, scheme, programming error and drift: sweeps, and their plots.

`python -m model.crossbar` adds what is missing to `tasks.json` beside this file and goes on where it stopped;
`python -m model.crossbar DIR` also draws the plots into DIR.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically
from hw.spec.crossbar import CrossbarSpec, Scheme
from model.crossbar.cells import CellErrors, ErrorKind
from model.crossbar.converter import Policy
from model.crossbar.tasks import Task, quality

FILE = Path(__file__).parent / "tasks.json"
ROWS = 128
SEEDS = 3
DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One setting of a sweep.

    Parameters
    ----------
    sweep : str
        The plot it belongs to: converter, error, cells or drift.
    scheme : Scheme
        How a signed weight becomes levels of cells.
    cell_bits : int
        Bits a cell holds.
    adc_bits : int
        0: no converter; else calibrated.
    error : float
        Programming error, a share of `kind`.
    kind : ErrorKind
    drift : float
        Exponent of the drift over a day, its spread a fifth of it, compensated in the mean; 0: none.
    """

    sweep: str
    scheme: Scheme = "differential"
    cell_bits: int = 2
    adc_bits: int = 0
    error: float = 0.0
    kind: ErrorKind = "gmax"
    drift: float = 0.0

    @property
    def seeds(self) -> int:
        """Cells drawn: one set if nothing is drawn."""
        return SEEDS if self.error or self.drift else 1

    def run(self, task: Task, seed: int) -> float:
        """Quality of `task`."""
        spec = CrossbarSpec(
            rows=ROWS,
            columns=64,
            cell_bits=self.cell_bits,
            scheme=self.scheme,
            input_signed=True,
            adc_bits=self.adc_bits or 16,
            range_policy="full" if self.adc_bits else "lossless",
        )
        errors = CellErrors(
            programming=self.error,
            kind=self.kind,
            drift=self.drift,
            drift_spread=self.drift / 5,
            seconds=DAY_S if self.drift else 1.0,
        )
        policy: Policy = "pct" if self.adc_bits else "ideal"
        return quality(task, spec, errors, policy, seed)


SCHEMES: tuple[Scheme, ...] = ("differential", "offset")

POINTS: tuple[Point, ...] = (
    *(Point(sweep="converter", scheme=s, adc_bits=b) for s in SCHEMES for b in (4, 5, 6, 7, 8, 10)),
    *(Point(sweep="error", scheme=s, error=e) for s in SCHEMES for e in (0.005, 0.01, 0.02, 0.05)),
    *(Point(sweep="error", scheme=s, error=e, kind="g") for s in SCHEMES for e in (0.02, 0.05, 0.1)),
    *(Point(sweep="cells", cell_bits=c, error=0.02) for c in (1, 2, 4)),
    *(Point(sweep="drift", drift=d) for d in (0.005, 0.02, 0.05)),
    *(Point(sweep="drift", drift=d, error=0.01, adc_bits=8) for d in (0.005, 0.05)),
)
TASKS: tuple[Task, ...] = ("digits", "text", "digits_cnn")


def key(task: Task, point: Point) -> str:
    """Name of an entry."""
    return f"{task} " + json.dumps(asdict(point), sort_keys=True)


def read() -> dict[str, Any]:
    """What has been measured: entry -> qualities, one a seed; "exact <task>" -> without a crossbar."""
    return json.loads(FILE.read_text()) if FILE.is_file() else {}


def measure() -> dict[str, Any]:
    """All entries; each is written when it is there."""
    held = read()
    for task in TASKS:
        jobs = [(f"exact {task}", Point(sweep="exact")), *((key(task, point), point) for point in POINTS)]
        for name, point in jobs:
            if name not in held:
                held[name] = [point.run(task, seed) for seed in range(point.seeds)]
                write_atomically(FILE, json.dumps(held, indent=1, sort_keys=True) + "\n")
    return held
