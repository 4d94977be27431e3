"""How fast the integer product of a crossbar is here: 256 x 256 weights, 64 vectors, 8 bits both, lossy converters.

Measured by a process of its own with one thread: processor time of idle threads of a linear algebra library counts too.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from hw.spec.crossbar import CrossbarSpec

SCHEMES = ("differential", "offset", "offset_unit", "twos_complement")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure() -> dict[str, float]:
    """`crossbar_product_<c>_bit_cells_ms`: median processor time of one product of the slowest scheme."""
    ran = subprocess.run(
        [sys.executable, "-m", "model.cli._crossbar_speed"], capture_output=True, text=True, check=True,
        env=os.environ | ONE_THREAD,
    )  # fmt: skip
    return json.loads(ran.stdout)


def products(cell_bits: int) -> list[Callable[[], object]]:
    """One product of each scheme, converters of 8 bits over the full range."""
    import numpy as np

    from model.reference.crossbar import product

    rng = np.random.default_rng(1)
    weights, inputs = rng.integers(-127, 128, (256, 256)), rng.integers(-128, 128, (64, 256))
    specs = [
        CrossbarSpec(
            rows=256, columns=256, cell_bits=cell_bits, scheme=scheme, adc_bits=8, range_policy="full",
            input_signed=True, columns_per_adc=1,
        )
        for scheme in SCHEMES
    ]  # fmt: skip
    return [lambda spec=spec: product(spec, weights, inputs) for spec in specs]


def _milliseconds(work: Callable[[], object]) -> float:
    work()  # buffers
    times = []
    while len(times) < 15:
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1e3 * median(times)


if __name__ == "__main__":
    found = {
        f"crossbar_product_{bits}_bit_cells_ms": max(_milliseconds(work) for work in products(bits))
        for bits in (1, 2, 4)
    }
    print(json.dumps(found))
