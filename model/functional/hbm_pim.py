"""One HBM-PIM channel that holds data: banks, modes, registers and units, interpreting micro-operations.

Timing and row states are checked by the rule table. A refused command sets the sticky error status (the first one
stays) and changes nothing else.
"""

import numpy as np

from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, JUMPS_PER_TRIGGER, PimSpec, aligned_index
from hw.spec.pim_command import Command
from model.cycle.dram_pim.bank import CLOSED, Banks
from model.number.half import fp16_add, fp16_multiply, fp16_relu

_BANK = {"EVEN_BANK": 0, "ODD_BANK": 1}


class HbmPimDevice:
    """Words are uint16 arrays of `lanes` FP16 codes.

    A row that `rows` lacks holds zeros; a mapping that makes what it lacks says what cells hold that nobody wrote.

    `check_timing` False accepts commands at any time, for use without a schedule.
    """

    def __init__(self, spec: PimSpec, timing: Timing, *, check_timing: bool = True) -> None:
        self.spec = spec
        self.check_timing = check_timing
        self.banks = Banks(timing, spec.dram.organisation)
        self.bank_count = spec.dram.organisation.banks
        self.columns = spec.dram.organisation.columns
        self.mode = spec.modes[0]
        self.error = 0
        self.rows: dict[tuple[int, int], np.ndarray] = {}
        lanes, units = spec.lanes, spec.units
        entries = spec.register("GRF_A").entries
        self.grf = {
            "GRF_A": np.zeros((units, entries, lanes), np.uint16),
            "GRF_B": np.zeros((units, entries, lanes), np.uint16),
        }
        self.srf = np.zeros((units, spec.register("SRF").entries), np.uint16)
        self.latch = {"A_OUT": np.zeros((units, lanes), np.uint16), "M_OUT": np.zeros((units, lanes), np.uint16)}
        self.crf = [0] * spec.register("CRF").entries
        self.counter = self.repeat = self.jump = 0
        self.jump_place = self.repeat_place = -1
        self.halted = False
        self.instructions: dict[str, int] = {}
        self._reached: dict[tuple[str, str], frozenset[int]] = {}

    # ---- the command port

    def issue(
        self,
        name: str,
        bank: int,
        row: int,
        column: int,
        now: int,
        data: np.ndarray | None = None,
    ) -> np.ndarray:
        """One command at cycle `now`; the word on the data bus for a plain read, else zeros.

        In an all-bank mode a command to bank 0 (1) acts on all even (odd) banks; other banks accept only PRE and
        column commands to reserved rows, which do nothing there.
        """
        zeros = np.zeros(self.spec.lanes, np.uint16)
        targets = self._targets(bank)
        index = self.banks.commands[name]
        reason = self._refuse(name, bank, row, targets, index, now)
        if not reason and name in ("RD", "WR"):
            reason, answer = self._column(name == "WR", bank, row, column, zeros if data is None else data, targets)
        else:
            answer = None
        if reason:
            self.error = self.error or ERRORS[reason]
            return zeros
        if name == "REF":
            self.banks.issue(index, None, now)
            return zeros
        self.banks.issue_all(index, targets, now)
        open_row = self.banks.open_row[bank]
        if name in ("ACT", "PRE"):
            for b in targets:
                self.banks.open_row[b] = row if name == "ACT" else CLOSED
            self._change_mode(name, bank, row if name == "ACT" else open_row, column, 0)
        elif name == "WR" and data is not None:
            self._change_mode(name, bank, row, column, int(data[0]))
        return zeros if answer is None else answer

    def _reserved(self, row: int) -> bool:
        bit = self.spec.row_without_trigger_bit
        return bit is not None and bool(row >> bit & 1)

    def _targets(self, bank: int) -> tuple[int, ...]:
        if bank >= 2 or self.mode == self.spec.modes[0]:
            return (bank,)
        return tuple(range(bank, self.bank_count, 2))

    def _refuse(self, name: str, bank: int, row: int, targets: tuple[int, ...], index: int, now: int) -> str:
        rows = self.banks.open_row
        if name == "REF":
            if any(r != CLOSED for r in rows):
                return "wrong_row_state"
            return "early" if self.check_timing and now < self.banks.earliest(index) else ""
        if (
            self.mode != self.spec.modes[0]
            and bank >= 2
            and name != "PRE"
            and (name == "ACT" or not self._reserved(row))
        ):
            return "wrong_mode"
        if name == "ACT" and any(rows[b] != CLOSED for b in targets):
            return "wrong_row_state"
        if name in ("RD", "WR") and any(rows[b] != row for b in targets):
            return "wrong_row_state"
        if self.check_timing and now < self.banks.earliest_of(index, targets):
            return "early"
        return ""

    # ---- column commands

    def _column(
        self,
        write: bool,
        bank: int,
        row: int,
        column: int,
        data: np.ndarray,
        targets: tuple[int, ...],
    ) -> tuple[str, np.ndarray | None]:
        """(reason of refusal or "", word read) of a column command whose row is open."""
        single = self.mode == self.spec.modes[0]
        if self._reserved(row):
            if write and not single and bank < 2:
                self._write_register(row, column, data)
            return "", None
        if single:
            if write:
                self.row(bank, row)[column] = data
                return "", None
            return "", self.row(bank, row)[column].copy()
        if self.mode != "HAB_PIM":
            return "wrong_mode", None
        return self._trigger(write, bank, row, column), None

    def row(self, bank: int, row: int) -> np.ndarray:
        """The columns of a row, as they are in the bank: an array (columns, lanes) that may be written."""
        try:
            return self.rows[bank, row]
        except KeyError:
            return self.rows.setdefault((bank, row), np.zeros((self.columns, self.spec.lanes), np.uint16))

    def _write_register(self, row: int, column: int, data: np.ndarray) -> None:
        for file in self.spec.registers:
            if file.row != row or file.column is None or not file.column <= column < file.column + file.columns:
                continue
            entry = column - file.column
            if file.name in self.grf:
                self.grf[file.name][:, entry] = data
            elif file.name == "SRF":
                self.srf[:] = data
            elif file.name == "CRF":
                words = np.ascontiguousarray(data, dtype=np.uint16).view(np.uint32)
                self.crf[entry * len(words) : (entry + 1) * len(words)] = [int(w) for w in words]

    def _change_mode(self, command: str, bank: int, row: int, column: int, data: int) -> None:
        for change in self.spec.mode_changes:
            if (
                change.before != self.mode
                or change.command != command
                or change.row != row
                or bank not in change.banks
                or change.column not in (None, column)
                or change.data_bit not in (None, data & 1)
            ):
                continue
            key = (change.before, change.after)
            reached = self._reached.get(key, frozenset()) | {bank}
            self._reached[key] = reached
            if len(reached) == len(change.banks):
                self._reached[key] = frozenset()
                self.mode = change.after
                if change.after == "HAB_PIM":
                    self._start()
            return

    def _start(self) -> None:
        """Entering the PIM mode: from the first instruction, accumulating registers at +0."""
        self.counter = self.repeat = self.jump = 0
        self.jump_place = self.repeat_place = -1
        self.halted = False
        self.grf["GRF_B"][:] = 0

    # ---- the instruction sequencer

    def _trigger(self, write: bool, bank: int, row: int, column: int) -> str:
        """Execute one instruction; the reason if it is refused."""
        place, jump, jump_place, jumps = self.counter, self.jump, self.jump_place, 0
        while not self.halted:
            word = self.crf[place]
            command = self.spec.commands.by_opcode(word >> self.spec.commands.field("opcode").low & 15)
            if command is None:
                return "unknown_opcode"
            _, values = self.spec.commands.decode(word)
            if "branch" in command.operations:
                jumps += 1
                if jump_place != place:
                    jump_place, jump = place, values["iterations"]
                target = place - values["offset"] + 1 if jump else place + 1
                jump -= bool(jump)
                if not 0 <= target < len(self.crf) or jumps > JUMPS_PER_TRIGGER:
                    return "jump_range"
                place = target
                continue
            if "halt" in command.operations:
                self.halted = True
                break
            parity = {values[p] for p in ("destination", "source_0", "source_1", "source_2") if p in values}
            named = {_BANK[k] for k, code in self.spec.commands.operands.items() if k in _BANK and code in parity}
            if named - {bank % 2}:
                return "bank_mismatch"
            self._execute(command, values, write, bank, row, column)
            self.instructions[command.name] = self.instructions.get(command.name, 0) + 1
            self.counter, self.jump, self.jump_place = self._next(command, values, place), jump, jump_place
            return ""
        return ""

    def _next(self, command: Command, values: dict[str, int], place: int) -> int:
        """Place of the instruction after this one: the same while it repeats."""
        if "repeat_count" in command.operations:
            total = values["count"] + 1
        elif "repeat_aligned" in command.operations and (values.get("aligned") or "align" in command.operations):
            total = self.spec.register("GRF_A").entries
        else:
            total = 1
        if self.repeat_place != place:
            self.repeat_place, self.repeat = place, total
        self.repeat -= 1
        if self.repeat:
            return place
        self.repeat_place = -1
        return min(place + 1, len(self.crf) - 1)

    # ---- micro-operations, all units at once

    def _execute(
        self,
        command: Command,
        values: dict[str, int],
        write: bool,
        bank: int,
        row: int,
        column: int,
    ) -> None:
        names = {code: kind for kind, code in self.spec.commands.operands.items()}
        accumulates = "fetch_destination" in command.operations
        aligned = bool(values.get("aligned")) or "align" in command.operations

        def index_of(place: str, kind: str) -> int:
            if kind in self.grf and aligned:
                return aligned_index(kind, accumulates, row, column)
            return values.get("source_1_index" if place == "source_2" else f"{place}_index", 0) & 7

        def fetch(place: str) -> np.ndarray:
            kind = names[values[place]]
            if kind in _BANK:
                return np.stack([self.row(2 * u + _BANK[kind], row)[column] for u in range(self.spec.units)])
            if kind in self.grf:
                return self.grf[kind][:, index_of(place, kind)].copy()
            if kind in self.latch:
                return self.latch[kind].copy()
            scalar = self.srf[:, index_of(place, kind) + (8 if kind == "SRF_A" else 0)]
            return np.repeat(scalar[:, None], self.spec.lanes, axis=1)

        a = b = c = product = result = np.zeros((self.spec.units, self.spec.lanes), np.uint16)
        for operation in command.operations:
            match operation:
                case "fetch_source_0":
                    a = fetch("source_0")
                case "fetch_source_1":
                    b = fetch("source_1")
                case "fetch_source_2":
                    c = fetch("source_2")
                case "fetch_destination":
                    c = fetch("destination")
                case "multiply":
                    product = self.latch["M_OUT"] = fp16_multiply(a, b)
                case "add_sources":
                    result = self.latch["A_OUT"] = fp16_add(a, b)
                case "add_product":
                    result = self.latch["A_OUT"] = fp16_add(product, c)
                case "take_product":
                    result = product
                case "take_source":
                    result = a
                case "rectify":
                    result = fp16_relu(result) if values["relu"] else result
                case "write_destination":
                    kind = names[values["destination"]]
                    self._store(kind, index_of("destination", kind), result, row, column)
                case "store_register" if write:
                    file = self.grf["GRF_A" if bank % 2 == 0 else "GRF_B"]
                    self._store(("EVEN_BANK", "ODD_BANK")[bank % 2], 0, file[:, column & 7].copy(), row, column)

    def _store(self, kind: str, index: int, result: np.ndarray, row: int, column: int) -> None:
        if kind in _BANK:
            for unit in range(self.spec.units):
                self.row(2 * unit + _BANK[kind], row)[column] = result[unit]
        elif kind in self.grf:
            self.grf[kind][:, index] = result
        elif kind in self.latch:
            self.latch[kind] = result
        else:
            self.srf[:] = result
