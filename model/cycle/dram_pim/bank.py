"""Bank state machines of one channel, driven by a device's rule table: delays between two commands (tRCD, tRP, tCCD,
tRRD, refresh) and windows over several, as the four-activate window tFAW. RTL: `hw.rtl.dram_pim.bank_timing`."""

from collections import deque

from hw.base.error import InputError
from hw.spec.dram import Organisation, Timing

CLOSED = -1


def _note(ready: list[int], after: tuple[tuple[int, int], ...], now: int) -> None:
    for command, cycles in after:
        t = now + cycles
        if t > ready[command]:
            ready[command] = t


class Banks:
    """When each command is legal next, at every node of the channel (channel, bank groups, banks), and the open rows.

    Three verbs: `earliest` says from which cycle a command is legal by timing, `probe` whether it is legal now in
    every respect, `issue` does it. A command that names no bank is bound by channel rules only.
    """

    __slots__ = (
        "_after",
        "_banks",
        "_groups",
        "_history",
        "_plans",
        "_sets",
        "_windowed",
        "_windows",
        "commands",
        "group_of",
        "open_row",
        "ready",
    )

    def __init__(self, timing: Timing, organisation: Organisation) -> None:
        names = sorted({c for rule in timing.rules for c in (*rule.before, *rule.after)})
        self.commands: dict[str, int] = {name: i for i, name in enumerate(names)}
        self._groups = organisation.bank_groups
        self._banks = organisation.banks
        self.group_of = [1 + bank // organisation.banks_per_group for bank in range(self._banks)]
        count = len(names)
        # nodes: 0 the channel, then bank groups, then banks
        self.ready: list[list[int]] = [[0] * count for _ in range(1 + self._groups + self._banks)]
        self.open_row: list[int] = [CLOSED] * self._banks
        after: dict[str, list[dict[int, int]]] = {lv: [{} for _ in names] for lv in ("channel", "bank_group", "bank")}
        self._windows: list[tuple[int, tuple[int, ...], tuple[int, ...], int, int]] = []
        for rule in timing.rules:
            level = "channel" if rule.level == "rank" else rule.level
            before = tuple(self.commands[c] for c in rule.before)
            bound = tuple(self.commands[c] for c in rule.after)
            if rule.window > 1:
                if level != "channel":
                    raise InputError("a rule with a window must be at channel or rank level, not at " + level)
                self._windows.append((len(self._windows), before, bound, rule.cycles, rule.window))
                continue
            for b in before:
                for a in bound:
                    after[level][b][a] = max(after[level][b].get(a, 0), rule.cycles)
        # a rule at a bank group or bank that never outlasts the same one above it binds nothing
        for above, below in (("channel", "bank_group"), ("channel", "bank"), ("bank_group", "bank")):
            for b, bound in enumerate(after[below]):
                after[below][b] = {a: c for a, c in bound.items() if c > after[above][b].get(a, 0)}
        self._after = [[tuple(d.items()) for d in after[lv]] for lv in ("channel", "bank_group", "bank")]
        self._windowed = [any(c in w[1] for w in self._windows) for c in range(count)]
        self._history: list[deque[int]] = [deque(maxlen=w[4]) for w in self._windows]
        # of commands that reach several banks: the nodes, and (node, later command, cycles) for each rule there
        self._sets: dict[tuple[int, ...], list[list[int]]] = {}
        self._plans: dict[tuple[int, tuple[int, ...]], list[tuple[list[int], int, int]]] = {}

    def earliest(self, command: int, bank: int | None = None) -> int:
        """First cycle at which the timing rules allow `command` (an index of `commands`)."""
        t = self.ready[0][command]
        if bank is not None:
            g = self.ready[self.group_of[bank]][command]
            b = self.ready[1 + self._groups + bank][command]
            if g > t:
                t = g
            if b > t:
                t = b
        return t

    def earliest_of(self, command: int, banks: tuple[int, ...]) -> int:
        """The same for one command that reaches several banks at once."""
        if len(banks) == 1:
            return self.earliest(command, banks[0])
        nodes = self._sets.get(banks)
        if nodes is None:
            nodes = self._sets[banks] = [node for level in self._nodes(banks) for node in level]
        return max([node[command] for node in nodes])

    def _nodes(self, banks: tuple[int, ...]) -> tuple[list[list[int]], ...]:
        """The channel, and the bank groups and banks a command to `banks` reaches."""
        groups = sorted({self.group_of[bank] for bank in banks})
        first = 1 + self._groups
        return [self.ready[0]], [self.ready[g] for g in groups], [self.ready[first + bank] for bank in banks]

    def spacing(self, command: int, *, one_bank: bool = True) -> int:
        """Cycles between two successive issues of `command` to the same banks, or to the channel alone; at least 1."""
        levels = self._after if one_bank else self._after[:1]
        return max(1, *(dict(level[command]).get(command, 0) for level in levels))

    def in_a_window(self, command: int) -> bool:
        """True if a rule counts the issues of `command` over a window."""
        return self._windowed[command]

    def issue(self, command: int, bank: int | None, now: int) -> None:
        """Take note of `command` at cycle `now`: later commands wait as the rules say. Rows are the caller's."""
        channel, group, each = self._after
        _note(self.ready[0], channel[command], now)
        if bank is not None:
            if group[command]:
                _note(self.ready[self.group_of[bank]], group[command], now)
            _note(self.ready[1 + self._groups + bank], each[command], now)
        if self._windowed[command]:
            self._note_windows(command, now)

    def issue_all(self, command: int, banks: tuple[int, ...], now: int) -> None:
        """The same for one command that reaches several banks at once; the channel sees it once."""
        if len(banks) == 1:
            self.issue(command, banks[0], now)
            return
        plan = self._plans.get((command, banks))
        if plan is None:
            plan = self._plans[command, banks] = [
                (node, later, cycles)
                for level, nodes in enumerate(self._nodes(banks))
                for node in nodes
                for later, cycles in self._after[level][command]
            ]
        for node, later, cycles in plan:
            t = now + cycles
            if node[later] < t:
                node[later] = t
        if self._windowed[command]:
            self._note_windows(command, now)

    def probe(self, name: str, bank: int | None, row: int, now: int) -> bool:
        """True if command `name` is legal at `now`: timing, and the row state ACT, PRE, RD, WR and REF ask for."""
        if now < self.earliest(self.commands[name], bank):
            return False
        if name == "REF":
            return all(r == CLOSED for r in self.open_row)
        if bank is None:
            return True
        if name == "ACT":
            return self.open_row[bank] == CLOSED
        if name in ("RD", "WR"):
            return self.open_row[bank] == row
        return True

    def relative(self, now: int) -> tuple[int, ...]:
        """The timing state as seen from `now`: equal tuples behave alike from there on."""
        state = [t - now if t > now else 0 for node in self.ready for t in node]
        for (_, _, _, cycles, window), history in zip(self._windows, self._history, strict=True):
            state.extend([-cycles] * (window - len(history)))  # never issued: too long ago to bind
            state.extend(max(t - now, -cycles) for t in history)
        return tuple(state)

    def restore(self, relative: tuple[int, ...], now: int) -> None:
        """The inverse of `relative`."""
        i = 0
        for node in self.ready:
            node[:] = [t + now for t in relative[i : i + len(node)]]
            i += len(node)
        for (_, _, _, _, window), history in zip(self._windows, self._history, strict=True):
            history.clear()
            history.extend(relative[i + k] + now for k in range(window))
            i += window

    def _note_windows(self, command: int, now: int) -> None:
        for index, before, bound, cycles, window in self._windows:
            if command in before:
                history = self._history[index]
                history.append(now)
                if len(history) == window:
                    for other in bound:
                        self.ready[0][other] = max(self.ready[0][other], history[0] + cycles)
