"""What one kernel run gives: cycles, where they went, events for pricing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hw.spec.pim import PimSpec
from model.count import Counts
from model.cycle.dram_pim.channel import CAUSES, EVENTS
from model.cycle.dram_pim.controller import Controller
from model.cycle.dram_pim.stream import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class PimResult:
    """One kernel on all channels.

    Parameters
    ----------
    cycles : int
        Command clocks from the first request to the last data.
    breakdown : dict of str to int
        Cause -> clocks; the sum is `cycles`.
    counts : Counts
        Events of all channels together, for pricing.
    commands : dict of str to int
        Device commands of one channel (where channels differ, the one that takes longest).
    clock_ns : float
        Nanoseconds of one command clock.
    channels : int
        How many run the kernel together.
    work : dict of str to int
        What the kernel counted and padded, by name, e.g. passes, tiles, requests; empty for kernels of the host.
    stepped, reused : int
        Segments stepped through, and segments taken from an earlier equal one; 0 where streams are short.
    """

    cycles: int
    breakdown: dict[str, int]
    counts: Counts
    commands: dict[str, int]
    clock_ns: float
    channels: int
    work: dict[str, int] = field(default_factory=dict)
    stepped: int = 0
    reused: int = 0

    @property
    def time_ns(self) -> float:
        """Run time in nanoseconds."""
        return self.cycles * self.clock_ns


def hbm_breakdown(controller: Controller, cycles: int) -> dict[str, int]:
    """Cause -> clocks of one channel that was watched for `cycles`."""
    causes = dict(zip(CAUSES, controller.tally[len(EVENTS) :], strict=True))
    causes["drain"] += cycles - sum(causes.values())
    return {name: clocks for name, clocks in causes.items() if clocks}


def hbm_counts(
    spec: PimSpec,
    controller: Controller,
    kinds: Counter[tuple[str, bool]],
    cycles: int,
    ranks: int,
) -> Counts:
    """Events of one channel."""
    organisation = spec.dram.organisation
    bits, broadcast = organisation.column_bits, spec.units
    single, wide = controller.tally[0], controller.tally[1]
    triggered_reads = kinds["mac", False] + kinds["compute", False]
    plain_reads = kinds["host", False] + kinds["mode", False]
    host_writes = kinds["host", True]
    control_writes = kinds["mode", True] + kinds["register_load", True]
    kilobytes = (single + wide * broadcast) * organisation.row_bytes / 1024
    return Counts(
        {
            "dram.activate_kilobyte": round(kilobytes),
            "dram.read_bit": bits * (triggered_reads * broadcast + plain_reads),
            "dram.read_pin_bit": bits * plain_reads,
            "dram.write_bit": bits * (kinds["store", True] * broadcast + host_writes),
            "dram.write_pin_bit": bits * (host_writes + control_writes),
            "dram.refresh": controller.tally[5],
            "dram.background_ns": round(cycles * controller.timing.clock_ns * ranks),
            "pim.mac": kinds["mac", False] * broadcast * spec.lanes,
            "pim.lane_operation": kinds["compute", False] * broadcast * spec.lanes,
        }
    )


def count_kinds(segments: Sequence[Segment]) -> Counter[tuple[str, bool]]:
    """How many requests of each kind and direction a stream holds."""
    total: Counter[tuple[str, bool]] = Counter()
    for pattern, times in Counter(s.pattern for s in segments).items():
        for request in pattern.requests:
            total[request.kind, request.write] += times
    return total


AIM_COLUMN_COMMANDS = {
    "MAC16": (16, 0, 0, 0),
    "MAC": (1, 0, 0, 0),
    "EWMUL16": (8, 4, 0, 0),
    "AF16": (16, 0, 0, 0),
    "RD": (1, 0, 0, 1),
    "WR": (0, 1, 1, 0),
    "WRA16": (0, 16, 1, 0),
    "RDCP": (1, 0, 0, 0),
    "WRCP": (0, 1, 0, 0),
    "WRGB": (0, 0, 1, 0),
    "WRMAC16": (0, 0, 1, 0),
    "RDMAC16": (0, 0, 0, 1),
    "RDAF16": (0, 0, 0, 1),
}
"""Columns moved by each AiM device command: (banks read, banks written, words in over the pins, words out)."""


def aim_counts(spec: PimSpec, commands: dict[str, int], cycles: int) -> Counts:
    """Events of one AiM channel."""
    organisation = spec.dram.organisation
    bits, lanes = organisation.column_bits, spec.lanes
    moved = [sum(commands.get(c, 0) * row[i] for c, row in AIM_COLUMN_COMMANDS.items()) for i in range(4)]
    opened = commands.get("ACT", 0) + 4 * commands.get("ACT4", 0) + organisation.banks * commands.get("ACT16", 0)
    return Counts(
        {
            "dram.activate_kilobyte": opened * organisation.row_bytes // 1024,
            "dram.read_bit": bits * moved[0],
            "dram.write_bit": bits * moved[1],
            "dram.write_pin_bit": bits * moved[2],
            "dram.read_pin_bit": bits * moved[3],
            "dram.background_ns": round(cycles * spec.dram.clock_ns),
            "pim.mac": lanes * (spec.units * commands.get("MAC16", 0) + commands.get("MAC", 0)),
            "pim.lane_operation": lanes * 4 * commands.get("EWMUL16", 0) + spec.units * commands.get("AF16", 0),
        }
    )
