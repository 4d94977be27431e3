"""The state of a stepped program: one object that knows which of its fields are counts and which decide.

Every field has one of four roles. *Counts* grow with time and decide nothing; what repeats adds the same to each
(`repeat`). *Deciding* fields must be equal for two moments to go on alike (`deciding`). *Moving* fields are places in
the program or the memories: a repetition shifts them. The *rest* is fixed for the run, or found again in every cycle.
A run has no other attributes (`__slots__`), so a new counter is on one of these lists or does not exist.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from hw.spec.command import Command, Copy, Descriptor, Fence, Geometry
from hw.spec.core import OUTPUT_ROWS, CoreSpec
from hw.spec.npu_event import LABELS
from model.cycle.npu.output_rows import Rows
from model.cycle.npu.passes import Pass, Passes
from model.cycle.npu.program.copy_channel import NEVER, Hold, ReadChannel
from model.cycle.npu.program.pool_channel import PoolChannel
from model.cycle.npu.program.write_channel import WriteChannel

Item = Command | Copy | Fence | Geometry | Descriptor
Program = Sequence[Item]


_MOVES = {"role": "moves"}


def _count() -> Any:
    return field(default=0, metadata={"role": "count"})


def _decides(value: Any = 0) -> Any:
    return field(default=value, metadata={"role": "decides"})


def _now(value: Any = False) -> Any:
    return field(default=value, metadata={"role": "now"})


@dataclass(slots=True, kw_only=True, eq=False)
class RunState:
    """Where one run of a program on a core stands.

    Parameters
    ----------
    core : CoreSpec
        The core it runs on.
    activation, weight, parameter : ReadChannel
        Copies from the external memory into the three scratchpads.
    output : WriteChannel
        Copies of finished rows.
    pool : PoolChannel
        Copies from output to activation memory that pool.
    row_hold : Hold
        Cycles in which finished rows are refused.
    held_until : int
        Cycle from which on nothing is held from outside.
    horizon : int
        Cycle from which on something outside may change; equal cycles are taken at once up to it.
    depth : int
        Cycles from a row's issue to the end of its sums.
    cycle, busy : int
        The present cycle; cycles in which a command was unfinished.
    labels : dict of str to int
        Busy cycles by label.
    macs, reads, tile_reads, accumulator_reads, parameter_reads : int
        Words issued to the array; words read of the activation, weight, accumulator and parameter memories.
    out_rows, cells, swaps : int
        Rows that left; cells that loaded a weight, in one column; tiles that became active, or folds that ended.
    queue_empty, drain_block, activation_conflicts, weight_conflicts, accepted, refusals : int
        The events of these names.
    step, loaded, hold : int, bool, int
        Load engine: words of the tile loaded, a tile waits to become active, cycles until the next load may begin.
    row, free_rows, places, in_flight : int
        Stream engine: next row of the pass; free accumulator rows; free places of the output queue; rows that will
        leave.
    opened, unfinished : int
        Commands handed on and not ended; accepted and not ended.
    decoded, loaded_commands, streamed, drained, ended : int
        Commands that each part is done with.
    refused, configuring : bool, int
        The command in the decoder is refused; cycles a CONFIG has been there.
    load, drain, left : bool
        This cycle a tile word is loaded, a row drained, a row taken.
    last_word : int
        Output-stationary: cycle of the last word of the fold before.
    given, queue : deque of Item
        Commands still offered; in the queue.
    head, geometry : Item or None, Geometry or None
        Command in the decoder; the last CONFIG.
    coming, following : Passes or None, Pass or None
        Passes of the command in the sequencer; the next of them.
    tiles, queued : deque of Pass
        Passes whose weights, whose rows are still to be taken.
    finishing, leaving : Rows
        Finished rows before the drain; in the output queue.
    read, swap, release, missing, weight_missing, conflict, offered : bool
        This cycle: a row is issued, a tile becomes active, the weight registers are released, a word is still to be
        copied (activation, weight), a bank is hit, a row is offered.
    emit, gone, popped, accept : bool
        This cycle: a pass is handed on, the decoder is done with its command, takes one, the queue takes one.
    label : str
        What this cycle is.
    """

    core: CoreSpec
    activation: ReadChannel
    weight: ReadChannel
    parameter: ReadChannel
    output: WriteChannel
    pool: PoolChannel
    row_hold: Hold
    held_until: int
    horizon: int = NEVER
    depth: int
    # counted
    cycle: int = _count()
    busy: int = _count()
    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    macs: int = _count()
    reads: int = _count()
    tile_reads: int = _count()
    accumulator_reads: int = _count()
    parameter_reads: int = _count()
    out_rows: int = _count()
    cells: int = _count()
    swaps: int = _count()
    queue_empty: int = _count()
    drain_block: int = _count()
    activation_conflicts: int = _count()
    weight_conflicts: int = _count()
    accepted: int = _count()
    refusals: int = _count()
    # deciding
    step: int = _decides()
    loaded: bool = _decides(False)
    hold: int = _decides()
    row: int = _decides()
    free_rows: int = _decides()
    places: int = _decides(OUTPUT_ROWS)
    in_flight: int = _decides()
    opened: int = _decides()
    unfinished: int = _decides()
    decoded: int = _decides()
    loaded_commands: int = _decides()
    streamed: int = _decides()
    drained: int = _decides()
    ended: int = _decides()
    refused: bool = _decides(False)
    configuring: int = _decides()
    load: bool = _decides(False)
    drain: bool = _decides(False)
    left: bool = _decides(False)
    # moving
    last_word: int = field(default=0, metadata=_MOVES)
    given: deque[Item] = field(default_factory=deque, metadata=_MOVES)
    queue: deque[Item] = field(default_factory=deque, metadata=_MOVES)
    head: Item | None = field(default=None, metadata=_MOVES)
    geometry: Geometry | None = field(default=None, metadata=_MOVES)
    coming: Passes | None = field(default=None, metadata=_MOVES)
    following: Pass | None = field(default=None, metadata=_MOVES)
    tiles: deque[Pass] = field(default_factory=deque, metadata=_MOVES)
    queued: deque[Pass] = field(default_factory=deque, metadata=_MOVES)
    finishing: Rows = field(default_factory=Rows, metadata=_MOVES)
    leaving: Rows = field(default_factory=Rows, metadata=_MOVES)
    # found in every cycle
    read: bool = _now()
    swap: bool = _now()
    release: bool = _now()
    missing: bool = _now()
    weight_missing: bool = _now()
    conflict: bool = _now()
    offered: bool = _now()
    emit: bool = _now()
    gone: bool = _now()
    popped: bool = _now()
    accept: bool = _now()
    label: str = _now("")

    @property
    def inputs(self) -> tuple[ReadChannel, ReadChannel, ReadChannel]:
        """The channels into the scratchpads."""
        return self.activation, self.weight, self.parameter

    def count(self, cycles: int) -> None:
        """Busy cycles with the present label."""
        self.labels[self.label] += cycles
        self.busy += cycles
        self.queue_empty += 0 if self.queue else cycles
        self.drain_block += cycles if self.offered and not self.left else 0

    def counted(self) -> list[int]:
        """Every count, then the cycles of every label."""
        return [*(getattr(self, name) for name in COUNTED), *self.labels.values()]

    def deciding(self) -> list[int]:
        """What must be equal for two moments to go on alike, besides what moves."""
        return [getattr(self, name) for name in DECIDING]

    def repeat(self, before: Sequence[int], now: Sequence[int], times: int) -> int:
        """Let every count grow `times` times as it did from `before` to `now`, both of `counted`; the cycles passed."""
        grown = [times * (b - a) for a, b in zip(before, now, strict=True)]
        for name, more in zip(COUNTED, grown, strict=False):
            setattr(self, name, getattr(self, name) + more)
        for label, more in zip(self.labels, grown[len(COUNTED) :], strict=True):
            self.labels[label] += more
        return grown[COUNTED.index("cycle")]


COUNTED = tuple(f.name for f in fields(RunState) if f.metadata.get("role") == "count")
"""Names of the counts."""

DECIDING = tuple(f.name for f in fields(RunState) if f.metadata.get("role") == "decides")
"""Names of the fields that decide."""
