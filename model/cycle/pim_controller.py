"""Memory controller of one channel: turns requests into legal commands, one per clock at most.

Order of choice in every clock, as in the open-page controllers of public DRAM simulators: refresh, then the oldest
request whose row is open, then the oldest request whose bank can be opened, then a row nobody in the queue asks for
(banks in turn). Requests behind a fence wait until the fence has been served.
"""

from collections import deque
from collections.abc import Iterable

from hw.spec.dram import Timing
from hw.spec.error import InputError
from hw.spec.pim import PimSpec
from model.cycle.dram_bank import CLOSED, Banks
from model.cycle.pim_stream import RESERVED_BIT, Request

NEVER = 1 << 62
FIXED = 1 << 32         # marks, in a relative state, rows that do not move with the base
EVENTS = ("activate", "activate_broadcast", "precharge", "read", "write", "refresh")
"""Commands counted on the command bus; `_broadcast`: the activate opened every bank of one parity."""

CAUSES = ("mac", "compute", "store", "register_load", "mode", "host", "row_switch", "turnaround", "refresh", "drain")
"""What a clock was spent on. A gap between two column commands belongs to the later one: its own slot to its kind
("mac" MAC triggers, "compute" other triggers, ...), the rest to the refresh, row switch or bus turnaround in it."""

_CAUSE = {name: i for i, name in enumerate(CAUSES)}
_SLOT = len(EVENTS)


def seen_elsewhere(state: tuple[object, ...], shift: int) -> tuple[object, ...]:
    """What `Controller.state` returns from a row `shift` below the one `state` is seen from."""
    timing, rows, *rest = state
    moved = tuple([r if r is None or r >= FIXED // 2 else r + shift for r in rows])     # type: ignore[attr-defined]
    return (timing, moved, *rest)


class Controller:
    """One channel under one controller. Time counts in cycles of the command clock from 0."""

    def __init__(
        self, spec: PimSpec, timing: Timing, *, ranks: int = 1, refresh: bool = True, queue_depth: int = 64,
    ) -> None:
        self.spec = spec
        self.timing = timing
        self.banks = Banks(timing, spec.dram.organisation)
        index = self.banks.commands
        self.act, self.pre, self.rd, self.wr, self.ref = (index[c] for c in ("ACT", "PRE", "RD", "WR", "REF"))
        self.bank_count = spec.dram.organisation.banks
        self.spacing = {c: self.banks.spacing(c) for c in (self.rd, self.wr)}
        self.only_columns = False                # nothing but column commands could be issued in this clock or later
        self.parities = tuple(tuple(range(parity, self.bank_count, 2)) for parity in (0, 1))
        self.singles = tuple((bank,) for bank in range(self.bank_count))
        self.tracked = timing.broadcast_tracked
        self.holds = timing.refresh_holds_activates
        self.depth = queue_depth
        self.ranks = ranks
        self.refresh = refresh
        interval = timing["t_refi"]
        # ranks are refreshed in turn, staggered over the interval; only rank 0 holds PIM work and host data here
        self.due = [interval // ranks * (r + 1) for r in range(ranks)] if refresh else []
        self.due_rank = 0
        self.waiting = CLOSED                    # rank whose refresh is waiting
        # a request that waits longer than this is never served
        self.patience = 4 * sum(timing.cycles.values())
        self.now = 0
        self.mode = spec.modes[0]
        self.reached: dict[tuple[str, str], frozenset[int]] = {
            (c.before, c.after): frozenset() for c in spec.mode_changes
        }
        self.pointer = 0                         # bank the next idle precharge looks at first
        self.queue: list[Request] = []
        self.pending: deque[Request] = deque()
        self.tally = [0] * (len(EVENTS) + len(CAUSES))
        self.last_column = 0                     # cycle of the last column command
        self.last_write: bool | None = None
        self.row_opened = False
        self.refreshed = False
        self.finish = 0                          # cycle count at which all data has moved
        self.trace: list[tuple[int, str, int, int, int, str]] | None = None

    # ---- what the caller uses

    def give(self, requests: Iterable[Request]) -> None:
        """Append requests; they move into the command queue one per clock while there is room."""
        self.pending.extend(requests)

    def run(self, remaining: int = 0) -> None:
        """Advance until only `remaining` of the given requests have not been served."""
        while len(self.queue) + len(self.pending) > remaining:
            self.step(NEVER)

    def idle_until(self, cycle: int) -> None:
        """Advance to `cycle` with nothing to serve (rows nobody asks for are closed meanwhile)."""
        while self.now < cycle:
            self.step(cycle)

    def next_due(self) -> int:
        """Cycle of the next refresh request."""
        return self.due[self.due_rank] if self.due else NEVER

    def step(self, limit: int) -> None:
        """One clock, or a jump (not beyond `limit`) over clocks in which nothing can be issued."""
        now = self.now
        due = self.next_due()
        if now >= due:
            self.waiting = self.due_rank
            self.due[self.due_rank] += self.timing["t_refi"]
            self.due_rank = (self.due_rank + 1) % self.ranks
            due = self.next_due()
        soonest = self._choose(now)
        queue, pending = self.queue, self.pending
        if soonest > now:
            if self.only_columns and self._burst(soonest, limit):
                return
            if pending and len(queue) < self.depth and not any([r.fence for r in queue]):
                soonest = now                    # the arriving request may be the one to serve next
        until = min(soonest, due, limit)
        if queue and (now - self.last_column > self.patience or until == NEVER):
            raise InputError(f"the timings must let every request be served; with these, {queue[0].kind} of bank "
                             f"{queue[0].bank} is never reached after cycle {self.last_column}; choose others")
        self.now = max(now + 1, until)
        if pending:
            for _ in range(min(self.now - now, self.depth - len(queue), len(pending))):
                queue.append(pending.popleft())

    def state(self, base: int) -> tuple[object, ...]:
        """Everything that decides what happens next, as seen from now and from row `base`; the refresh timers and the
        queue are the caller's to compare."""
        rows = tuple([
            None if r == CLOSED else r + FIXED if r >> RESERVED_BIT & 1 else r - base for r in self.banks.open_row])
        return (
            self.banks.relative(self.now), rows, self.mode, self.pointer, tuple(self.reached.values()),
            self.now - self.last_column, self.last_write, self.row_opened, self.refreshed,
        )

    def restore(self, state: tuple[object, ...], base: int, now: int) -> None:
        """Continue at cycle `now` from what `state` returned."""
        timing, rows, mode, pointer, reached, since, write, opened, refreshed = state
        self.now = now
        self.banks.restore(timing, now)                                                      # type: ignore[arg-type]
        self.banks.open_row[:] = [
            CLOSED if r is None else r - FIXED if r >= FIXED // 2 else r + base for r in rows  # type: ignore
        ]
        self.mode, self.pointer = str(mode), int(pointer)                                    # type: ignore[arg-type]
        self.reached = dict(zip(self.reached, reached, strict=True))                         # type: ignore[arg-type]
        self.last_column = now - int(since)                                                  # type: ignore[arg-type]
        self.last_write, self.row_opened, self.refreshed = write, bool(opened), bool(refreshed)  # type: ignore

    # ---- choice

    def _choose(self, now: int) -> int:
        """Issue at most one command; `now` if one was issued, else the first cycle at which one may be."""
        soonest = NEVER
        self.only_columns = False
        if self.waiting >= 0:
            soonest = self._refresh(now)
            if soonest == now:
                return now
        columns = self._column(now)
        if columns == now:
            return now
        rows = self._activate(now)
        if rows == now:
            return now
        idle = self._precharge(now)
        if idle == now:
            return now
        self.only_columns = rows == idle == NEVER and self.waiting < 0
        return min(soonest, columns, rows, idle)

    def _burst(self, first: int, limit: int) -> bool:
        """Serve the requests before the fence at once, if they and the fence are accesses to one open row and nothing
        else can be issued meanwhile; False, and nothing done, otherwise. (With the fence at the head of the queue, rows
        behind it may be opened: it is left to the caller.)

        The first goes at cycle `first`, the others follow at the spacing of their kind. What later commands wait for
        is then set by the last of them alone: each delay runs from an equal command at the same nodes.
        """
        queue = self.queue
        if not queue or self.pending or self.trace is not None or queue[0].kind == "mode":
            return False
        head = queue[0]
        count = 0
        for request in queue:
            if request.bank != head.bank or request.row != head.row or request.write != head.write:
                return False
            if request.fence:
                break
            count += 1
        else:
            return False
        if self.banks.open_row[head.bank] != head.row:
            return False
        command = self.wr if head.write else self.rd
        spacing = self.spacing[command]
        count = min(count, -(-(min(self.next_due(), limit) - first) // spacing))
        if count < 2:
            return False
        last = first + (count - 1) * spacing
        self._issue_column(0, head, first)
        before = list(self.tally)
        self._issue_column(0, queue[0], first + spacing)
        if count > 2:
            each = [b - a for a, b in zip(before, self.tally, strict=True)]
            self.tally = [t + (count - 3) * e for t, e in zip(self.tally, each, strict=True)]
            self.last_column = last - spacing
            del queue[: count - 3]
            self._issue_column(0, queue[0], last)
        self.now = last + 1
        return True

    def _targets(self, bank: int) -> tuple[int, ...]:
        """Banks a command addressed to `bank` reaches."""
        if not self.tracked or bank >= 2 or self.mode == self.spec.modes[0]:
            return self.singles[bank]
        return self.parities[bank]

    def _follows(self, bank: int) -> bool:
        """True if the bank is open only as part of an all-bank activate, and closes with its leader."""
        if not self.tracked or bank < 2 or self.mode == self.spec.modes[0]:
            return False
        leader = self.banks.open_row[bank % 2]
        return leader != CLOSED and leader == self.banks.open_row[bank]

    def _refresh(self, now: int) -> int:
        banks = self.banks
        if self.waiting > 0:                     # another rank: idle, so its refresh costs one command slot
            self.waiting = CLOSED
            return now
        if self.holds and self.queue and self.queue[0].bank >= 2 and self.mode != self.spec.modes[0]:
            return NEVER                         # its row cannot be opened again in an all-bank mode
        soonest, any_open = NEVER, False
        for bank, row in enumerate(banks.open_row):
            if row != CLOSED:
                any_open = True
                if not self._follows(bank):
                    t = self._precharge_at(bank)
                    if t <= now:
                        self._issue_precharge(bank, now)
                        return now
                    soonest = min(soonest, t)
        if any_open:
            return soonest
        t = banks.earliest(self.ref)
        if t > now:
            return t
        banks.issue(self.ref, None, now)
        self._log(now, "REF", 0, 0, 0)
        self.waiting = CLOSED
        self.refreshed = True
        self.tally[5] += 1
        return now

    def _column(self, now: int) -> int:
        banks, open_row = self.banks, self.banks.open_row
        soonest = NEVER
        ready, groups = banks.ready, banks.group_of
        top = ready[0]
        rd, wr = self.rd, self.wr
        first_bank = len(ready) - self.bank_count
        wide = self.tracked and self.mode != self.spec.modes[0]
        reached: dict[tuple[int, int], int] = {}     # all-bank commands wait for the slowest bank they reach
        for i, request in enumerate(self.queue):
            bank = request.bank
            if open_row[bank] == request.row:
                command = wr if request.write else rd
                t = top[command]
                if t < (u := ready[groups[bank]][command]):
                    t = u
                if t < (u := ready[first_bank + bank][command]):
                    t = u
                if wide and bank < 2:
                    if (command, bank) not in reached:
                        reached[command, bank] = banks.earliest_of(command, self.parities[bank])
                    t = reached[command, bank]
                if t < soonest:
                    if i and (request.fence or self._same_address_before(i, request)):
                        if request.fence:
                            break
                        continue
                    if t <= now:
                        self._issue_column(i, request, now)
                        return now
                    soonest = t
            if request.fence:
                break
        return soonest

    def _same_address_before(self, i: int, request: Request) -> bool:
        return any(
            r.bank == request.bank and r.row == request.row and r.column == request.column for r in self.queue[:i]
        )

    def _activate(self, now: int) -> int:
        soonest = NEVER
        if self.holds and self.waiting == 0:
            return soonest
        banks, single = self.banks, self.mode == self.spec.modes[0]
        open_row = banks.open_row
        seen = 0
        for i, request in enumerate(self.queue):
            if i and request.fence:
                break
            bank = request.bank
            if seen >> bank & 1:
                continue
            seen |= 1 << bank
            if open_row[bank] != CLOSED or (not single and bank >= 2):
                continue
            targets = self._targets(bank)
            if len(targets) > 1:
                if any(open_row[b] != CLOSED for b in targets):
                    continue
                t = banks.earliest_of(self.act, targets)
            else:
                t = banks.earliest(self.act, bank)
            if t <= now:
                self._issue_activate(request, targets, now)
                return now
            soonest = min(soonest, t)
        return soonest

    def _precharge(self, now: int) -> int:
        open_row = self.banks.open_row
        wanted = 0
        for request in self.queue:
            if open_row[request.bank] == request.row:
                wanted |= 1 << request.bank
            if request.fence:
                break
        soonest = NEVER
        idle = [b for b, r in enumerate(open_row) if r != CLOSED and not wanted >> b & 1]
        if not idle:
            return soonest
        wide = self.tracked and self.mode != self.spec.modes[0]
        if wide:
            # open as part of an all-bank activate: closed with its leader
            idle = [b for b in idle if b < 2 or open_row[b] != open_row[b & 1]]
        if len(idle) > 1:
            idle.sort(key=lambda b: (b - self.pointer) % self.bank_count)
        for bank in idle:
            if wide and any(wanted >> b & 1 for b in self._open_targets(bank)):
                continue
            t = self._precharge_at(bank)
            if t <= now:
                self.pointer = bank
                self._issue_precharge(bank, now)
                return now
            soonest = min(soonest, t)
        return soonest

    def _open_targets(self, bank: int) -> tuple[int, ...]:
        targets = self._targets(bank)
        if len(targets) == 1:
            return targets if self.banks.open_row[bank] != CLOSED else ()
        open_row = self.banks.open_row
        return tuple([b for b in targets if open_row[b] != CLOSED])

    def _precharge_at(self, bank: int) -> int:
        if not self.tracked:
            return self.banks.earliest(self.pre, bank)
        return self.banks.earliest_of(self.pre, self._open_targets(bank))

    # ---- issue

    def _issue_precharge(self, bank: int, now: int) -> None:
        targets = self._open_targets(bank)
        row = self.banks.open_row[bank]
        self.banks.issue_all(self.pre, targets, now)
        for b in targets:
            self.banks.open_row[b] = CLOSED
        self.tally[2] += 1
        self._log(now, "PRE", bank, row, 0)
        self._change_mode("PRE", bank, row, 0, 0)

    def _issue_activate(self, request: Request, targets: tuple[int, ...], now: int) -> None:
        self.banks.issue_all(self.act, targets, now)
        for b in targets:
            self.banks.open_row[b] = request.row
        self.tally[0 if self.mode == self.spec.modes[0] else 1] += 1
        self.row_opened = True
        self._log(now, "ACT", request.bank, request.row, 0)
        self._change_mode("ACT", request.bank, request.row, 0, 0)

    def _issue_column(self, i: int, request: Request, now: int) -> None:
        write = request.write
        command = self.wr if write else self.rd
        targets = self._targets(request.bank)
        if len(targets) > 1:
            self.banks.issue_all(command, targets, now)
        else:
            self.banks.issue(command, request.bank, now)
        del self.queue[i]
        self.tally[4 if write else 3] += 1
        self._attribute(request, now)
        timing = self.timing
        latency = timing["wl"] + 1 if write else timing["rl"] + 2
        self.finish = max(self.finish, now + latency + timing["t_burst"])
        if self.trace is not None:
            self._log(now, "WR" if write else "RD", request.bank, request.row, request.column, request.kind)
        if write:
            self._change_mode("WR", request.bank, request.row, request.column, request.data)

    def _attribute(self, request: Request, now: int) -> None:
        gap = now - self.last_column
        own = _CAUSE[request.kind] if request.kind in _CAUSE else _CAUSE["host"]
        slot = min(gap, self.timing["read_to_read_s" if request.kind == "host" else "read_to_read_l"])
        if request.kind == "mode" and not self.refreshed:
            slot = gap
        self.tally[_SLOT + own] += slot
        if gap > slot:
            if self.refreshed:
                cause = "refresh"
            elif self.row_opened:
                cause = "row_switch"
            elif self.last_write is not None and self.last_write != request.write:
                cause = "turnaround"
            else:
                cause = CAUSES[own]
            self.tally[_SLOT + _CAUSE[cause]] += gap - slot
        self.last_column = now
        self.last_write = request.write
        self.row_opened = self.refreshed = False

    def _change_mode(self, command: str, bank: int, row: int, column: int, data: int) -> None:
        for change in self.spec.mode_changes:
            if (
                change.before != self.mode or change.command != command or change.row != row
                or bank not in change.banks or change.column not in (None, column)
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
