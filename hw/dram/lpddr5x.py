"""LPDDR5X at 9.6 Gb/s per pin, one 16-bit channel."""

# Values: JEDEC JESD209-5 core timings in nanoseconds as public models quote them (secondary reading); the clock is the
# command clock CK = 9600 / 8 = 1200 MHz. Per-bank-group bank architecture (4 x 4), BL16.

from hw.dram.hbm2 import DRAM as HBM2
from hw.spec.dram import DramSpec, Organisation

DRAM = DramSpec(
    title="LPDDR5X, 9.6 Gb/s per pin, 16-bit channel",
    source="JESD209-5 core timings, secondary reading; no vendor table was available",
    organisation=Organisation(
        bank_groups=4, banks_per_group=4, rows=32768, columns=64, column_bits=256, bus_bits=16, burst_length=16,
    ),
    clock_ns=0.8333,
    timings_ns={
        "rl": 16.666, "wl": 9.1663, "t_burst": 1.6666,     # 20, 11 and 2 clocks
        "t_ccd_s": 1.6666, "t_ccd_l": 3.3332,
        "t_rcd_rd": 18, "t_rcd_wr": 18, "t_rp": 18, "t_ras": 42, "t_rc": 60,
        "t_rrd_s": 3.75, "t_rrd_l": 3.75, "t_faw": 15,
        "t_rtp_s": 7.5, "t_rtp_l": 7.5, "t_wr": 34, "t_wtr_s": 6.25, "t_wtr_l": 12, "t_rtrs": 0.8333,
        "t_refi": 3904, "t_rfc": 280,
    },
    derived=HBM2.derived,
    rules=HBM2.rules,
)
