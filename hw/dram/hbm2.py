"""HBM2 at 2 Gb/s per pin, 64-bit pseudo-channel."""

# Values: the 1 ns table behind public HBM-PIM simulation (HBM2, 2M rows x 16 banks, BL4), read as facts.
# The two write-to-read values, tFAW and tRP before refresh are JEDEC rules (JESD235); the preset says where the
# reference simulator does otherwise.

from hw.spec.dram import DramSpec, Organisation, Preset, Rule, Sum

_WR_RD_GROUP = Rule(level="bank_group", before=("WR",), after=("RD",), delay="write_to_read_l")
_WR_RD_RANK = Rule(level="rank", before=("WR",), after=("RD",), delay="write_to_read_s")
_FOUR_ACTIVATES = Rule(level="rank", before=("ACT",), after=("ACT",), delay="t_faw", window=4)
_PRE_REF = Rule(level="rank", before=("PRE",), after=("REF",), delay="t_rp")

DRAM = DramSpec(
    title="HBM2, 2 Gb/s per pin, 64-bit pseudo-channel",
    source="public HBM-PIM simulator's HBM2 table (1 ns clock); JESD235 for the rules",
    organisation=Organisation(
        bank_groups=4, banks_per_group=4, rows=16384, columns=32, column_bits=256, bus_bits=64, burst_length=4,
    ),
    clock_ns=1.0,
    timings_ns={
        "rl": 20, "wl": 8, "t_burst": 2,                   # BL4 on a double-data-rate bus
        "t_ccd_s": 2, "t_ccd_l": 4,
        "t_rcd_rd": 14, "t_rcd_wr": 10, "t_rp": 14, "t_ras": 33, "t_rc": 47,
        "t_rrd_s": 4, "t_rrd_l": 6, "t_faw": 16,
        "t_rtp_s": 4, "t_rtp_l": 5, "t_wr": 16, "t_wtr_s": 4, "t_wtr_l": 9, "t_rtrs": 1,
        "t_refi": 3900, "t_rfc": 350,
    },
    derived=(
        Sum(name="read_to_read_s", plus=(("t_ccd_s", "t_burst"),)),
        Sum(name="read_to_read_l", plus=(("t_ccd_l", "t_burst"),)),
        Sum(name="read_to_precharge", plus=("t_burst", ("t_rtp_l", "t_ccd_l")), minus=("t_ccd_l",)),
        Sum(name="write_to_precharge", plus=("wl", "t_burst", "t_wr")),
        Sum(name="read_to_write", plus=("rl", "t_burst", "t_rtrs"), minus=("wl",)),
        Sum(name="write_to_read_l", plus=("wl", "t_burst", "t_wtr_l")),
        Sum(name="write_to_read_s", plus=("wl", "t_burst", "t_wtr_s")),
    ),
    rules=(
        # rank: shared data bus and power delivery
        Rule(level="rank", before=("RD",), after=("RD",), delay="read_to_read_s"),
        Rule(level="rank", before=("WR",), after=("WR",), delay="read_to_read_s"),
        Rule(level="rank", before=("RD",), after=("WR",), delay="read_to_write"),
        _WR_RD_RANK,
        Rule(level="rank", before=("ACT",), after=("ACT",), delay="t_rrd_s"),
        _FOUR_ACTIVATES,
        _PRE_REF,
        Rule(level="rank", before=("REF",), after=("ACT", "REF"), delay="t_rfc"),
        # bank group: shared column path
        Rule(level="bank_group", before=("RD",), after=("RD",), delay="read_to_read_l"),
        Rule(level="bank_group", before=("WR",), after=("WR",), delay="read_to_read_l"),
        _WR_RD_GROUP,
        Rule(level="bank_group", before=("ACT",), after=("ACT",), delay="t_rrd_l"),
        # bank: row cycle
        Rule(level="bank", before=("ACT",), after=("RD",), delay="t_rcd_rd"),
        Rule(level="bank", before=("ACT",), after=("WR",), delay="t_rcd_wr"),
        Rule(level="bank", before=("ACT",), after=("PRE",), delay="t_ras"),
        Rule(level="bank", before=("ACT",), after=("ACT",), delay="t_rc"),
        Rule(level="bank", before=("PRE",), after=("ACT",), delay="t_rp"),
        Rule(level="bank", before=("RD",), after=("PRE",), delay="read_to_precharge"),
        Rule(level="bank", before=("WR",), after=("PRE",), delay="write_to_precharge"),
    ),
    presets={
        "pimsimulator": Preset(
            note="as the public HBM-PIM simulator: the four-activate window is never filled, refresh follows the last "
                 "precharge at once, write-to-read is always the long value, all-bank commands are tracked on the "
                 "addressed bank only, rows may be opened while a refresh waits",
            without=(_FOUR_ACTIVATES, _PRE_REF, _WR_RD_RANK, _WR_RD_GROUP),
            extra=(Rule(level="rank", before=("WR",), after=("RD",), delay="write_to_read_l"),),
            broadcast_tracked=False,
            refresh_holds_activates=False,
        ),
    },
)
