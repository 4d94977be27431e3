"""A stage of the programme as data, and what a card of it delivers: tokens, joules at the wall, won, grams."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact
from model.projection.overheads import DRAM_ENERGY, FIXED_SHARE, Server, at_the_socket, card_power, host_power
from model.projection.scenario import Scenario
from model.projection.service import STREAM_EFFICIENCY, Service

DEPENDENT_PRODUCTS = 4
"""Query, key and value together; attention output; up; down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One way to read a published chip of analogue macros: `efficiency` "TOPS/W", `speed` "TOPS".

    Parameters
    ----------
    name : str
        Part of the names of its figures: "one_phase" or "four_phase".
    title : str
        The reading and its effective bits, in print.
    """

    name: str
    title: str
    efficiency: Fact
    speed: Fact

    def __post_init__(self) -> None:
        for field, unit in (("efficiency", "TOPS/W"), ("speed", "TOPS")):
            fact = getattr(self, field)
            if fact.unit != unit or fact.minimum <= 0:
                raise InputError(
                    f"{field} of the macro {self.name!r} must be greater than 0 {unit}, "
                    f"not {fact.minimum:g} {fact.unit}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. `basis`: "model" if our models give its figures, "hypothesis" if only others' publications do.

    Parameters
    ----------
    number : int
        1, 2 or 3; begins the names of its cards.
    years : tuple of int
        First and last year, both included.
    title : str
        What a card of the stage is, in a few words.
    technology : str
        What the programme announces for the stage.
    note : str
        What is not published, and what stands for it; may be "".
    budget : Fact or None
        Money of the stage, "billion KRW"; None without a published figure.
    domestic_share : Fact or None
        Share of domestic chips that the plan aims at by the end of the stage, "1"; None without a published figure.
    macros : tuple of Macro
        Ways to read the published chip of macros that stands for the stage; empty without one.
    weights_per_chip : Fact or None
        Weights that one chip of macros holds, "weights"; None only without `macros`.
    area_per_mib : Fact or None
        Area of arrays and converters, "mm2/MiB" of weights; None only without `macros`.
    idle_per_chip : Fact or None
        Power of a chip of macros whatever it computes, "W"; None only without `macros`.
    """

    number: int
    years: tuple[int, int]
    title: str
    technology: str
    basis: Literal["model", "hypothesis"]
    note: str = ""
    budget: Fact | None = None
    domestic_share: Fact | None = None
    macros: tuple[Macro, ...] = ()
    weights_per_chip: Fact | None = None
    area_per_mib: Fact | None = None
    idle_per_chip: Fact | None = None

    def __post_init__(self) -> None:
        if self.years[0] > self.years[1]:
            raise InputError(f"a stage must not end before it begins, not {self.years[0]} to {self.years[1]}")
        if self.macros and self.basis != "hypothesis":
            raise InputError(f"a stage that rests on published macros must be called a hypothesis, not {self.basis!r}")
        if self.macros and None in (self.weights_per_chip, self.area_per_mib, self.idle_per_chip):
            raise InputError(
                "a stage that rests on macros must say how many weights a chip holds, on which area, and what it takes "
                "idle; add all three"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCard:
    """One bar of the comparison; `shown` are all its figures.

    Parameters
    ----------
    name : str
        Stage ("gpu" for the yardstick), card or memory, and batch, as in "2_aim_batch_16"; part of its figures' names.
    title : str
        Card, memory and format in print.
    basis : str
        "model" or "hypothesis", as for `Stage`.
    how : str
        Language model, format and batch of the decode, in words.
    tokens : Figure
        Tokens per second of one card.
    joules : Figure
        Joules per token at the wall, the card's share of server and facility included.
    """

    name: str
    title: str
    basis: str
    how: str
    shown: tuple[Figure, ...]
    tokens: Figure
    joules: Figure


def wall_of_card(card_w: Figure, scenario: Scenario, owner: str, server: tuple[str, Server] | None = None) -> Figure:
    """Power at the wall for a card that draws `card_w` in its share of a server, by default the site's."""
    name, around = server or ("server", scenario.server)
    host = host_power(around, name) / from_fact(f"{name}.cards", around.cards)
    return at_the_socket(card_w + host) * from_fact(f"{owner}.pue", scenario.pue)


def stage_card(
    name: str,
    title: str,
    basis: str,
    how: str,
    tokens: Figure,
    card_w: Figure,
    scenario: Scenario,
    owner: str,
    server: tuple[str, Server] | None = None,
) -> StageCard:
    """Wall energy, cost and carbon of a token on a card that draws `card_w` with its share of a server around it."""
    wall = wall_of_card(card_w, scenario, owner, server)
    prefix = f"stage.{name}"
    rate = (tokens * 1).named(f"{prefix}.tokens_per_s", "tokens/s", f"one card; {how}")
    joules = (wall / rate).named(f"{prefix}.wall_j_per_token", "J/token", "card, host share, fans, supplies, facility")
    kwh = joules * 1e6 / 3.6e6
    return StageCard(
        name=name,
        title=title,
        basis=basis,
        how=how,
        tokens=rate,
        joules=joules,
        shown=(
            rate,
            (card_w * 1).named(f"{prefix}.card_w", "W", "one card, busy"),
            (wall * 1).named(f"{prefix}.wall_w", "W", "one card with its share of everything"),
            joules,
            (1 / joules).named(f"{prefix}.tokens_per_j", "tokens/J", "at the wall"),
            (kwh * from_fact("grid.tariff", scenario.tariff)).named(
                f"{prefix}.krw_per_million_tokens", "KRW", "electricity alone, always busy"
            ),
            (kwh * from_fact("grid.carbon", scenario.carbon)).named(
                f"{prefix}.gco2e_per_million_tokens", "gCO2e", "electricity alone, always busy"
            ),
        ),
    )


def macro_card(
    stage: Stage, macro: Macro, card: str, chip: Chip, service: Service, scenario: Scenario, owner: str
) -> StageCard:
    """Weights in analogue macros beside the logic and DRAM of `card`.

    step = cache / (bandwidth x efficiency) + dependent products x time of one on a macro chip;
    power = TDP x fixed share + chips x idle + (operations / macro efficiency + cache bits x DRAM energy) x tokens per
    second.
    """
    task = service.language
    assert task is not None
    assert stage.weights_per_chip is not None
    assert stage.area_per_mib is not None
    assert stage.idle_per_chip is not None
    name = f"{stage.number}_{macro.name}_batch_{task.batch}"
    how = f"Llama 3.1 8B, decode, {macro.title}, {task.batch} sequences of {task.context:,} tokens"
    prefix = f"stage.{name}"
    weights = from_fact(f"{service.workload}.weights", task.parameters)
    chips = (weights / from_fact("macro.weights_per_chip", stage.weights_per_chip)).named(
        f"{prefix}.macro_chips", "chips", "to hold every weight once"
    )
    area = (weights * task.weight_bytes / 2**20 * from_fact("macro.area_per_mib", stage.area_per_mib)).named(
        f"{prefix}.area_mm2", "mm2", "arrays and converters of all weights, 22 nm"
    )
    operations = (2 * weights).named(f"{prefix}.operations_per_token", "operations", "products with weights")
    cache_bytes = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (
        task.cache_bytes * task.context
    )
    bandwidth = from_fact(f"card.{card}.dram_bandwidth", chip.facts["dram_bandwidth"]) * 1e9
    # All chips work at once on the columns of one matrix; the batch follows through the layers like a pipeline.
    product = (
        2
        * from_fact("macro.weights_per_chip", stage.weights_per_chip)
        / (from_fact(f"macro.{macro.name}.speed", macro.speed) * 1e12)
    )
    macros = (product * (DEPENDENT_PRODUCTS * task.layers + task.batch)).named(
        f"{prefix}.macro_step_s", "s", f"{DEPENDENT_PRODUCTS} dependent products in each of {task.layers} layers"
    )
    reading = cache_bytes * task.batch / (bandwidth * from_fact("assumed.stream_efficiency", STREAM_EFFICIENCY))
    step = (reading + macros).named(f"{prefix}.decode_step_s", "s", "cache, then macros")
    rate = task.batch / step
    macro_j = operations / (from_fact(f"macro.{macro.name}.efficiency", macro.efficiency) * 1e12)
    cache_j = cache_bytes * 8 * from_fact("assumed.dram_energy", DRAM_ENERGY) * 1e-12
    fixed = card_power(from_fact(f"card.{card}.tdp", chip.facts["tdp"]), load=scenario.card_load) * from_fact(
        "assumed.fixed_share", FIXED_SHARE
    )
    idle = chips * from_fact("macro.idle_per_chip", stage.idle_per_chip)
    power = fixed + idle + (macro_j + cache_j) * rate
    one = stage_card(name, f"NVM macros, {macro.title}", stage.basis, how, rate, power, scenario, owner)
    extra = (
        chips,
        area,
        (idle * 1).named(f"{prefix}.idle_w", "W", "all chips of macros, whatever they compute"),
        (macro_j * 1).named(f"{prefix}.macro_j_per_token", "J/token", "macros alone"),
        (cache_j * 1).named(f"{prefix}.cache_j_per_token", "J/token", "reading the key-value cache from DRAM"),
    )
    return StageCard(
        name=one.name,
        title=one.title,
        basis=one.basis,
        how=one.how,
        tokens=one.tokens,
        joules=one.joules,
        shown=(*one.shown, *extra),
    )


def all_stage_figures(stages: Mapping[str, StageCard]) -> list[Figure]:
    """Every named figure of the comparison."""
    return [figure for one in stages.values() for figure in one.shown]
