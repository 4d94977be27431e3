"""One GDDR6-AiM channel that holds data, interpreting micro-operations.

Row states, register mode and timing are checked as in the HBM-PIM device; a refused command sets the sticky error
status and changes nothing else.
"""

import numpy as np

from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, PimSpec
from model.cycle.dram_pim.bank import CLOSED, Banks
from model.functional.dram_pim_numerics import aim_activation, aim_product, bf16_of
from model.number.aligned import aligned_dot


class AimDevice:
    """Words are uint16 arrays of `lanes` BF16 codes. `activation` is the index of the function AF16 evaluates.

    A row that `rows` lacks holds zeros; a mapping that makes what it lacks says what cells hold that nobody wrote.
    """

    def __init__(self, spec: PimSpec, timing: Timing, *, check_timing: bool = True) -> None:
        self.spec = spec
        self.check_timing = check_timing
        self.banks = Banks(timing, spec.dram.organisation)
        self.bank_count = spec.dram.organisation.banks
        self.per_group = spec.dram.organisation.banks_per_group
        self.columns = spec.dram.organisation.columns
        self.mode = spec.modes[0]
        self._known = {command.name: command for command in spec.commands.commands}
        self.error = 0
        self.activation = 0
        self.rows: dict[tuple[int, int], np.ndarray] = {}
        self.buffer = np.zeros((spec.register("GB").entries, spec.lanes), np.uint16)
        self.accumulator = np.zeros((spec.units, spec.register("MAC").entries), np.uint32)
        self.activated = np.zeros((spec.units, spec.register("AF").entries), np.uint16)

    def row(self, bank: int, row: int) -> np.ndarray:
        """The columns of a row, as they are in the bank: an array (columns, lanes) that may be written."""
        try:
            return self.rows[bank, row]
        except KeyError:
            return self.rows.setdefault((bank, row), np.zeros((self.columns, self.spec.lanes), np.uint16))

    def issue(
        self,
        name: str,
        now: int,
        *,
        bank: int = 0,
        row: int = 0,
        column: int = 0,
        accumulator: int = 0,
        paired: bool = False,
        data: np.ndarray | None = None,
    ) -> np.ndarray:
        """One command at cycle `now`; the word it drives on the data bus, else zeros. `row` is used by activates,
        `paired` by MAC16; a name that is no command stands for an unknown opcode."""
        command = self._known.get(name)
        if command is None:
            self.error = self.error or ERRORS["unknown_opcode"]
            return np.zeros(self.spec.lanes, np.uint16)
        targets = {"bank": (bank,), "channel": tuple(range(self.bank_count))}.get(
            command.scope, tuple(b for b in range(self.bank_count) if b // self.per_group == bank // self.per_group)
        )
        addressed = bank if command.scope == "bank" else None
        index = self.banks.commands.get(name)
        word = np.zeros(self.spec.lanes, np.uint16) if data is None else np.asarray(data, np.uint16)
        reason = self._refuse(command.requires, targets)
        if not reason and self.check_timing and index is not None and now < self.banks.earliest(index, addressed):
            reason = "early"
        if reason:
            self.error = self.error or ERRORS[reason]
            return np.zeros(self.spec.lanes, np.uint16)
        if index is not None:
            self.banks.issue(index, addressed, now)
        return self._execute(command.operations, targets, row, column, accumulator, paired, word)

    def _refuse(self, requires: tuple[str, ...], targets: tuple[int, ...]) -> str:
        if set(requires) & set(self.spec.modes):
            return "" if self.mode in requires else "wrong_mode"
        if self.mode != self.spec.modes[0]:
            return "wrong_mode"
        states = {"closed" if self.banks.open_row[b] == CLOSED else "open" for b in targets}
        return "" if states <= set(requires) else "wrong_row_state"

    def _execute(
        self,
        operations: tuple[str, ...],
        targets: tuple[int, ...],
        row: int,
        column: int,
        index: int,
        paired: bool,
        word: np.ndarray,
    ) -> np.ndarray:
        rows = self.banks.open_row
        lanes = self.spec.lanes
        answer = np.zeros(lanes, np.uint16)
        read = np.zeros((len(targets), lanes), np.uint16)
        broadcast, pairs, products, result = answer, [], [], []
        for operation in operations:
            match operation:
                case "open_row" | "close_row":
                    for b in targets:
                        rows[b] = row if operation == "open_row" else CLOSED
                case "read_column":
                    read = np.stack([self.row(b, rows[b])[column] for b in targets])
                case "read_buffer":
                    broadcast = self.buffer[column]
                case "pair_operands" if paired:
                    broadcast, read, targets = read[1::2], read[0::2], targets[0::2]
                case "read_pair":
                    first = [b for b in targets if b % self.per_group == 0]
                    pairs = [(b, self.row(b, rows[b])[column], self.row(b + 1, rows[b + 1])[column]) for b in first]
                case "multiply":
                    products = [(b, aim_product(x, y)) for b, x, y in pairs]
                case "take_product":
                    result = products
                case "write_result_pair":
                    for b, value in result:
                        self.row(b + 2, rows[b + 2])[column] = value
                case "multiply_accumulate":
                    operand = np.ascontiguousarray(np.broadcast_to(broadcast, read.shape))
                    units = list(targets)
                    self.accumulator[units, index] = aligned_dot(self.accumulator[units, index], operand, read)
                case "evaluate_activation":
                    given = bf16_of(self.accumulator[:, index])
                    self.activated[:, index] = aim_activation(self.spec.activations[self.activation], given)
                case "write_column":
                    for b in targets:
                        self.row(b, rows[b])[column] = word
                case "load_buffer":
                    self.buffer[column] = read[0] if "read_column" in operations else word
                case "store_buffer":
                    for b in targets:
                        self.row(b, rows[b])[column] = self.buffer[column]
                case "load_accumulator":
                    self.accumulator[:, index] = word[: self.spec.units].astype(np.uint32) << np.uint32(16)
                case "drive_accumulator":
                    answer[: self.spec.units] = bf16_of(self.accumulator[:, index])
                case "drive_activation":
                    answer[: self.spec.units] = self.activated[:, index]
                case "drive_column":
                    answer = read[0].copy()
                case "toggle_mode":
                    self.mode = self.spec.modes[self.mode == self.spec.modes[0]]
        return answer
