"""Tokens that a card delivers to requests of a stated mix at a stated target, prompts included, from a committed
record of the serving simulator."""

from dataclasses import dataclass

from model.projection.figure import Figure, from_range
from model.record import Measurement

WORKLOAD = "llama31_8b_served"
"""Of the records."""

SERVICE = "llama31_8b_decode"
"""Workload of the service whose tokens, at a site, are those of these records; of others they are decode steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Requests of `prompt` and `answer` tokens on average, lengths drawn with coefficient of variation `spread`;
    `share`
    of them keep a time to first token of `ttft` and a time per further token of `tpot` seconds.

    Parameters
    ----------
    model : str
        Language model the requests are for, by its short name.
    title : str
        Its name in print.
    """

    model: str
    title: str
    prompt: int
    answer: int
    spread: float
    ttft: float
    tpot: float
    share: float

    @property
    def how(self) -> str:
        """In one line."""
        return (
            f"{self.title}, requests of {self.prompt:,} + {self.answer:,} tokens on average, prompts included, "
            f"{self.share:.0%} with the first token within {self.ttft:g} s and each further one within "
            f"{1e3 * self.tpot:g} ms"
        )


MIX = Mix(
    model="llama31_8b", title="Llama 3.1 8B", prompt=1024, answer=256, spread=0.6, ttft=1.0, tpot=0.05, share=0.99
)


def served_rate(record: Measurement, title: str) -> Figure:
    """Tokens a second of one card under the name `title`."""
    run = f"record.{record.result.chip}.{record.result.workload}"
    rate = from_range(f"{run}.per_second", "tokens/s", record, "figures.per_second")
    return (rate * 1).named(title, "tokens/s", f"{MIX.how}; serving simulator")
