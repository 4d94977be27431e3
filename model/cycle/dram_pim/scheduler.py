"""Which command a memory controller issues next.

Order of choice in every clock, as in the open-page controllers of public DRAM simulators: refresh, then the oldest
request whose row is open, then the oldest request whose bank can be opened, then a row nobody in the queue asks for
(banks in turn). Requests behind a fence wait until the fence has been served.
"""

from collections.abc import Callable
from typing import Any

from model.cycle.dram_pim.bank import CLOSED
from model.cycle.dram_pim.channel import NEVER, Channel
from model.cycle.dram_pim.stream import Request

Choice = tuple[int, Callable[[Any, int], None] | None, Any]
"""First cycle at which a command may be issued, what issues it, and of which request or bank."""

NOTHING: Choice = NEVER, None, None


class Chooser(Channel):
    """A channel and the choice of its next command; a refresh is issued as soon as it is chosen."""

    def _choose(self, now: int) -> Choice:
        """The command to issue next: now, if one may be, else the one that may be issued first."""
        refresh = NEVER
        self.only_columns = False
        if self.waiting >= 0:
            refresh = self._refresh(now)
            if refresh == now:
                return now, None, None
        columns = self._column(now)
        if columns[0] <= now:
            return columns
        rows = self._activate(now)
        if rows[0] <= now:
            return rows
        idle = self._precharge(now)
        if idle[0] <= now:
            return idle
        self.only_columns = rows[0] == idle[0] == NEVER and self.waiting < 0
        first = columns if columns[0] <= rows[0] else rows
        if idle[0] < first[0]:
            first = idle
        return first if first[0] <= refresh else (refresh, None, None)

    def _follows(self, bank: int) -> bool:
        """True if the bank is open only as part of an all-bank activate, and closes with its leader."""
        if not self.tracked or bank < 2 or self.mode == self.spec.modes[0]:
            return False
        leader = self.banks.open_row[bank % 2]
        return leader != CLOSED and leader == self.banks.open_row[bank]

    def _refresh(self, now: int) -> int:
        banks = self.banks
        if self.waiting > 0:  # another rank: idle, so its refresh costs one command slot
            self.waiting = CLOSED
            return now
        if self.holds and self.queue and self.queue[0].bank >= 2 and self.mode != self.spec.modes[0]:
            return NEVER  # its row cannot be opened again in an all-bank mode
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

    def _column(self, now: int) -> Choice:
        banks, open_row = self.banks, self.banks.open_row
        soonest, first = NEVER, 0
        ready, groups = banks.ready, banks.group_of
        top = ready[0]
        rd, wr = self.rd, self.wr
        floor = max(now, min(top[rd], top[wr]))  # no column command can be issued earlier
        first_bank = len(ready) - self.bank_count
        wide = self.tracked and self.mode != self.spec.modes[0]
        tried = 0  # banks and directions: another such request is no sooner
        for i, request in enumerate(self.queue):
            bank, write = request.bank, request.write
            if open_row[bank] == request.row and not tried >> (bank + bank + write) & 1:
                command = wr if write else rd
                if wide and bank < 2:
                    # all-bank commands wait for the slowest bank they reach
                    t = banks.earliest_of(command, self.parities[bank])
                else:
                    t = top[command]
                    if t < (u := ready[groups[bank]][command]):
                        t = u
                    if t < (u := ready[first_bank + bank][command]):
                        t = u
                if t < soonest and i and (request.fence or self._same_address_before(i, request)):
                    if request.fence:
                        break
                    continue
                tried |= 1 << (bank + bank + write)
                if t < soonest:
                    soonest, first = max(t, now), i
                    if soonest <= floor:
                        break
            if request.fence:
                break
        return soonest, self._issue_column, first

    def _same_address_before(self, i: int, request: Request) -> bool:
        bank, row, column = request[:3]
        return any([r.column == column and r.bank == bank and r.row == row for r in self.queue[:i]])

    def _activate(self, now: int) -> Choice:
        if self.holds and self.waiting == 0:
            return NOTHING
        banks, act, single = self.banks, self.act, self.mode == self.spec.modes[0]
        open_row, ready, groups = banks.open_row, banks.ready, banks.group_of
        first_bank = len(ready) - self.bank_count
        top = max(ready[0][act], now)  # no bank can be opened earlier
        soonest, first = NEVER, None
        seen = 0
        for i, request in enumerate(self.queue):
            if i and request.fence:
                break
            bank = request.bank
            if open_row[bank] != CLOSED or seen >> bank & 1:
                continue
            seen |= 1 << bank
            if not single and bank >= 2:
                continue
            targets = self._targets(bank)
            if len(targets) > 1:
                if any([open_row[b] != CLOSED for b in targets]):
                    continue
                t = banks.earliest_of(act, targets)
            else:
                t = ready[groups[bank]][act]
                if t < (u := ready[first_bank + bank][act]):
                    t = u
            if t < top:
                t = top
            if t < soonest:
                soonest, first = t, (request, targets)
                if t == top:
                    break
        return soonest, self._issue_activate, first

    def _precharge(self, now: int) -> Choice:
        idle = self.opened
        if not idle:
            return NOTHING
        open_row = self.banks.open_row
        for request in self.queue:
            if open_row[request.bank] == request.row:
                idle &= ~(1 << request.bank)
            if request.fence:
                break
        if not idle:
            return NOTHING
        if self.tracked and self.mode != self.spec.modes[0]:
            return self._precharge_wide(now, idle)
        # banks in turn: those from the pointer on, then those before it
        below = idle & (1 << self.pointer) - 1
        ready, groups, pre = self.banks.ready, self.banks.group_of, self.pre
        first_bank = len(ready) - self.bank_count
        top = max(ready[0][pre], now)  # no bank can be closed earlier
        soonest, first = NEVER, 0
        for banks in (idle ^ below, below):
            while banks:
                bank = (banks & -banks).bit_length() - 1
                banks &= banks - 1
                t = ready[groups[bank]][pre]
                if t < (u := ready[first_bank + bank][pre]):
                    t = u
                if t < top:
                    t = top
                if t < soonest:
                    soonest, first = t, bank
                    if t == top:
                        return soonest, self._close_idle, first
        return soonest, self._close_idle, first

    def _precharge_wide(self, now: int, idle: int) -> Choice:
        """The same in an all-bank mode: a bank that was opened as part of an all-bank activate closes with its leader,
        and none closes with which one that is wanted would close."""
        open_row = self.banks.open_row
        leaders, pointer = open_row[:2], self.pointer
        free = [b for b, r in enumerate(open_row) if idle >> b & 1 and (b < 2 or r != leaders[b & 1])]
        soonest, first = NEVER, 0
        for bank in [b for b in free if b >= pointer] + [b for b in free if b < pointer]:
            targets = self._open_targets(bank)
            if any([not idle >> b & 1 for b in targets]):
                continue
            t = self.banks.earliest_of(self.pre, targets)
            if t < soonest:
                soonest, first = max(t, now), bank
                if t <= now:
                    break
        return soonest, self._close_idle if soonest < NEVER else None, first

    def _close_idle(self, bank: int, now: int) -> None:
        self.pointer = bank
        self._issue_precharge(bank, now)

    def _precharge_at(self, bank: int) -> int:
        if not self.tracked:
            return self.banks.earliest(self.pre, bank)
        return self.banks.earliest_of(self.pre, self._open_targets(bank))
