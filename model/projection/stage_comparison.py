"""The stages beside each other on decode: one card each, and an incumbent as the yardstick."""

from collections.abc import Mapping
from dataclasses import replace

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.energy import dram
from model.language.run_record import LanguageRun
from model.projection import stages
from model.projection.card import CardFigures
from model.projection.crossbar_card import crossbar_card
from model.projection.curve import at_batch
from model.projection.figure import Figure, from_fact, spread_of
from model.projection.overheads import DRAM_ENERGY, FIXED_SHARE, Server, card_power
from model.projection.scenario import Scenario
from model.projection.service import Service, token_rate
from model.projection.stage import StageCard, macro_card, stage_card
from model.projection.stage_money import with_capital
from model.record import Measurement

CARDS = ("rebellions_atom", "furiosa_rngd")
"""Stage 1 cards of the comparison: the card most of a site's are, and the one made for language models."""

LENDER = "furiosa_rngd"
"""Its logic, memory and power stand around the PIM of stage 2 and the macros of stage 3."""

YARDSTICK = "nvidia_h100_sxm"
"""Overseas GPU, by the same rules."""

PIM_FORMATS = {"hbm_pim": ("HBM-PIM", "FP16"), "aim": ("GDDR6-AiM", "BF16")}
BATCHES = (1, 16)

BOARD_SERVER = (
    "board_server",
    Server(
        cards=Fact(
            nominal=8,
            unit="cards",
            confidence="measured",
            source="MLPerf v4.1 closed/NVIDIA, H200-SXM-141GBx8: eight modules on one board",
        ),
        sockets=Fact(
            nominal=2,
            unit="sockets",
            confidence="secondary",
            source="two processors; MLPerf v4.1 closed/NVIDIA/systems (recalled)",
        ),
        boards=1,
    ),
)
"""What stands around modules that are not cards; its name is that of its inputs."""


SOURCES = {"hbm_pim": ("attacc_hbm3", "oconnor_hbm2", "ayna_hbm2"), "aim": ("cent_gddr6",)}
"""Who prices the events of which memory, as `serve --pim` does."""


def pim_bit_energy(pim: str) -> Fact:
    """Energy of a 16-bit operand's bit read and multiplied beside its bank: row, column and arithmetic, no pins.

    The lowest, middle and highest of the sources of that memory.
    """
    each = {}
    for name in SOURCES[pim]:
        table = dram.load(name)
        cost = table.energies
        each[table.title] = (
            cost["dram.activate_kilobyte"].nominal / 8192 + cost["dram.read_bit"].nominal + cost["pim.mac"].nominal / 16
        )
    found = sorted(each.values())
    low, high = found[0], found[-1]
    if len(found) == 1:  # a single source: its own stated error
        error = dram.load(SOURCES[pim][0]).error.nominal
        low, high = low / (1 + error), high * (1 + error)
    listed = "; ".join(f"{title} {value:.2f}" for title, value in sorted(each.items()))
    return Fact(
        nominal=found[len(found) // 2],
        low=low,
        high=high,
        unit="pJ/bit",
        confidence="secondary",
        source=f"row / 8192 + column + arithmetic / 16 of {listed}",
    )


def decode_power(name: str, chip: Chip, scenario: Scenario, rate: Figure, joules: Figure) -> Figure:
    """Power of a card in a decode step that its memory bounds: the fixed share of its power, and of each token the
    `joules` of memory and products. One rule for plain cards, cards with PIM and GPUs: their arrays wait alike.
    """
    tdp = from_fact(f"card.{name}.tdp", chip.facts["tdp"])
    fixed = from_fact("assumed.fixed_share", FIXED_SHARE)
    return card_power(tdp, load=scenario.card_load) * fixed + joules * rate


def read_joules(service: Service, batch: int, bits: int) -> Figure:
    """Joules of a token for what a plain card reads: its part of all weights, and its cache, of `bits` an element."""
    task = service.language
    assert task is not None
    weights = from_fact(f"{service.workload}.weights", task.parameters) * (bits / batch)
    cache = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (bits * task.context)
    return (weights + cache) * from_fact("assumed.dram_energy", DRAM_ENERGY) * 1e-12


def recorded_joules(record: Measurement, batch: int, field: str, pim: str) -> Figure | None:
    """Joules of a token of memory and products as the chip model recorded, with the spread of the memory's sources."""
    found = at_batch(record, batch, field, "mJ/token")
    if found is None:
        return None
    energy = pim_bit_energy(pim)
    spread = Fact(
        nominal=1.0,
        low=energy.minimum / energy.nominal,
        high=energy.maximum / energy.nominal,
        unit="1",
        confidence="secondary",
        source=f"lowest and highest over the middle of {energy.source}",
    )
    return found * from_fact(f"{pim}.energy_sources", spread) * 1e-3


def memory_bound(record: Measurement | None) -> bool:
    """A decode record spends most of its step on memory."""
    if record is None:
        return False
    phases = record.result.phases
    return phases.get("memory", 0) > sum(phases.values()) / 2


def pim_power(
    name: str, chip: Chip, record: Measurement, batch: int, service: Service, scenario: Scenario
) -> tuple[Figure, Figure] | None:
    """(power of a card with PIM in W, joules of a token in its units) at one batch; None without the point.

    Bits of weights count in the units at every batch at which a product with weights is faster there (as if all were),
    those of the cache at every batch with a product there.
    """
    rate = at_batch(record, batch, "pim_tokens_per_s")
    on_pim = at_batch(record, batch, "on_pim", "1")
    pim = record.result.workload.rpartition("_batches_")[2]
    joules = recorded_joules(record, batch, "pim_mj_per_token", pim)
    task = service.language
    if rate is None or on_pim is None or task is None or joules is None:
        return None
    cache = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (16 * task.context)
    bits = cache if on_pim.nominal else cache * 0
    if batch <= record.result.figures.get("weights_on_pim_to_batch", 0):
        bits = bits + from_fact(f"{service.workload}.weights", task.parameters) * 16
    in_units = bits * from_fact(f"{pim}.bit_energy", pim_bit_energy(pim)) * 1e-12
    return decode_power(name, chip, scenario, rate, joules), in_units


def compare_stages(
    cards: Mapping[str, CardFigures],
    chips: Mapping[str, Chip],
    language: Service | None,
    scenario: Scenario,
    owner: str,
    records: Mapping[str, Measurement],
    curves: Mapping[tuple[str, str], Measurement],
    crossbars: LanguageRun | None = None,
) -> dict[str, StageCard]:
    """Every stage that has the records it needs, and the yardstick, by name.

    `crossbars`: the text that the RTL with crossbars wrote; with it stage 3 has our own machine beside the macros.
    """
    if language is None or language.language is None:
        return {}
    found: list[StageCard] = []

    def add(
        key: str,
        title: str,
        basis: str,
        how: str,
        tokens: Figure | None,
        card: str,
        priced: tuple[Figure, Figure] | None = None,
        server: tuple[str, Server] | None = None,
        plain: Figure | None = None,
    ) -> None:
        if tokens is not None and card in chips:
            tdp = from_fact(f"card.{card}.tdp", chips[card].facts["tdp"])
            power = priced[0] if priced else plain if plain is not None else card_power(tdp, load=scenario.card_load)
            one = stage_card(key, title, basis, how, tokens, power, scenario, owner, server)
            if priced:
                in_units = (priced[1] * 1).named(f"stage.{key}.pim_j_per_token", "J/token", "in the PIM units alone")
                one = replace(one, shown=(*one.shown, in_units))
            by_tail = {figure.name.rpartition(".")[2]: figure for figure in one.shown}
            paid = with_capital(
                key, card, chips[card], scenario, server, rate=one.tokens, wall=by_tail["wall_w"],
                electricity=by_tail["krw_per_million_tokens"], pim=priced is not None,
            )  # fmt: skip
            found.append(replace(one, shown=(*one.shown, *paid)))

    served = language.language.batch
    first, second, third = (stages.load(name) for name in ("stage1", "stage2", "stage3"))
    for name in CARDS:
        if name in cards:
            one = cards[name]
            plain = None
            if one.tokens is not None and name in chips and memory_bound(records.get(name)):
                plain = decode_power(name, chips[name], scenario, one.tokens, read_joules(language, served, 8))
            add(f"1_{name}_batch_16", f"{one.title}, INT8", first.basis, language.how, one.tokens, name, plain=plain)
    for (name, pim), record in curves.items():
        if pim and name == LENDER and name in records:
            title, number_format = PIM_FORMATS[pim]
            spread = spread_of(
                f"record.{name}.{records[name].result.workload}.per_second", "1", records[name], "figures.per_second"
            )
            beside = f"{_short(chips, name)}, memory of {title} without its units, {number_format}"
            for batch in BATCHES:
                alone, joined = (at_batch(record, batch, field) for field in ("tokens_per_s", "pim_tokens_per_s"))
                how = f"Llama 3.1 8B, decode, {number_format}, {batch} sequences of 1,024 tokens"
                if alone is not None and joined is not None:
                    rate = alone * spread
                    joules = recorded_joules(record, batch, "mj_per_token", pim)
                    power = None if joules is None else decode_power(name, chips[name], scenario, rate, joules)
                    add(f"1_beside_{pim}_batch_{batch}", beside, first.basis, how, rate, name, plain=power)
                    add(
                        f"2_{pim}_batch_{batch}",
                        f"{_short(chips, name)} with {title}, {number_format}",
                        second.basis,
                        how,
                        joined * spread,
                        name,
                        pim_power(name, chips[name], record, batch, language, scenario),
                    )
    for macro in third.macros:
        for batch in BATCHES:
            if LENDER in chips:
                service = replace(language, language=replace(language.language, batch=batch))
                found.append(macro_card(third, macro, LENDER, chips[LENDER], service, scenario, owner))
    if crossbars is not None and LENDER in chips:
        for batch in BATCHES:
            service = replace(language, language=replace(language.language, batch=batch))
            found.append(crossbar_card(third, crossbars, LENDER, chips[LENDER], service, scenario, owner))
    if YARDSTICK in chips:
        rate, _ = token_rate(YARDSTICK, chips[YARDSTICK], language, records.get(YARDSTICK))
        power = None
        if rate is not None and memory_bound(records.get(YARDSTICK)):
            power = decode_power(YARDSTICK, chips[YARDSTICK], scenario, rate, read_joules(language, served, 8))
        add(
            "gpu_batch_16",
            f"{_short(chips, YARDSTICK)}, INT8",
            "model",
            language.how,
            rate,
            YARDSTICK,
            server=BOARD_SERVER,
            plain=power,
        )
    return {one.name: one for one in found}


def _short(chips: Mapping[str, Chip], name: str) -> str:
    return chips[name].title.split(":")[0]
