"""Stage 3 of our own machine: weights in the crossbars whose RTL wrote the small model's text, beside a card's logic.

Cycles and events of a product are those of the record; what the text of a large model needs besides is in the number:
dies that hold every weight, their idle power, links between them, the cache in DRAM, and writing the weights again at
an update rate. Energies of converters and cells, areas and links are published or assumed, each with its range.
"""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.kind import KINDS
from model.crossbar.beside_npu import CROSSBARS
from model.crossbar.fleet import Fleet, Range, fleet
from model.crossbar.stages import crossbar_energy
from model.energy.price import Interval
from model.language.run_record import LanguageRun
from model.network import llm
from model.projection.figure import Figure, from_fact
from model.projection.overheads import DRAM_ENERGY, FIXED_SHARE, card_power
from model.projection.scenario import Scenario
from model.projection.service import STREAM_EFFICIENCY, Service
from model.projection.stage import DEPENDENT_PRODUCTS, Stage, StageCard, stage_card

MODEL = "llama31_8b"
CELLS = "reram"

CLOCK = Fact(
    nominal=1.0, low=0.5, high=1.3, unit="GHz", confidence="assumed",
    source="as the chip reram_22nm: conversions of 0.8 to 2 ns",
)  # fmt: skip
HOP = Fact(
    nominal=0.5, low=0.1, high=2.0, unit="us", confidence="assumed",
    source="a vector to all dies and partial sums back, once a dependent product: links within a package to a board's",
)  # fmt: skip
UPDATES = Fact(
    nominal=1.0, low=0.03, high=4.0, unit="1/day", confidence="assumed",
    source="all weights written again: once a month to every six hours",
)  # fmt: skip
DAY_S = 86400.0


def spread(value: Interval | Range, unit: str, source: str) -> Fact:
    """`value` as a fact."""
    return Fact(nominal=value.nominal, low=value.low, high=value.high, unit=unit, confidence="inferred", source=source)


def counted(run: LanguageRun) -> tuple[Fact, Fact]:
    """Joules of a multiply-accumulate and cycles of a product of one vector in all tiles, of the record."""
    behind = max(1, len(run.tokens) - 1)
    events, unit = run.labels_per_token["crossbar_events"], run.labels_per_token["crossbar_unit_labels"]
    # every tile multiplies rows x columns weights a plane: so many products were made
    macs = events["array.plane"] / CROSSBARS.planes * CROSSBARS.rows * CROSSBARS.columns
    source = f"record language_runs/{run.chip}/{run.work}.{run.pim}.json: counted events of {behind} tokens"
    energy = crossbar_energy(run) * (1e12 / macs)
    busy = sum(cycles for label, cycles in unit.items() if label != "idle")
    commands = run.labels_per_token["crossbar_unit_events"]["command"]
    return (
        spread(energy, "pJ", f"{source}, priced by every source of converter energy"),
        Fact(nominal=busy / commands, unit="cycles", confidence="measured", source=f"{source}; a product of one group"),
    )


def resources() -> Fleet:
    """What every weight of the model needs."""
    return fleet(llm.load(MODEL), CROSSBARS, CELLS, updates_per_day=UPDATES.nominal)


def crossbar_card(
    stage: Stage, run: LanguageRun, card: str, chip: Chip, service: Service, scenario: Scenario, owner: str
) -> StageCard:
    """Weights in our crossbars beside the logic and DRAM of `card`.

    step = cache / (bandwidth x efficiency) + (dependent products + batch) x (cycles of a product / clock + hop);
    power = TDP x fixed share + idle + writing / day + (weights x J + links + cache) x tokens per second.
    """
    task = service.language
    assert task is not None
    name = f"{stage.number}_crossbar_batch_{task.batch}"
    how = f"Llama 3.1 8B, decode, 8-bit weights in crossbars, {task.batch} sequences of {task.context:,} tokens"
    prefix = f"stage.{name}"
    per_mac, cycles = counted(run)
    held = resources()
    weights = from_fact(f"{service.workload}.weights", task.parameters)
    cache_bytes = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (
        task.cache_bytes * task.context
    )
    bandwidth = from_fact(f"card.{card}.dram_bandwidth", chip.facts["dram_bandwidth"]) * 1e9
    one_product = (
        from_fact("crossbar.cycles", cycles) / (from_fact("crossbar.clock", CLOCK) * 1e9)
        + from_fact("crossbar.hop", HOP) * 1e-6
    )
    crossbars = (one_product * (DEPENDENT_PRODUCTS * task.layers + task.batch)).named(
        f"{prefix}.crossbar_step_s", "s", f"{DEPENDENT_PRODUCTS} dependent products in each of {task.layers} layers"
    )
    reading = cache_bytes * task.batch / (bandwidth * from_fact("assumed.stream_efficiency", STREAM_EFFICIENCY))
    step = (reading + crossbars).named(f"{prefix}.decode_step_s", "s", "cache, then crossbars")
    rate = task.batch / step
    what = f"model.crossbar.fleet: every weight of {MODEL}, cells {CELLS}"

    def of_fleet(value: Range, key: str, unit: str) -> Figure:
        return from_fact(f"crossbar.{key}", spread(value, unit, what))

    in_crossbars = weights * from_fact("crossbar.joules_per_mac", per_mac) * 1e-12
    links = of_fleet(held.link_mj_per_token, "links", "mJ") * 1e-3
    cache = cache_bytes * 8 * from_fact("assumed.dram_energy", DRAM_ENERGY) * 1e-12
    idle = of_fleet(held.idle_w, "idle_w", "W")
    writing = of_fleet(held.write_j, "write_j", "J") * from_fact("crossbar.updates", UPDATES) / DAY_S
    fixed = card_power(from_fact(f"card.{card}.tdp", chip.facts["tdp"]), load=scenario.card_load) * from_fact(
        "assumed.fixed_share", FIXED_SHARE
    )
    power = fixed + idle + writing + (in_crossbars + links + cache) * rate
    title = f"{KINDS['crossbar'].title}, counted on RTL"
    one = stage_card(name, title, "model", how, rate, power, scenario, owner)
    extra = (
        (of_fleet(held.dies, "dies", "dies") * 1).named(f"{prefix}.dies", "dies", "to hold every weight once"),
        (of_fleet(held.area_mm2, "area", "mm2") * 1).named(f"{prefix}.area_mm2", "mm2", "of all weights, 22 nm"),
        (in_crossbars * 1).named(f"{prefix}.crossbar_j_per_token", "J/token", "every weight once, counted events"),
        (links * 1).named(f"{prefix}.link_j_per_token", "J/token", "activations between dies"),
        (cache * 1).named(f"{prefix}.cache_j_per_token", "J/token", "reading the key-value cache from DRAM"),
        (idle * 1).named(f"{prefix}.idle_w", "W", "converters and dies, whatever is computed"),
        (writing * 1).named(f"{prefix}.write_w", "W", "writing all weights at the update rate"),
        (of_fleet(held.wear_days, "wear", "days") * 1).named(f"{prefix}.wear_days", "days", "until a cell is worn out"),
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
