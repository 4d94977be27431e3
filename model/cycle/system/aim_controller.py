"""The stepped model of the memory controller of a GDDR6-AiM channel: each command in the cycle in which RTL issues it.

Cycle 0 is the first after reset. Rules as in `hw.rtl.dram_pim.controller.aim`: one descriptor at a time, its commands
in order, each as soon as the timing rules allow it; a due refresh goes before everything else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hw.spec.dram import Timing
from hw.spec.memory_controller import CONTROLLER_LABELS, ControllerSpec, moved_after
from model.cycle.dram_pim.bank import CLOSED, Banks
from model.cycle.system.descriptor import Need, fields_of, needs, refusal

LOOK_CYCLES = 3
"""From the cycle in which a descriptor is taken to the first in which a command of it can be issued."""

NEVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A command on the channel's port: cycle, name, bank (-1: all), and the need it serves itself, if it does."""

    cycle: int
    name: str
    bank: int
    row: int
    need: Need | None


@dataclass(slots=True)
class AimController:
    """One controller and the timing of its channel. `watch` is called with every command issued.

    Attributes: `now`, the first cycle not yet accounted for; `labels`, cycles of each label before it.
    """

    spec: ControllerSpec
    timing: Timing
    watch: Callable[[Issued], None] = lambda _: None
    now: int = 0
    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CONTROLLER_LABELS, 0))
    banks: Banks = field(init=False)
    moved: dict[str, int] = field(init=False)
    due: int = field(init=False)
    register_mode: bool = False
    after: str = "turnaround"

    def __post_init__(self) -> None:
        self.banks = Banks(self.timing, self.spec.pim.dram.organisation)
        self.moved = moved_after(self.timing)
        self.due = self.timing["t_refi"] if self.spec.refresh else NEVER

    def run(self, word: int, taken: int, pointed: Callable[[int], int] = lambda _: 0) -> tuple[int, int]:
        """One descriptor, taken in cycle `taken`: the cycle in which it is done or refused, and its refusal code.

        `pointed` gives the low 16 bits of a word of the shared memory.
        """
        self.elapse(taken + 1, "idle")
        fields = fields_of(word)
        address = fields.get("address", 0)
        if fields.get("indirect") and fields["pointer"] < self.spec.shared_words:
            further, bank = divmod(pointed(fields["pointer"]), self.spec.pim.dram.organisation.banks)
            address += further * fields["scale"] + bank
        code = refusal(self.spec, fields, address)
        live = taken + LOOK_CYCLES
        self.elapse(live, "prepare")
        if code:
            return live - 1, code
        end = 0
        for need in needs(self.spec, fields, address):
            end = max(end, self._serve(need) + self.moved.get(need.command, 1))
        self.elapse(end + 1, "drain")
        return end, 0

    def elapse(self, until: int, label: str) -> None:
        """Let the cycles before `until` pass with no command of a descriptor; refreshes that fall due are served."""
        while self.due < until:
            self._mark(self.due, label)
            self._refresh()
        self._mark(until, label)

    def _mark(self, until: int, label: str) -> None:
        if until > self.now:
            self.labels[label] += until - self.now
            self.now = until

    def _refresh(self) -> None:
        """Serve the refresh that is due now, or was while another was served."""
        while True:
            if self.register_mode:
                name = "TMOD"
            else:
                name = "PREA" if any(row != CLOSED for row in self.banks.open_row) else "REF"
            at = max(self.now, self.due, self.banks.earliest(self.banks.commands[name]))
            self._mark(at + 1, "refresh")
            self._issue(name, None, 0, at, None)
            if name == "REF":
                break
        self.after = "refresh"
        self.due += self.timing["t_refi"]

    def _serve(self, need: Need) -> int:
        """Issue what `need` needs before it, and its command; the cycle of that."""
        while True:
            if self.now >= self.due:
                self._refresh()
                continue
            name, bank = self._next(need)
            kind = "mode" if name == "TMOD" else "column" if name == need.command else "row"
            at = max(self.now, self.banks.earliest(self.banks.commands[name], bank))
            waits = (
                self.after
                if kind == "column"
                else "mode"
                if kind == "mode"
                else ("refresh" if self.after == "refresh" else "row_switch")
            )
            if at >= self.due:
                self._mark(self.due, waits)
                continue
            self._mark(at, waits)
            self._mark(at + 1, need.label if kind == "column" else waits)
            self._issue(name, bank, need.row, at, need if kind == "column" else None)
            self.after = {"mode": "mode", "row": "row_switch", "column": "turnaround"}[kind]
            if kind == "column":
                return at

    def _next(self, need: Need) -> tuple[str, int | None]:
        """The command to issue next on the way to `need`, and its bank if it names one."""
        rows = self.banks.open_row
        if self.register_mode and not need.register_mode:
            return "TMOD", None
        if not self.register_mode and need.rows:
            if need.wide:
                if any(row != need.row for row in rows):
                    return ("ACT16" if all(row == CLOSED for row in rows) else "PREA"), None
            elif rows[need.bank] != need.row:
                return ("ACT" if rows[need.bank] == CLOSED else "PRE"), need.bank
        if need.register_mode and not self.register_mode:
            return "TMOD", None
        return need.command, need.bank if self.spec.pim.commands.command(need.command).scope == "bank" else None

    def _issue(self, name: str, bank: int | None, row: int, now: int, need: Need | None) -> None:
        self.banks.issue(self.banks.commands[name], bank, now)
        operations = self.spec.pim.commands.command(name).operations
        rows = self.banks.open_row
        for b in range(len(rows)) if bank is None else (bank,):
            if "open_row" in operations:
                rows[b] = row
            elif "close_row" in operations:
                rows[b] = CLOSED
        if "toggle_mode" in operations:
            self.register_mode = not self.register_mode
        self.watch(Issued(cycle=now, name=name, bank=-1 if bank is None else bank, row=row, need=need))
