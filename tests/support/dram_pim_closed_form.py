"""Closed forms of the GEMV kernels without refresh, from the same timings as the rules.

Only what is fixed per run (parking, mode changes, store, exit) is taken from two runs of the smallest size.
"""

from hw.spec.dram import Timing
from model.cycle.dram_pim.hbm_pim_kernels import REGISTERS
from model.cycle.dram_pim.run import Aim, HbmPim


def hbm_tile_cycles(timing: Timing, columns: int) -> tuple[int, int]:
    """Clocks of one weight tile in the even and in the odd banks: 8 input loads and 64 MAC triggers on two rows.

    Triggers and loads follow one another at tCCD_L. Between the rows of a tile: read to precharge, tRP, tRCD. The
    register row lies in an odd bank: even tiles only turn the bus around, in the shadow of which the next row opens;
    odd tiles close and open that bank's row before and after the loads.
    """
    spacing = timing["read_to_read_l"]
    reopen = timing["read_to_precharge"] + timing["t_rp"] + timing["t_rcd_rd"]
    rows = 2
    triggers = rows * (columns - 1) * spacing + (rows - 1) * reopen
    loads = (REGISTERS - 1) * spacing
    even = triggers + max(timing["read_to_write"] + loads + timing["write_to_read_l"], reopen)
    to_registers = max(timing["read_to_write"], timing["read_to_precharge"] + timing["t_rp"] + timing["t_rcd_wr"])
    from_registers = max(timing["write_to_read_l"], timing["write_to_precharge"] + timing["t_rp"] + timing["t_rcd_rd"])
    return even, triggers + to_registers + loads + from_registers


def hbm_gemv_cycles(system: HbmPim, outputs: int, inputs: int, batch: int = 1) -> int:
    """Clocks of an HBM-PIM GEMV with refresh off: tiles from the formula, the rest from the two smallest runs."""
    quiet = HbmPim(
        system.spec,
        preset=system.timing.preset,
        channels=system.channels,
        ranks=system.ranks,
        refresh=False,
        overrides={n: system.timing[n] for n in system.spec.dram.timings_ns},
    )
    even, odd = hbm_tile_cycles(system.timing, system.spec.dram.organisation.columns)
    tile_inputs = REGISTERS * system.spec.lanes
    one = quiet.run("gemv", outputs=1, inputs=2 * tile_inputs).cycles - even - odd
    two = quiet.run("gemv", outputs=1, inputs=2 * tile_inputs, batch=2).cycles - 2 * (even + odd)
    passes, tiles = system.builder.gemv_tiles(outputs, inputs, system.channels)
    times = passes * batch
    return one + (times - 1) * (two - one) + times * (even * -(-tiles // 2) + odd * (tiles // 2))


def aim_output_cycles(timing: Timing, columns: int) -> int:
    """Clocks of one output per bank in the simple order: bias, to memory mode, row, MACs, to register mode, read."""
    return (
        timing["register_read_to_register_write"]
        + 1
        + timing["t_mode"]
        + timing["t_rp"]
        + timing["t_rcd_mac"]
        + columns * timing["t_ccd_l"]
        + timing["t_mode"]
    )


def aim_gemv_cycles(system: Aim, outputs: int, inputs: int) -> int:
    """Clocks of an AiM GEMV in the simple order."""
    organisation = system.spec.dram.organisation
    write = max(system.timing["t_burst"], system.timing["t_ccd_s"])
    smallest = system.run(system.requests("gemv", outputs=1, inputs=1, order="simple")).cycles
    total = smallest - write - aim_output_cycles(system.timing, 1)
    per_bank = -(-outputs // (organisation.banks * system.channels))
    words = -(-inputs // system.spec.lanes)
    for first in range(0, words, organisation.columns):
        columns = min(organisation.columns, words - first)
        total += columns * write + per_bank * aim_output_cycles(system.timing, columns)
    return total
