"""The stages beside each other on decode: one card each, and an incumbent as the yardstick."""

from collections.abc import Mapping
from dataclasses import replace

from hw.spec.chip import Chip
from model.projection import stages
from model.projection.card import CardFigures
from model.projection.curve import at_batch
from model.projection.figure import Figure, from_fact, spread_of
from model.projection.overheads import card_power
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


def compare_stages(
    cards: Mapping[str, CardFigures], chips: Mapping[str, Chip], language: Service | None, scenario: Scenario,
    owner: str, records: Mapping[str, Measurement], curves: Mapping[tuple[str, str], Measurement],
) -> dict[str, StageCard]:
    """Every stage that has the records it needs, and the yardstick, by name."""
    if language is None or language.language is None:
        return {}
    found: list[StageCard] = []

    def add(key: str, title: str, basis: str, how: str, tokens: Figure | None, card: str) -> None:
        if tokens is not None and card in chips:
            tdp = from_fact(f"card.{card}.tdp", chips[card].facts["tdp"])
            power = card_power(tdp, load=scenario.card_load)
            found.append(stage_card(key, title, basis, how, tokens, power, scenario, owner))

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
                    add(f"2_{pim}_batch_{batch}", f"{_short(chips, name)} with {title}, {number_format}", second.basis,
                        how, joined * spread, name)
    for macro in third.macros:
        for batch in BATCHES:
            if LENDER in chips:
                service = replace(language, language=replace(language.language, batch=batch))
                found.append(macro_card(third, macro, LENDER, chips[LENDER], service, scenario, owner))
    if YARDSTICK in chips:
        rate, _ = token_rate(YARDSTICK, chips[YARDSTICK], language, records.get(YARDSTICK))
        add("gpu_batch_16", f"{_short(chips, YARDSTICK)}, INT8", "model", language.how, rate, YARDSTICK)
    return {one.name: one for one in found}


def _short(chips: Mapping[str, Chip], name: str) -> str:
    return chips[name].title.split(":")[0]
