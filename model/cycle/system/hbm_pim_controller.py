"""The stepped model of the memory controller of an HBM-PIM channel; see `model.cycle.system.controller`."""

from collections.abc import Callable, Iterator, Mapping

from hw.base.integer import ceil_div
from hw.spec.command import unpack
from hw.spec.dram import Timing
from hw.spec.hbm_pim_controller import (
    HBM_GEMV_FIELDS,
    HBM_LABELS,
    OPCODE_HBM_GEMV,
    REGISTERS,
    Step,
    banks_in_order,
    checked,
    fixed_rows,
    hbm_moved_after,
    place_of,
    program_words,
    steps,
)
from hw.spec.memory_controller import OPCODE_READ, OPCODE_WRITE, TRANSFER_FIELDS, ControllerSpec
from model.cycle.dram_pim.bank import CLOSED
from model.cycle.system.controller import Controller, Issued, Need
from model.cycle.system.descriptor import address_of, transfer_addresses, transfer_refusal


class HbmPimController(Controller):
    """One controller and the timing of its channel."""

    def __init__(self, spec: ControllerSpec, timing: Timing, watch: Callable[[Issued], None] = lambda _: None) -> None:
        super().__init__(checked(spec), timing, HBM_LABELS, hbm_moved_after(timing), watch)
        self.all_banks = False
        self._steps = {step.name: step for step in steps(spec.pim)}
        self._rows = fixed_rows(spec.pim)
        count = spec.pim.dram.organisation.banks
        self._order = banks_in_order(spec.pim)
        self._parities = tuple(tuple(range(parity, count, 2)) for parity in (0, 1))

    def read(self, word: int, pointed: Callable[[int], int]) -> tuple[int, Iterator[Need]]:
        """See `Controller`."""
        if word & 0xFF == OPCODE_HBM_GEMV:
            fields = unpack(HBM_GEMV_FIELDS, word)
            code = self._refusal(fields)
            if not code:
                words = program_words(self.spec.pim, fields["words"])
                self.program = sum(code << 32 * i for i, code in enumerate(words))
            return code, self._product(fields)
        fields = unpack(TRANSFER_FIELDS, word)
        if fields["opcode"] not in (OPCODE_READ, OPCODE_WRITE):
            return 1, iter(())
        address = address_of(self.spec, fields, pointed, 1)
        return transfer_refusal(self.spec, fields, address), self._transfer(fields, address)

    def _refusal(self, fields: Mapping[str, int]) -> int:
        spec = self.spec
        words, passes = fields["words"], fields["passes"]
        tiles, per_row = ceil_div(words, REGISTERS), spec.pim.dram.organisation.columns // REGISTERS
        if not words or not passes:
            return 2
        if fields["source"] + words > spec.shared_words:
            return 3
        if fields["row"] + 2 * tiles * passes > spec.rows or fields["results"] + ceil_div(passes, per_row) > spec.rows:
            return 4
        return 5 if (fields["first"] and fields["first"] + words > REGISTERS) or fields["row"] & 1 else 0

    def _transfer(self, fields: Mapping[str, int], address: int) -> Iterator[Need]:
        write = fields["opcode"] == OPCODE_WRITE
        for number, place in enumerate(transfer_addresses(fields, address)):
            bank, row, column = place_of(self.spec, place)
            yield Need(
                act="WR" if write else "RD", label="write" if write else "read", bank=bank, row=row, column=column,
                shared=fields["shared"] + number, data="shared", wide=bool(fields["wide"]))  # fmt: skip

    def _product(self, fields: Mapping[str, int]) -> Iterator[Need]:
        step, words, first = self._steps, fields["words"], fields["first"]
        columns = self.spec.pim.dram.organisation.columns
        per_row = columns // REGISTERS
        for name in ("close", "enter", "program", "enable"):
            yield from self._plain(step[name])
        row = fields["row"]
        for done in range(fields["passes"]):
            for start in range(0, words, REGISTERS):
                used = min(REGISTERS, words - start)
                if not done or words > REGISTERS:
                    yield from self._columns(step["load"], used, first, shared=fields["source"] + start)
                for i in range(REGISTERS * used):
                    further, column = divmod(first * REGISTERS + i, columns)
                    yield self._need(step["multiply"], 0, row + further, column)
                row += 2
            further, quarter = divmod(done, per_row)
            for i in range(REGISTERS):
                yield self._need(step["store"], 0, fields["results"] + further, quarter * REGISTERS + i)
            if done + 1 < fields["passes"]:
                yield from self._columns(step["clear"], REGISTERS)
        for name in step:
            if name == "disable" or name.startswith("leave"):
                yield from self._plain(step[name])

    def _plain(self, step: Step) -> Iterator[Need]:
        """One need for each bank."""
        leaves = step.name == [*self._steps][-1]
        for bank in step.banks:
            yield self._need(
                step, bank, self._rows[step.row], step.column, enters=step.name == "enter" and bank == step.banks[-1],
                leaves=leaves)  # fmt: skip

    def _columns(self, step: Step, count: int, first: int = 0, shared: int = 0) -> Iterator[Need]:
        for i in range(count):
            yield self._need(step, step.banks[0], self._rows[step.row], step.column + first + i, shared=shared + i)

    def _need(
        self, step: Step, bank: int, row: int, column: int, *, shared: int = 0, enters: bool = False,
        leaves: bool = False,
    ) -> Need:  # fmt: skip
        return Need(
            act=step.act, label=step.label, bank=bank, row=row, column=column, shared=shared, data=step.data,
            holds=step.holds, enters=enters, leaves=leaves)  # fmt: skip

    def _serve(self, need: Need) -> int:
        end = super()._serve(need)
        if need.enters or need.leaves:
            self.all_banks = need.enters
        return end

    def _reached(self, name: str, bank: int | None) -> tuple[int, ...]:
        if bank is None:
            return ()
        return self._parities[bank] if self.all_banks and bank < 2 else (bank,)

    def _clear(self) -> tuple[str, int | None]:
        lowest = next((b for b, row in enumerate(self.banks.open_row) if row != CLOSED), None)
        return ("REF", None) if lowest is None else ("PRE", lowest)

    def _next(self, need: Need) -> tuple[str, int | None, str]:
        if need.wide:
            together = [bank + need.bank % 2 for bank in self._order]
            rows = self.banks.open_row
            for name, waits in (("PRE", lambda row: row not in (CLOSED, need.row)), ("ACT", lambda row: row == CLOSED)):
                bank = next((b for b in together if waits(rows[b])), None)
                if bank is not None:
                    return name, bank, "row"
        row, bank = self.banks.open_row[need.bank], need.bank
        ways = need.act in ("open", "close")
        if need.act == "close":
            return ("" if row == CLOSED else "PRE"), bank, "mode"
        if row not in (CLOSED, need.row):
            return "PRE", bank, "mode" if ways else "row"
        if need.act == "open":
            return ("" if row == need.row else "ACT"), bank, "mode"
        return ("ACT", bank, "row") if row == CLOSED else (need.act, bank, "column")
