"""From a card's thermal design power to the socket of its server: one set of rules for every chip.

    card   = min(TDP, power limit) x load                                    a limit is set
    card   = TDP x load x (fixed + (1 - fixed) x sum(share x speed ** exponent))    clocks of its parts are set
    server = (cards + sockets x host share + module board) x (1 + fans) / efficiency of the supplies

A part's share is that of the chip's peak, its speed its clock over its highest. Where a limited system's setting is not
published the whole card is one part, its speed the published rate over the unrestricted one of the same chip. No rule
has a factor of one chip. Two numbers nobody publishes are fitted on one result each and tested on the others: the power
of a processor socket on the smallest server, the board of eight modules on the only such system with a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection.figure import Figure, Operand, from_fact, power, smaller, total
from model.projection.inputs import Read

CARD_LOAD = Fact(
    nominal=1.0,
    low=0.6,
    unit="1",
    confidence="assumed",
    source="a card under an offline load runs at its limit: with 1.0 the measured wall power of incumbent servers is "
    "met; no card of the Korean makers has a public power log",
)
FIXED_SHARE = Fact(
    nominal=0.256,
    low=0.15,
    high=0.35,
    unit="1",
    confidence="inferred",
    source="idle RNGD card 38.4 W (37.4 to 39.4, vendor's tool listing) of its 150 W; leakage, memory and regulators "
    "do not slow down with the clock",
)
SPEED_EXPONENT = Fact(
    nominal=3.0,
    low=2.0,
    unit="1",
    confidence="assumed",
    source="switching power is C V^2 f; 3 if the supply voltage follows the clock, less near its lower limit",
)
SOCKET_POWER = Fact(
    nominal=172.0,
    low=120.0,
    high=300.0,
    unit="W",
    confidence="inferred",
    source="fitted on one result: MLPerf v2.1 Dell XR12, one processor, one A2 of 60 W, ResNet-50 offline 266.9 W at "
    "the wall, 266.9 x 0.94 / 1.08 - 60 W; low: a lightly loaded processor; high: one of 270 W with its memory",
    note="one processor with its memory, disks and network",
)
MODULE_BOARD_POWER = Fact(
    nominal=887.0,
    low=500.0,
    high=3000.0,
    unit="W",
    confidence="inferred",
    source="fitted on one result: MLPerf v4.1 eight H200 SXM power-limited, ResNet-50 offline 4954 W at the wall; "
    "high: what a node of ten kilowatt leaves beside eight modules of 700 W (public note)",
    note="link switches, network and voltage conversion of an eight-module board",
)
FAN_SHARE = Fact(
    nominal=0.08,
    low=0.04,
    high=0.15,
    unit="1",
    confidence="assumed",
    source="usual fan share of air-cooled accelerator servers; no measurement of these systems found",
)
SUPPLY_EFFICIENCY = Fact(
    nominal=0.94,
    low=0.90,
    high=0.96,
    unit="1",
    confidence="assumed",
    source="span of the 80 PLUS Platinum and Titanium classes at 20 to 100 % load",
)
REGULATOR_EFFICIENCY = Fact(
    nominal=0.88,
    low=0.82,
    high=0.93,
    unit="1",
    confidence="assumed",
    source="usual span of 12 V to core voltage on accelerator cards; no measurement of these cards found",
)
DRAM_IDLE = Fact(
    nominal=0.1,
    low=0.03,
    high=0.25,
    unit="W/GB",
    confidence="assumed",
    source="refresh and standby: 17 mW (14 to 78) of a 0.25 GB pseudo-channel of HBM in the DRAM energy tables, LPDDR "
    "less; no figure of these cards",
)
DRAM_ENERGY = Fact(
    nominal=4.8,
    low=3.9,
    high=7.0,
    unit="pJ/bit",
    confidence="secondary",
    source="HBM2 reading: 3.92 pJ/bit (O'Connor, MICRO 2017), 4.82 plus the row (Ayna); high: GDDR6 with its interface",
)
GRID_LOSS = Fact(
    nominal=0.0355,
    low=0.033,
    high=0.04,
    unit="1",
    confidence="assumed",
    source="transmission and distribution loss of the Korean grid, about 3.5 % in recent years; recalled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What stands around the cards, up to the socket.

    Parameters
    ----------
    cards : Fact
        Cards per server, "cards".
    sockets : Fact
        Processors per server, "sockets".
    boards : int
        Boards of eight linked modules per server: 0, or 1 for modules that are not cards.
    """

    cards: Fact
    sockets: Fact
    boards: int = 0

    def __post_init__(self) -> None:
        _bounds("cards per server", self.cards, "cards", 1, None)
        _bounds("sockets per server", self.sockets, "sockets", 0, None)
        if self.boards not in (0, 1):
            raise InputError(f"boards of a server must be 0 or 1, not {self.boards!r}")


def card_power(
    tdp: Figure,
    speed: Operand = 1.0,
    load: Fact = CARD_LOAD,
    *,
    limit: Figure | None = None,
    parts: Sequence[tuple[Figure, Figure]] = (),
    read: Read = from_fact,
) -> Figure:
    """Power of a busy card, slowed to `speed`, under a power `limit`, or with `parts` (share of peak, speed) slowed."""
    busy = (tdp if limit is None else smaller(tdp, limit)) * read("assumed.card_load", load)
    if limit is not None or (not parts and speed == 1.0):
        return busy
    fixed = from_fact("assumed.fixed_share", FIXED_SHARE)
    exponent = from_fact("assumed.speed_exponent", SPEED_EXPONENT)
    slowed = total([share * power(s, exponent) for share, s in parts]) if parts else power(speed, exponent)
    return busy * (fixed + (1 - fixed) * slowed)


def host_power(server: Server, owner: str = "server", read: Read = from_fact) -> Figure:
    """Power of one server without cards, fans and losses; `owner` names its facts."""
    sockets = read(f"{owner}.sockets", server.sockets) * from_fact("assumed.socket_power", SOCKET_POWER)
    if not server.boards:
        return sockets
    return sockets + from_fact("assumed.module_board_power", MODULE_BOARD_POWER) * server.boards


def fans(load: Figure) -> Figure:
    """Power of the fans that cool `load`."""
    return load * from_fact("server.fan_share", FAN_SHARE)


def at_the_socket(load: Figure) -> Figure:
    """Power drawn from the socket for `load`: its fans, and the losses of the supplies."""
    return (load + fans(load)) / from_fact("server.supply_efficiency", SUPPLY_EFFICIENCY)


def _bounds(name: str, fact: Fact, unit: str, low: float, high: float | None) -> None:
    if fact.unit != unit:
        raise InputError(f"{name} must be in {unit!r}, not {fact.unit!r}")
    if fact.minimum < low or (high is not None and fact.maximum > high):
        span = f"from {low:g} to {high:g}" if high is not None else f"at least {low:g}"
        raise InputError(f"{name} must be {span} {unit}, not {fact.minimum:g} to {fact.maximum:g}")
