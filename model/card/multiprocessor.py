"""What a chip of multiprocessors (a GPU) is beside its peaks: units, clocks, width of the second-level cache.

The keys of the facts, of chips without a core that have the first of them:

    multiprocessors   units that each take a whole tile of a product                                    1
    boost_clock       clock of the published peaks                                                      GHz
    base_clock        clock the maker guarantees at full power                                          GHz
    fp32_lanes        element operations per cycle of one unit                                          1
    l2_read           bytes per cycle from the second-level cache into one unit, as measured            B/cycle
    max_clock         highest clock, where the peaks are stated at a lower one                          GHz
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.fact import Fact
from model.card.power_clock import CLOCK_EXPONENT, MEMORY_SHARE, REST_SHARE, clock_share

PORT = Fact(
    nominal=24,
    low=18,
    high=34,
    unit="B/cycle",
    confidence="secondary",
    source="second-level cache to one multiprocessor as measured, the port being of 64: 19.5 on V100 and 20 on T4 "
    "(Jia et al., arXiv:1804.06826 and 1903.07486, tables of cache throughput), 27 on H100 PCIe (chipsandcheese.com, "
    "'Nvidia's H100: Funny L2, and Tons of Bandwidth', 2023-07-02), about 31 on A100; numbers recalled",
)

LATENCY = Fact(
    nominal=800,
    low=400,
    high=1600,
    unit="cycles",
    confidence="secondary",
    source="global memory latency of 400 cycles (PMC10448217, table 3), once before the first product of a kernel and "
    "once behind its last",
)

SERVING_BUSY = Fact(
    nominal=0.6,
    low=0.4,
    high=1.0,
    unit="1",
    confidence="assumed",
    source="part of an iteration of a serving engine in which arrays, and memory, are busy: prompts keep the arrays at "
    "work, decode steps the memory; the clock has the whole range of the chip as its own",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiprocessors:
    """The multiprocessors of one device.

    Parameters
    ----------
    units : int
        How many one device has.
    clock : Fact
        GHz, of the published peaks (boost clock).
    port : Fact
        Bytes per cycle from the second-level cache into one unit.
    lanes : float
        Element operations (FP32) of one unit per cycle.
    sustained : Fact
        Clock of mixed full load over that of the peaks.
    base_share, most_share : float
        Base clock, and the highest, over that of the peaks; 1 if none is published.
    """

    units: int
    clock: Fact
    port: Fact
    lanes: float
    sustained: Fact
    base_share: float
    most_share: float


def multiprocessors(facts: Mapping[str, Fact], devices: int, hypotheses: list[str]) -> Multiprocessors:
    """From the facts of a chip that has them; what is assumed is added to `hypotheses`.

    Under full load the power limit sets the clock (`model.card.power_clock`), for a network from its own layers. For
    iterations of a serving engine it is that of arrays and memory busy for `SERVING_BUSY` of the time, anything from
    the base to the highest clock. Without a published base clock the clock of the peaks holds.
    """
    units = int(facts["multiprocessors"].nominal) // devices
    boost, base = facts["boost_clock"], facts.get("base_clock")
    sustained = Fact(nominal=1.0, unit="1", confidence="inferred", source="no lower base clock is published")
    low, most = 1.0, facts["max_clock"].nominal / boost.nominal if "max_clock" in facts else 1.0
    if base is not None and base.nominal < boost.nominal:
        low = base.nominal / boost.nominal
        share = clock_share(
            SERVING_BUSY.nominal,
            SERVING_BUSY.nominal,
            base=low,
            rest=REST_SHARE.nominal,
            memory_share=MEMORY_SHARE.nominal,
            exponent=CLOCK_EXPONENT.nominal,
            most=most,
        )
        sustained = Fact(
            nominal=share,
            low=low,
            high=most,
            unit="1",
            confidence="assumed",
            source=f"power limit at {SERVING_BUSY.nominal:.0%} busy arrays and memory; {base.source}",
        )
        hypotheses.append(
            f"under full load {low:.0%} to {most:.0%} of the peaks' clock remain, as the power limit allows"
        )
    port = facts.get("l2_read") or PORT
    hypotheses.append(
        f"{port.nominal:g} bytes ({port.minimum:g} to {port.maximum:g}) per cycle from the second-level cache to each "
        "multiprocessor"
    )
    return Multiprocessors(
        units=units,
        clock=boost,
        port=port,
        lanes=facts["fp32_lanes"].nominal,
        sustained=sustained,
        base_share=low,
        most_share=most,
    )
