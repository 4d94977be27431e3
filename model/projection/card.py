"""One accelerator card on the image task: rate, power, and the part of the power the priced core explains."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.energy.table import EnergyTable
from model.projection import published
from model.projection.core import FOLLOWS_TOGGLES, CoreFigures, priced_energy
from model.projection.figure import Figure, from_fact, from_range, from_record, larger, power, smaller
from model.projection.inputs import Read
from model.projection.money import card_price
from model.projection.overheads import DRAM_ENERGY, DRAM_IDLE, card_power
from model.projection.running import embodied_of
from model.projection.scenario import Scenario
from model.projection.served import SERVICE, served_rate
from model.projection.service import Service, token_rate
from model.record import Measurement

MODEL = "resnet50"
"""The image task of the projection, in INT8."""

TABLE_NODE_NM = 7
"""Process of the table that prices the core."""

NODE_EXPONENT = Fact(
    nominal=0.56,
    low=0.46,
    high=1.06,
    unit="1",
    confidence="inferred",
    source="energy per operation against process between the 45 nm and 7 nm columns of the TPUv4i table (ISCA 2021, "
    "secondary reading): INT8 multiply 0.2 / 0.07 pJ = (45 / 7)^0.56, 32 KiB memory 20 / 8.5 = ^0.46, "
    "1 MiB memory 100 / 14 = ^1.06",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFigures:
    """One card. `peaks`: number format to nominal peak in 10^12 operations per second, 2 per multiply-accumulate.

    `tokens` is the rate of the language service; without it `without_tokens` says why.

    Parameters
    ----------
    title : str
        Title of the chip up to its first colon.
    rate : Figure
        Images per second of the card, ResNet-50 offline in INT8.
    bound : Figure
        Images per second that the card's multipliers allow at most: by its own model record, else by its INT8 peak.
    power : Figure
        Power of the busy card in W.
    dram_power : Figure
        W of the card's DRAM: standby and refresh, and the bits an image moves if a record counts them.
    array_power : Figure
        W of the MAC arrays alone, from priced counts.
    core_power : Figure
        W of arrays and their memories together, from priced counts; it holds `array_power`.
    price : Figure
        Price of one card in USD; the common assumption where the chip has none.
    embodied : Figure
        kgCO2e emitted in making one card.
    """

    title: str
    peaks: Mapping[str, Fact]
    rate: Figure
    bound: Figure
    power: Figure
    dram_power: Figure
    array_power: Figure
    core_power: Figure
    price: Figure
    embodied: Figure
    tokens: Figure | None = None
    without_tokens: str = ""


def card_figures(
    name: str,
    chip: Chip,
    scenario: Scenario,
    core: CoreFigures,
    network: Measurement,
    own: Measurement | None = None,
    table: tuple[str, EnergyTable] | None = None,
    language: tuple[Service, Measurement | None] | None = None,
    offline: Measurement | None = None,
    owner: str = "",
    read: Read = from_fact,
    served: Mapping[str, Measurement] | None = None,
) -> CardFigures:
    """One rule for every card. A site whose assumptions differ from the first one's is the `owner` of its own.

    bound = clock x images / cycles of the chip's own model record if there is one, else the nominal INT8 peak over
    the operations of an image; rate = published + headroom x (bound - published); if nothing is published that of the
    chip model in the record `offline`, or else the nominal INT8 peak x peak_fraction, at most the bound;
    power = TDP x card_load.

    Core and array power are the part of it that priced counts explain, scaled from the table's process to the
    card's: the chip's own counts under `table` (its name and the energies of this chip's core) if there are any,
    else the energy per MAC of `core`.

    `language` is the service that delivers tokens, and a model record of it on this chip if there is one. With
    `served`, records of the serving simulator by chip, tokens are those of that simulator, and of no chip without
    such a record.

    `network` gives the operations of an image; `own` is a model record of the same network on this chip.
    """
    prefix = f"card.{name}"
    own_prefix = f"{owner}.{prefix}" if owner else prefix
    macs_per_image = per_image(network)
    peak_bound = from_fact(f"{prefix}.peak_int8", _fact(name, chip, "peak_int8")) * 1e12 / (2 * macs_per_image)
    if own is not None:
        if chip.clock is None:
            raise InputError(f"chip {name!r} must have a clock to be projected, not leave it open")
        cycles = from_record(f"{_run(own)}.cycles", "cycles", own, "cycles")
        bound = (from_fact(f"{prefix}.clock", chip.clock) * 1e9 * _per_image(own)[0] / cycles).named(
            f"{own_prefix}.bound", "images/s", "cycle model"
        )
    else:
        bound = peak_bound.named(f"{own_prefix}.bound", "images/s", "every multiplier busy at the nominal INT8 peak")
    row = published.best(name, MODEL, "Offline")
    if row is not None:
        measured = from_fact(f"{prefix}.published", row.fact)
        rate = measured + read("assumed.headroom", scenario.headroom) * larger(bound - measured, 0)
    elif offline is not None:
        rate = from_range(f"{_run(offline)}.per_second", "images/s", offline, "figures.per_second") * 1
    else:
        rate = smaller(peak_bound * read("assumed.peak_fraction", scenario.peak_fraction), bound)
    rate = rate.named(f"{own_prefix}.images_per_s", "images/s", "ResNet-50 offline, INT8, one card")
    busy = card_power(from_fact(f"{prefix}.tdp", _fact(name, chip, "tdp")), load=scenario.card_load, read=read)
    process = from_fact(f"{prefix}.process", _fact(name, chip, "process"))
    factor = power(process / TABLE_NODE_NM, from_fact("energy.node_exponent", NODE_EXPONENT)).named(
        f"{own_prefix}.node_factor", "1", f"energy per operation relative to {TABLE_NODE_NM} nm"
    )
    if own is not None and table is not None and own.result.counts:
        whole, array = priced_energy(own, *table, prefix)
        own_images = _per_image(own)[0]
        core_pj, array_pj = whole / own_images, array / own_images
    else:
        core_pj, array_pj = core.energy_per_mac * macs_per_image, core.array_energy_per_mac * macs_per_image
    if core.activity is not None:
        # The task's operands are taken to be as quiet as those of the core's record; memories do not follow data.
        weight = 1 + from_fact("assumed.follows_toggles", FOLLOWS_TOGGLES) * (core.activity - 1)
        core_pj, array_pj = core_pj - array_pj * (1 - weight), array_pj * weight
    core_pj = core_pj.named(f"{own_prefix}.core_energy", "pJ", "per image, at the table's process")
    array_pj = array_pj.named(f"{own_prefix}.array_energy", "pJ", "per image, MAC arrays alone, at the table's process")
    tokens, why = _tokens(name, chip, language, served, f"{own_prefix}.tokens_per_s")
    dram = _dram(name, chip, rate, offline).named(
        f"{own_prefix}.dram_power", "W", "standby and refresh, and the bits an image moves"
    )
    return CardFigures(
        price=card_price(name, chip, scenario.prices, read),
        embodied=embodied_of(name, chip),
        tokens=tokens,
        without_tokens=why,
        title=chip.title.split(":")[0],
        peaks={
            key.removeprefix("peak_"): fact
            for key, fact in chip.facts.items()
            if key.startswith("peak_") and not key.endswith("_from_geometry")
        },
        rate=rate,
        bound=bound,
        power=busy.named(f"{own_prefix}.power", "W", "card, busy"),
        dram_power=dram,
        array_power=(rate * array_pj * factor * 1e-12).named(f"{own_prefix}.array_power", "W", "MAC arrays, priced"),
        core_power=(rate * core_pj * factor * 1e-12).named(
            f"{own_prefix}.core_power", "W", "arrays and memories, priced"
        ),
    )


def _dram(name: str, chip: Chip, rate: Figure, offline: Measurement | None) -> Figure:
    """Power of a card's DRAM; without a record of the bytes an image moves, standby and refresh alone."""
    capacity = from_fact(f"card.{name}.dram_capacity", _fact(name, chip, "dram_capacity"))
    idle = capacity * from_fact("assumed.dram_idle", DRAM_IDLE)
    if offline is None or not offline.result.layers:
        return idle
    run = _run(offline)
    moved = from_record(f"{run}.bytes", "B", offline, "layers.*.bytes") / from_record(
        f"{run}.images", "images", offline, "figures.images"
    )
    return idle + rate * moved * 8 * from_fact("assumed.dram_energy", DRAM_ENERGY) * 1e-12


def per_image(network: Measurement) -> Figure:
    """Multiply-accumulates of one image, from the record of the network."""
    images, macs = _per_image(network)
    return (macs / images).named(f"{_run(network)}.macs_per_image", "MAC/image")


def _run(measurement: Measurement) -> str:
    return f"record.{measurement.result.chip}.{measurement.result.workload}"


def _per_image(measurement: Measurement) -> tuple[Figure, Figure]:
    run = _run(measurement)
    images = from_record(f"{run}.images", "images", measurement, "figures.images")
    return images, from_record(f"{run}.macs", "MAC", measurement, "figures.macs")


def _fact(name: str, chip: Chip, key: str) -> Fact:
    if key not in chip.facts:
        raise InputError(f"chip {name!r} must have the fact {key!r} to be projected; add it with its source")
    return chip.facts[key]


def _tokens(
    name: str,
    chip: Chip,
    language: tuple[Service, Measurement | None] | None,
    served: Mapping[str, Measurement] | None,
    title: str,
) -> tuple[Figure | None, str]:
    """Tokens a second of one card, or None and why not."""
    if language is None:
        return None, "no language service is asked for"
    if not served or language[0].workload != SERVICE:
        return token_rate(name, chip, *language, title)
    if name not in served:
        short = chip.title.split(":")[0]
        return (
            None,
            f"{short} has no record of served requests: it is not offered for them, or does not keep the target",
        )
    return served_rate(served[name], title), ""
