"""GDDR6 with accelerator-in-memory commands, 16 Gb/s per pin, one 16-bit channel."""

# Values: timing table of the MIT-licensed aim_simulator (commit 0f28a07), 0.5 ns clock, profiled on the vendor's
# development kit by its authors; PIM column delays are plain reads + 10, 15 or 25 ns.

from hw.spec.dram import DramSpec, Organisation, Rule, Sum

_ACTS = ("ACT", "ACT4", "ACT16")
_READS = ("RD", "MAC", "RDCP")                      # move a column out of a bank
_ALL_READS = ("MAC16", "RDMAC16", "RDAF16")
_BUS_READS = ("RD", "RDMAC16", "RDAF16")            # drive the channel's data bus
_BUS_WRITES = ("WR", "WRA16", "WRGB", "WRMAC16")
_EVERYTHING = (
    *_ACTS, "PRE", "PRE4", "PREA", "RD", "WR", "REF", "MAC", "MAC16", "AF16", "EWMUL16", "RDCP", "WRCP", "WRGB",
    "RDMAC16", "RDAF16", "WRMAC16", "WRA16", "SYNC", "EOC",
)

DRAM = DramSpec(
    title="GDDR6-AiM, 16 Gb/s per pin, 16-bit channel",
    source="aim_simulator (MIT), commit 0f28a07, GDDR6 AiM timing table",
    organisation=Organisation(
        bank_groups=4, banks_per_group=4, rows=16384, columns=64, column_bits=256, bus_bits=16, burst_length=16,
    ),
    clock_ns=0.5,
    timings_ns={
        "rl": 25, "wl": 3, "t_burst": 1,
        "t_ccd_s": 1, "t_ccd_l": 1,
        "t_rcd_rd": 18, "t_rcd_wr": 14, "t_rcd_mac": 28, "t_rcd_ewmul": 12.5, "t_rcd_af": 43,
        "t_rcd_rdcp": 33, "t_rcd_wrcp": 24,
        "t_rp": 16, "t_ras": 27, "t_rc": 44.5, "t_wr": 16.5, "t_rtp": 6,
        "t_rrd_s": 5.5, "t_rrd_l": 5.5, "t_wtr_s": 4.5, "t_wtr_l": 5.5,
        "rl_register": 0, "wl_register": 0.5, "wl_buffer": 0.5, "t_bus_turn": 2, "t_mode": 16,
        # The simulator never issues refresh on this device; the values are those of an 8 Gb GDDR6 die
        # (its per-all-bank entry of 210 cycles; 1.9 us interval of the 2 Gb/s-class table).
        "t_refi": 1666.5, "t_rfc": 105,
    },
    derived=(
        Sum(name="read_to_write", plus=("rl", "t_burst", "t_bus_turn"), minus=("wl",)),
        Sum(name="read_to_register_write", plus=("rl", "t_burst", "t_bus_turn"), minus=("wl_register",)),
        Sum(name="register_read_to_write", plus=("rl_register", "t_burst", "t_bus_turn"), minus=("wl",)),
        Sum(name="register_read_to_register_write", plus=("rl_register", "t_burst", "t_bus_turn"),
            minus=("wl_register",)),
        Sum(name="write_to_read_s", plus=("wl", "t_burst", "t_wtr_s")),
        Sum(name="write_to_read_l", plus=("wl", "t_burst", "t_wtr_l")),
        Sum(name="register_write_to_read_l", plus=("wl_register", "t_burst", "t_wtr_l")),
        Sum(name="buffer_write_to_read", plus=("wl_buffer", "t_burst", "t_wtr_s")),
        Sum(name="write_to_precharge", plus=("wl", "t_burst", "t_wr")),
        Sum(name="multiply_to_precharge", plus=("wl", "t_wr")),
        Sum(name="write_to_activate", plus=("wl", "t_burst", "t_wr", "t_rp")),
    ),
    rules=(
        # ---- channel: data bus
        Rule(level="channel", before=_BUS_READS, after=_BUS_READS, delay="t_burst"),
        Rule(level="channel", before=_BUS_WRITES, after=_BUS_WRITES, delay="t_burst"),
        # ---- channel: column path between bank groups, and all-bank column commands
        Rule(level="channel", before=(*_READS, *_ALL_READS), after=(*_READS, *_ALL_READS), delay="t_ccd_s"),
        Rule(level="channel", before=(*_BUS_WRITES, "WRCP"), after=(*_BUS_WRITES, "WRCP"), delay="t_ccd_s"),
        Rule(level="channel", before=(*_READS, *_ALL_READS, "EWMUL16"), after=(*_ALL_READS, "EWMUL16"),
             delay="t_ccd_l"),
        Rule(level="channel", before=(*_ALL_READS, "EWMUL16"), after=_READS, delay="t_ccd_l"),
        Rule(level="channel", before=("WR", "WRCP", "WRA16", "WRMAC16", "EWMUL16"),
             after=("WRA16", "WRMAC16", "EWMUL16"), delay="t_ccd_l"),
        Rule(level="channel", before=("WRA16", "WRMAC16", "EWMUL16"), after=("WR", "WRCP"), delay="t_ccd_l"),
        # A unit's accumulator and its bank's column path are busy for one column slot. The simulator needs no such
        # rule: a mode change lies between MAC, AF and the next use in all its streams.
        Rule(level="channel", before=("MAC", "MAC16"), after=("AF16",), delay="t_ccd_l"),
        Rule(level="channel", before=("AF16",), after=("AF16", "EWMUL16", *_READS, "MAC16"), delay="t_ccd_l"),
        # ---- channel: bus turnaround
        Rule(level="channel", before=("RD",), after=("WR", "WRA16"), delay="read_to_write"),
        Rule(level="channel", before=("RD",), after=("WRGB", "WRMAC16"), delay="read_to_register_write"),
        Rule(level="channel", before=("RDMAC16", "RDAF16"), after=("WR", "WRA16"), delay="register_read_to_write"),
        Rule(level="channel", before=("RDMAC16", "RDAF16"), after=("WRGB", "WRMAC16"),
             delay="register_read_to_register_write"),
        Rule(level="channel", before=("WR",), after=("RD",), delay="write_to_read_s"),
        Rule(level="channel", before=("WR",), after=("RDMAC16", "RDAF16"), delay="write_to_read_l"),
        Rule(level="channel", before=("WRA16",), after=_BUS_READS, delay="write_to_read_l"),
        Rule(level="channel", before=("WRGB",), after=_BUS_READS, delay="buffer_write_to_read"),
        Rule(level="channel", before=("WRMAC16",), after=_BUS_READS, delay="register_write_to_read_l"),
        # ---- channel: column to precharge
        Rule(level="channel", before=(*_READS, "MAC16", "AF16", "EWMUL16"), after=("PREA",), delay="t_rtp"),
        Rule(level="channel", before=("MAC16", "AF16", "EWMUL16"), after=("PRE", "PRE4"), delay="t_rtp"),
        Rule(level="channel", before=("WR", "WRCP"), after=("PREA",), delay="write_to_precharge"),
        Rule(level="channel", before=("EWMUL16",), after=("PRE", "PRE4", "PREA"), delay="multiply_to_precharge"),
        # ---- channel: row commands
        Rule(level="channel", before=_ACTS, after=("ACT",), delay="t_rrd_s"),
        Rule(level="channel", before=("ACT16",), after=("ACT4",), delay="t_rrd_l"),
        Rule(level="channel", before=_ACTS, after=("ACT16",), delay="t_rrd_l"),
        Rule(level="channel", before=_ACTS, after=("PREA",), delay="t_ras"),
        Rule(level="channel", before=("ACT16",), after=("PRE", "PRE4"), delay="t_ras"),
        Rule(level="channel", before=("PRE", "PRE4", "PREA"), after=("ACT16",), delay="t_rp"),
        Rule(level="channel", before=("PREA",), after=("ACT", "ACT4"), delay="t_rp"),
        Rule(level="channel", before=("PRE", "PRE4", "PREA"), after=("PRE", "PRE4", "PREA"), delay="t_rp"),
        Rule(level="channel", before=("WRA16",), after=_ACTS, delay="write_to_activate"),
        # ---- channel: activate to column
        Rule(level="channel", before=_ACTS, after=("MAC16",), delay="t_rcd_mac"),
        Rule(level="channel", before=_ACTS, after=("AF16",), delay="t_rcd_af"),
        Rule(level="channel", before=_ACTS, after=("EWMUL16",), delay="t_rcd_ewmul"),
        Rule(level="channel", before=_ACTS, after=("WRA16",), delay="t_rcd_wr"),
        Rule(level="channel", before=("ACT16",), after=("MAC",), delay="t_rcd_mac"),
        Rule(level="channel", before=("ACT16",), after=("RDCP",), delay="t_rcd_rdcp"),
        Rule(level="channel", before=("ACT16",), after=("WRCP",), delay="t_rcd_wrcp"),
        Rule(level="channel", before=("ACT16",), after=("RD",), delay="t_rcd_rd"),
        Rule(level="channel", before=("ACT16",), after=("WR",), delay="t_rcd_wr"),
        # ---- channel: refresh and mode
        Rule(level="channel", before=_ACTS, after=("REF",), delay="t_rc"),
        Rule(level="channel", before=("PRE", "PRE4", "PREA"), after=("REF",), delay="t_rp"),
        Rule(level="channel", before=("WRA16",), after=("REF",), delay="write_to_activate"),
        Rule(level="channel", before=("REF",), after=(*_ACTS, "REF"), delay="t_rfc"),
        Rule(level="channel", before=("TMOD",), after=_EVERYTHING, delay="t_mode"),
        # ---- bank group
        Rule(level="bank_group", before=_READS, after=_READS, delay="t_ccd_l"),
        Rule(level="bank_group", before=("WR", "WRCP"), after=("WR", "WRCP"), delay="t_ccd_l"),
        Rule(level="bank_group", before=("WR",), after=("RD",), delay="write_to_read_l"),
        Rule(level="bank_group", before=_READS, after=("PRE", "PRE4"), delay="t_rtp"),
        Rule(level="bank_group", before=("WR", "WRCP"), after=("PRE", "PRE4"), delay="write_to_precharge"),
        Rule(level="bank_group", before=("ACT", "ACT4"), after=("ACT", "ACT4"), delay="t_rrd_l"),
        Rule(level="bank_group", before=("ACT", "ACT4"), after=("PRE4",), delay="t_ras"),
        Rule(level="bank_group", before=("ACT4",), after=("PRE",), delay="t_ras"),
        Rule(level="bank_group", before=("PRE", "PRE4"), after=("ACT4",), delay="t_rp"),
        Rule(level="bank_group", before=("PRE4",), after=("ACT",), delay="t_rp"),
        Rule(level="bank_group", before=("ACT4",), after=("MAC",), delay="t_rcd_mac"),
        Rule(level="bank_group", before=("ACT4",), after=("RDCP",), delay="t_rcd_rdcp"),
        Rule(level="bank_group", before=("ACT4",), after=("WRCP",), delay="t_rcd_wrcp"),
        Rule(level="bank_group", before=("ACT4",), after=("RD",), delay="t_rcd_rd"),
        Rule(level="bank_group", before=("ACT4",), after=("WR",), delay="t_rcd_wr"),
        # ---- bank
        Rule(level="bank", before=("ACT",), after=("MAC",), delay="t_rcd_mac"),
        Rule(level="bank", before=("ACT",), after=("RDCP",), delay="t_rcd_rdcp"),
        Rule(level="bank", before=("ACT",), after=("WRCP",), delay="t_rcd_wrcp"),
        Rule(level="bank", before=("ACT",), after=("RD",), delay="t_rcd_rd"),
        Rule(level="bank", before=("ACT",), after=("WR",), delay="t_rcd_wr"),
        Rule(level="bank", before=("ACT",), after=("PRE",), delay="t_ras"),
        Rule(level="bank", before=("PRE",), after=("ACT",), delay="t_rp"),
    ),
)
