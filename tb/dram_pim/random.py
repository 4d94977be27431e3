"""Random command streams for an HBM-PIM channel, with what the model says each command does.

Every command is played at the cycle the model says is the first legal one, and also one cycle earlier where the
timing rules alone forbid that; some commands are arbitrary and mostly illegal.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, PimSpec
from model.cycle.dram_pim.bank import CLOSED
from model.functional.hbm_pim import HbmPimDevice
from tb.dram_pim.checker import Reached
from tb.dram_pim.driver import Played

Cells = dict[tuple[int, int], np.ndarray]


@dataclass(slots=True)
class Expected:
    """A stream and all it must cause.

    Parameters
    ----------
    commands : list of Played
        The stream, in ascending order of cycles; refused commands are in it.
    reasons : list of int
        By command: the code in `hw.spec.pim.ERRORS` it must be refused with, 0 if it must be accepted.
    words : list of int
        Data words that must be read, in order, lane 0 in the low bits.
    counts : Counter of str
        Event of the channel -> how often it must be counted.
    accepted : list of Reached
        Cycle and name of each accepted command with the banks it reached, None for the channel as a whole.
    first_error : int
        Code of the first refused command, which the sticky status must show; 0 if none is refused.
    """

    commands: list[Played] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    accepted: list[Reached] = field(default_factory=list)
    first_error: int = 0


def to_integer(word: np.ndarray) -> int:
    """A word of lanes, lane 0 in the low bits."""
    return int.from_bytes(np.ascontiguousarray(word, dtype="<u2").tobytes(), "little")


class Recorder:
    """A device that is told commands and writes down what it did."""

    def __init__(self, spec: PimSpec, timing: Timing, cells: Cells) -> None:
        self.spec = spec
        self.device = HbmPimDevice(spec, timing)
        self.device.rows = cells
        self.expected = Expected()
        self.now = -1

    def issue(self, at: int, name: str, bank: int, row: int, column: int, data: np.ndarray | None) -> int:
        """One command at cycle `at`; the code it is refused with, or 0."""
        device, e = self.device, self.expected
        mode, before, targets = device.mode, Counter(device.instructions), device._targets(bank)
        device.error = 0
        answer = device.issue(name, bank, row, column, at, data)
        reason = device.error
        self.now = at
        e.commands.append(Played(at, name, bank, row, column, None if data is None else to_integer(data)))
        e.reasons.append(reason)
        e.first_error = e.first_error or reason
        if reason:
            return reason
        e.accepted.append((at, name, None if name == "REF" else targets))
        reserved = device._reserved(row)
        trigger = name in ("RD", "WR") and mode == "HAB_PIM" and not reserved
        single = mode == self.spec.modes[0]
        if name == "RD" and not trigger:
            e.words.append(to_integer(answer))
        done = Counter(device.instructions) - before
        e.counts.update(
            {
                "activate": name == "ACT" and single,
                "activate_broadcast": name == "ACT" and not single,
                "precharge": name == "PRE",
                "refresh": name == "REF",
                "read": name == "RD" and not trigger,
                "write": name == "WR" and not trigger and not reserved,
                "control": name == "WR" and reserved,
                "mac": done["MAC"] + done["MAD"],
                "compute": done["ADD"] + done["MUL"] + done["MOV"] + done["FILL"],
                "store": done["NOP"] if name == "WR" else 0,
                "idle_trigger": trigger and (not done or (bool(done["NOP"]) and name == "RD")),
            }
        )
        return 0


class RandomStreams(Recorder):
    """One random walk through modes, rows, programs and triggers."""

    def __init__(
        self,
        spec: PimSpec,
        timing: Timing,
        cells: Cells,
        rng: np.random.Generator,
        *,
        rows: int,
    ) -> None:
        super().__init__(spec, timing, cells)
        self.rng = rng
        self.data_rows = [int(r) for r in rng.integers(0, rows, 3)]
        self.register_row = spec.register("CRF").row or 0
        self.columns = spec.dram.organisation.columns
        self.banks = spec.dram.organisation.banks

    # ---- commands

    def do(self, name: str, bank: int, row: int = 0, column: int = 0, data: np.ndarray | None = None) -> int:
        """Play a command one cycle too early, if timing alone forbids that, and then when it is first legal (now and
        then later)."""
        banks = self.device.banks
        index = banks.commands[name]
        first = banks.earliest(index) if name == "REF" else banks.earliest_of(index, self.device._targets(bank))
        if first > self.now + 1:
            self.issue(first - 1, name, bank, row, column, data)
        late = int(self.rng.integers(1, 6)) if self.rng.random() < 0.1 else 0
        return self.issue(max(first, self.now + 1) + late, name, bank, row, column, data)

    def anything(self) -> None:
        """An arbitrary command at once."""
        rng = self.rng
        name = str(rng.choice(("ACT", "PRE", "RD", "WR", "REF")))
        row = int(rng.choice((*self.data_rows, 0x17FF, 0x1FFF, self.register_row, self.spec.park_row or 0)))
        data = self.word() if name == "WR" else None
        self.issue(self.now + 1, name, int(rng.integers(self.banks)), row, int(rng.integers(self.columns)), data)

    def word(self) -> np.ndarray:
        """Lanes of ordinary values, or of arbitrary codes: subnormal, infinite and not a number included."""
        rng, lanes = self.rng, self.spec.lanes
        if rng.random() < 0.5:
            return rng.integers(0, 1 << 16, lanes).astype(np.uint16)
        return rng.normal(size=lanes).astype(np.float16).view(np.uint16)

    def close(self) -> None:
        """Close every bank."""
        for bank in range(self.banks):
            if self.device.banks.open_row[bank] != CLOSED:
                self.do("PRE", bank)

    # ---- passages

    def plain(self, steps: int) -> None:
        """Ordinary traffic, some of it nonsense; a refresh now and then."""
        rng = self.rng
        for _ in range(steps):
            draw, bank = rng.random(), int(rng.integers(self.banks))
            row = self.device.banks.open_row[bank]
            column = int(rng.integers(self.columns))
            if draw < 0.05:
                self.anything()
            elif draw < 0.09:
                self.close()
                self.do("REF", 0)
            elif row == CLOSED:
                self.do("ACT", bank, int(rng.choice(self.data_rows)))
            elif draw < 0.2:
                self.do("PRE", bank)
            elif draw < 0.6:
                self.do("RD", bank, row, column)
            else:
                self.do("WR", bank, row, column, self.word())

    def enter(self) -> None:
        """To the all-bank mode."""
        change = self.spec.change("SB", "HAB")
        self.close()
        for bank in self.rng.permutation(change.banks):
            self.do("ACT", int(bank), change.row)

    def leave(self) -> None:
        """Back to plain DRAM, with every bank closed."""
        if self.device.mode == "HAB_PIM":
            self.leader(0, self.register_row)
            self.do("WR", 0, self.register_row, 0, np.zeros(self.spec.lanes, np.uint16))
        change = self.spec.change("HAB", "SB")
        for bank in change.banks:
            if self.device.mode == "HAB":
                self.leader(bank, change.row)
        for bank in change.banks:
            if self.device.mode == "HAB":
                self.do("PRE", bank)
        self.close()

    def leader(self, bank: int, row: int) -> None:
        """Open `row` in all banks of the parity of `bank`."""
        rows = self.device.banks.open_row[bank::2]
        if all(r == row for r in rows):
            return
        if any(r != CLOSED for r in rows):
            self.do("PRE", bank)
        self.do("ACT", bank, row)

    def load(self) -> None:
        """A random program and some registers."""
        rng, row = self.rng, self.register_row
        bank = int(rng.integers(2))
        self.leader(bank, row)
        program = np.array(random_program(self.spec, rng), dtype=np.uint32).view(np.uint16)
        for file in self.spec.registers:
            for i in range(file.columns):
                if file.name == "CRF":
                    data = program.reshape(file.columns, -1)[i]
                elif rng.random() < 0.5:
                    data = self.word()
                else:
                    continue
                self.do("WR", bank, row, (file.column or 0) + i, data)

    def triggers(self, steps: int) -> None:
        """The PIM mode: triggers, row changes, register writes, nonsense."""
        rng = self.rng
        self.leader(0, self.register_row)
        data = self.word()
        data[0] |= 1
        self.do("WR", 0, self.register_row, 0, data)
        for parity in (0, 1):
            self.leader(parity, int(rng.choice(self.data_rows)))
        bank, other = 0, False
        for _ in range(steps):
            bank, draw = 1 - bank if other else int(rng.integers(2)), rng.random()
            row = self.device.banks.open_row[bank]
            if draw < 0.03:
                self.anything()
            elif draw < 0.06:
                self.leader(bank, int(rng.choice((*self.data_rows, self.register_row))))
            elif row == CLOSED or any(r != row for r in self.device.banks.open_row[bank::2]):
                self.leader(bank, int(rng.choice(self.data_rows)))
            elif row == self.register_row:
                column = int(rng.choice((1, *range(8, 16), *range(24, 32))))
                self.do("WR", bank, row, column, self.word())
                self.leader(bank, int(rng.choice(self.data_rows)))
            else:
                write = draw < 0.3
                reason = self.do(
                    "WR" if write else "RD", bank, row, int(rng.integers(self.columns)), self.word() if write else None
                )
                other = reason == ERRORS["bank_mismatch"]
                if reason in (ERRORS["unknown_opcode"], ERRORS["jump_range"]):
                    return

    def stream(self, length: int) -> Expected:
        """A whole stream of about `length` commands."""
        self.plain(int(self.rng.integers(length // 4, length // 2)))
        for _ in range(int(self.rng.integers(1, 3))):
            self.enter()
            if self.rng.random() < 0.2:
                self.close()
                self.do("REF", 0)
            self.load()
            self.triggers(length // 2)
            self.leave()
            self.plain(length // 8)
        return self.expected


def random_program(spec: PimSpec, rng: np.random.Generator) -> list[int]:
    """Instruction words; most can be executed, few are arbitrary."""
    table = spec.commands
    words = []
    for place in range(spec.register("CRF").entries):
        if rng.random() < 0.02:
            words.append(int(rng.integers(1 << 32)))
            continue
        name = str(
            rng.choice(
                ("ADD", "MUL", "MAC", "MAD", "MOV", "FILL", "NOP", "JUMP", "EXIT"),
                p=(0.14, 0.14, 0.2, 0.14, 0.12, 0.06, 0.08, 0.1, 0.02),
            )
        )
        values: dict[str, int] = {}
        parity = ("EVEN_BANK", "ODD_BANK")[int(rng.integers(2))]
        kinds = [k for k in table.operands if k not in ("EVEN_BANK", "ODD_BANK")]
        for item in table.command(name).fields:
            mask = table.field(item).mask
            if item in ("destination", "source_0", "source_1", "source_2"):
                banks = [parity, parity] if item != "destination" or name == "MOV" else []
                values[item] = table.operands[str(rng.choice([*kinds, *banks]))]
            elif item == "offset":
                values[item] = int(rng.integers(1, min(place + 1, 5) + 1))
            elif item == "iterations" or item == "count":
                values[item] = int(rng.integers(0, 4))
            else:
                values[item] = int(rng.integers(mask + 1))
        words.append(table.encode(name, values))
    return words
