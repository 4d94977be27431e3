"""HBM3 at 5.2 Gb/s per pin, 32-bit pseudo-channel."""

# Values: clock-cycle table of the MIT-licensed attacc_simulator (commit c600051) at 0.77 ns; command names and rule
# shapes as in HBM2. All-bank activates are exempt from tFAW there.

from hw.dram.hbm2 import DRAM as HBM2
from hw.spec.dram import DramSpec, Organisation, Sum

_CLOCK_NS = 0.77
_CYCLES = {
    "rl": 19, "wl": 6, "t_burst": 2, "t_ccd_s": 2, "t_ccd_l": 4,
    "t_rcd_rd": 19, "t_rcd_wr": 19, "t_rp": 19, "t_ras": 45, "t_rc": 63,
    "t_rrd_s": 2, "t_rrd_l": 4, "t_faw": 39, "t_rtp_s": 6, "t_rtp_l": 8, "t_wr": 21,
    "t_wtr_s": 8, "t_wtr_l": 11, "t_rtrs": 1, "t_refi": 5070, "t_rfc": 260,
}

DRAM = DramSpec(
    title="HBM3, 5.2 Gb/s per pin, 32-bit pseudo-channel",
    source="attacc_simulator (MIT), commit c600051, HBM3 timing table",
    organisation=Organisation(
        bank_groups=4, banks_per_group=4, rows=16384, columns=32, column_bits=256, bus_bits=32, burst_length=8,
    ),
    clock_ns=_CLOCK_NS,
    timings_ns={name: round(cycles * _CLOCK_NS, 6) for name, cycles in _CYCLES.items()},
    derived=tuple(
        Sum(name=s.name, plus=("t_burst", "t_rtp_l")) if s.name == "read_to_precharge" else s for s in HBM2.derived
    ),
    rules=HBM2.rules,
)
