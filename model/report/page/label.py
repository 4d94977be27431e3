"""What people call a figure or an input: names for the page instead of `mkrw_per_year`."""

from model.projection.rules import Rule
from model.report.label import card_name
from model.report.page.language import N_, Language

TAILS = {
    "cards": N_("number of cards"),
    "servers": N_("number of servers"),
    "nominal_pf": N_("nominal peak"),
    "images_per_s": N_("images per second"),
    "tokens_per_s": N_("tokens per second"),
    "delivered_pf": N_("operations delivered on images"),
    "delivered_over_peak": N_("delivered over the peak in INT8 or FP8"),
    "eight_bit_pf": N_("peak in INT8 or FP8"),
    "wall_kw": N_("power at the wall"),
    "mwh_per_year": N_("electricity a year"),
    "mkrw_per_year": N_("cost of electricity a year"),
    "tco2e_per_year": N_("emissions a year"),
    "images_per_kj": N_("images per kilojoule"),
    "tokens_per_kj": N_("tokens per kilojoule"),
    "krw_per_million_images": N_("electricity for a million images"),
    "krw_per_million_images_with_capital": N_("a million images with capital"),
    "gco2e_per_million_images": N_("emissions of a million images"),
    "krw_per_million_tokens": N_("electricity for a million tokens"),
    "krw_per_million_tokens_with_capital": N_("a million tokens with capital"),
    "gco2e_per_million_tokens": N_("emissions of a million tokens"),
    "capital_cards": N_("capital: cards"),
    "capital_hosts": N_("capital: servers"),
    "capital_facility": N_("capital: facility"),
    "capital": N_("capital"),
    "capital_over_budget": N_("capital over the grant"),
    "budget_left": N_("left of the grant"),
    "closing_card_price": N_("card price that spends the grant"),
    "capital_per_year": N_("capital, part of a year"),
    "capital_of_card": N_("capital of a card"),
    "running": N_("running cost a year"),
    "running_demand": N_("demand charge"),
    "running_staff": N_("people"),
    "running_maintenance": N_("support of hardware"),
    "running_spares": N_("cards replaced"),
    "running_network": N_("network"),
    "running_space": N_("floor for racks"),
    "embodied": N_("emitted to make it"),
    "embodied_cards": N_("emitted to make the cards"),
    "embodied_hosts": N_("emitted to make the servers"),
    "mkrw_per_card": N_("grant per card"),
    "electricity_over_budget": N_("a year's electricity over the grant"),
    "array_kw": N_("MAC arrays"),
    "memories_kw": N_("core memories"),
    "rest_of_chips_kw": N_("rest of the chips"),
    "dram_kw": N_("DRAM"),
    "regulators_kw": N_("card regulators"),
    "hosts_kw": N_("hosts"),
    "fans_kw": N_("fans"),
    "supplies_kw": N_("power supplies"),
    "facility_kw": N_("facility (PUE)"),
    "grid_loss_kw": N_("grid losses"),
    "grid_kw": N_("at the power plants"),
    "cards_kw": N_("cards alone"),
    "exact_cards": N_("cards before rounding"),
    "wall_j_per_token": N_("energy of a token at the wall"),
    "tokens_per_j": N_("tokens per joule at the wall"),
    "card_w": N_("power of the card"),
    "wall_w": N_("power of a card at the wall"),
    "over_gpus": N_("tokens per joule over the GPUs'"),
    "power": N_("power of a busy card"),
    "bound": N_("bound of the arrays"),
    "duty": N_("mean power over busy power"),
    "total_budget": N_("budget of the programme"),
    "stage_1_budget": N_("budget of stage 1"),
}
"""Last part of a figure's name -> what it is."""

INPUTS = {
    "server.cards": N_("cards per server"),
    "assumed.load": N_("busy share of the year"),
    "assumed.idle": N_("idle power over busy power"),
    "assumed.headroom": N_("what later software gains"),
    "assumed.peak_fraction": N_("rate over peak without a published result"),
    "assumed.socket_power": N_("processor socket power"),
    "price.unpriced_card": N_("card price, unpublished"),
    "price.facility": N_("facility per kilowatt"),
    "price.host": N_("price of a server"),
    "price.exchange": N_("exchange rate"),
    "price.lifetime": N_("years of use"),
    "price.pim_premium": N_("premium for PIM memory"),
    "running.demand_charge": N_("demand charge per kilowatt"),
    "running.staff": N_("people on the site"),
    "running.wage": N_("cost of a person"),
    "running.maintenance": N_("support over hardware price"),
    "running.spares": N_("cards replaced a year"),
    "running.network": N_("cost of the lines"),
    "running.rack_power": N_("rack power"),
    "running.rack_space": N_("rack floor price"),
    "running.die_area": N_("area of an unpublished die"),
    "running.yield": N_("good dies over dies"),
    "running.rest_of_card": N_("carbon of a card over its die"),
    "running.host_carbon": N_("carbon of a server"),
    "assumed.card_load": N_("card power over TDP"),
    "server.fan_share": N_("fans over server power"),
    "server.socket_power": N_("processor socket power"),
    "server.supply_efficiency": N_("efficiency of the supplies"),
    "grid.tariff": N_("electricity tariff"),
    "grid.carbon": N_("carbon factor of the grid"),
    "grid.loss": N_("losses of the grid"),
}
"""Inputs that sites share -> what they are."""

OWNED = {
    "pue": N_("PUE of the building"),
    "tdp": N_("TDP"),
    "budget": N_("grant"),
    "capacity": N_("nominal share"),
    "dram_bandwidth": N_("memory bandwidth"),
    "clock": N_("clock"),
}
"""Last part of an input of one site or card -> what it is."""

OPERATORS = {"nhn": N_("NHN: SAPEON X330"), "kt": N_("KT: Rebellions ATOM"), "naver": N_("Naver: FuriosaAI Warboy")}
"""Operator of a share -> its name with the chip its peak is counted by."""

FORMATS = {
    "sapeon_x330_compact": "X330",
    "sapeon_x330_prime": "X330 Prime",
    "sapeon_x220_enterprise": "X220",
    "rebellions_atom": "ATOM",
    "furiosa_warboy": "Warboy",
    "furiosa_rngd": "RNGD",
}
"""Cards of the counting rules -> their short names."""

CARDS = {
    "rebellions_atom": N_("ATOM, INT8"),
    "furiosa_rngd": N_("RNGD, INT8"),
    "beside_hbm_pim": N_("RNGD, HBM-PIM off"),
    "beside_aim": N_("RNGD, AiM off"),
    "hbm_pim": N_("RNGD with HBM-PIM"),
    "aim": N_("RNGD with GDDR6-AiM"),
    "crossbar": N_("our own crossbars"),
    "four_phase": N_("analogue, slow reading"),
    "one_phase": N_("analogue, fast reading"),
}
"""Card of a stage, as its figures' names hold it -> its name."""


def rule_name(rule: Rule) -> str:
    """A rule of counting by the format of each card."""
    return ", ".join(f"{FORMATS.get(card, card)} {form.upper()}" for card, form in rule.shares.values())


def stage_name(language: Language, name: str) -> str:
    """A card of the comparison of stages, `2_aim_batch_1` say, with its stage."""
    card = name.rpartition("_batch_")[0]
    if card == "gpu":
        return language.text("GPU: H100 SXM, INT8")
    number, _, kind = card.partition("_")
    words = language.text(CARDS[kind]) if kind in CARDS else kind
    return language.text("stage {number}: {card}", number=number, card=words)


def known_label(language: Language, name: str) -> str:
    """What people call the figure or input `name`; "" if the page has no word for it."""
    if name in INPUTS:
        return language.text(INPUTS[name])
    head, _, tail = name.rpartition(".")
    if tail == "range" and name.startswith("record."):
        _, chip, workload, *_ = name.split(".")
        words = language.text("images, model range") if "resnet" in workload else language.text("tokens, model range")
        return f"{card_name(chip)} {words}"
    found = TAILS.get(tail) or OWNED.get(tail)
    if found is None:
        return ""
    owner = head.removeprefix("card.").removeprefix("ledger.").rpartition(".")[2]
    word = language.text(found)
    return f"{card_name(owner)}: {word}" if head.startswith("card.") else word


def label(language: Language, name: str) -> str:
    """The same, with the name itself where there is no word."""
    return known_label(language, name) or name.rpartition(".")[2].replace("_", " ")
