"""The fewest cards that serve a rate of requests at a target, over instances of 1 to 16 cards and numbers of them."""

from dataclasses import dataclass
from typing import Any

from hw import chips
from hw.base.error import InputError
from model.card.device import device
from model.card.engine import ENGINES
from model.card.serving import chosen_format
from model.network.language import LanguageModel
from model.network.split import Split
from model.serving.answers import kept, rate
from model.serving.bill import Bill, bill
from model.serving.deploy import Deployed, planned
from model.serving.draw import Drawn
from model.serving.service import Service
from model.serving.sources import Stream

SIZES = (1, 2, 4, 8, 16)
MOST = 4096
"""Cards that are tried at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewest:
    """`replicas` instances of `size` cards of `chip`, or the `reason` why none keep the target.

    Parameters
    ----------
    model : str
        Name of the language model.
    weights : str
        Number format of its weights; "" where there is a `reason`.
    kept : float
        Share of the requests that keep the target, 0 to 1.
    tokens_per_s : float
        Tokens of answers per second of all instances together.
    bill : Bill or None
        Energy, money and carbon of the run; None without a published TDP or where there is a `reason`.
    """

    chip: str
    model: str
    weights: str = ""
    size: int = 0
    replicas: int = 0
    kept: float = 0.0
    tokens_per_s: float = 0.0
    bill: Bill | None = None
    reason: str = ""

    @property
    def cards(self) -> int:
        """Of all instances."""
        return self.size * self.replicas

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        names = ("chip", "model", "weights", "size", "replicas", "cards", "kept", "tokens_per_s", "reason")
        found = {name: getattr(self, name) for name in names}
        return found | (self.bill.plain() if self.bill is not None else {})


def fewest(
    chip: str,
    model: LanguageModel,
    load: Drawn,
    target: tuple[float, float],
    *,
    share: float = 0.99,
    engine: str = "vllm",
    weights: str | None = None,
) -> Fewest:
    """The fewest cards of `chip` under `load`."""
    found: list[Fewest] = []
    reason = "no number of cards was tried"
    most = MOST
    for size in SIZES:
        try:
            deployed = _deployed(chip, model, size, engine, weights)
            best = _replicas(chip, deployed, size, load, target, share, most)
        except InputError as error:
            reason = str(error)
            continue
        if best is None:
            reason = f"more than {most} cards, or no number of instances of {size}, keep the target"
            continue
        found.append(best)
        most = min(most, best.cards)
    if not found:
        return Fewest(chip=chip, model=model.name, reason=reason)
    return min(found, key=lambda f: (f.cards, f.bill.joules[1] if f.bill is not None else 0.0))


def _deployed(chip: str, model: LanguageModel, size: int, engine: str, weights: str | None) -> Deployed:
    known = chips.load(chip)
    spec = device(known)
    number = weights or chosen_format(spec, model)
    return Deployed(
        device=spec,
        model=model,
        split=Split(tensor=size * spec.devices),
        weights=number,
        cache="fp16",
        engine=ENGINES[engine],
        rules=planned(ENGINES[engine]),
        chip=known,
    )


def _replicas(
    chip: str, deployed: Deployed, size: int, load: Drawn, target: tuple[float, float], share: float, most: int
) -> Fewest | None:
    """The fewest instances of `size` cards that keep the target, at most `most` cards; None if none do."""
    machine = deployed.iteration()

    def tried(replicas: int) -> Fewest:
        service = Service(groups=((deployed, replicas),))
        service.machines[0] = machine
        cluster = service.cluster(Stream(lambda: load))
        largest = cluster.all[0].holdings
        for request in load:
            largest.check(request)
        while not cluster.run(events=1 << 20):
            pass
        table = cluster.log.table()
        seconds = float(table["last"].max() - table["arrival"].min())
        assert deployed.chip is not None
        cost = bill(
            cluster,
            [deployed.chip] * replicas,
            [deployed.cards] * replicas,
            int(table["answer"].sum()),
            seconds,
        )
        return Fewest(
            chip=chip,
            model=deployed.model.name,
            weights=deployed.weights,
            size=size,
            replicas=replicas,
            kept=float(kept(table, *target).mean()),
            tokens_per_s=rate(table),
            bill=cost,
        )

    low, high = 0, 1
    while high * size <= most and tried(high).kept < share:
        low, high = high, 2 * high
    if high * size > most:
        high = most // size
        if high <= low or tried(high).kept < share:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tried(middle).kept >= share else (middle, high)
    return tried(high)
