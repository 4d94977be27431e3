"""The stages beside each other on decode: one card each, and an incumbent as the yardstick."""

from collections.abc import Mapping
from dataclasses import replace

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.energy import dram
from model.projection import stages
from model.projection.card import CardFigures
from model.projection.curve import at_batch
from model.projection.figure import Figure, from_fact, spread_of
from model.projection.overheads import FIXED_SHARE, Server, card_power
from model.projection.scenario import Scenario
from model.projection.service import Service, token_rate
from model.projection.stage import StageCard, macro_card, stage_card
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


def pim_bit_energy() -> Fact:
    """Energy of a 16-bit operand's bit read and multiplied beside its bank: row, column and arithmetic, no pins.

    The lowest, middle and highest of the sources in `model.energy.dram_tables`.
    """
    each = {}
    for name in dram.names():
        table = dram.load(name)
        cost = table.energies
        each[table.title] = (
            cost["dram.activate_kilobyte"].nominal / 8192 + cost["dram.read_bit"].nominal + cost["pim.mac"].nominal / 16
        )
    low, *_, high = found = sorted(each.values())
    listed = "; ".join(f"{title} {value:.2f}" for title, value in sorted(each.items()))
    return Fact(
        nominal=found[len(found) // 2],
        low=low,
        high=high,
        unit="pJ/bit",
        confidence="secondary",
        source=f"row / 8192 + column + arithmetic / 16 of {listed}",
    )


def pim_power(
    name: str, chip: Chip, record: Measurement, batch: int, service: Service, scenario: Scenario
) -> tuple[Figure, Figure] | None:
    """(power of a card with PIM in W, joules of a token in its units) at one batch; None without the point.

    The chip idles at its fixed share while the units work; bits of weights count at every batch at which a product
    with weights is faster there (as if all were), those of the cache at every batch with a product there.
    """
    rate = at_batch(record, batch, "pim_tokens_per_s")
    on_pim = at_batch(record, batch, "on_pim", "1")
    task = service.language
    if rate is None or on_pim is None or task is None:
        return None
    tdp = from_fact(f"card.{name}.tdp", chip.facts["tdp"])
    fixed = from_fact("assumed.fixed_share", FIXED_SHARE)
    cache = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (16 * task.context)
    bits = cache if on_pim.nominal else cache * 0
    if batch <= record.result.figures.get("weights_on_pim_to_batch", 0):
        bits = bits + from_fact(f"{service.workload}.weights", task.parameters) * 16
    joules = bits * from_fact("pim.bit_energy", pim_bit_energy()) * 1e-12
    own = card_power(tdp, load=scenario.card_load) * (fixed + (1 - fixed) * (1 - on_pim))
    return own + joules * rate, joules


def compare_stages(
    cards: Mapping[str, CardFigures],
    chips: Mapping[str, Chip],
    language: Service | None,
    scenario: Scenario,
    owner: str,
    records: Mapping[str, Measurement],
    curves: Mapping[tuple[str, str], Measurement],
) -> dict[str, StageCard]:
    """Every stage that has the records it needs, and the yardstick, by name."""
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
    ) -> None:
        if tokens is not None and card in chips:
            tdp = from_fact(f"card.{card}.tdp", chips[card].facts["tdp"])
            power = priced[0] if priced else card_power(tdp, load=scenario.card_load)
            one = stage_card(key, title, basis, how, tokens, power, scenario, owner, server)
            if priced:
                in_units = (priced[1] * 1).named(f"stage.{key}.pim_j_per_token", "J/token", "in the PIM units alone")
                one = replace(one, shown=(*one.shown, in_units))
            found.append(one)

    first, second, third = (stages.load(name) for name in ("stage1", "stage2", "stage3"))
    for name in CARDS:
        if name in cards:
            one = cards[name]
            add(f"1_{name}_batch_16", f"{one.title}, INT8", first.basis, language.how, one.tokens, name)
    for (name, pim), record in curves.items():
        if pim and name == LENDER and name in records:
            title, number_format = PIM_FORMATS[pim]
            spread = spread_of(
                f"record.{name}.{records[name].result.workload}.per_second", "1", records[name], "figures.per_second"
            )
            plain = f"{_short(chips, name)}, memory of {title} without its units, {number_format}"
            for batch in BATCHES:
                alone, joined = (at_batch(record, batch, field) for field in ("tokens_per_s", "pim_tokens_per_s"))
                how = f"Llama 3.1 8B, decode, {number_format}, {batch} sequences of 1,024 tokens"
                if alone is not None and joined is not None:
                    add(f"1_beside_{pim}_batch_{batch}", plain, first.basis, how, alone * spread, name)
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
    if YARDSTICK in chips:
        rate, _ = token_rate(YARDSTICK, chips[YARDSTICK], language, records.get(YARDSTICK))
        add(
            "gpu_batch_16",
            f"{_short(chips, YARDSTICK)}, INT8",
            "model",
            language.how,
            rate,
            YARDSTICK,
            server=BOARD_SERVER,
        )
    return {one.name: one for one in found}


def _short(chips: Mapping[str, Chip], name: str) -> str:
    return chips[name].title.split(":")[0]
