"""GDDR6-AiM: host requests dispatched one a clock, expanded to device commands and issued in order.

The dispatcher hands a request's column commands to the channel's command buffer as long as it has room and waits for
blocking requests; the channel opens and closes rows and switches between register and memory mode as needed.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from hw.base.error import InputError
from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from hw.spec.pim_command import Command
from model.cycle.dram_pim.bank import CLOSED, Banks

BUFFER_ENTRIES = 33
AF_ROW = 1 << 29  # rows of the activation tables are outside the plain row space
CAUSES = ("mac", "compute", "store", "register_load", "result_read", "mode", "row_switch", "turnaround", "drain")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRequest:
    """One host-level command: `count` columns from `column` of `row`, in `bank` if it acts on one.

    Parameters
    ----------
    name : str
        Host command of the device's command set, e.g. "MAC_ABK".
    """

    name: str
    count: int = 1
    row: int = 0
    column: int = 0
    bank: int | None = None


class _Kind(NamedTuple):
    """What a host request becomes on this device, looked up once.

    `number`: of the command in `Banks`; `spacing`: cycles between two of them in a row; `alike`: a row of them leaves
    nothing behind but the last, so that they are issued together.
    """

    command: Command
    number: int
    latency: int
    spacing: int
    alike: bool
    needs_row: bool
    register_mode: bool
    blocking: bool
    cause: str


@dataclass(slots=True)
class _Run:
    """Equal device commands in a row in the channel's buffer, `left` of them."""

    kind: _Kind
    row: int
    bank: int | None
    left: int


_CAUSE_OF = {
    "MAC": "mac",
    "MAC16": "mac",
    "AF16": "compute",
    "EWMUL16": "compute",
    "RD": "compute",
    "RDCP": "compute",
    "WR": "store",
    "WRA16": "store",
    "WRCP": "store",
    "WRGB": "register_load",
    "WRMAC16": "register_load",
    "RDMAC16": "result_read",
    "RDAF16": "result_read",
}


_MOVES_ROWS = frozenset({"ACT", "ACT16", "PRE", "PREA", "WRA16"})


class AimChannel:
    """One channel; every channel that gets the same requests behaves alike. Times in cycles of the command clock."""

    def __init__(self, spec: PimSpec, timing: Timing) -> None:
        self.spec = spec
        self.timing = timing
        self.banks = Banks(timing, spec.dram.organisation)
        self.counts: dict[str, int] = {}
        self.causes: dict[str, int] = {cause: 0 for cause in CAUSES}
        self.register_mode = False
        self.trace: list[tuple[int, str, int, int]] | None = None
        t = timing
        self._latency = {
            "RD": t["rl"] + t["t_burst"],
            "WR": t["wl"] + t["t_burst"],
            "WRGB": t["wl_buffer"] + t["t_burst"],
            "WRMAC16": t["wl_register"] + t["t_burst"],
            "RDMAC16": t["rl_register"] + t["t_burst"],
            "RDAF16": t["rl_register"] + t["t_burst"],
            "WRA16": t["wl"] + t["t_burst"] + t["t_rp"],
        }
        self._buffer: deque[_Run] = deque()
        self._held = 0  # commands in the buffer
        self._kinds: dict[str, _Kind] = {}
        self._per_bank = {c.name: c.scope == "bank" for c in spec.commands.commands}
        self._everywhere: int | None = CLOSED  # the row that is open in every bank; None: not the same in all
        self._writes_done = 0
        self._last_issue = 0
        self._switched = self._reopened = False

    def run(self, requests: Iterable[HostRequest]) -> int:
        """Cycles from the first request to the end of the last, an end-of-computation mark included."""
        now = 0
        for request in requests:
            now = self._dispatch(request, now)
        # the end mark waits for the buffer to empty, then for every write to have landed
        while self._buffer:
            now = self._issue_next(now, self._held) + 1
        seen = now + 1
        done = max(seen, self._writes_done + 1) + 1
        self.causes["drain"] += done - self._last_issue
        return done

    def _dispatch(self, request: HostRequest, now: int) -> int:
        """Hand over one request that is decoded in cycle `now`; the cycle in which the next one is decoded."""
        kind = self._kinds.get(request.name) or self._kind(request.name)
        if kind.blocking and request.count != 1:
            raise InputError(f"{request.name} must ask for one word, not {request.count}")
        row = request.row + (AF_ROW if kind.command.name == "AF16" else 0)
        run, unsent = _Run(kind, row, request.bank, 0), request.count
        while True:
            sent = min(BUFFER_ENTRIES - self._held, unsent)
            if sent:
                if not run.left:
                    self._buffer.append(run)
                run.left += sent
                self._held += sent
                unsent -= sent
            if not unsent:
                if not kind.blocking:
                    return self._channel_cycle(now)  # the channel still has this cycle's command slot
                while self._buffer:
                    now = self._issue_next(now, self._held) + 1
                return now + kind.latency
            # wait for room: nothing is decoded meanwhile
            now = self._issue_next(now, unsent) + 1

    def _kind(self, name: str) -> _Kind:
        host = self.spec.commands.host_command(name)
        if not host.command:
            raise InputError(f"a request of a kernel must become a device command, which {name} does not")
        command = self.spec.commands.command(host.command)
        number = self.banks.commands[command.name]
        found = self._kinds[name] = _Kind(
            command=command,
            number=number,
            latency=self._latency.get(command.name, 1),
            spacing=self.banks.spacing(number, one_bank=command.scope == "bank"),
            alike=command.name not in _MOVES_ROWS and not self.banks.in_a_window(number),
            needs_row="open" in command.requires and "closed" not in command.requires,
            register_mode=host.register_mode,
            blocking=host.blocking,
            cause=_CAUSE_OF[command.name],
        )
        return found

    def _channel_cycle(self, now: int) -> int:
        """Let the channel use cycle `now`; the next cycle."""
        if self._buffer:
            command, at = self._next()
            if at <= now:
                self._issue(command, now)
        return now + 1

    def _issue_next(self, now: int, most: int) -> int:
        """Issue the next command as soon as it is legal from `now` on, and up to `most` equal ones behind it, each as
        soon as it is legal; the cycle of the last."""
        head = self._buffer[0]
        command, at = self._next()
        at = max(at, now)
        before = head.left
        self._issue(command, at)
        more = min(head.left, most - 1)
        if head.left == before or more < 1 or not head.kind.alike:
            return at
        return self._issue_alike(head, at, more)

    def _issue_alike(self, head: _Run, at: int, more: int) -> int:
        """Issue `more` further commands of the run whose first was issued at `at`; the cycle of the last.

        What the first had to wait for is over, so that each waits for the one before it alone; and what later commands
        wait for is the last of them, since the waits of a rule do not change.
        """
        kind, name = head.kind, head.kind.command.name
        last = at + more * kind.spacing
        bank = head.bank if self._per_bank[name] else None
        self.banks.issue(kind.number, bank, last)
        self.counts[name] += more
        if self.trace is not None:
            shown = -1 if bank is None else bank
            self.trace.extend((at + k * kind.spacing, name, shown, head.row) for k in range(1, more + 1))
        slot = min(kind.spacing, self.timing["t_ccd_l"])
        self.causes[kind.cause] += more * slot
        self.causes["turnaround"] += more * (kind.spacing - slot)
        self._last_issue = last
        self._pop(head, more, last)
        return last

    def _pop(self, head: _Run, count: int, now: int) -> None:
        head.left -= count
        self._held -= count
        if not head.left:
            self._buffer.popleft()
        if not head.kind.blocking:
            self._writes_done = max(self._writes_done, now + head.kind.latency)

    def _next(self) -> tuple[str, int]:
        """The command the head of the buffer needs next, and from when it is legal."""
        head = self._buffer[0]
        name = self._prerequisite(head) if head.kind.needs_row else head.kind.command.name
        return name, self.banks.earliest(self.banks.commands[name], head.bank if self._per_bank[name] else None)

    def _prerequisite(self, head: _Run) -> str:
        if head.bank is None:
            row = self._everywhere
            return head.kind.command.name if row == head.row else "ACT16" if row == CLOSED else "PREA"
        row = self.banks.open_row[head.bank]
        return head.kind.command.name if row == head.row else "ACT" if row == CLOSED else "PRE"

    def _issue(self, name: str, now: int) -> None:
        head = self._buffer[0]
        if head.kind.register_mode != self.register_mode:
            name = "TMOD"
            self.register_mode = not self.register_mode
        bank = head.bank if self._per_bank[name] else None
        self.banks.issue(self.banks.commands[name], bank, now)
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.trace is not None:
            self.trace.append((now, name, -1 if bank is None else bank, head.row))
        if name in _MOVES_ROWS:
            self._move(head.row if name in ("ACT", "ACT16") else CLOSED, bank)
        self._attribute(name, head, now)
        if name == head.kind.command.name:
            self._pop(head, 1, now)

    def _move(self, row: int, bank: int | None) -> None:
        """`row` is open (or none, `CLOSED`) in `bank`, or in all."""
        rows = self.banks.open_row
        if bank is None:
            rows[:] = [row] * len(rows)
            self._everywhere = row
        else:
            rows[bank] = row
            self._everywhere = row if all(other == row for other in rows) else None

    def _attribute(self, name: str, head: _Run, now: int) -> None:
        gap = now - self._last_issue
        if name == "TMOD":
            self.causes["turnaround"] += gap
            self._switched = True
        elif name != head.kind.command.name:
            self.causes["mode" if self._switched else "row_switch"] += gap
            self._switched, self._reopened = False, True
        else:
            slot = min(gap, self.timing["t_ccd_l"])
            self.causes[head.kind.cause] += slot
            rest = "mode" if self._switched else "row_switch" if self._reopened else "turnaround"
            self.causes[rest] += gap - slot
            self._switched = self._reopened = False
        self._last_issue = now
