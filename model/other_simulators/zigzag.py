"""ZigZag 3.9.1, latency-optimal mapping: temporal loops plus stalls of the single-buffered register in each cell.

Ref: cost_model.py (calc_onloading_combined, calc_loading_single_port_period_count_1), opt/loma. The array described to
it: an 8-bit weight and a 32-bit sum register per cell; an SRAM of 8 MB with ports of 8 bits a row for activations, 8
bits a column for weights, 32 bits a column for results, and one for activations and weights from the DRAM, which
moves `UNLIMITED_BITS` per cycle.

* Loops: folds x T.
* ws: a fold's weights take r cycles through their port (r: cells used / columns), the first of them with the last
  step of the fold before: r - 1 cycles between folds. os: a weight register is filled anew in every step, without
  a stall.
* Before: the part of both operands that the SRAM is given first, one after the other, and the first filling of the
  weight registers; activations come while registers fill. What the SRAM holds from beginning to end comes behind
  the computation, except for what is needed at once: one tile of weights, all activations (they have no register).
* After: the last results to the SRAM, 8 bits each (os: of all cells used, ws and single folds one cycle), then one
  cycle to the DRAM.
"""

from itertools import combinations
from math import prod

from hw.base.integer import ceil_div
from model.other_simulators import Dataflow, Estimate, Simulator, Term, folds
from model.work.workload import Gemm

UNLIMITED_BITS = 800_000
"""Bits per cycle that stand for unlimited bandwidth, 100,000 bytes."""
SRAM_BITS = 8 * 8 << 20
OPERAND_BITS = 8
RESULTS_PER_PORT = 4
"""8-bit results that leave a column per cycle: its port carries 32-bit sums."""
LOOP_FACTORS = 6
"""Factors the mapper cuts all loops into at most."""


def prime_factors(number: int) -> list[int]:
    """Ascending prime factors; none of 1."""
    found, divisor = [], 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found + [number] * (number > 1)


def loop_factors(sizes: dict[str, int]) -> dict[str, list[int]]:
    """The loops as the mapper cuts them: that with the most factors has its two smallest joined until few are left.

    Of equals the first in `sizes` is taken.
    """
    factors = {name: prime_factors(size) for name, size in sizes.items()}
    while sum(map(len, factors.values())) > LOOP_FACTORS:
        longest = max(factors, key=lambda name: len(factors[name]))
        smallest, second, *rest = factors[longest]
        factors[longest] = sorted([smallest * second, *rest])
    return factors


def first_part(bits: int, factors: list[int]) -> int:
    """Bits of an operand of `bits` that lie in the SRAM first: all that fit, under the best order of its loops.

    Outer loops are left out one by one until the rest fits; the best order leaves out most.
    """
    if bits < SRAM_BITS:
        return bits
    best = bits
    for count in range(len(factors)):
        for outer in combinations(range(len(factors)), count):
            left = bits // prod(factors[i] for i in outer)
            inner = [factors[i] for i in range(len(factors)) if i not in outer]
            if left >= SRAM_BITS and left // max(inner) < SRAM_BITS:
                best = min(best, left // max(inner))
    return best


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """ws: folds x T + (folds - 1) x (r - 1) + w + max(a, r) + 2; os: folds x T + w + a + r / 4 + 1; see the module.

    a and w: cycles in which the first activations and weights reach the SRAM. One fold: T + w + a + 2.
    """
    count, items = folds(gemm, rows, columns, dataflow)
    loops = (
        {"m": gemm.m, "n": ceil_div(gemm.n, columns), "k": ceil_div(gemm.k, rows)}
        if dataflow == "ws"
        else {"m": ceil_div(gemm.m, rows), "n": ceil_div(gemm.n, columns), "k": gemm.k}
    )
    factors = loop_factors(loops)
    all_weights = gemm.n * gemm.k * OPERAND_BITS
    weights = first_part(all_weights, factors["n"] + factors["k"])
    weight_cycles = 1 if weights == all_weights else ceil_div(weights, UNLIMITED_BITS)
    activations = first_part(gemm.m * gemm.k * OPERAND_BITS, factors["m"] + factors["k"])
    activation_cycles = ceil_div(activations, UNLIMITED_BITS)
    down = gemm.k if dataflow == "ws" else gemm.m
    cells = (down // ceil_div(down, rows)) * (gemm.n // ceil_div(gemm.n, columns))
    tile, leaving = ceil_div(cells, columns), ceil_div(cells, RESULTS_PER_PORT * columns)
    reload = (count - 1) * (tile - 1) if dataflow == "ws" else 0
    blocked = (count - 1) * max(0, leaving - items) if dataflow == "os" else 0
    filling, results = 0, 1
    if count > 1 and dataflow == "ws":
        filling = max(0, tile - activation_cycles)
    elif count > 1:
        results = leaving
    terms = (
        Term(name="stream", label="stream", cycles=count * items),
        Term(name="reload of single-buffered weights, r - 1 between folds", label="load", cycles=reload),
        Term(name="first weights into the registers", label="load", cycles=filling),
        Term(name="first operands into the SRAM", label="stall", cycles=weight_cycles + activation_cycles),
        Term(name="folds shorter than their results take to the SRAM", label="drain", cycles=blocked),
        Term(name="last results to SRAM and DRAM", label="drain", cycles=results + 1),
    )
    return Estimate(terms=tuple(term for term in terms if term.cycles))


SIMULATOR = Simulator(
    title="ZigZag 3.9.1",
    dataflows=("ws", "os"),
    rule=rule,
    note="no skew, no drain through the array; a search for the fastest mapping",
)
