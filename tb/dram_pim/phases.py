"""Where the cycles of a played stream went, from the commands the RTL accepted and the cycles it accepted them in.

The same causes as the cycle model's breakdown, found again from the commands alone.
"""

from collections import Counter
from collections.abc import Sequence

from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from tb.dram_pim.driver import Played


def hbm_phases(spec: PimSpec, timing: Timing, commands: Sequence[Played], finish: int) -> dict[str, int]:
    """Cause -> cycles of a GEMV: a column's own slot to its kind, the rest of the gap to what lay in it."""
    grf = spec.register("GRF_A")
    phases: Counter[str] = Counter()
    last, last_write = 0, None
    opened = refreshed = False
    for c in commands:
        if c.name == "REF":
            refreshed = True
        elif c.name == "ACT":
            opened = True
        elif c.name in ("RD", "WR"):
            write = c.name == "WR"
            if spec.row_without_trigger_bit is not None and c.row >> spec.row_without_trigger_bit & 1:
                loads = write and c.row == grf.row and 0 <= c.column - (grf.column or 0) < grf.columns
                kind = "register_load" if loads else "mode"
            else:
                kind = "store" if write else "mac"
            gap = c.cycle - last
            slot = gap if kind == "mode" and not refreshed else min(gap, timing["read_to_read_l"])
            turned = last_write is not None and last_write != write
            rest = "refresh" if refreshed else "row_switch" if opened else "turnaround" if turned else kind
            phases[kind] += slot
            phases[rest] += gap - slot
            last, last_write, opened, refreshed = c.cycle, write, False, False
    phases["drain"] += finish - last
    return {name: cycles for name, cycles in phases.items() if cycles}


_AIM_KINDS = {
    "MAC": "mac",
    "MAC16": "mac",
    "AF16": "compute",
    "EWMUL16": "compute",
    "RD": "compute",
    "RDCP": "compute",
    "WR": "store",
    "WRA16": "store",
    "WRCP": "store",
    "WRGB": "register_load",
    "WRMAC16": "register_load",
    "RDMAC16": "result_read",
    "RDAF16": "result_read",
}


def aim_phases(timing: Timing, commands: Sequence[Played], finish: int) -> dict[str, int]:
    """Cause -> cycles of any stream of one channel."""
    phases: Counter[str] = Counter()
    last = 0
    switched = reopened = False
    for c in commands:
        gap, last = c.cycle - last, c.cycle
        if c.name == "TMOD":
            phases["turnaround"] += gap
            switched = True
        elif c.name not in _AIM_KINDS:
            phases["mode" if switched else "row_switch"] += gap
            switched, reopened = False, True
        else:
            slot = min(gap, timing["t_ccd_l"])
            phases[_AIM_KINDS[c.name]] += slot
            phases["mode" if switched else "row_switch" if reopened else "turnaround"] += gap - slot
            switched = reopened = False
    phases["drain"] += finish - last
    return {name: cycles for name, cycles in phases.items() if cycles}
