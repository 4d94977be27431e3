"""The stepped model of a memory controller: each command in the cycle in which RTL issues it.

Cycle 0 is the first after reset. Rules as in `hw.rtl.dram_pim.controller`: one descriptor at a time, its commands in
order, each as soon as the timing rules allow it; a due refresh goes before everything else.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from model.cycle.dram_pim.bank import CLOSED, Banks

LOOK_CYCLES = 3
"""From the cycle in which a descriptor is taken to the first in which a command of it can be issued."""

NEVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing a descriptor needs done.

    Parameters
    ----------
    act : str
        A column command, or "open" or "close" for a row for its own sake.
    label : str
        Of the cycle in which its column command is issued.
    bank, row, column, accumulator : int
        Where the command acts: place in the channel, and on AiM the register of the accumulators (else 0).
    shared : int
        Word of the shared memory that the command carries there or back.
    data : str
        What a write carries: "shared", "zero", "one" or "program"; "" nothing.
    register_mode : bool
        It is legal in register mode only.
    rows : bool
        Its row must be open first, in every bank if `wide`.
    wide : bool
        Rows are opened and closed in all banks at once.
    holds : bool
        A due refresh waits.
    enters, leaves : bool
        With it the channel is in an all-bank mode, or is no longer.
    """

    act: str
    label: str
    bank: int = 0
    row: int = 0
    column: int = 0
    accumulator: int = 0
    shared: int = 0
    data: str = ""
    register_mode: bool = False
    rows: bool = True
    wide: bool = False
    holds: bool = False
    enters: bool = False
    leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A command on the channel's port.

    `word`: what it carries if that is no word of the shared memory.

    Parameters
    ----------
    cycle : int
        In which it is issued; 0 is the first after reset.
    name : str
        Device command.
    bank : int
        Bank it names, -1: none, it acts on the whole channel.
    row : int
        Row of the need on whose way it is issued; 0 on the way to a refresh.
    need : Need or None
        What it does itself; None for commands that only prepare a need, and for those of a refresh.
    """

    cycle: int
    name: str
    bank: int
    row: int
    need: Need | None
    word: int = 0


class Controller(ABC):
    """One controller and the timing of its channel.

    Attributes: `now`, the first cycle not yet accounted for, behind the end of a refresh under way; `labels`, cycles of
    each label before it; `free`, the first cycle in which the next descriptor can be taken, during a refresh as well.

    Parameters
    ----------
    spec : ControllerSpec
    timing : Timing
    labels : iterable of str
    moved : mapping
        Command -> cycles from its issue until its word has moved, where that is not 1.
    watch : callable
        Called with every command issued.
    """

    def __init__(
        self,
        spec: ControllerSpec,
        timing: Timing,
        labels: Iterable[str],
        moved: Mapping[str, int],
        watch: Callable[[Issued], None] = lambda _: None,
    ) -> None:
        self.spec, self.timing, self.moved, self.watch = spec, timing, moved, watch
        self.now = self.free = 0
        self.labels = dict.fromkeys(labels, 0)
        self.banks = Banks(timing, spec.pim.dram.organisation)
        self.due = timing["t_refi"] if spec.refresh else NEVER
        self.after = "turnaround"
        self.program = 0

    @abstractmethod
    def read(self, word: int, pointed: Callable[[int], int]) -> tuple[int, Iterator[Need]]:
        """The refusal code of a descriptor, or 0, and what it needs; `pointed` reads the shared memory."""

    @abstractmethod
    def _next(self, need: Need) -> tuple[str, int | None, str]:
        """The command to issue next on the way to `need` ("" if it is met), its bank if it names one, its class."""

    @abstractmethod
    def _clear(self) -> tuple[str, int | None]:
        """The command to issue next on the way to a refresh, REF itself at last."""

    @abstractmethod
    def _reached(self, name: str, bank: int | None) -> tuple[int, ...]:
        """Banks whose rules bind a command and whose rows it opens or closes; () for all, by rules of the channel."""

    def run(self, word: int, offered: int = 0, pointed: Callable[[int], int] = lambda _: 0) -> tuple[int, int]:
        """One descriptor, there from cycle `offered` on: the cycle in which it is done or refused, its refusal code.

        It is taken then, or in the cycle after the end of the one before if that is later: a refresh under way does not
        delay the taking, only the commands. `pointed` gives the low 16 bits of a word of the shared memory.
        """
        taken = max(self.free, offered)
        self.elapse(taken + 1, "idle")
        code, needs = self.read(word, pointed)
        live = taken + LOOK_CYCLES
        self.elapse(live, "prepare")
        if code:
            self.free = live
            return live - 1, code
        end = 0
        for need in needs:
            end = max(end, self._serve(need))
        self.free = end + 1
        self.elapse(self.free, "drain")
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

    def _earliest(self, name: str, bank: int | None) -> int:
        banks = self._reached(name, bank)
        command = self.banks.commands[name]
        return self.banks.earliest_of(command, banks) if banks else self.banks.earliest(command)

    def _refresh(self) -> None:
        """Serve the refresh that is due now, or was while another was served."""
        while True:
            name, bank = self._clear()
            at = max(self.now, self.due, self._earliest(name, bank))
            self._mark(at + 1, "refresh")
            self._issue(name, bank, 0, at, None)
            if name == "REF":
                break
        self.after = "refresh"
        self.due += self.timing["t_refi"]

    def _serve(self, need: Need) -> int:
        """Issue what `need` needs before it, and its command; the cycle in which its word has moved."""
        while True:
            if self.now >= self.due and not need.holds:
                self._refresh()
                continue
            name, bank, kind = self._next(need)
            if not name:
                self._mark(self.now + 1, "mode")
                return self.now + 1
            at = max(self.now, self._earliest(name, bank))
            waits = self.after
            if kind != "column":
                waits = "mode" if kind == "mode" else "refresh" if self.after == "refresh" else "row_switch"
            if at >= self.due and not need.holds:
                self._mark(self.due, waits)
                continue
            own = name == {"open": "ACT", "close": "PRE"}.get(need.act, need.act)
            self._mark(at, waits)
            self._mark(at + 1, need.label if kind == "column" else waits)
            self._issue(name, bank, need.row, at, need if own else None)
            self.after = {"mode": "mode", "row": "row_switch", "column": "turnaround"}[kind]
            if own:
                return at + self.moved.get(name, 1)

    def _issue(self, name: str, bank: int | None, row: int, now: int, need: Need | None) -> None:
        reached = self._reached(name, bank)
        command = self.banks.commands[name]
        if reached:
            self.banks.issue_all(command, reached, now)
        else:
            self.banks.issue(command, None, now)
        rows = self.banks.open_row
        for b in reached or range(len(rows)):
            if name.startswith("ACT"):
                rows[b] = row
            elif name.startswith("PRE"):
                rows[b] = CLOSED
        self.watch(Issued(
            cycle=now, name=name, bank=-1 if bank is None else bank, row=row, need=need,
            word=self.program if need is not None and need.data == "program" else need is not None
            and need.data == "one"))  # fmt: skip
