"""One channel as its memory controller knows it: banks, mode, refresh timers, what was issued and what it cost."""

from collections import deque

from hw.spec.dram import Timing
from hw.spec.pim import ModeChange, PimSpec
from model.cycle.dram_pim.bank import CLOSED, Banks
from model.cycle.dram_pim.stream import RESERVED_BIT, Request

NEVER = 1 << 62
FIXED = 1 << 32  # marks, in a relative state, rows that do not move with the base
EVENTS = ("activate", "activate_broadcast", "precharge", "read", "write", "refresh")
"""Commands counted on the command bus; `_broadcast`: the activate opened every bank of one parity."""

CAUSES = ("mac", "compute", "store", "register_load", "mode", "host", "row_switch", "turnaround", "refresh", "drain")
"""What a clock was spent on. A gap between two column commands belongs to the later one: its own slot to its kind
("mac" MAC triggers, "compute" other triggers, ...), the rest to the refresh, row switch or bus turnaround in it."""

_CAUSE = {name: i for i, name in enumerate(CAUSES)}
_SLOT = len(EVENTS)


def slot_of(request: Request) -> int:
    """Where in the tally the slot of a column command is counted."""
    return _SLOT + _CAUSE.get(request.kind, _CAUSE["host"])


ChannelState = tuple[
    tuple[int, ...], tuple[int | None, ...], str, int, tuple[frozenset[int], ...], int, bool | None, bool, bool, int
]
"""What `Channel.state` returns: timing and open rows of the banks, mode, pointer, rows that mode changes have reached,
cycles since the last column command, whether that was a write, row opened, refreshed, rank that waits for a refresh."""


def seen_elsewhere(state: ChannelState, shift: int) -> ChannelState:
    """What `Channel.state` returns from a row `shift` below the one `state` is seen from."""
    moved = tuple([r if r is None or r >= FIXED // 2 else r + shift for r in state[1]])
    return (state[0], moved, *state[2:])


class Channel:
    """Bank states, mode and counters of one channel. Time counts in cycles of the command clock from 0."""

    def __init__(
        self,
        spec: PimSpec,
        timing: Timing,
        *,
        ranks: int = 1,
        refresh: bool = True,
        queue_depth: int = 64,
    ) -> None:
        self.spec = spec
        self.timing = timing
        self.banks = Banks(timing, spec.dram.organisation)
        index = self.banks.commands
        self.act, self.pre, self.rd, self.wr, self.ref = (index[c] for c in ("ACT", "PRE", "RD", "WR", "REF"))
        self.bank_count = spec.dram.organisation.banks
        self.spacing = {c: self.banks.spacing(c) for c in (self.rd, self.wr)}
        self.only_columns = False  # nothing but column commands could be issued in this clock or later
        self.parities = tuple(tuple(range(parity, self.bank_count, 2)) for parity in (0, 1))
        self.singles = tuple((bank,) for bank in range(self.bank_count))
        self.tracked = timing.broadcast_tracked
        self.holds = timing.refresh_holds_activates
        # from a read, and from a write, to the end of its data
        self.moving = (timing["rl"] + 2 + timing["t_burst"], timing["wl"] + 1 + timing["t_burst"])
        self.slots = timing["read_to_read_s"], timing["read_to_read_l"]
        self.depth = queue_depth
        self.ranks = ranks
        self.refresh = refresh
        interval = timing["t_refi"]
        # ranks are refreshed in turn, staggered over the interval; only rank 0 holds PIM work and host data here
        self.due = [interval // ranks * (r + 1) for r in range(ranks)] if refresh else []
        self.due_rank = 0
        self.waiting = CLOSED  # rank whose refresh is waiting
        # a request that waits longer than this is never served
        self.patience = 4 * sum(timing.cycles.values())
        self.now = 0
        self.mode = spec.modes[0]
        self.reached: dict[tuple[str, str], frozenset[int]] = {
            (c.before, c.after): frozenset() for c in spec.mode_changes
        }
        self.opened = 0  # bit b: bank b has an open row
        self.pointer = 0  # bank the next idle precharge looks at first
        self.queue: list[Request] = []
        self.pending: deque[Request] = deque()
        self.tally = [0] * (len(EVENTS) + len(CAUSES))
        self.last_column = 0  # cycle of the last column command
        self.last_write: bool | None = None
        self.row_opened = False
        self.refreshed = False
        self.finish = 0  # cycle count at which all data has moved
        self.changes: dict[tuple[str, str, int], list[ModeChange]] = {}
        for change in spec.mode_changes:
            self.changes.setdefault((change.before, change.command, change.row), []).append(change)
        self.trace: list[tuple[int, str, int, int, int, str]] | None = None

    def state(self, base: int) -> ChannelState:
        """Everything that decides what happens next, as seen from now and from row `base`; the refresh timers and the
        queue are the caller's to compare."""
        rows = tuple(
            [None if r == CLOSED else r + FIXED if r >> RESERVED_BIT & 1 else r - base for r in self.banks.open_row]
        )
        return (
            self.banks.relative(self.now),
            rows,
            self.mode,
            self.pointer,
            tuple(self.reached.values()),
            self.now - self.last_column,
            self.last_write,
            self.row_opened,
            self.refreshed,
            self.waiting,
        )

    def restore(self, state: ChannelState, base: int, now: int) -> None:
        """Continue at cycle `now` from what `state` returned."""
        timing, rows, mode, pointer, reached, since, write, opened, refreshed, waiting = state
        self.now = now
        self.banks.restore(timing, now)
        self.banks.open_row[:] = [CLOSED if r is None else r - FIXED if r >= FIXED // 2 else r + base for r in rows]
        self.opened = sum([1 << b for b, r in enumerate(self.banks.open_row) if r != CLOSED])
        self.mode, self.pointer, self.waiting = mode, pointer, waiting
        self.reached = dict(zip(self.reached, reached, strict=True))
        self.last_column = now - since
        self.last_write, self.row_opened, self.refreshed = write, opened, refreshed

    def next_due(self) -> int:
        """Cycle of the next refresh request."""
        return self.due[self.due_rank] if self.due else NEVER

    def _targets(self, bank: int) -> tuple[int, ...]:
        """Banks a command addressed to `bank` reaches."""
        if not self.tracked or bank >= 2 or self.mode == self.spec.modes[0]:
            return self.singles[bank]
        return self.parities[bank]

    def _open_targets(self, bank: int) -> tuple[int, ...]:
        targets = self._targets(bank)
        if len(targets) == 1:
            return targets if self.banks.open_row[bank] != CLOSED else ()
        open_row = self.banks.open_row
        return tuple([b for b in targets if open_row[b] != CLOSED])

    def _issue_precharge(self, bank: int, now: int) -> None:
        targets = self._open_targets(bank)
        row = self.banks.open_row[bank]
        self.banks.issue_all(self.pre, targets, now)
        for b in targets:
            self.banks.open_row[b] = CLOSED
            self.opened &= ~(1 << b)
        self.tally[2] += 1
        self._log(now, "PRE", bank, row, 0)
        self._change_mode("PRE", bank, row, 0, 0)

    def _issue_activate(self, opened: tuple[Request, tuple[int, ...]], now: int) -> None:
        request, targets = opened
        self.banks.issue_all(self.act, targets, now)
        for b in targets:
            self.banks.open_row[b] = request.row
            self.opened |= 1 << b
        self.tally[0 if self.mode == self.spec.modes[0] else 1] += 1
        self.row_opened = True
        self._log(now, "ACT", request.bank, request.row, 0)
        self._change_mode("ACT", request.bank, request.row, 0, 0)

    def _issue_column(self, i: int, now: int) -> None:
        """Serve the `i`-th request of the queue."""
        request = self.queue[i]
        write = request.write
        command = self.wr if write else self.rd
        targets = self._targets(request.bank)
        self.banks.issue_all(command, targets, now)
        del self.queue[i]
        self.tally[4 if write else 3] += 1
        self._attribute(request, now)
        self.finish = max(self.finish, now + self.moving[write])
        if self.trace is not None:
            self._log(now, "WR" if write else "RD", request.bank, request.row, request.column, request.kind)
        if write:
            self._change_mode("WR", request.bank, request.row, request.column, request.data)

    def _attribute(self, request: Request, now: int) -> None:
        gap = now - self.last_column
        own = slot_of(request)
        slot = min(gap, self.slots[request.kind != "host"])
        if request.kind == "mode" and not self.refreshed:
            slot = gap
        self.tally[own] += slot
        if gap > slot:
            if self.refreshed:
                own = _SLOT + _CAUSE["refresh"]
            elif self.row_opened:
                own = _SLOT + _CAUSE["row_switch"]
            elif self.last_write is not None and self.last_write != request.write:
                own = _SLOT + _CAUSE["turnaround"]
            self.tally[own] += gap - slot
        self.last_column = now
        self.last_write = request.write
        self.row_opened = self.refreshed = False

    def _change_mode(self, command: str, bank: int, row: int, column: int, data: int) -> None:
        for change in self.changes.get((self.mode, command, row), ()):
            if (
                bank not in change.banks
                or change.column not in (None, column)
                or change.data_bit not in (None, data & 1)
            ):
                continue
            key = (change.before, change.after)
            reached = self.reached[key] | {bank}
            if len(reached) == len(change.banks):
                self.mode = change.after
                reached = frozenset()
            self.reached[key] = reached
            return

    def _log(self, now: int, command: str, bank: int, row: int, column: int, kind: str = "") -> None:
        if self.trace is not None:
            self.trace.append((now, command, bank, row, column, kind))
