"""A service of the sites as data, and the rate at which one card delivers it."""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact, from_range, larger
from model.record import Measurement

STREAM_EFFICIENCY = Fact(
    nominal=0.8,
    low=0.6,
    high=0.95,
    unit="1",
    confidence="assumed",
    source="share of the nominal memory bandwidth that reading weights reaches: rows to open, refresh, turnarounds",
)
PRODUCT_EFFICIENCY = Fact(
    nominal=0.5,
    low=0.3,
    high=0.9,
    unit="1",
    confidence="assumed",
    source="share of the nominal peak that products of a few rows reach in decode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTask:
    """Decode of `batch` sequences that each hold `context` tokens.

    Parameters
    ----------
    parameters, cache_elements : Fact
        Weights, and elements of the key-value cache per token of one sequence.
    layers : int
        Decoder layers of the model, each with the same dependent products.
    weight_bytes, cache_bytes : float
        Per weight and per element of the cache.
    """

    parameters: Fact
    cache_elements: Fact
    layers: int
    weight_bytes: float
    cache_bytes: float
    context: int
    batch: int

    def __post_init__(self) -> None:
        for name in ("layers", "weight_bytes", "cache_bytes", "context", "batch"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} of a language task must be greater than 0, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: `workload` in model/workloads, what it delivers (`unit`), in which format and batch.

    Parameters
    ----------
    title : str
        Task in print, such as "ResNet-50, 224 x 224".
    number_format : str
        Format it runs in, in print, such as "INT8".
    batch : str
        How inputs are grouped, in words, for print only: "offline", or the sequences and their tokens.
    language : LanguageTask or None
        The decode task behind a service of tokens; None for images.
    """

    title: str
    workload: str
    unit: str
    number_format: str
    batch: str
    language: LanguageTask | None = None

    def __post_init__(self) -> None:
        if self.unit not in ("images", "tokens"):
            raise InputError(f"the unit of a service must be images or tokens, not {self.unit!r}")

    @property
    def how(self) -> str:
        """Title, format and batch in one line."""
        return f"{self.title}, {self.number_format}, {self.batch}"


def token_rate(
    name: str, chip: Chip, service: Service, record: Measurement | None = None, title: str = ""
) -> tuple[Figure | None, str]:
    """Tokens per second of one card under the name `title`, or None and one sentence why the service does not fit it.

    With a record of the chip model of the service: its rate and range. Else the roof of memory and multipliers:
    step = max(weights and cache / (bandwidth x efficiency), 2 x weights x batch / (peak x efficiency)).
    """
    task = service.language
    if task is None:
        return None, f"{service.title} delivers {service.unit}, not tokens"
    prefix = f"card.{name}"
    for key in ("dram_bandwidth", "dram_capacity", "peak_int8"):
        if key not in chip.facts:
            return None, f"the fact {key!r} of {chip.title.split(':')[0]} is not published"
    need = task.parameters.nominal * task.weight_bytes + (
        task.cache_elements.nominal * task.cache_bytes * task.context * task.batch
    )
    room = chip.facts["dram_capacity"].maximum * 1e9
    if need > room:
        return None, f"{service.title} with its cache needs {need / 1e9:.1f} GB, the card has {room / 1e9:g} GB"
    title = title or f"{prefix}.tokens_per_s"
    if record is not None:
        run = f"record.{record.result.chip}.{record.result.workload}"
        rate = from_range(f"{run}.per_second", "tokens/s", record, "figures.per_second")
        return (rate * 1).named(title, "tokens/s", f"{service.how}; chip model"), ""
    weights = from_fact(f"{service.workload}.weights", task.parameters)
    cache = from_fact(f"{service.workload}.cache_elements", task.cache_elements) * (
        task.cache_bytes * task.context * task.batch
    )
    bandwidth = from_fact(f"{prefix}.dram_bandwidth", chip.facts["dram_bandwidth"]) * 1e9
    peak = from_fact(f"{prefix}.peak_int8", chip.facts["peak_int8"]) * 1e12
    reading = (weights * task.weight_bytes + cache) / (
        bandwidth * from_fact("assumed.stream_efficiency", STREAM_EFFICIENCY)
    )
    multiplying = 2 * weights * task.batch / (peak * from_fact("assumed.product_efficiency", PRODUCT_EFFICIENCY))
    step = larger(reading, multiplying).named(
        f"{title.removesuffix('.tokens_per_s')}.decode_step_s", "s", "roof of memory and multipliers"
    )
    return (task.batch / step).named(title, "tokens/s", service.how), ""
