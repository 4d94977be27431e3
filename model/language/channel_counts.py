"""Events of a DRAM-PIM channel's RTL as the events that are priced."""

from collections.abc import Mapping

from hw.spec.pim import PimSpec


def dram_counts(pim: PimSpec, events: Mapping[str, int], cycles: float) -> dict[str, int]:
    """Counters of the channel over so many `cycles` as events of `hw.spec.dram_pim_event`."""
    bits, kilobytes = pim.dram.organisation.column_bits, pim.dram.organisation.row_bytes / 1024
    background = {"dram.background_ns": round(cycles * pim.dram.clock_ns), "dram.refresh": events["refresh"]}
    if pim.align_bits:
        return background | {
            "dram.activate_kilobyte": round(events["activate"] * kilobytes),
            "dram.read_bit": bits * events["bank_read"],
            "dram.write_bit": bits * events["bank_write"],
            "dram.write_pin_bit": bits * events["word_in"],
            "dram.read_pin_bit": bits * events["word_out"],
            "pim.mac": pim.lanes * events["unit_mac"],
            "pim.lane_operation": pim.lanes * events["multiply"] + events["activation"],
        }
    opened = events["activate"] + events["activate_broadcast"] * pim.units
    return background | {
        "dram.activate_kilobyte": round(opened * kilobytes),
        "dram.read_bit": bits * ((events["mac"] + events["compute"]) * pim.units + events["read"]),
        "dram.read_pin_bit": bits * events["read"],
        "dram.write_bit": bits * (events["store"] * pim.units + events["write"]),
        "dram.write_pin_bit": bits * (events["write"] + events["control"]),
        "pim.mac": events["mac"] * pim.units * pim.lanes,
        "pim.lane_operation": events["compute"] * pim.units * pim.lanes,
    }
