"""Memory controller of one channel: turns requests into legal commands, one per clock at most.

Requests arrive in its queue one per clock; clocks in which nothing can be issued are jumped over, and accesses to one
open row that nothing can come between are served at once.
"""

from collections.abc import Iterable

from hw.base.error import InputError
from hw.base.integer import ceil_div
from model.cycle.dram_pim.bank import CLOSED
from model.cycle.dram_pim.channel import NEVER, slot_of
from model.cycle.dram_pim.scheduler import Chooser
from model.cycle.dram_pim.stream import Request


class Controller(Chooser):
    """One channel under one controller."""

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

    def step(self, limit: int) -> None:
        """One clock; or a jump over clocks in which nothing can be issued, to the next command or `limit`."""
        now = self.now
        due = self.next_due()
        if now >= due:
            self.waiting = self.due_rank
            self.due[self.due_rank] += self.timing["t_refi"]
            self.due_rank = (self.due_rank + 1) % self.ranks
            due = self.next_due()
        soonest, issue, what = self._choose(now)
        queue, pending = self.queue, self.pending
        if soonest > now:
            if self.only_columns and self._burst(soonest, limit):
                return
            if not pending or len(queue) >= self.depth or any([r.fence for r in queue[1:]]):
                # what arrives until then is behind the fence
                if soonest < due and soonest < limit and self.waiting < 0:
                    self._check_served(now, soonest)
                    if pending:
                        self._arrive(soonest - now)
                    now = soonest  # so the choice stands
            elif not queue or not queue[0].fence:
                soonest, issue = now, None  # the arriving request may be the one to serve next
        if soonest == now and issue is not None:
            issue(what, now)
        until = min(soonest, due, limit)
        self._check_served(now, until)
        self.now = max(now + 1, until)
        if pending:
            self._arrive(self.now - now)

    def _arrive(self, clocks: int) -> None:
        """Requests move into the command queue, one per clock."""
        queue, pending = self.queue, self.pending
        for _ in range(min(clocks, self.depth - len(queue), len(pending))):
            queue.append(pending.popleft())

    def _check_served(self, now: int, until: int) -> None:
        """Raise `InputError` if a request has waited for longer than any timing explains, or waits for ever."""
        if self.queue and (now - self.last_column > self.patience or until == NEVER):
            head = self.queue[0]
            raise InputError(
                f"the timings must let every request be served; with these, {head.kind} of bank "
                f"{head.bank} is never reached after cycle {self.last_column}; choose others"
            )

    def _burst(self, first: int, limit: int) -> bool:
        """Serve the requests up to the fence at once, if they are accesses to one open row and nothing else can be
        issued meanwhile; False, and nothing done, otherwise. With the fence at the head of the queue, rows behind it
        may be opened: if there is one to open, the fence is left to the caller.

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
        open_row = self.banks.open_row
        if open_row[head.bank] != head.row:
            return False
        for request in queue[count + 1 :]:
            if request.fence:
                count += 1
                break
            if open_row[request.bank] == CLOSED:
                break
        else:
            count += 1
        command = self.wr if head.write else self.rd
        spacing = self.spacing[command]
        count = min(count, ceil_div(min(self.next_due(), limit) - first, spacing))
        if count < 2:
            return False
        if head.write:
            for change in self.changes.get((self.mode, "WR", head.row), ()):
                if head.bank in change.banks and (
                    change.column is None or any([r.column == change.column for r in queue[:count]])
                ):
                    return False
        last = first + (count - 1) * spacing
        self._attribute(head, first)
        for request in queue[1:count]:  # their gaps hold nothing else
            self.tally[slot_of(request)] += spacing
        self.tally[4 if head.write else 3] += count
        self.banks.issue_all(command, self._targets(head.bank), last)
        del queue[:count]
        self.last_column = last
        self.finish = max(self.finish, last + self.moving[head.write])
        self.now = last + 1
        return True
