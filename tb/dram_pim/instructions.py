"""Every form of every HBM-PIM instruction as command streams, and what plain arithmetic says of them.

A case loads registers, runs a program in which no result overwrites another, and stores all registers, latches and
scalars in a row of its own, so that every result is in the banks at the end of the stream.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from hw.base.error import InputError
from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from hw.spec.pim_command import CommandSet
from model.lowering.dram_pim.assembler import BANKS, assemble, check
from model.reference.hbm_pim import HbmPimState, hbm_pim_order, hbm_pim_step
from tb.dram_pim.random import Cells, RandomStreams

FORM_WORDS = 11
"""Instruction words of a case beside those that store its results."""

_PLACES = ("destination", "source_0", "source_1", "source_2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An instruction with a choice of operand kinds, aligned mode and ReLU; register indices come later.

    Parameters
    ----------
    name : str
        The instruction, e.g. "MAC".
    values : tuple of (str, int)
        Field of the instruction word and its value: codes of the destination's and the sources' kinds, aligned and relu
        as 0 or 1; of NOP its count, the triggers it lasts for less one.
    """

    name: str
    values: tuple[tuple[str, int], ...]

    def kinds(self, table: CommandSet) -> list[str]:
        """Operand kinds, the destination first."""
        names = {code: name for name, code in table.operands.items()}
        return [names[code] for place, code in self.values if place in _PLACES]

    @property
    def aligned(self) -> bool:
        """It lasts for a trigger per register and takes the index from the address."""
        return self.name == "FILL" or ("aligned", 1) in self.values


def every_form(table: CommandSet) -> list[Form]:
    """All that the assembler accepts: each instruction with each legal destination and sources, aligned or not, with
    and without ReLU; NOP of one and of several triggers."""
    found = [Form(name="NOP", values=(("count", count),)) for count in (0, 1, 5)]
    for name in ("ADD", "MUL", "MAC", "MAD", "MOV", "FILL"):
        fields = [f for f in (*_PLACES, "aligned", "relu") if f in table.command(name).fields]
        choices = [sorted(table.operands.values()) if f in _PLACES else (0, 1) for f in fields]
        for chosen in product(*choices):
            values = dict(zip(fields, chosen, strict=True))
            try:
                check(table, table.encode(name, values))
            except InputError:
                continue
            found.append(Form(name=name, values=tuple(values.items())))
    return found


class InstructionStreams(RandomStreams):
    """Streams of cases; `state` is what plain arithmetic makes of them. Rows 0 and 1 hold operands, a case's results
    go to a row above."""

    def __init__(
        self,
        spec: PimSpec,
        timing: Timing,
        cells: Cells,
        rng: np.random.Generator,
        *,
        rows: int,
    ) -> None:
        for bank in range(spec.dram.organisation.banks):
            for row in range(rows):
                cells.setdefault((bank, row), np.zeros((spec.dram.organisation.columns, spec.lanes), np.uint16))
        super().__init__(spec, timing, cells, rng, rows=rows)
        self.table = spec.commands
        self.next_row, self.last_row = 2, rows
        for bank, row in product(range(self.banks), (0, 1)):
            cells[bank, row][:] = [self.word() for _ in range(self.columns)]
        units, lanes = spec.units, spec.lanes
        self.state = HbmPimState(
            a=np.zeros((units, 8, lanes), np.uint16),
            b=np.zeros((units, 8, lanes), np.uint16),
            scalars=np.zeros((units, 16), np.uint16),
            added=np.zeros((units, lanes), np.uint16),
            multiplied=np.zeros((units, lanes), np.uint16),
            rows={k: v.copy() for k, v in cells.items()},
        )
        self.enter()

    def do(self, name: str, bank: int, row: int = 0, column: int = 0, data: np.ndarray | None = None) -> int:
        """Play a command when it is first legal; it must be."""
        banks = self.device.banks
        first = banks.earliest_of(banks.commands[name], self.device._targets(bank))
        reason = self.issue(max(first, self.now + 1), name, bank, row, column, data)
        if reason:
            raise AssertionError(f"{name} of bank {bank} row {row} must be legal, not refused with {reason}")
        return reason

    def written(self) -> Cells:
        """(bank, row) -> columns whose contents the stream decides: those of the operands and of stored results."""
        results = {0: [*range(18), *range(24, 32)], 1: [*range(24, 32)]}
        return {
            (bank, row): np.arange(self.columns) if row < 2 else np.array(results[bank % 2])
            for bank in range(self.banks)
            for row in range(self.next_row)
        }

    def room(self) -> bool:
        """There is a row left for another case."""
        return self.next_row < self.last_row

    def case(self, forms: list[Form]) -> list[Form]:
        """Run as many of `forms` as fit a program without overwriting; those that are left."""
        words, steps, left = self._program(forms)
        store = "".join(f"MOV EVEN_BANK, {latch}\n" for latch in ("A_OUT", "M_OUT"))
        store += "".join(f"MOV EVEN_BANK, SRF_{half}[{i}]\n" for half in "MA" for i in range(8))
        words += assemble(self.table, store + "NOP 15\nEXIT\n")
        data_row, result_row = int(self.rng.integers(2)), self.next_row
        self.next_row += 1
        self._load(words)
        order = hbm_pim_order(words)
        self._open(data_row)
        for bank, aligned, write in steps:
            first = int(self.rng.integers(self.columns))
            columns = range(first - first % 8, first - first % 8 + 8) if aligned else (first,)
            for column in columns:
                self._trigger(next(order), words, write, bank, data_row, column)
        self._open(result_row)
        for column in range(18):
            self._trigger(next(order), words, bool(column % 2), 0, result_row, column)
        for bank, i in product((0, 1), range(8)):
            self._trigger(next(order), words, True, bank, result_row, 24 + i)
        if next(order, None) is not None:
            raise AssertionError("the program must end with EXIT")
        for column in (24, 25):  # halted: nothing may happen
            self.do("WR", 0, result_row, column, self.word())
        self.leader(0, self.register_row)
        self.do("WR", 0, self.register_row, 0, np.zeros(self.spec.lanes, np.uint16))
        return left

    def _program(self, forms: list[Form]) -> tuple[list[int], list[tuple[int, bool, bool]], list[Form]]:
        """Words, (bank, aligned, write) of each instruction in the order of execution, and the forms left over."""
        words: list[int] = []
        steps: list[tuple[int, bool, bool]] = []
        free = {"GRF_A": set(range(8)), "GRF_B": set(range(8)), "SRF_M": {0}, "SRF_A": {0}}
        left = []
        for form in forms:
            kinds = form.kinds(self.table)
            target = kinds[0] if kinds else ""
            room = free.get(target, {0})
            if len(words) + 2 > FORM_WORDS or not room or (form.aligned and len(room) < 8):
                left.append(form)
                continue
            values = dict(form.values)
            for place in ("destination_index", "source_0_index", "source_1_index"):
                if place in self.table.command(form.name).fields:
                    values[place] = int(self.rng.integers(8))
            if form.aligned:
                room.clear()
            elif target in ("GRF_A", "GRF_B"):
                values["destination_index"] = int(self.rng.choice(sorted(room)))
                room.discard(values["destination_index"])
            elif target.startswith("SRF"):
                free["SRF_M"], free["SRF_A"] = set(), set()
            named = [BANKS.index(k) for k in kinds if k in BANKS]
            bank = named[0] if named else int(self.rng.integers(2))
            words.append(self.table.encode(form.name, values))
            times = 1
            if self.rng.random() < 0.2 and not form.aligned:
                times = int(self.rng.integers(1, 4))
                words.append(self.table.encode("JUMP", {"offset": 2, "iterations": times - 1}))
            writes = self.rng.random() < 0.5
            steps += [(bank, form.aligned, writes)] * (times * (values.get("count", 0) + 1))
        return words, steps, left

    def _load(self, words: list[int]) -> None:
        """Program and registers; the accumulating registers become zero when the PIM mode is entered."""
        s, lanes = self.state, self.spec.lanes
        self.leader(0, self.register_row)
        padded = np.array(words + [0] * (-len(words) % 8), np.uint32).view(np.uint16).reshape(-1, lanes)
        for i, data in enumerate(padded):
            self.do("WR", 0, self.register_row, 4 + i, data)
        enable = self.word()
        enable[0] |= 1
        self.do("WR", 0, self.register_row, 0, enable)
        s.b[:] = 0
        for column in (1, *range(8, 16), *range(24, 32)):
            data = self.word()
            self.do("WR", 0, self.register_row, column, data)
            if column == 1:
                s.scalars[:] = data
            else:
                (s.a if column < 16 else s.b)[:, column % 8] = data

    def _open(self, row: int) -> None:
        self.leader(0, row)
        self.leader(1, row)

    def _trigger(self, place: int, words: list[int], write: bool, bank: int, row: int, column: int) -> None:
        self.do("WR" if write else "RD", bank, row, column, self.word() if write else None)
        hbm_pim_step(self.state, words[place], write, bank, row, column)
