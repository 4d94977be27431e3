"""What a chip of multiprocessors (a GPU) is beside its peaks: units, clocks, width of the second-level cache.

The keys of the facts, of chips without a core that have the first of them:

    multiprocessors   units that each take a whole tile of a product                                    1
    boost_clock       clock of the published peaks                                                      GHz
    base_clock        clock the maker guarantees at full power                                          GHz
    fp32_lanes        element operations per cycle of one unit                                          1
    l2_width          bytes per cycle from the second-level cache to all units                          B/cycle
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.fact import Fact

PORT = Fact(
    nominal=40,
    low=20,
    high=64,
    unit="B/cycle",
    confidence="assumed",
    source="second-level cache to one multiprocessor where not published: 39 to 47 on H100 and A100; the port is of 64",
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
        Clock under full load over that of the peaks.
    """

    units: int
    clock: Fact
    port: Fact
    lanes: float
    sustained: Fact


def multiprocessors(facts: Mapping[str, Fact], devices: int, hypotheses: list[str]) -> Multiprocessors:
    """From the facts of a chip that has them; what is assumed is added to `hypotheses`.

    Under full load the power limit sets the clock: somewhere from the base clock, which the maker guarantees, to that
    of the peaks. Halfway is nominal; without a published base clock the clock of the peaks holds.
    """
    units = int(facts["multiprocessors"].nominal) // devices
    boost, base = facts["boost_clock"], facts.get("base_clock")
    sustained = Fact(nominal=1.0, unit="1", confidence="inferred", source="no lower base clock is published")
    if base is not None and base.nominal < boost.nominal:
        low = base.nominal / boost.nominal
        sustained = Fact(
            nominal=(1 + low) / 2,
            low=low,
            high=1.0,
            unit="1",
            confidence="assumed",
            source=f"halfway from base to boost clock; {base.source}",
        )
        hypotheses.append(f"under full load {(1 + low) / 2:.0%} ({low:.0%} to 100%) of the peaks' clock remain")
    port = PORT
    if "l2_width" in facts:
        width = facts["l2_width"]
        port = Fact(
            nominal=width.nominal / (units * devices),
            unit="B/cycle",
            confidence=width.confidence,
            source=f"over {units * devices} multiprocessors; {width.source}",
        )
    else:
        hypotheses.append(
            f"{PORT.nominal:g} bytes ({PORT.minimum:g} to {PORT.maximum:g}) per cycle from the "
            "second-level cache to each multiprocessor"
        )
    return Multiprocessors(units=units, clock=boost, port=port, lanes=facts["fp32_lanes"].nominal, sustained=sustained)
