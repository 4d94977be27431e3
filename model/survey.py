"""Every chip on every workload: a rate, or one sentence why not."""

from collections.abc import Iterable
from dataclasses import dataclass

from hw import chips
from hw.spec.chip import Chip
from hw.spec.error import InputError
from model import workloads
from model.predict import predict
from model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One chip on one workload: `rate` in `unit` and `utilisation` (0 to 1), or `reason` why there is none."""

    chip: str
    workload: str
    cycles: int = 0
    rate: float = 0.0
    unit: str = ""
    utilisation: float = 0.0
    reason: str = ""


def survey(chip_names: Iterable[str], workload_names: Iterable[str]) -> list[Entry]:
    """All pairs, workload by workload."""
    loaded = [(name, chips.load(name)) for name in chip_names]
    return [
        _entry(chip_name, chip, workload_name, workload)
        for workload_name in workload_names
        for workload in [workloads.load(workload_name)]
        for chip_name, chip in loaded
    ]


def _entry(chip_name: str, chip: Chip, workload_name: str, workload: Workload) -> Entry:
    try:
        _check_capacity(chip, workload)
        prediction = predict(chip, workload)
    except InputError as error:
        return Entry(chip=chip_name, workload=workload_name, reason=str(error))
    unit, amount = next(iter(workload.work.items()), ("runs", 1.0))
    clock = chip.clock.nominal if chip.clock is not None else 1.0
    return Entry(
        chip=chip_name, workload=workload_name, cycles=prediction.cycles, unit=f"{unit}/s",
        rate=chip.devices * amount * clock * 1e9 / prediction.cycles, utilisation=prediction.utilisation,
    )


def _check_capacity(chip: Chip, workload: Workload) -> None:
    """Weights at one byte each must fit the chip's memory, if both are known."""
    network = getattr(workload, "network", None)
    capacity = chip.facts.get("dram_capacity")
    if network is None or capacity is None or not hasattr(network(), "weights"):
        return
    need = network().weights / 1e9
    if need > capacity.maximum:
        raise InputError(
            f"weights must fit the card's memory: {need:.1f} GB at one byte each, it has {capacity.maximum:g} GB; "
            "use more cards"
        )
