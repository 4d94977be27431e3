"""The clock that a power limit leaves a chip under load.

A maker's base clock is what it guarantees under any load within the thermal design power; its boost clock is the most.
Between them the clock rises until the power is used up: a part of it at rest, a part for the external memory, as much
of it as the memory is busy, and the rest for the arrays, as much of it as they are busy and growing with the clock. So

    rest + memory * busy memory + arrays * busy arrays * (clock / base clock) ^ exponent = 1

of the design power. One set of shares for all chips; base and boost clock are facts of the chip.
"""

from hw.spec.fact import Fact

REST_SHARE = Fact(
    nominal=0.2,
    low=0.1,
    high=0.35,
    unit="1",
    confidence="inferred",
    source="idle over thermal design power: 10 of 70 W (T4), 45 to 70 of 300 to 700 W (A100, H100) in nvidia-smi "
    "listings (recalled, no stored copy), and leakage that grows with temperature",
)

MEMORY_SHARE = Fact(
    nominal=0.2,
    low=0.1,
    high=0.3,
    unit="1",
    confidence="inferred",
    source="4 to 7 pJ a bit of HBM2 to GDDR6 (O'Connor et al., MICRO 2017, table 1) at full bandwidth over the thermal "
    "design power: 0.2 to 0.3 for A100, H100, L4, T4",
)

CLOCK_EXPONENT = Fact(
    nominal=2.0,
    low=1.0,
    high=3.0,
    unit="1",
    confidence="inferred",
    source="power of switching is proportional to clock and voltage squared; 3 where the voltage follows the clock, 1 "
    "at its lowest voltage (Weste and Harris, CMOS VLSI Design, 4th edition, section 5.1)",
)

MULTIPLYING_SHARE = Fact(
    nominal=0.5,
    low=0.3,
    high=0.8,
    unit="1",
    confidence="inferred",
    source="of a busy multiprocessor's power that goes into the products themselves, the rest into operands on their "
    "way and instructions: 40 to 60 % of an FP16 to INT8 tensor instruction (Dally, Hot Chips 2023 keynote; recalled)",
)


def clock_share(
    arrays: float, memory: float, *, base: float, rest: float, memory_share: float, exponent: float, most: float = 1.0
) -> float:
    """Clock over the boost clock at which the power is used up, from `base` (base over boost clock) to `most`.

    `arrays`, `memory`: shares of the time in which they are busy, 0 to 1.
    """
    if arrays <= 0:
        return most
    left = max(0.05, 1 - rest - memory_share * memory)
    found = base * (left / ((1 - rest - memory_share) * arrays)) ** (1 / exponent)
    return min(most, max(base, found))
