"""Whole PIM units at the gates, registers included: area by block, critical path, energy of a MAC command.

Every bank sends a new column with every command, commands come as close together as the device allows, and each
result of the netlist is compared with the reference arithmetic.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.gates import hierarchy, synthesis
from hw.gates.activity import Streams
from hw.gates.block import Block, Glitches
from hw.gates.clock_gating import gated
from hw.gates.hierarchy import Part
from hw.gates.library import Process
from hw.gates.netlist import ONE, ZERO
from hw.rtl.dram_pim.aim.unit import AimUnit
from hw.rtl.dram_pim.hbm_pim.unit import PimUnit, execute_layout
from hw.spec.pim import PimSpec
from model.reference import aim, hbm_pim
from tb.gates.core import with_reset
from tb.gates.floating import codes

LANES = 4
"""Independent streams."""
LEAD = 20
"""Cycles before the first command: registers are filled, and nothing is counted."""
RESULT = 2
"""Cycles from a MAC at the unit's inputs to its result at the outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """MAC commands for one unit: input streams, cycles between two commands, what output `port` must show `RESULT`
    cycles after each, in the form of `Streams`.

    Parameters
    ----------
    streams : mapping of str to array
        By input port, (cycles, `LANES`), with a last axis of bits for wide ports: `LEAD` cycles, then `interval` for
        each command.
    interval : int
        Cycles from one command to the next, the closest the device's timing allows.
    macs : int
        Multiply-accumulates of one command.
    results : array of int64
        Values of `port` by the reference, (commands, `LANES`), or (commands, `LANES`, bits) for a wide port.
    """

    streams: Mapping[str, NDArray[np.int64]]
    interval: int
    macs: int
    port: str
    results: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A unit with everything in it.

    `critical_ns`: as mapped, wide nets behind trees of buffers; `widest`: most inputs
    one net drives, clocks left out. `command_pj`: one MAC command and the cycles up to the next,
    glitches and clock included; `clock_pj`: the clock's part of it; `compared`: results of the netlist that equal the
    reference.

    Parameters
    ----------
    name : str
        For people.
    parts : tuple of Part
        Blocks of the unit, the largest share of area first.
    cells : int
        Library cells, flip-flops among them.
    flip_flops : int
        Sequential cells.
    area_um2 : float
        Sum of the cell areas, um2.
    interval : int
        Cycles from one MAC command to the next.
    macs : int
        Multiply-accumulates of one command.
    glitches : Glitches
        Factor on switching and internal energy on the MAC commands.
    gates, gated : int
        Groups of registers with a clock gate of their own, and the flip-flops in them; 0 without clock gating.
    """

    name: str
    parts: tuple[Part, ...]
    cells: int
    flip_flops: int
    area_um2: float
    critical_ns: float
    widest: int
    interval: int
    macs: int
    command_pj: float
    clock_pj: float
    glitches: Glitches
    compared: int
    gates: int
    gated: int


def hbm_pim_unit(
    spec: PimSpec, process: Process, build: Path, seed: int, commands: int = 100, recipe: str = synthesis.RECIPE
) -> Whole:
    """The unit of a bank pair: 16 lanes of FP16, GRF_A, GRF_B and SRF; MAC GRF_B += even bank x GRF_A."""
    return _whole(
        "HBM-PIM unit",
        Block(PimUnit(spec), "hbm_pim_unit", process, build, recipe, by_module=True),
        _hbm_pim_work(spec, np.random.default_rng(seed), commands),
    )


def aim_unit(
    spec: PimSpec, process: Process, build: Path, seed: int, commands: int = 100, recipe: str = synthesis.RECIPE
) -> Whole:
    """The unit of a bank: 16 BF16 products, their sum, 32 accumulators, activation and its registers; MACs."""
    return _whole(
        "AiM unit",
        Block(AimUnit(spec), "aim_unit", process, build, recipe, by_module=True),
        _aim_work(spec, np.random.default_rng(seed), commands),
    )


UNITS = {"hbm_pim": hbm_pim_unit, "aim": aim_unit}
"""Kind of a device -> its unit, measured."""


def lines(kind: str, spec: PimSpec, process: Process, build: Path, seed: int, clock_gating: bool) -> Iterator[str]:
    """The unit of a device for people, and with `clock_gating` the same with clock gates and what they save."""
    plain = UNITS[kind](spec, process, build, seed)
    yield from text(plain, process.library.cell("NAND2_X1").area_um2)
    if clock_gating:
        yield from saving(plain, UNITS[kind](spec, process, build, seed, recipe=gated(synthesis.RECIPE)))


def text(unit: Whole, nand_um2: float) -> list[str]:
    """Size, blocks by area, critical path and MAC energy of a unit; `nand_um2`: area of a two-input NAND."""
    lines = [
        f"{unit.name}, all of it: {unit.cells} cells, {unit.flip_flops} of them flip-flops, "
        f"{unit.area_um2 / 1e6:.4f} mm2 = {unit.area_um2 / nand_um2 / 1e3:.0f} k NAND2",
        f"  {'block':14}{'copies':>7}{'cells':>8}{'flip-flops':>12}{'um2':>9}{'of area':>9}",
    ]
    lines += [
        f"  {p.name if p.name != hierarchy.TOP else 'between them':14}{p.copies:7}{p.cells:8}{p.flip_flops:12}"
        f"{p.area_um2:9.0f}{p.copies * p.area_um2 / unit.area_um2:9.1%}"
        for p in unit.parts
    ]
    g, each = unit.glitches, unit.command_pj / unit.macs
    return [
        *lines,
        f"  critical path {unit.critical_ns:.2f} ns ({1 / unit.critical_ns:.2f} GHz), wide nets behind trees of "
        f"buffers within each block; the widest left, of an input, drives {unit.widest}",
        f"  MAC command every {unit.interval} cycles: {unit.command_pj:.0f} pJ, {each:.1f} a MAC, "
        f"of it {unit.clock_pj / unit.macs:.1f} clock; glitch factor {g.mean:.2f} ({g.low:.2f} to {g.high:.2f})",
        f"  {unit.compared} results of the netlist equal the reference",
    ]


def _whole(name: str, block: Block, work: Work) -> Whole:
    given = with_reset(block, work.streams)
    compared = _compare(block, given, work, name)
    energy, glitches = block.measure(given, block.build)
    cycle = (energy.switching_fj + energy.internal_fj) * glitches.mean + energy.clock_fj
    clocks = {block.netlist.clock, *(g.clock for g in block.netlist.gates), ZERO, ONE}
    wide = max(len(r) for n, r in block.netlist.readers().items() if n not in clocks)
    return Whole(
        name=name,
        parts=hierarchy.parts(block.folder, block.process.library),
        cells=len(block.netlist.instances),
        flip_flops=len(block.netlist.flops),
        area_um2=block.netlist.area_um2,
        critical_ns=block.timing.critical_ns,
        widest=wide,
        interval=work.interval,
        macs=work.macs,
        command_pj=cycle * work.interval / 1000,
        clock_pj=energy.clock_fj * work.interval / 1000,
        glitches=glitches,
        compared=compared,
        gates=len(block.netlist.gates),
        gated=sum(g.registers for g in block.netlist.gates),
    )


def saving(plain: Whole, still: Whole) -> list[str]:
    """What clock gates save on the same MAC commands."""
    before, after = ((u.command_pj / u.macs, u.clock_pj / u.macs) for u in (plain, still))
    return [
        f"{plain.name} with clock gates: {still.gates} groups, {still.gated} of {still.flip_flops} flip-flops behind "
        f"them, {still.cells} cells, {still.area_um2 / 1e6:.4f} mm2 ({still.area_um2 / plain.area_um2 - 1:+.1%}), "
        f"critical path {still.critical_ns:.2f} ns",
        f"  a MAC {after[0]:.1f} pJ instead of {before[0]:.1f} ({after[0] / before[0] - 1:+.0%}), of it clock "
        f"{after[1]:.1f} instead of {before[1]:.1f} ({after[1] / before[1] - 1:+.0%}); "
        f"{still.compared} results equal the reference",
    ]


def _compare(block: Block, given: Streams, work: Work, name: str) -> int:
    """How many results the netlist showed; raises `InputError` if one is wrong."""
    seen = block.simulator.run(given)[1][work.port][LEAD + RESULT :: work.interval]
    differ = (seen != work.results[: len(seen)]).reshape(len(seen), LANES, -1).any(axis=-1)
    if differ.any():
        raise InputError(
            f"the netlist of the {name} must compute what the reference does, but {differ.sum()} of "
            f"{differ.size} results differ; correct the unit or the synthesis"
        )
    return differ.size


def _operands(number: str, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Codes of random values: uniform in sign, fraction and eight binades."""
    values = np.ldexp(rng.uniform(1, 2, shape), rng.integers(-4, 4, shape)) * rng.choice([-1, 1], shape)
    return codes(number, values)


def _bits(words: NDArray[np.int64], width: int = 16) -> NDArray[np.int64]:
    """Words (..., n) of `width` bits each as bits (..., n * width), word 0 in the low bits."""
    return ((words[..., None] >> np.arange(width)) & 1).reshape(*words.shape[:-1], -1)


def _held(values: NDArray[np.int64], interval: int, lead: int = LEAD) -> NDArray[np.int64]:
    """One value per command, held up to the next; the first also before it."""
    return np.concatenate([np.repeat(values[:1], lead, axis=0), np.repeat(values, interval, axis=0)])


def _pulses(commands: int, interval: int) -> NDArray[np.int64]:
    """1 in the cycle of every command, all lanes."""
    cycles = np.zeros((LEAD + commands * interval, LANES), np.int64)
    cycles[LEAD::interval] = 1
    return cycles


def _hbm_pim_work(spec: PimSpec, rng: np.random.Generator, commands: int) -> Work:
    interval, lanes, entries = spec.dram.resolve()["read_to_read_l"], spec.lanes, spec.register("GRF_A").entries
    files = {name: _operands(spec.number, rng, (entries, LANES, lanes)) for name in ("GRF_A", "GRF_B")}
    column = _operands(spec.number, rng, (commands, LANES, lanes))
    kinds, layout = spec.commands.operands, execute_layout(spec)
    mac = dict.fromkeys(spec.commands.command("MAC").operations, 1)

    def execute(k: int) -> int:
        return layout.const(
            {
                "operations": mac,
                "destination_kind": kinds["GRF_B"],
                "source_0_kind": kinds["EVEN_BANK"],
                "source_1_kind": kinds["GRF_A"],
                "destination_index": k % entries,
                "source_1_index": k // entries % entries,
            }
        ).as_bits()

    words = np.array([execute(k) for k in range(commands)], np.int64)
    cycles = LEAD + commands * interval
    data, entry = np.zeros((cycles, LANES, lanes), np.int64), np.zeros((cycles, LANES), np.int64)
    loads = {}
    for n, name in enumerate(("GRF_A", "GRF_B")):
        span = slice(n * entries, (n + 1) * entries)
        data[span], entry[span] = files[name], np.arange(entries)[:, None]
        loads[name] = np.zeros((cycles, LANES), np.int64)
        loads[name][span] = 1
    data[2 * entries :] = data[2 * entries - 1]
    b, results = files["GRF_B"].astype(np.uint16), []
    for k in range(commands):
        product = hbm_pim.half_multiply(
            column[k].astype(np.uint16), files["GRF_A"][k // entries % entries].astype(np.uint16)
        )
        b[k % entries] = hbm_pim.half_add(b[k % entries], product)
        results.append(_bits(b[k % entries].astype(np.int64)))
    still = np.zeros((cycles, LANES), np.int64)
    execute_bits = np.broadcast_to(_held(words, interval)[:, None], (cycles, LANES))
    return Work(
        streams={
            "i_execute": execute_bits,
            "i_valid": _pulses(commands, interval),
            "i_even": _bits(_held(column, interval)),
            "i_odd": np.zeros((cycles, LANES, 16 * lanes), np.int64),
            "i_write_a": loads["GRF_A"],
            "i_write_b": loads["GRF_B"],
            "i_write_s": still,
            "i_entry": entry,
            "i_data": _bits(data),
            "i_clear": still,
        },
        interval=interval,
        macs=lanes,
        port="o_data",
        results=np.stack(results),
    )


def _aim_work(spec: PimSpec, rng: np.random.Generator, commands: int) -> Work:
    interval, lanes, filled = spec.dram.resolve()["t_ccd_l"], spec.lanes, 16
    bank, buffer = (_operands(spec.number, rng, (commands, LANES, lanes)) for _ in range(2))
    start = _operands(spec.number, rng, (filled, LANES))
    cycles = LEAD + commands * interval
    still = np.zeros((cycles, LANES), np.int64)
    # a row of columns adds up in one accumulator
    place = np.arange(commands) // spec.dram.organisation.columns % filled
    load, index, data = still.copy(), still.copy(), still.copy()
    load[:filled], index[:filled], data[:filled] = 1, np.arange(filled)[:, None], start
    data[filled:] = start[-1]
    index[filled:] = np.concatenate([np.repeat(place[:1], LEAD - filled + RESULT), np.repeat(place, interval)])[
        : cycles - filled, None
    ]
    sums, results = (start << 16).astype(object), []
    for k in range(commands):
        for lane in range(LANES):
            sums[place[k], lane] = aim.aligned_sum(
                int(sums[place[k], lane]), buffer[k, lane].tolist(), bank[k, lane].tolist()
            )
        results.append([aim.narrow(s) for s in sums[place[k]]])
    return Work(
        streams={
            "i_mac": _pulses(commands, interval),
            "i_activate": still,
            "i_mode": still,
            "i_accumulator": np.broadcast_to(_held(place, interval)[:, None], (cycles, LANES)),
            "i_bank": _bits(_held(bank, interval)),
            "i_buffer": _bits(_held(buffer, interval)),
            "i_load": load,
            "i_index": index,
            "i_data": data,
        },
        interval=interval,
        macs=lanes,
        port="o_accumulator",
        results=np.array(results, np.int64),
    )
