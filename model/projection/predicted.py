"""Rates of a card from records of the chip model, with the range that what nobody published leaves them."""

from hw.spec.error import InputError
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact, from_record
from model.record import Measurement


def predicted_rate(run: Measurement, unit: str) -> Figure:
    """figures.per_second of the record times a factor around 1: its low and high ends over the nominal value.

    `InputError` naming the record if a number is missing or the ends are not around it.
    """
    result = run.result
    name = f"{result.chip}.{result.workload}"
    ends = [result.figures.get(f"per_second{end}") for end in ("_low", "", "_high")]
    if any(value is None or value <= 0 for value in ends):
        raise InputError(f"record {result.run} must hold per_second with its low and high end; write it again with "
                         "python -m model records")
    low, nominal, high = (float(value) for value in ends if value is not None)
    spread = Fact(
        nominal=1.0, low=low / nominal, high=high / nominal, unit="1", confidence="inferred",
        source=f"chip model, 5 % and 95 % over the inputs that nobody published: record {result.run}",
    )
    return from_record(f"record.{name}.per_second", unit, run, "figures.per_second") * from_fact(
        f"range.{name}", spread
    )
