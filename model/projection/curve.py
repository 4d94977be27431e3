"""Decode rate against the batch, NPU alone and with DRAM PIM, from one record of the chip model."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from model.projection.figure import Figure, from_record
from model.record import Measurement

LEAST_GAIN = 0.05
"""Share of a decode step that PIM must take off for a batch to count as won; the chip model records by the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One batch: tokens per second without and with PIM, and the share of the step spent on PIM.

    Parameters
    ----------
    batch : int
        Sequences decoded at a time.
    alone : float
        Tokens per second of the card without its PIM units.
    with_pim : float or None
        Tokens per second with them; None where the record has no such rate.
    on_pim : float
        Part of the step with PIM that is spent in the units, 0 to 1; 0 where the record does not say.
    """

    batch: int
    alone: float
    with_pim: float | None = None
    on_pim: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """All points of a chip; `wins_to` is the largest batch at which PIM takes at least 5 % off a step (0: none).

    Parameters
    ----------
    chip : str
        Name of the chip in hw/chips.
    pim : str
        PIM memory, "hbm_pim" or "aim"; "" for the plain card.
    context : int
        Tokens that every sequence holds; 0 where the record does not say.
    points : tuple of Point
        One for every layer of the record, in its order.
    shown : tuple of Figure
        The same numbers as named figures, with the gain by PIM and `wins_to` where there is PIM.
    """

    chip: str
    pim: str
    context: int
    wins_to: int
    points: tuple[Point, ...]
    shown: tuple[Figure, ...]

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """First and last batch of every unbroken run of batches at which PIM takes at least 5 % off a step."""
        found: list[tuple[int, int]] = []
        before = False
        for point in self.points:
            wins = point.with_pim is not None and point.alone < (1 - LEAST_GAIN) * point.with_pim
            if wins:
                found[-1:] = [(found[-1][0], point.batch)] if before else [*found[-1:], (point.batch, point.batch)]
            before = wins
        return tuple(found)


def decode_curve(measurement: Measurement) -> Curve:
    """The curve of a record whose layers are its points; `InputError` naming the record if one lacks a number."""
    result = measurement.result
    chip, pim = result.chip, result.workload.rpartition("_batches")[2].lstrip("_")
    prefix = f"decode.{chip}" + (f".{pim}" if pim else "")
    points, shown = [], []
    for index, layer in enumerate(result.layers):
        try:
            batch = int(layer["batch"])
            points.append(
                Point(
                    batch=batch,
                    alone=float(layer["tokens_per_s"]),
                    on_pim=float(layer.get("on_pim", 0.0)),
                    with_pim=float(layer["pim_tokens_per_s"]) if "pim_tokens_per_s" in layer else None,
                )
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                f"layers[{index}] of record {result.run} must have batch and tokens_per_s, "
                f"not lack {error}; run it again"
            ) from None
        shown.append(
            point_figure(measurement, index, "tokens_per_s").named(f"{prefix}.batch_{batch}", "tokens/s", "NPU alone")
        )
        if points[-1].with_pim is not None:
            joined = point_figure(measurement, index, "pim_tokens_per_s")
            shown.append(joined.named(f"{prefix}.batch_{batch}_pim", "tokens/s", "with PIM"))
            shown.append(
                (joined / point_figure(measurement, index, "tokens_per_s")).named(
                    f"{prefix}.batch_{batch}_gain", "1", "with PIM over without"
                )
            )
            if "on_pim" in layer:
                shown.append(
                    point_figure(measurement, index, "on_pim", "1").named(
                        f"{prefix}.batch_{batch}_on_pim", "1", "share of the step on PIM"
                    )
                )
    if not points:
        raise InputError(f"record {result.run} must have a layer for every batch, not none; run it again")
    wins = 0
    if pim:
        found = from_record(f"{prefix}.record_wins_to_batch", "sequences", measurement, "figures.pim_wins_to_batch")
        shown.append((found * 1).named(f"{prefix}.wins_to_batch", "sequences", "PIM takes at least 5 % off a step"))
        wins = int(result.figures["pim_wins_to_batch"])
    return Curve(
        chip=chip,
        pim=pim,
        context=int(result.figures.get("context", 0)),
        wins_to=wins,
        points=tuple(points),
        shown=tuple(shown),
    )


def point_figure(measurement: Measurement, index: int, field: str, unit: str = "tokens/s") -> Figure:
    """One number of a point as a figure of its own."""
    run = f"record.{measurement.result.chip}.{measurement.result.workload}"
    leaf = from_record(f"{run}.{index}.{field}", unit, measurement, f"layers.{index}.{field}")
    return leaf * 1


def at_batch(measurement: Measurement, batch: int, field: str, unit: str = "tokens/s") -> Figure | None:
    """`field` at one batch; None if the record does not have it."""
    for index, layer in enumerate(measurement.result.layers):
        if layer.get("batch") == batch and field in layer:
            return point_figure(measurement, index, field, unit)
    return None


def over_plain(records: Mapping[tuple[str, str], Measurement]) -> list[Figure]:
    """Tokens per second with PIM, in 16 bits, over those of the same card without it in its narrowest format."""
    found = []
    for (chip, pim), record in records.items():
        plain = records.get((chip, ""))
        if not pim or plain is None:
            continue
        for layer in record.result.layers:
            batch = int(layer["batch"])
            alone, joined = at_batch(plain, batch, "tokens_per_s"), at_batch(record, batch, "pim_tokens_per_s")
            if alone is not None and joined is not None:
                found.append(
                    (joined / alone).named(
                        f"decode.{chip}.{pim}.batch_{batch}_over_plain",
                        "1",
                        "over the plain card in its narrowest format",
                    )
                )
    return found
