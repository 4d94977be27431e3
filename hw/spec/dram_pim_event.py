"""What a DRAM or PIM channel counts, and what its clocks are spent on: both closed lists."""

EVENTS: dict[str, str] = {
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

LABELS: dict[str, str] = {
    "mac": "A slot of the column bus went to a command that multiplies and adds.",
    "compute": "A slot of the column bus went to another command of the units.",
    "store": "A slot of the column bus went to a command by which units write their bank.",
    "register_load": "A slot of the bus went to writing registers of the units.",
    "result_read": "A slot of the bus went to reading registers of the units.",
    "mode": "A clock went to changing the mode of the device or the side that owns its banks.",
    "host": "A slot of the column bus went to the host's own data.",
    "row_switch": "A clock waited for a row to be closed and another to be opened.",
    "turnaround": "A clock waited for the data bus to change direction or for a result to be finished.",
    "refresh": "A clock waited for a refresh.",
    "drain": "A clock passed after the last command, until its data had moved.",
}
"""What a clock of a channel was spent on; every clock has exactly one."""

VALUE_EVENTS: tuple[str, ...] = ()
"""Nothing counted here is decided by operands."""

OBSERVATIONS: tuple[str, ...] = ()
"""Every event does work that has a price."""
