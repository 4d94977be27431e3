"""What a site costs a year beyond the electricity it uses, and the carbon that was emitted before it is switched on.

No operator of the programme publishes these: each is an honest range with what bounds it, and the totals say so.
"""

from dataclasses import dataclass

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact

MONTHS = 12

DEMAND_CHARGE = Fact(
    nominal=7470,
    low=6490,
    high=10_000,
    unit="KRW/kW/month",
    confidence="assumed",
    source="Korea Electric Power Corporation's table as printed by CNCity Energy, industrial (A) II, high voltage A "
    "from 2024-10-24: option I 6,490, option II 7,470; high: contracts above 300 kW, whose table was not read",
)
STAFF = Fact(
    nominal=6, low=3, high=12, unit="people", confidence="assumed",
    source="unknown; one person on call at all hours takes five to six, low: remote hands of the building",
)  # fmt: skip
WAGE = Fact(
    nominal=80, low=60, high=120, unit="million KRW/person", confidence="assumed",
    source="unknown; yearly cost to the employer of an engineer in Korea, a span of ours",
)  # fmt: skip
MAINTENANCE = Fact(
    nominal=0.08, low=0.05, high=0.15, unit="1", confidence="assumed",
    source="unknown; yearly support contracts over the price of cards and servers, a span of ours",
)  # fmt: skip
SPARES = Fact(
    nominal=0.03, low=0.01, high=0.09, unit="1", confidence="assumed",
    source="unknown; cards replaced in a year over cards, a span of ours; high: the yearly failures of GPUs in one "
    "published training run (Meta, The Llama 3 Herd of Models, 2024: 148 faulty GPUs of 16,384 in 54 days, 6 %), and "
    "half more",
)  # fmt: skip
NETWORK = Fact(
    nominal=60, low=12, high=240, unit="million KRW", confidence="assumed",
    source="unknown; a year of transit at some 10 Gbit/s, a span of ours",
)  # fmt: skip
RACK_POWER = Fact(
    nominal=10, low=5, high=30, unit="kW", confidence="assumed",
    source="EBN 2025-10: Naver's Gak Sejong is built for 30 kW a rack; older rooms hold 5 to 10",
)  # fmt: skip
RACK_SPACE = Fact(
    nominal=0.8, low=0.0, high=2.0, unit="million KRW/month", confidence="assumed",
    source="unknown; low: the public cluster's own floor, paid as facility; high: a rented rack, a span of ours",
)  # fmt: skip

DIE_AREA = Fact(
    nominal=400, low=100, high=800, unit="mm2", confidence="assumed",
    source="not published of X330 and ATOM; from a small die to one near the largest a mask holds (858 mm2)",
)  # fmt: skip
WAFER_CARBON: dict[float, float] = {28: 0.91, 14: 0.97, 7: 1.44, 5: 1.54, 3: 1.75}
"""Node in nm -> kgCO2e per cm2 of a logic wafer."""
WAFER_SOURCE = "facebookresearch/ACT, act/models/logic/imec-netzero-cpa.yaml (IMEC's netzero estimates)"
YIELD = Fact(
    nominal=0.7, low=0.5, high=0.9, unit="1", confidence="assumed",
    source="good dies over dies; ACT takes 0.875 for small ones, large ones yield less",
)  # fmt: skip
REST_OF_CARD = Fact(
    nominal=3, low=1.5, high=8, unit="1", confidence="assumed",
    source="carbon of a whole card over that of its die: DRAM, board, cooler and package have no published figure",
)  # fmt: skip
HOST_CARBON = Fact(
    nominal=1300, low=600, high=4000, unit="kgCO2e", confidence="assumed",
    source="low: Dell 2011, PowerEdge R710, 6,360 kgCO2e of which use is over 90 %; high: servers with many "
    "solid-state disks and terabytes of memory",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Figures of a year, and of what was emitted once.

    Parameters
    ----------
    parts : tuple of Figure
        Million KRW a year: demand charge, staff, maintenance, spares, network, space.
    total : Figure
        Their sum with the electricity, million KRW a year.
    embodied : tuple of Figure
        tCO2e of the cards, of the servers, and their sum.
    """

    parts: tuple[Figure, ...]
    total: Figure
    embodied: tuple[Figure, ...]

    @property
    def shown(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (*self.parts, self.total, *self.embodied)


def running(
    site: str, *, wall: Figure, it: Figure, servers: Figure, cards: Figure, hosts: Figure, electricity: Figure,
    embodied_cards: Figure,
) -> Running:  # fmt: skip
    """The yearly cost of a site.

    Parameters
    ----------
    wall, it : Figure
        kW at the wall and at the servers' sockets, busy: the demand charge is for the highest of the month.
    servers : Figure
        Their number.
    cards, hosts : Figure
        Capital in cards and in servers, million KRW.
    electricity : Figure
        Energy charge of a year, million KRW.
    embodied_cards : Figure
        kgCO2e of all cards.
    """

    def part(tail: str, value: Figure, note: str) -> Figure:
        return value.named(f"{site}.running_{tail}", "million KRW", f"a year; {note}")

    demand = wall * from_fact("running.demand_charge", DEMAND_CHARGE) * MONTHS / 1e6
    staff = from_fact("running.staff", STAFF) * from_fact("running.wage", WAGE)
    racks = it / from_fact("running.rack_power", RACK_POWER)
    parts = (
        part("demand", demand, "demand charge of the contract, at the busy power"),
        part("staff", staff, "people on the site"),
        part("maintenance", (cards + hosts) * from_fact("running.maintenance", MAINTENANCE), "support of the hardware"),
        part("spares", cards * from_fact("running.spares", SPARES), "cards replaced"),
        part("network", from_fact("running.network", NETWORK) * 1, "lines to the outside"),
        part("space", racks * from_fact("running.rack_space", RACK_SPACE) * MONTHS, "floor for the racks"),
    )
    whole = electricity
    for one in parts:
        whole = whole + one
    of_cards = (embodied_cards / 1e3).named(f"{site}.embodied_cards", "tCO2e", "once, making the cards")
    of_hosts = (servers * from_fact("running.host_carbon", HOST_CARBON) / 1e3).named(
        f"{site}.embodied_hosts", "tCO2e", "once, making the servers"
    )
    return Running(
        parts=parts,
        total=whole.named(f"{site}.running", "million KRW", "a year; electricity and all of the above, no capital"),
        embodied=(
            of_cards,
            of_hosts,
            (of_cards + of_hosts).named(f"{site}.embodied", "tCO2e", "once, cards and servers; no building"),
        ),
    )


def embodied_of(name: str, chip: Chip) -> Figure:
    """kgCO2e of one card: its die by area and node, and a stated multiple for the rest.

    The node's figure is that of the nearest published node in the logarithm, with its neighbours as the range.
    """
    area = chip.facts.get("die_area", DIE_AREA)
    owner = f"card.{name}" if "die_area" in chip.facts else "running"
    die = from_fact(f"{owner}.die_area", area) / 100 * from_fact(f"card.{name}.wafer_carbon", wafer_carbon(chip))
    return die / from_fact("running.yield", YIELD) * from_fact("running.rest_of_card", REST_OF_CARD)


def wafer_carbon(chip: Chip) -> Fact:
    """kgCO2e per cm2 for the chip's process, or the whole span if it is not published."""
    values = sorted(WAFER_CARBON.values())
    if "process" not in chip.facts:
        return Fact(nominal=WAFER_CARBON[7], low=values[0], high=values[-1], unit="kgCO2e/cm2", confidence="assumed",
                    source=f"{WAFER_SOURCE}; node not published")  # fmt: skip
    node = chip.facts["process"].nominal
    nearest = min(WAFER_CARBON, key=lambda known: max(known, node) / min(known, node))
    place = values.index(WAFER_CARBON[nearest])
    return Fact(
        nominal=WAFER_CARBON[nearest], low=values[max(0, place - 1)], high=values[min(len(values) - 1, place + 1)],
        unit="kgCO2e/cm2", confidence="secondary", source=f"{WAFER_SOURCE}, {nearest:g} nm for {node:g} nm",
    )  # fmt: skip
