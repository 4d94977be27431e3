"""How many tokens a joule must buy: DRAM PIM against ten overseas GPUs of the same nominal PF.

    cards   = nearest whole number of PIM cards with the GPUs' nominal peak
    must    = rate of the GPUs / their power at the wall
    allowed = power of a PIM card at which its tokens per joule are just those of the GPUs

Both sides serve as many sequences: 39 cards with one each stand against ten GPUs with four each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from model.projection.curve import at_batch
from model.projection.figure import Figure, ceil, from_fact, number, spread_of
from model.projection.overheads import FAN_SHARE, SUPPLY_EFFICIENCY, host_power
from model.projection.scenario import Scenario
from model.projection.service import Service
from model.projection.stage import wall_of_card
from model.projection.stage_comparison import (
    BOARD_SERVER,
    LENDER,
    PIM_FORMATS,
    YARDSTICK,
    decode_power,
    pim_power,
    read_joules,
)
from model.record import Measurement

GPUS = 10
PEAK = "peak_fp8"
"""Format in which both sides' nominal peaks are printed; ten GPUs count 19.79 PF in it."""
BATCHES = {1: 4, 2: 8, 4: 16, 8: 32, 16: 64, 32: 128}
"""Sequences on a PIM card to those on a GPU: 39 cards hold as many as ten GPUs, to 3 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """One PIM memory at one batch against the GPUs at theirs; `over` above 1: PIM wins in tokens per joule.

    Parameters
    ----------
    pim : str
        PIM memory of the card, "hbm_pim" or "aim".
    batch : int
        Sequences decoded at a time on one PIM card.
    gpu_batch : int
        Sequences at a time on one GPU; ten GPUs then hold about as many as all PIM cards.
    must : Figure
        Tokens per joule of the GPUs at the wall, which the PIM card has to reach.
    reached : Figure
        Tokens per joule of the PIM card at the wall.
    allowed : Figure
        Power in W that a PIM card at its rate may draw and still reach `must`.
    fleet : Figure
        Tokens per second of all PIM cards over those of all GPUs.
    """

    pim: str
    batch: int
    gpu_batch: int
    must: Figure
    reached: Figure
    over: Figure
    allowed: Figure
    fleet: Figure

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure but `must`, which the memories share."""
        return (self.reached, self.over, self.allowed, self.fleet)


def break_even(
    chips: Mapping[str, Chip],
    language: Service | None,
    scenario: Scenario,
    owner: str,
    records: Mapping[str, Measurement],
    curves: Mapping[tuple[str, str], Measurement],
) -> tuple[tuple[Figure, ...], tuple[BreakEven, ...]]:
    """(figures of the GPUs and of the number of cards, the comparisons); empty if a record is not there."""
    ours = {pim: curves[LENDER, pim] for pim in PIM_FORMATS if (LENDER, pim) in curves}
    gpu = curves.get((YARDSTICK, ""))
    if language is None or gpu is None or not ours or not {LENDER, YARDSTICK} <= records.keys():
        return (), ()
    spreads = {
        name: spread_of(
            f"record.{name}.{records[name].result.workload}.per_second", "1", records[name], "figures.per_second"
        )
        for name in (LENDER, YARDSTICK)
    }
    peaks = {name: from_fact(f"card.{name}.{PEAK}", chips[name].facts[PEAK]) for name in spreads}
    cards = ceil(GPUS * peaks[YARDSTICK] / peaks[LENDER] - number(0.5)).named(
        "breakeven.cards", "cards", f"cards with the nominal FP8 peak of {GPUS} GPUs"
    )
    shared = [
        cards,
        (GPUS * peaks[YARDSTICK] / 1e3).named("breakeven.gpus.nominal_pf", "PF", f"{GPUS} GPUs, FP8"),
    ]
    found = []
    for batch, on_gpu in BATCHES.items():
        rate = at_batch(gpu, on_gpu, "tokens_per_s")
        if rate is None:
            continue
        rate = rate * spreads[YARDSTICK]
        own = decode_power(YARDSTICK, chips[YARDSTICK], scenario, rate, read_joules(language, on_gpu, 8))
        wall = wall_of_card(own, scenario, owner, BOARD_SERVER)
        shared.append(
            (GPUS * wall / 1e3).named(
                f"breakeven.gpus.batch_{on_gpu}.wall_kw", "kW", f"{GPUS} GPUs, FP8, bound by memory, at the wall"
            )
        )
        must = (rate / wall).named(
            f"breakeven.gpus.batch_{on_gpu}.tokens_per_j", "tokens/J", f"{GPUS} GPUs, FP8, at the wall"
        )
        total = (rate * GPUS).named(f"breakeven.gpus.batch_{on_gpu}.tokens_per_s", "tokens/s", f"{GPUS} GPUs, FP8")
        shared += [must, total]
        for pim, record in ours.items():
            priced = pim_power(LENDER, chips[LENDER], record, batch, language, scenario)
            joined = at_batch(record, batch, "pim_tokens_per_s")
            if priced is None or joined is None:
                continue
            joined = joined * spreads[LENDER]
            prefix = f"breakeven.{pim}.batch_{batch}"
            reached = (joined / wall_of_card(priced[0], scenario, owner)).named(
                f"{prefix}.tokens_per_j", "tokens/J", f"{PIM_FORMATS[pim][1]}, at the wall"
            )
            found.append(
                BreakEven(
                    pim=pim,
                    batch=batch,
                    gpu_batch=on_gpu,
                    must=must,
                    reached=reached,
                    over=(reached / must).named(f"{prefix}.over_gpus", "1", "above 1 the PIM card wins"),
                    allowed=_allowed(joined, must, scenario, owner).named(
                        f"{prefix}.card_w_allowed", "W", "a card may draw this much and still win"
                    ),
                    fleet=(cards * joined / total).named(
                        f"{prefix}.rate_over_gpus", "1", f"all cards over {GPUS} GPUs, tokens per second"
                    ),
                )
            )
    return tuple(shared), tuple(found)


def _allowed(rate: Figure, must: Figure, scenario: Scenario, owner: str) -> Figure:
    """Power of a card whose tokens per joule at the wall are `must`: `wall_of_card` turned round."""
    socket = rate / must / from_fact(f"{owner}.pue", scenario.pue)
    load = (
        socket
        * from_fact("server.supply_efficiency", SUPPLY_EFFICIENCY)
        / (1 + from_fact("server.fan_share", FAN_SHARE))
    )
    return load - host_power(scenario.server) / from_fact("server.cards", scenario.server.cards)
