"""Memories of a core: published energies by size, kept apart from what was measured at the gates."""

from dataclasses import replace

from hw.base import place
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from model import energy, record
from model.energy import sram
from model.energy.table import OperationTable

TABLE = "horowitz_45nm"
RECORDS = place.measurements()


def text(chip: str, core: CoreSpec, workload: str, seed: int) -> list[str]:
    """Every memory: capacity, width, pJ per access as low, nominal and high, and with a record of the run its share."""
    table = energy.load_operations(TABLE)
    assert isinstance(table, OperationTable)
    if core.array.terms_per_lane == 2:
        # Two INT4 lie where one INT8 would: words and memories are the same, and only memories are priced here.
        core = replace(core, array=replace(core.array, activation_format="int8", weight_format="int8"))
    prices = table.for_core(core).energies
    counts = _counts(chip, workload, seed)
    macs = counts.get("mac_array.mac", 0)
    lines = [
        f"memories, published and not measured here ({TABLE}; low end by OpenRAM's FreePDK45 memories of 64 bits, "
        f"{sram.RATIO:.2f} of it at 8 KiB)",
        f"{'event':28}{'pJ per access':>14}   range{'':14}" + ("pJ per MAC of the run" if macs else ""),
    ]
    total = 0.0
    for event, fact in prices.items():
        if not any(word in event for word in ("memory", "accumulator")):
            continue
        share = fact.nominal * counts.get(event, 0) / macs if macs else 0.0
        total += share
        low = min(fact.minimum, fact.nominal * sram.RATIO)
        lines.append(
            f"{event:28}{fact.nominal:14.1f}   {f'{low:.1f} to {fact.maximum:.1f}':19}"
            + (f"{share:.3f}" if macs else "")
        )
    if macs:
        lines.append(f"{'all':28}{'':14}   {'':19}{total:.3f}, to be added to the gates' with its own range")
    return lines


def _counts(chip: str, workload: str, seed: int) -> dict[str, int]:
    for witness in ("rtl", "model"):
        try:
            return dict(record.read(RECORDS / chip / f"{workload}.{seed}.{witness}.json").result.counts)
        except (InputError, OSError):
            continue
    return {}
