"""What a DRAM or PIM channel counts, for pricing: a closed list."""

DRAM_EVENTS: dict[str, str] = {
    "dram.activate_kilobyte": "One kilobyte of one bank's row was opened, and closed again later.",
    "dram.read_bit": "One bit was read from a row buffer to its bank's edge (to a PIM unit or on towards the pins).",
    "dram.write_bit": "One bit was written into a row buffer from its bank's edge.",
    "dram.read_pin_bit": "One bit went on from a bank's edge through the device and its pins to the host.",
    "dram.write_pin_bit": "One bit came from the host through the pins to a bank's edge or a register.",
    "dram.refresh": "One all-bank refresh of one rank of one channel.",
    "dram.background_ns": "One channel was powered for one nanosecond.",
    "pim.mac": "One lane multiplied and added.",
    "pim.lane_operation": "One lane did another operation (addition, multiplication, move, activation).",
}
"""Event, "component.event" -> its one-sentence definition."""
