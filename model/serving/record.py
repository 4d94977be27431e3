"""Records of the serving simulator for the projection: tokens a second of a card at the target of its stated mix."""

from hw import chips
from hw.base.digest import digest
from hw.base.error import InputError
from model.card.record import measurement
from model.network import llm
from model.projection.served import MIX, WORKLOAD
from model.record import Measurement
from model.serving.service import Service
from model.serving.site import WITHOUT, smallest
from model.serving.users import most_users


def served_record(chip_name: str) -> Measurement:
    """The most users of the mix that one instance of the fewest cards keeps at the target, by card.

    "per_second" counts tokens of answers of one card, its low and high ends those of the most users at the longer and
    shorter times of the card model.

    Raises
    ------
    InputError
        If the maker does not offer the card for language models, the model does not fit, or not one user keeps the
        target.
    """
    chip = chips.load(chip_name)
    if chip_name in WITHOUT:
        raise InputError(f"a card must be offered for language models to serve one; of {chip.title.split(':')[0]} "
                         f"{WITHOUT[chip_name]}")  # fmt: skip
    if "tdp" not in chip.facts:
        raise InputError(f"a card must have a published TDP to be projected; {chip.title.split(':')[0]} has none")
    model = llm.load(MIX.model)
    deployed = smallest(chip_name, model, tokens=MIX.prompt + MIX.answer, engine="vllm")
    service = Service(groups=((deployed, 1),))
    found = most_users(service, MIX.prompt, MIX.answer, (MIX.ttft, MIX.tpot), share=MIX.share, spread=MIX.spread)
    best = next(p for p in found.points if p.users == found.users)
    cards = deployed.cards
    figures: dict[str, float] = {
        "users": found.users,
        "users_low": found.low,
        "users_high": found.high,
        "cards": cards,
        "kept": best.kept,
        "ttft_p99_ns": best.ttft_p99 * 1e9,
        "tpot_p99_ns": best.tpot_p99 * 1e9,
        "prompt": MIX.prompt,
        "answer": MIX.answer,
        "per_second": best.tokens_per_s / cards,
        "per_second_low": min(found.low_rate, best.tokens_per_s) / cards,
        "per_second_high": max(found.high_rate, best.tokens_per_s) / cards,
    }
    time = best.tpot_p99 * 1e9
    return measurement(chip_name, WORKLOAD, digest(MIX), time, {}, figures, [])
