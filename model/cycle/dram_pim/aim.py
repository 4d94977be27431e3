"""GDDR6-AiM: host requests dispatched one a clock, expanded to device commands and issued in order.

The dispatcher hands a request's column commands to the channel's command buffer as long as it has room and waits for
blocking requests; the channel opens and closes rows and switches between register and memory mode as needed.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(slots=True)
class _Device:
    """A device command waiting in the channel's buffer."""

    command: Command
    row: int
    bank: int | None
    register_mode: bool
    cause: str
    last: bool
    blocking: bool


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
        self._buffer: deque[_Device] = deque()
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
            now = self._issue_next(now) + 1
        seen = now + 1
        done = max(seen, self._writes_done + 1) + 1
        self.causes["drain"] += done - self._last_issue
        return done

    def _dispatch(self, request: HostRequest, now: int) -> int:
        """Hand over one request that is decoded in cycle `now`; the cycle in which the next one is decoded."""
        host = self.spec.commands.host_command(request.name)
        if not host.command:
            raise InputError(f"a request of a kernel must become a device command, which {request.name} does not")
        command = self.spec.commands.command(host.command)
        if host.blocking and request.count != 1:
            raise InputError(f"{request.name} must ask for one word, not {request.count}")
        row = request.row + (AF_ROW if command.name == "AF16" else 0)
        waiting = [
            _Device(
                command,
                row,
                request.bank,
                host.register_mode,
                _CAUSE_OF[command.name],
                i == request.count - 1,
                host.blocking,
            )
            for i in range(request.count)
        ]
        sent = 0
        while True:
            while sent < len(waiting) and len(self._buffer) < BUFFER_ENTRIES:
                self._buffer.append(waiting[sent])
                sent += 1
            if sent == len(waiting):
                if not host.blocking:
                    return self._channel_cycle(now)  # the channel still has this cycle's command slot
                while self._buffer:
                    now = self._issue_next(now) + 1
                return now + self._latency[command.name]
            # wait for room: nothing is decoded meanwhile
            now = self._issue_next(now) + 1

    def _channel_cycle(self, now: int) -> int:
        """Let the channel use cycle `now`; the next cycle."""
        if self._buffer:
            command, at = self._next(now)
            if at <= now:
                self._issue(command, now)
        return now + 1

    def _issue_next(self, now: int) -> int:
        """Issue the next command as soon as it is legal from `now` on; its cycle."""
        command, at = self._next(now)
        at = max(at, now)
        self._issue(command, at)
        return at

    def _next(self, now: int) -> tuple[str, int]:
        """The command the head of the buffer needs next, and from when it is legal."""
        head = self._buffer[0]
        name = self._prerequisite(head)
        bank = head.bank if self.spec.commands.command(name).scope == "bank" else None
        return name, self.banks.earliest(self.banks.commands[name], bank)

    def _prerequisite(self, head: _Device) -> str:
        command = head.command
        if "open" not in command.requires or "closed" in command.requires:
            return command.name
        rows = self.banks.open_row
        if head.bank is None:
            if all(r == head.row for r in rows):
                return command.name
            return "ACT16" if all(r == CLOSED for r in rows) else "PREA"
        row = rows[head.bank]
        return command.name if row == head.row else "ACT" if row == CLOSED else "PRE"

    def _issue(self, name: str, now: int) -> None:
        head = self._buffer[0]
        if head.register_mode != self.register_mode:
            name = "TMOD"
            self.register_mode = not self.register_mode
        scope = self.spec.commands.command(name).scope
        bank = head.bank if scope == "bank" else None
        self.banks.issue(self.banks.commands[name], bank, now)
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.trace is not None:
            self.trace.append((now, name, -1 if bank is None else bank, head.row))
        rows = self.banks.open_row
        affected = range(len(rows)) if bank is None else (bank,)
        if name in ("ACT", "ACT16"):
            for b in affected:
                rows[b] = head.row
        elif name in ("PRE", "PREA", "WRA16"):
            for b in affected:
                rows[b] = CLOSED
        self._attribute(name, head, now)
        if name == head.command.name:
            self._buffer.popleft()
            if not head.blocking:
                self._writes_done = max(self._writes_done, now + self._latency.get(name, 1))

    def _attribute(self, name: str, head: _Device, now: int) -> None:
        gap = now - self._last_issue
        if name == "TMOD":
            self.causes["turnaround"] += gap
            self._switched = True
        elif name != head.command.name:
            self.causes["mode" if self._switched else "row_switch"] += gap
            self._switched, self._reopened = False, True
        else:
            slot = min(gap, self.timing["t_ccd_l"])
            self.causes[head.cause] += slot
            rest = "mode" if self._switched else "row_switch" if self._reopened else "turnaround"
            self.causes[rest] += gap - slot
            self._switched = self._reopened = False
        self._last_issue = now
