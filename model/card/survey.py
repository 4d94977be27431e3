"""Every chip on every workload by the chip model: a rate, or one sentence why not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from model import workloads
from model.card.device import Device, device, family
from model.card.run import offline
from model.card.serving import Deployment, compute_format, serving_format
from model.network import llm
from model.network.layer import Network
from model.network.workload import LanguageStep, NetworkWorkload

IMAGE_FORMATS = ("int8", "fp8_e4m3", "fp16")
"""What a network that is no language model is run in: the first the chip multiplies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One chip on one workload.

    `rate` in `unit` of `cards` cards, in the number format `number` (of a language model: of weights and cache),
    `batch` inputs or sequences together; `latency_ms` of one run or step; `bound` names what most of its time is
    bound by; `utilisation` (0 to 1) is the useful multiply-accumulates over what the arrays could do. Or `reason` why
    there is none.

    Parameters
    ----------
    chip, workload : str
        Their names as `hw.chips` and `model.workloads` load them.
    """

    chip: str
    workload: str
    rate: float = 0.0
    unit: str = ""
    number: str = ""
    cards: int = 1
    batch: int = 0
    latency_ms: float = 0.0
    bound: str = ""
    utilisation: float = 0.0
    reason: str = ""


def survey(
    chip_names: Iterable[str], workload_names: Iterable[str], step: Callable[[], None] = lambda: None
) -> list[Entry]:
    """All pairs, workload by workload; `step` is called after each."""
    loaded = [(name, chips.load(name)) for name in chip_names]
    entries = []
    for workload in workload_names:
        for name, chip in loaded:
            entries.append(entry(name, chip, workload))
            step()
    return entries


def entry(chip_name: str, chip: Chip, workload_name: str) -> Entry:
    """One pair."""
    try:
        spec = device(chip)
        workload = workloads.load(workload_name)
        if not isinstance(workload, NetworkWorkload):
            raise InputError(f"a workload must be a network to run on a card, {workload_name!r} is plain products")
        if workload.language is not None:
            return _language(chip_name, spec, workload_name, workload.language)
        return _network(chip_name, spec, workload_name, workload)
    except InputError as error:
        return Entry(chip=chip_name, workload=workload_name, reason=str(error))


@lru_cache(maxsize=64)
def network_of(name: str) -> Network:
    """The network of a workload, read once."""
    workload = workloads.load(name)
    assert isinstance(workload, NetworkWorkload)
    return workload.network()


def image_format(spec: Device) -> str:
    """The first of `IMAGE_FORMATS` that the chip multiplies; `InputError` if it multiplies none."""
    for number in IMAGE_FORMATS:
        if family(number) in spec.peaks:
            return number
    raise InputError(f"a chip must multiply one of {', '.join(IMAGE_FORMATS)}; {spec.title} does not")


def _network(chip_name: str, spec: Device, workload_name: str, workload: NetworkWorkload) -> Entry:
    network, number = network_of(workload_name), image_format(spec)
    result = offline(spec, network, number)
    return Entry(
        chip=chip_name,
        workload=workload_name,
        rate=result.per_second,
        number=number,
        batch=result.batch,
        unit=f"{next(iter(workload.work), 'runs')}/s",
        latency_ms=result.latency * 1e3,
        bound=max(result.bound, key=lambda name: result.bound[name]),
        utilisation=result.per_second * network.macs / (spec.rate(number) * spec.devices),
    )


def _language(chip_name: str, spec: Device, workload_name: str, step: LanguageStep) -> Entry:
    number = serving_format(spec)
    deployed = Deployment(
        device=spec, model=llm.load(step.model), cards=step.cards, weight_format=number, cache_format=number
    )
    deployed.largest_batch(step.tokens)
    decode = step.phase == "decode"
    result = deployed.decode(step.tokens, step.batch) if decode else deployed.prefill(step.tokens, step.batch)
    tokens = step.batch if decode else step.batch * step.tokens
    macs = sum(
        layer.macs * (deployed.model.layers if layer.name.startswith("layer0_") else 1) for layer in result.layers
    )
    return Entry(
        chip=chip_name,
        workload=workload_name,
        rate=tokens / result.time,
        unit="tokens/s",
        number=number,
        cards=step.cards,
        batch=step.batch,
        latency_ms=result.time * 1e3,
        bound=max(result.bound, key=lambda name: result.bound[name]),
        utilisation=macs / (result.time * spec.rate(compute_format(spec, number))),
    )
