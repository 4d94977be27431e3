"""The host's side: streams at full bandwidth for comparison, the weight layout and the result read-back.

A plain address runs, from the lowest bit: channel, bank of the group, bank group, column, row; a burst is one column.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.controller import Controller
from model.cycle.dram_pim.hbm_pim_kernels import GEMV_COLUMNS, REGISTERS, KernelBuilder
from model.cycle.dram_pim.player import Player
from model.cycle.dram_pim.stream import Pattern, Request, Segment, need_positive


@dataclass(frozen=True, slots=True)
class Phase:
    """`bursts` successive bursts over all channels, read or written; the next phase starts when all have moved.

    Parameters
    ----------
    write : bool
        True: the host writes them; False: it reads them.
    start : int
        Number of the first burst, counted over all channels; burst b lies in channel b mod channels.
    """

    write: bool
    start: int
    bursts: int


def host_phases(spec: PimSpec, kernel: str, *, outputs: int, inputs: int, batch: int, elements: int) -> list[Phase]:
    """What the host reads and writes for a kernel: every operand once, then the result."""
    bits = spec.dram.organisation.column_bits // spec.lanes
    burst = spec.dram.organisation.column_bytes

    def bursts(values: int) -> int:
        return ceil_div(values * bits, 8 * burst)

    if kernel == "gemv":
        need_positive(out=outputs, batch=batch)
        need_positive(**{"in": inputs})
        read = bursts(outputs * inputs) + bursts(inputs * batch)
        return [Phase(False, 0, read), Phase(True, read, bursts(outputs * batch))]
    need_positive(elements=elements)
    if kernel in ("add", "mul"):
        return [Phase(False, 0, 2 * bursts(elements)), Phase(True, 2 * bursts(elements), bursts(elements))]
    if kernel == "relu":
        return [Phase(False, 0, bursts(elements)), Phase(True, bursts(elements), bursts(elements))]
    raise InputError(f"a host kernel must be gemv, add, mul or relu, not {kernel!r}")


class HostStream:
    """Segments of one channel for a run of bursts, each as long as the command queue."""

    def __init__(self, spec: PimSpec, depth: int = 64) -> None:
        organisation = spec.dram.organisation
        self.spec, self.depth = spec, depth
        self.groups, self.per_group = organisation.bank_groups, organisation.banks_per_group
        self.banks, self.columns, self.rows = organisation.banks, organisation.columns, organisation.rows
        self.per_row = self.banks * self.columns
        self._patterns: dict[tuple[int, int, bool], Pattern] = {}

    def segments(self, first: int, count: int, write: bool) -> list[Segment]:
        """Bursts `first` to `first + count - 1` of this channel."""
        if first + count > self.per_row * self.rows:
            raise InputError(
                f"the data must fit one rank of a channel ({self.per_row * self.rows} bursts), "
                f"not need {first + count}; use more channels"
            )
        made = []
        while count > 0:
            size = min(count, self.depth)
            base, offset = divmod(first, self.per_row)
            key = (offset, size, write)
            if key not in self._patterns:
                self._patterns[key] = Pattern(tuple(self._request(offset + i, write) for i in range(size)))
            made.append(Segment(self._patterns[key], base))
            first, count = first + size, count - size
        return made

    def _request(self, burst: int, write: bool) -> Request:
        bank, rest = burst % self.banks, burst // self.banks
        return Request(bank, rest // self.columns, rest % self.columns, write, False, "host")


Share = tuple[tuple[int, int], ...]
"""Of one channel: first burst and end of each phase."""


def shares_of(phases: Sequence[Phase], channels: int) -> dict[Share, int]:
    """The different shares of the bursts a channel may have, and how many channels have each."""
    need_positive(channels=channels)

    def below(start: int, channel: int) -> int:
        return max(0, ceil_div(start - channel, channels))  # bursts below `start` that fall on this channel

    found: dict[Share, int] = {}
    for channel in range(channels):
        share = tuple((below(p.start, channel), below(p.start + p.bursts, channel)) for p in phases)
        found[share] = found.get(share, 0) + 1
    return found


def run_phases(
    make: Callable[[], Controller],
    spec: PimSpec,
    phases: Sequence[Phase],
    shares: Sequence[Share],
) -> list[Controller]:
    """Run the phases; one controller (from `make`) for each share.

    The channels wait for one another between phases, as with one host behind a barrier.
    """
    controllers = [make() for _ in shares]
    stream = HostStream(spec)
    players = [Player(c) for c in controllers]
    for i, phase in enumerate(phases):
        for player, share in zip(players, shares, strict=True):
            low, high = share[i]
            player.play_open(stream.segments(low, high - low, phase.write))
        done = max(c.finish for c in controllers)
        for controller in controllers:
            controller.idle_until(done)
    return controllers


def layout_segments(builder: KernelBuilder, outputs: int, inputs: int, channels: int) -> list[Segment]:
    """Writes that put a weight matrix into the layout of the GEMV kernel: tile after tile, unit after unit."""
    passes, tiles = builder.gemv_tiles(outputs, inputs, channels)
    spec = builder.spec
    columns = builder.columns
    place = [0, 0]
    patterns: dict[int, Pattern] = {}
    made = []
    for _ in range(passes):
        for tile in range(tiles):
            parity = tile % 2
            for unit in range(spec.units):
                bank = unit * spec.banks_per_unit + parity
                base = place[parity] // columns
                if bank not in patterns:
                    writes = [Request(bank, *divmod(i, columns), True, False, "host") for i in range(GEMV_COLUMNS)]
                    patterns[bank] = Pattern(tuple(writes))
                made.append(Segment(patterns[bank], base))
            place[parity] += GEMV_COLUMNS
    return made


def readback_segments(builder: KernelBuilder, outputs: int, inputs: int, channels: int, batch: int) -> list[Segment]:
    """Reads of the stored lane sums: eight columns of every unit's odd bank for each pass and vector."""
    passes, tiles = builder.gemv_tiles(outputs, inputs, channels)
    spec, columns = builder.spec, builder.columns
    result = GEMV_COLUMNS * (passes * ceil_div(tiles, 2) if builder.exact else passes * tiles // 2)
    requests = []
    for place in range(passes * batch):
        first = result + place * REGISTERS
        for unit in range(spec.units):
            bank = unit * spec.banks_per_unit + 1
            requests += [
                Request(bank, (first + i) // columns, (first + i) % columns, False, False, "host")
                for i in range(REGISTERS)
            ]
    return [Segment(Pattern(tuple(requests[i : i + 64])), 0) for i in range(0, len(requests), 64)]
