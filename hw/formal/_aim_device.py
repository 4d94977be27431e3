"""A tiny AiM device for proofs about its memory controller: two banks of four rows of four columns, short timings."""

from dataclasses import replace
from typing import Any

TIMINGS = dict.fromkeys(
    (
        "rl", "wl", "t_burst", "t_ccd_s", "t_ccd_l", "t_wr", "t_rtp", "t_rrd_s", "t_rrd_l", "t_wtr_s", "t_wtr_l",
        "rl_register", "wl_register", "wl_buffer", "t_bus_turn",
    ),
    1,
) | {
    "t_rcd_rd": 2, "t_rcd_wr": 2, "t_rcd_mac": 3, "t_rp": 2, "t_ras": 3, "t_rc": 4, "t_mode": 2, "t_rfc": 3,
}  # fmt: skip
"""Cycles: small, so that every rule binds within the bound of a proof."""

COMMANDS = ("ACT", "ACT16", "PRE", "PREA", "REF", "RD", "WR", "WRGB", "WRMAC16", "MAC16", "RDMAC16", "TMOD")
"""What the controller issues."""


def device(interval: int = 22) -> tuple[Any, Any]:
    """Controller spec and timing with a refresh every `interval` cycles."""
    from hw.commands.aim import COMMANDS as SET
    from hw.dram.gddr6_aim import DRAM
    from hw.spec.memory_controller import ControllerSpec
    from hw.spec.pim import PimSpec, RegisterFile

    organisation = replace(
        DRAM.organisation, bank_groups=2, banks_per_group=1, rows=4, columns=4, column_bits=16, bus_bits=8,
        burst_length=2,
    )  # fmt: skip
    registers = (RegisterFile(name="GB", entries=4, bits=16), RegisterFile(name="MAC", entries=2, bits=32))
    pim = PimSpec(
        title="two banks", kind="aim", dram=replace(DRAM, organisation=organisation, clock_ns=1.0), commands=SET,
        units=2, banks_per_unit=1, lanes=1, number="bf16", accumulator="fp32", modes=("memory", "register"),
        registers=registers,
    )  # fmt: skip
    return ControllerSpec(pim=pim, rows=4, shared_words=8), pim.dram.resolve(overrides=TIMINGS | {"t_refi": interval})
