"""Names of cards and inputs for people."""

_LABELS = {
    "server.cards": "cards per server",
    "assumed.load": "busy share of the year",
    "assumed.idle": "idle / busy power",
    "price.unpriced_card": "card without a price, USD",
    "price.facility": "facility, million KRW/kW",
    "price.host": "server, million KRW",
    "price.exchange": "exchange, KRW/USD",
    "price.lifetime": "lifetime, years",
    "assumed.card_load": "card power / TDP",
    "server.fan_share": "fans / server power",
}
_WORDS = {
    "atom": "ATOM",
    "rngd": "RNGD",
    "dx": "DX",
    "m1": "M1",
    "h1": "H1",
    "sxm": "SXM",
    "pcie": "PCIe",
    "agx": "AGX",
    "dolphin": "Dolphin",
    "dolphin5": "Dolphin 5",
    "orin": "Orin",
    "h100": "H100",
    "h200": "H200",
    "l40s": "L40S",
    "x330": "X330",
    "x220": "X220",
    "max": "Max",
    "t4": "T4",
    "a2": "A2",
    "l4": "L4",
    "a100": "A100",
    "n": "N",
}


def input_label(name: str, unit: str) -> str:
    """What a reader calls an input, with its unit."""
    if name in _LABELS:
        return _LABELS[name]
    if name.startswith("record.") and name.endswith(".range"):
        _, chip, workload, *_ = name.split(".")
        return f"{card_name(chip)} {workload.split('_')[0]}, model range"
    head, _, tail = name.rpartition(".")
    owner = f"{card_name(head.removeprefix('card.'))} " if head.startswith("card.") else ""
    text = (owner + tail).replace("_", " ").replace("pue", "PUE").replace("tdp", "TDP")
    return text if unit == "1" else f"{text}, {unit}"


def unit_name(unit: str) -> str:
    """The unit of a figure as it is printed in a column of units."""
    return "ratio" if unit == "1" else unit


def card_name(name: str) -> str:
    """A chip's name for a label: without its maker."""
    words = name.split("_")[1:] or [name]
    text = " ".join(_WORDS.get(word, word) for word in words)
    return text[0].upper() + text[1:]
